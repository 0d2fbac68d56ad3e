import { useEffect, useRef, useState } from "preact/hooks";
import { asFault, Fault, get, post } from "../api";
import { blank, changed, chosen, draft, edit, edition, fresh, itemAt, listOf, opened, outcome, request, show } from "../compose";
import { Icon } from "../icons";
import { RequestEditor, VariablesEditor, FolderEditor } from "../request";
import { Results } from "../results";
import { about, copy, route, say } from "../state";
import type { ItemForm, Opened, RanAll } from "../types";
import { Empty, Failed, Loading, Method, visible } from "../ui";

export interface Shelf { folder?: string; files: string[]; facts: { name: string; doc: string }[] }

export function ComposePage() {
  const [shelf, setShelf] = useState<Shelf | null>(null);
  const [broken, setBroken] = useState<Fault | null>(null);
  const [fault, setFault] = useState<Fault | null>(null);
  const [importing, setImporting] = useState(false);
  const [running, setRunning] = useState<AbortController | null>(null);
  const [note, setNote] = useState("");
  const now = useRef<AbortController | null>(null);
  const calls = about.value!.call;
  edition.value; // drawn again with every change
  const d = draft.value;
  const from = route.value.query.get("from"), pick = route.value.query.get("file");

  const list = () => get<Shelf>("collections").then(setShelf, (e) => setBroken(asFault(e)));
  const tried = async (f: () => Promise<void>) => {
    setFault(null);
    try { await f(); } catch (e) { if (!(e instanceof DOMException && e.name === "AbortError")) setFault(asFault(e)); }
  };
  const leave = () => !changed.value || confirm("What was changed here has not been saved. Go on without it?");
  const open = (file: string) => void tried(async () => {
    if (!leave()) return;
    setImporting(false); setNote("");
    show(opened(await get<Opened>("collections/" + encodeURIComponent(file))));
  });
  useEffect(() => { void list(); return () => now.current?.abort(); }, []);
  useEffect(() => { if (pick && draft.value?.file !== pick) open(pick); }, [pick]);
  useEffect(() => {
    if (!from) return;
    void tried(async () => {
      const { item } = await get<{ item: ItemForm }>("compose/from/" + encodeURIComponent(from));
      const to = draft.value ?? { ...blank(), collection: { name: "", variables: [], items: [] } };
      if (!draft.value) show(to);
      edit((c) => { c.items.push(item); });
      chosen.value = String(to.collection.items.length - 1);
      outcome.value = null;
      setNote(/secret:[0-9a-f]{12}/.test(JSON.stringify(item)) ? "This request was recorded with its secrets masked: where secret:… stands, type your own in, or choose how to log in under Auth." : "");
      history.replaceState(null, "", "#/compose");
    });
  }, [from]);

  const body = () => ({ file: d!.file, version: d!.version, collection: d!.collection, item: chosen.value });
  const run = (all: boolean) => void tried(async () => {
    const c = new AbortController();
    now.current = c;
    setRunning(c);
    outcome.value = null;
    try {
      outcome.value = { at: all ? "" : chosen.value, run: await post<RanAll>("compose/" + (all ? "run" : "send"), body(), c.signal) };
    } finally { setRunning(null); }
  });
  const save = (as: string) => void tried(async () => {
    const at = chosen.value;
    const o = await post<Opened>("compose/save", { ...body(), as }, undefined);
    const seen = outcome.value;
    show(opened(o), at);
    outcome.value = seen;
    say("saved as " + o.file);
    await list();
  });
  const curl = () => void tried(async () => { await copy((await post<{ curl: string }>("compose/curl", body())).curl, "curl command"); });
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (!(e.ctrlKey || e.metaKey) || e.altKey || !draft.value || !calls || running) return;
      if (e.key === "Enter" && chosen.value !== "variables") { run(false); e.preventDefault(); }
      if (e.key === "s") { if (changed.value && (draft.value.file || draft.value.collection.name)) save(draft.value.file ? "" : draft.value.collection.name); e.preventDefault(); }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });

  if (broken) return <Failed fault={broken} />;
  if (!shelf) return <Loading />;
  const it = d ? itemAt(d.collection, chosen.value) : undefined;
  return (
    <div class="page compose">
      <aside class="c-side scroll" aria-label="collections">
        <div class="c-head"><h2>Collections</h2>
          <button class="button icon-only" title="new collection" aria-label="new collection" onClick={() => { if (leave()) { setImporting(false); setNote(""); show(blank()); } }}><Icon name="plus" size={14} /></button>
          {calls && <button class="button icon-only" title="import Postman, .http, curl, HAR" aria-label="import" onClick={() => setImporting(!importing)}><Icon name="down" size={14} /></button>}
        </div>
        {shelf.files.length > 0 ? <ul class="c-files">{shelf.files.map((f) => <li key={f}><button class={d?.file === f ? "here" : ""} aria-current={d?.file === f} onClick={() => open(f)}><Icon name="folder" size={13} /><span>{visible(f.replace(/\.ya?ml$/, ""))}</span></button></li>)}</ul>
          : <p class="quiet c-none">None is saved yet{shelf.folder ? <> in <code>{visible(shelf.folder)}</code></> : ""}.</p>}
        {d && <Tree />}
      </aside>
      <section class="c-main scroll">
        {!calls && <p class="trace-box quiet"><Icon name="noted" size={14} /><span>This console only shows. To send and to save, start it with <code>parley console --call</code> or <code>parley up</code>.</span></p>}
        {importing && <Import done={(o) => { setImporting(false); show(opened(o)); void list(); }} close={() => setImporting(false)} />}
        {!d ? !importing && <Empty icon="compose" title="Build a request, send it, keep it">
          <p>Collections are files that <code>parley call</code> runs as well. Start with a new one, or bring what you have: Postman, .http, HAR, a curl command.</p>
          <p class="c-start"><button class="button primary" onClick={() => show(blank())}><Icon name="plus" size={13} />New request</button>{calls && <button class="button" onClick={() => setImporting(true)}><Icon name="down" size={13} />Import</button>}</p>
        </Empty> : <>
          <div class="c-bar form">
            <input id="collection-name" class="c-title" aria-label="name of the collection" placeholder="Name this collection to save it" value={d.collection.name} onInput={(e) => { const v = e.currentTarget.value; edit((c) => { c.name = v; }); }} autocomplete="off" />
            <span class="quiet c-state">{d.file ? <><code>{visible(d.file)}</code>{changed.value ? ", changed" : ", saved"}</> : "not saved"}</span>
            {calls && <>
              <button id="save" class="button" disabled={!!d.file && !changed.value || !d.file && !d.collection.name.trim()} onClick={() => save(d.file ? "" : d.collection.name)} title="save (Ctrl S)"><Icon name="save" size={13} />Save</button>
              {d.file && <button class="button" disabled={!d.collection.name.trim()} onClick={() => save(d.collection.name)} title="as a new file, under the name on the left">Save a copy</button>}
              {running ? <button class="button" onClick={() => running.abort()}><Icon name="stop" size={13} />Stop</button>
                : <button class="button" disabled={!d.collection.items.length} onClick={() => run(true)} title="every request, in order"><Icon name="play" size={13} />Run all</button>}
            </>}
          </div>
          {fault && <p class="form-fault boxed" role="alert"><Icon name="finding" size={14} /><span><b>{visible(fault.title)}.</b> {visible(fault.message)}</span></p>}
          {note && <p class="c-note"><Icon name="lock" size={13} /><span>{note}</span><button class="bare" onClick={() => setNote("")}>Understood</button></p>}
          {d.warnings.length > 0 && <details class="c-note"><summary>{d.warnings.length === 1 ? "One thing" : d.warnings.length + " things"} could not be taken over</summary><ul>{d.warnings.slice(0, 50).map((w, i) => <li key={i}>{visible(w)}</li>)}</ul></details>}
          {chosen.value === "variables" ? <VariablesEditor c={d.collection} secrets={d.secrets} />
            : !it ? <Empty icon="compose" title="Nothing is chosen"><p>Choose a request on the left, or add one.</p></Empty>
            : it.folder ? <FolderEditor it={it} />
            : <RequestEditor key={chosen.value + d.file} it={it} facts={shelf.facts} names={about.value!.names ?? []} send={calls ? () => run(false) : undefined} running={running} curl={curl} />}
          {running && <p class="quiet c-running" role="status">Calling …</p>}
          {outcome.value && (outcome.value.at === "" || outcome.value.at === chosen.value) && <Results run={outcome.value.run} all={outcome.value.at === ""} />}
        </>}
      </section>
    </div>
  );
}

// Tree is what is in the collection.
function Tree() {
  const c = draft.value!.collection;
  const add = (it: ItemForm) => {
    // Into the chosen folder, or after the chosen request.
    let at = "";
    edit((c) => {
      const into = itemAt(c, chosen.value);
      if (into?.folder) { into.items = [...into.items ?? [], it]; at = chosen.value + "." + (into.items.length - 1); return; }
      if (into) { const [l, i, up] = listOf(c, chosen.value); l.splice(i + 1, 0, it); at = up + (i + 1); return; }
      c.items.push(it); at = String(c.items.length - 1);
    });
    chosen.value = at;
    outcome.value = null;
  };
  const it = itemAt(c, chosen.value);
  const move = (by: number) => edit((c) => {
    const [l, i, up] = listOf(c, chosen.value), to = i + by;
    if (to < 0 || to >= l.length) return;
    l.splice(to, 0, l.splice(i, 1)[0]!);
    chosen.value = up + to;
  });
  const remove = () => edit((c) => {
    const [l, i, up] = listOf(c, chosen.value);
    l.splice(i, 1);
    chosen.value = l.length ? up + Math.min(i, l.length - 1) : up ? up.slice(0, -1) : "variables";
    outcome.value = null;
  });
  return (
    <div class="c-tree">
      <div class="c-head"><h3>{visible(c.name) || "New collection"}</h3></div>
      <ul>
        <li><button class={chosen.value === "variables" ? "here" : ""} aria-current={chosen.value === "variables"} onClick={() => { chosen.value = "variables"; }}><Icon name="keys" size={13} /><span>Variables</span><span class="quiet num">{c.variables.length || ""}</span></button></li>
        <Branch items={c.items} before="" depth={0} />
      </ul>
      <div class="c-tools">
        <button class="bare" onClick={() => add(request())}>+ request</button><button class="bare" onClick={() => add({ name: "New folder", folder: true, items: [] })}>+ folder</button>
        {it && <span class="c-move">
          <button class="button icon-only" aria-label="up" title="move up" onClick={() => move(-1)}><Icon name="up" size={12} /></button>
          <button class="button icon-only turned" aria-label="down" title="move down" onClick={() => move(1)}><Icon name="up" size={12} /></button>
          <button class="button icon-only" aria-label="double" title="a copy of it" onClick={() => { const two = fresh(it); two.name += " (copy)"; edit((c) => { const [l, i] = listOf(c, chosen.value); l.splice(i + 1, 0, two); }); }}><Icon name="copy" size={12} /></button>
          <button class="button icon-only" aria-label="remove" title="remove it" onClick={remove}><Icon name="close" size={12} /></button>
        </span>}
      </div>
    </div>
  );
}

function Branch({ items, before, depth }: { items: ItemForm[]; before: string; depth: number }) {
  return <>{items.map((it, i) => {
    const at = before + i;
    return <li key={at}>
      <button class={chosen.value === at ? "here" : ""} aria-current={chosen.value === at} style={{ paddingLeft: 8 + Math.min(depth, 8) * 14 + "px" }} onClick={() => { chosen.value = at; }}>
        {it.folder ? <Icon name="folder" size={13} /> : <Method name={(it.method || "GET").slice(0, 7)} />}<span>{visible(it.name) || "without a name"}</span>
      </button>
      {it.folder && it.items?.length ? <ul><Branch items={it.items} before={at + "."} depth={depth + 1} /></ul> : null}
    </li>;
  })}</>;
}

function Import({ done, close }: { done: (o: Opened) => void; close: () => void }) {
  const [text, setText] = useState(""), [name, setName] = useState("");
  const [fault, setFault] = useState<Fault | null>(null);
  const read = async (e: Event) => {
    e.preventDefault();
    setFault(null);
    // The name tells the format; what is pasted is told by how it begins.
    const t = text.trimStart();
    const as = name || (/^curl(\.exe)?\s/.test(t) ? "pasted.sh" : /^[{[]/.test(t) ? "pasted.json" : /^(name|requests|doc|variables):/m.test(t) ? "pasted.yaml" : "pasted.http");
    try { done(await post<Opened>("compose/import", { name: as, text })); } catch (err) { setFault(asFault(err)); }
  };
  const file = async (f: File | undefined) => {
    if (!f) return;
    if (f.size > 8 << 20) { setFault(new Fault(413, "too large", "A file of at most 8 MB can be read here; parley convert reads larger ones.")); return; }
    setName(f.name);
    setText(await f.text());
  };
  return (
    <form class="c-import form" onSubmit={(e) => void read(e)}>
      <div class="c-head"><h2>Import</h2><button type="button" class="button icon-only" aria-label="close" onClick={close}><Icon name="close" size={13} /></button></div>
      <p class="quiet">A Postman collection, .http file, HAR, or a curl command as a browser copies it. It becomes a collection of its own; secrets in it stay in its file, which only you can read.</p>
      <label class="c-file"><span>File</span><input type="file" onChange={(e) => void file(e.currentTarget.files?.[0])} /></label>
      <textarea id="import-text" aria-label="or paste it here" placeholder={"or paste it here, such as\ncurl https://api.example.com/v1/orders -H 'Accept: application/json'"} rows={8} value={text} onInput={(e) => { setText(e.currentTarget.value); setName(""); }} spellcheck={false} />
      {fault && <p class="form-fault" role="alert"><Icon name="finding" size={14} /><span>{visible(fault.message)}</span></p>}
      <p><button class="button primary" disabled={!text.trim()}><Icon name="down" size={13} />Import</button></p>
    </form>
  );
}
