import { signal } from "@preact/signals";
import type { CollectionForm, ItemForm, Opened, RanAll } from "./types";

// What is being composed. It outlives the page, so that a look at a trace
// loses nothing that was typed.

export interface Draft { file: string; version: string; collection: CollectionForm; warnings: string[]; secrets: number }

export const draft = signal<Draft | null>(null);
export const changed = signal(false); // since it was saved
export const chosen = signal("variables"); // or the place of an item: "0.2"
export const outcome = signal<{ at: string; run: RanAll } | null>(null); // at is "" for all
export const edition = signal(0);

export function blank(): Draft {
  return { file: "", version: "", collection: { name: "", variables: [], items: [request()] }, warnings: [], secrets: 0 };
}

export function request(): ItemForm {
  return { name: "New request", method: "GET", url: "", query: [], header: [], expect: [{ fact: "response.status", is: "==", want: "200" }], capture: [] };
}

export function show(d: Draft, at = d.collection.items.length ? firstRequest(d.collection.items) : "variables") {
  draft.value = d;
  changed.value = false;
  chosen.value = at;
  outcome.value = null;
  edition.value++;
}

export function opened(o: Opened): Draft {
  return { file: o.file, version: o.version, collection: o.collection, warnings: o.warnings ?? [], secrets: o.secrets ?? 0 };
}

function firstRequest(items: ItemForm[], before = ""): string {
  for (const [i, it] of items.entries()) {
    if (!it.folder) return before + i;
    const in_ = firstRequest(it.items ?? [], before + i + ".");
    if (in_ !== "variables") return in_;
  }
  return "variables";
}

// edit changes what is composed, and has the page drawn again.
export function edit(f: (c: CollectionForm) => void) {
  if (!draft.value) return;
  f(draft.value.collection);
  changed.value = true;
  edition.value++;
}

export function itemAt(c: CollectionForm, at: string): ItemForm | undefined {
  if (!/^\d+(\.\d+)*$/.test(at)) return undefined;
  let items = c.items, it: ItemForm | undefined;
  for (const p of at.split(".")) { it = items[Number(p)]; items = it?.items ?? []; }
  return it;
}

// listOf is the list that holds an item, and its place there.
export function listOf(c: CollectionForm, at: string): [ItemForm[], number, string] {
  const ps = at.split("."), i = Number(ps.pop());
  const up = ps.join(".");
  return [up ? itemAt(c, up)?.items ?? [] : c.items, i, up ? up + "." : ""];
}

// fresh is a copy of an item that stands in no file yet.
export function fresh(it: ItemForm): ItemForm {
  const { from: _, ...rest } = structuredClone(it);
  return { ...rest, ...(rest.items ? { items: rest.items.map(fresh) } : {}) };
}

// split moves a query that was typed into the URL to the parameters.
export function split(it: ItemForm) {
  const [base, query] = (it.url ?? "").split(/\?(.*)/s, 2);
  if (query === undefined) return;
  const plain = (s: string) => { try { return decodeURIComponent(s.replace(/\+/g, " ")); } catch { return s; } };
  it.url = base!;
  it.query = [...it.query ?? [], ...query.replace(/#.*$/s, "").split("&").filter(Boolean).map((p) => {
    const [n, v] = p.split(/=(.*)/s, 2);
    return { name: plain(n!), value: plain(v ?? "") };
  })];
}
