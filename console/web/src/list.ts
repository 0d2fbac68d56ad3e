import { signal } from "@preact/signals";
import { asFault, Fault, get, over } from "./api";
import { online, stats } from "./state";
import type { Page, Row, Stats } from "./types";

// The list of exchanges, newest first, and the live stream that feeds it.
//
// Rows that arrive while the person is reading further down wait in `waiting`:
// nothing on the screen moves until it is asked for.

const most = 200_000; // rows that this page keeps

let head: Row[] = []; // arrived live, oldest first
let tail: Row[] = []; // read by pages, newest first
let waiting: Row[] = [];
let older: string | undefined;
let newer = "";
let stream: EventSource | null = null;
let turn = 0; // counts what was asked for: late answers of earlier turns are dropped
let reading = false;
let retry = 0;
let following = true;
let filterText = "";
let sideName = "";
let known = new Set<string>();

export const length = signal(0);
export const arrived = signal(0); // rows in waiting
export const version = signal(0);
export const fault = signal<Fault | null>(null);
export const loading = signal(false);
export const ended = signal(false); // there are no older rows

export function rowAt(i: number): Row | undefined {
  return i < head.length ? head[head.length - 1 - i] : tail[i - head.length];
}

export function indexOf(id: string): number {
  for (let i = 0; i < length.value; i++) if (rowAt(i)!.id === id) return i;
  return -1;
}

function changed() {
  length.value = head.length + tail.length;
  arrived.value = waiting.length;
  version.value++;
}

// start reads the list anew with a filter, and listens.
export async function start(filter: string, side: string) {
  const t = ++turn;
  filterText = filter;
  sideName = side;
  stop();
  loading.value = true;
  try {
    const p = await get<Page>("rows", { filter, side, limit: "300" });
    if (t !== turn) return;
    head = []; waiting = []; tail = p.rows; known = new Set(p.rows.slice(0, 500).map((r) => r.id));
    older = p.older; newer = p.newer ?? "";
    ended.value = !p.older;
    fault.value = null;
    following = true;
    changed();
    listen(t);
  } catch (e) {
    if (t !== turn) return;
    fault.value = asFault(e);
    if (fault.value.status === 0) retry = window.setTimeout(() => { if (t === turn) void start(filter, side); }, 2000);
  } finally {
    if (t === turn) loading.value = false;
  }
}

export function stop() {
  clearTimeout(retry);
  stream?.close();
  stream = null;
  online.value = "off";
}

function listen(t: number) {
  const q = new URLSearchParams();
  if (filterText) q.set("filter", filterText);
  if (sideName) q.set("side", sideName);
  if (newer) q.set("after", newer);
  const s = new EventSource("/api/live?" + q);
  stream = s;
  s.onopen = () => { online.value = "on"; };
  s.addEventListener("rows", (e) => {
    const p = JSON.parse((e as MessageEvent<string>).data) as Page;
    newer = p.newer ?? newer;
    if (p.again) { void start(filterText, sideName); return; }
    const rows = p.rows.filter((r) => !known.has(r.id)).reverse(); // oldest first
    for (const r of rows) known.add(r.id);
    if (known.size > 5000) known = new Set([...known].slice(-1000));
    if (head.length + tail.length + rows.length > most) { void start(filterText, sideName); return; }
    (following ? head : waiting).push(...rows);
    if (waiting.length > 20_000) { void start(filterText, sideName); return; }
    changed();
  });
  s.addEventListener("stats", (e) => { stats.value = JSON.parse((e as MessageEvent<string>).data) as Stats; });
  const lost = () => {
    s.close();
    if (t !== turn || stream !== s) return;
    online.value = "lost";
    // Ask something small: it tells an ended session from a restart.
    get<Stats>("stats").then(() => 300, () => 2000).then((wait) => {
      if (over.value || t !== turn) return;
      retry = window.setTimeout(() => { if (t === turn) listen(t); }, wait);
    });
  };
  s.onerror = lost;
  s.addEventListener("bye", lost);
  s.addEventListener("fault", lost);
}

// follow tells whether the newest row is in view.
export function follow(top: boolean) {
  if (top === following) return;
  following = top;
  if (top) flush();
}

// flush shows what has arrived meanwhile.
export function flush() {
  if (!waiting.length) return;
  head.push(...waiting);
  waiting = [];
  changed();
}

// more reads the next older page.
export async function more(limit = 500): Promise<void> {
  if (reading || ended.value || !older || length.value >= most) return;
  reading = true;
  const t = turn;
  try {
    const p = await get<Page>("rows", { filter: filterText, side: sideName, before: older, limit: String(limit) });
    if (t !== turn) return;
    for (const r of p.rows) tail.push(r);
    older = p.older;
    ended.value = !p.older;
    changed();
  } catch (e) {
    if (t === turn && asFault(e).status !== 0) fault.value = asFault(e);
  } finally {
    reading = false;
  }
}

// all reads to the oldest row, for the End key.
export async function all() {
  const t = turn;
  while (t === turn && !ended.value && length.value < most) {
    const n = length.value;
    await more(1000);
    if (length.value === n) break;
  }
}
