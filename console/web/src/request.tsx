import { useState } from "preact/hooks";
import { edit, split } from "./compose";
import { Icon } from "./icons";
import type { CollectionForm, FieldForm, ItemForm, VariableForm } from "./types";
import { visible } from "./ui";

// The forms of a request, a folder and of variables. Every field is the text
// that stands in the file; names of variables go in double braces.

type Key<T> = keyof T & string;
interface Column<T> { key: Key<T>; name: string; hint?: string; list?: string; wide?: number; options?: string[]; check?: boolean }

// Table edits a list: a line each, and one more to add.
function Table<T extends object>({ rows, set, columns, one, toggle, empty }: {
  rows: T[]; set: (rows: T[]) => void; columns: Column<T>[]; one: () => T; toggle?: Key<T> | undefined; empty: string;
}) {
  const put = (i: number, key: Key<T>, v: string | boolean) => set(rows.map((r, j) => j === i ? { ...r, [key]: v } : r));
  const grid = { gridTemplateColumns: (toggle ? "18px " : "") + columns.map((c) => c.check ? "62px" : "minmax(0, " + (c.wide ?? 1) + "fr)").join(" ") + " 28px" };
  return (
    <div class="table">
      {rows.length === 0 ? <p class="quiet">{empty}</p> : <div class="t-row t-names" style={grid}>{toggle && <span />}{columns.map((c) => <span key={c.key}>{c.name}</span>)}<span /></div>}
      {rows.map((r, i) => {
        const v = r as { [k: string]: string | boolean | undefined };
        return (
          <div key={i} class={"t-row" + (toggle && v[toggle] ? " off" : "")} style={grid}>
            {toggle && <input type="checkbox" aria-label={"send line " + (i + 1)} checked={!v[toggle]} onChange={(e) => put(i, toggle, !e.currentTarget.checked)} />}
            {columns.map((c) => c.check ? <label key={c.key} class="t-check"><input type="checkbox" aria-label={c.name + ", line " + (i + 1)} checked={!!v[c.key]} onChange={(e) => put(i, c.key, e.currentTarget.checked)} /></label>
              : c.options ? <select key={c.key} aria-label={c.name + ", line " + (i + 1)} value={String(v[c.key] ?? "")} onChange={(e) => put(i, c.key, e.currentTarget.value)}>{c.options.map((o) => <option key={o}>{o}</option>)}</select>
              : "file" in v && v.file && c.key === "value" ? <input key={c.key} disabled value={"file " + v.file} aria-label={c.name} />
              : <input key={c.key} aria-label={c.name + ", line " + (i + 1)} placeholder={c.hint} list={c.list} value={String(v[c.key] ?? "")} onInput={(e) => put(i, c.key, e.currentTarget.value)} spellcheck={false} autocomplete="off" />)}
            <button class="button icon-only" aria-label={"remove line " + (i + 1)} title="remove" onClick={() => set(rows.filter((_, j) => j !== i))}><Icon name="close" size={12} /></button>
          </div>);
      })}
      <button class="bare" onClick={() => set([...rows, one()])}>+ add</button>
    </div>
  );
}

const fieldColumns: Column<FieldForm>[] = [{ key: "name", name: "name" }, { key: "value", name: "value", wide: 2 }];

const tabs = ["Query", "Headers", "Body", "Auth", "Expect", "Capture"] as const;

export function RequestEditor({ it, facts, names, send, running, curl }: {
  it: ItemForm; facts: { name: string; doc: string }[]; names: string[]; send: (() => void) | undefined; running: AbortController | null; curl: () => void;
}) {
  const [tab, setTab] = useState<typeof tabs[number]>(it.body?.mode ? "Body" : "Query");
  const set = (f: (it: ItemForm) => void) => edit(() => f(it));
  const count: { [t: string]: number } = { Query: it.query?.length ?? 0, Headers: it.header?.length ?? 0, Expect: it.expect?.length ?? 0, Capture: it.capture?.length ?? 0, Body: it.body?.mode ? 1 : 0, Auth: it.auth?.scheme || it.as ? 1 : 0 };
  return (
    <div class="form request">
      <input class="c-name" aria-label="name of the request" value={it.name} onInput={(e) => { const v = e.currentTarget.value; set((i) => { i.name = v; }); }} autocomplete="off" />
      <form class="c-line" onSubmit={(e) => { e.preventDefault(); if (!running) send?.(); }}>
        <input class="c-method" aria-label="method" list="methods" value={it.method ?? ""} onInput={(e) => { const v = e.currentTarget.value; set((i) => { i.method = v; }); }} spellcheck={false} autocomplete="off" />
        <input id="request-url" class="c-url" aria-label="URL" placeholder="https://api.example.com/v1/orders, or {{base}}/v1/orders" value={it.url ?? ""} spellcheck={false} autocomplete="off"
          onInput={(e) => { const v = e.currentTarget.value; set((i) => { i.url = v; }); }} onChange={() => { if (it.url?.includes("?")) { set(split); setTab("Query"); } }} />
        {running ? <button type="button" class="button" onClick={() => running.abort()}><Icon name="stop" size={13} />Stop</button>
          : <button id="send" class="button primary" disabled={!send || !it.url?.trim()} title={send ? "send (Ctrl Enter)" : "this console only shows"}><Icon name="play" size={13} />Send</button>}
        <button type="button" class="button" onClick={curl} disabled={!it.url?.trim()} title="copy as a curl command; secrets from the file stay placeholders"><Icon name="copy" size={13} />curl</button>
      </form>
      <datalist id="methods">{["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"].map((m) => <option key={m} value={m} />)}</datalist>
      <datalist id="facts">{facts.map((f) => <option key={f.name} value={f.name}>{f.doc}</option>)}</datalist>
      <div class="tabs" role="tablist" aria-label="parts of the request">{tabs.map((t) => <button key={t} role="tab" aria-selected={tab === t} onClick={() => setTab(t)}>{t}{count[t] ? t === "Body" || t === "Auth" ? <i class="dot" aria-label="set" /> : <span class="quiet"> {count[t]}</span> : null}</button>)}</div>
      <div class="c-part" role="tabpanel" aria-label={tab}>
        {tab === "Query" && <Table rows={it.query ?? []} set={(q) => set((i) => { i.query = q; })} columns={fieldColumns} one={(): FieldForm => ({ name: "", value: "" })} toggle="off" empty="No parameters. Write them here, or after a ? in the URL." />}
        {tab === "Headers" && <Table rows={it.header ?? []} set={(h) => set((i) => { i.header = h; })} columns={fieldColumns} one={(): FieldForm => ({ name: "", value: "" })} toggle="off" empty="No fields of its own. Host, Content-Length and User-Agent are added." />}
        {tab === "Body" && <Body it={it} set={set} />}
        {tab === "Auth" && <Auth it={it} set={set} names={names} />}
        {tab === "Expect" && <Table rows={it.expect ?? []} set={(x) => set((i) => { i.expect = x; })} one={() => ({ fact: "response.status", is: "==", want: "200" })} empty="Nothing is expected: any answer will do."
          columns={[{ key: "fact", name: "fact", list: "facts", hint: "response.body.$.id", wide: 2 }, { key: "is", name: "is", options: ["==", "!=", "<", "<=", ">", ">=", "contains", "matches", "exists", "type", "in", "count"] }, { key: "want", name: "value", hint: "200, text, true, [1, 2]", wide: 2 }]} />}
        {tab === "Capture" && <>
          <Table rows={it.capture ?? []} set={(x) => set((i) => { i.capture = x; })} one={(): NonNullable<ItemForm["capture"]>[number] => ({ variable: "", fact: "" })} empty="Nothing is kept. A fact of the answer can become a variable for the requests after it."
            columns={[{ key: "variable", name: "variable", hint: "token" }, { key: "fact", name: "fact", list: "facts", hint: "response.body.$.token", wide: 2 }, { key: "matches", name: "only what matches", hint: "all of it" }, { key: "secret", name: "secret", check: true }]} />
          <label class="c-needs"><span>Runs after</span><input value={(it.needs ?? []).join(", ")} placeholder="names of requests that must have gone well before, with commas" onChange={(e) => { const v = e.currentTarget.value; set((i) => { i.needs = v.split(",").map((s) => s.trim()).filter(Boolean); }); }} autocomplete="off" /></label>
        </>}
      </div>
    </div>
  );
}

type Set = (f: (it: ItemForm) => void) => void;

const modes: [string, string][] = [["", "none"], ["json", "JSON"], ["text", "text"], ["form", "form"], ["multipart", "multipart"]];

function Body({ it, set }: { it: ItemForm; set: Set }) {
  const b = it.body ?? {}, mode = b.mode ?? "";
  const bad = mode === "json" && b.text?.trim() && !b.text.includes("{{") ? jsonFault(b.text) : "";
  return <>
    <div class="tabs small" role="tablist" aria-label="kind of body">{[...modes, ...(mode === "other" ? [["other", "kept"]] as [string, string][] : [])].map(([m, name]) => <button key={m} role="tab" aria-selected={mode === m} onClick={() => set((i) => { i.body = { ...i.body, mode: m }; })}>{name}</button>)}</div>
    {mode === "" ? <p class="quiet">No body is sent.</p>
      : mode === "other" ? <p class="quiet">{visible(b.text ?? "")}</p>
      : mode === "form" || mode === "multipart" ? <Table rows={b.fields ?? []} set={(f) => set((i) => { i.body = { ...i.body, fields: f }; })} columns={fieldColumns} one={(): FieldForm => ({ name: "", value: "" })} toggle="off" empty="No fields yet." />
      : <textarea aria-label="body" class="c-body" rows={Math.min(18, Math.max(6, (b.text ?? "").split("\n").length + 1))} placeholder={mode === "json" ? '{"product_id": 12, "quantity": 1}' : ""} value={b.text ?? ""} onInput={(e) => { const v = e.currentTarget.value; set((i) => { i.body = { ...i.body, text: v }; }); }} spellcheck={false} />}
    {bad && <p class="form-fault"><Icon name="finding" size={13} /><span>This is no JSON yet: {visible(bad)}. It would be sent as it is.</span></p>}
    {mode === "json" && b.text && !bad && !b.text.includes("{{") && <button class="bare" onClick={() => set((i) => { i.body = { ...i.body, text: JSON.stringify(JSON.parse(b.text!), null, 2) }; })}>tidy up</button>}
  </>;
}

function jsonFault(s: string): string { try { JSON.parse(s); return ""; } catch (e) { return e instanceof Error ? e.message : "unreadable"; } }

const schemes: [string, string][] = [["", "as the collection says"], ["none", "none"], ["basic", "name and password"], ["bearer", "bearer token"], ["apikey", "API key"]];

function Auth({ it, set, names }: { it: ItemForm; set: Set; names: string[] }) {
  const a = it.auth ?? {}, scheme = a.scheme ?? "";
  const known = schemes.some(([s]) => s === scheme);
  const field = (label: string, key: "username" | "password" | "token" | "key" | "value", hint = "") => (
    <label><span>{label}</span><input value={a[key] ?? ""} placeholder={hint} onInput={(e) => { const v = e.currentTarget.value; set((i) => { i.auth = { ...i.auth, [key]: v }; }); }} spellcheck={false} autocomplete="off" /></label>);
  return (
    <div class="c-auth">
      <label><span>Kind</span><select aria-label="kind of credential" value={scheme} onChange={(e) => { const v = e.currentTarget.value; set((i) => { i.auth = { ...i.auth, scheme: v }; }); }}>
        {schemes.map(([s, name]) => <option key={s} value={s}>{name}</option>)}{!known && <option value={scheme}>{visible(scheme)}, kept as it is</option>}
      </select></label>
      {scheme === "basic" && <>{field("Name", "username")}{field("Password", "password", "{{password}}")}</>}
      {scheme === "bearer" && field("Token", "token", "{{token}}")}
      {scheme === "apikey" && <>{field("Field", "key", "X-API-Key")}{field("Value", "value", "{{key}}")}
        <label><span>In</span><select value={a.in ?? "header"} onChange={(e) => { const v = e.currentTarget.value; set((i) => { i.auth = { ...i.auth, in: v }; }); }}><option>header</option><option>query</option><option>cookie</option></select></label></>}
      {(names.length > 0 || it.as) && <label><span>Or as</span><select aria-label="as whom" value={it.as ?? ""} onChange={(e) => { const v = e.currentTarget.value; set((i) => { i.as = v; }); }}>
        <option value="">nobody in particular</option>{[...new Set([...names, ...(it.as ? [it.as] : [])])].map((n) => <option key={n} value={n}>{visible(n)}</option>)}</select></label>}
      <p class="quiet">What is typed here stands in the collection's file, which only you can read, and is shown as a placeholder when it is opened again. A secret variable, {"{{token}}"}, keeps it in one place. No credential crosses a channel that was not verified.</p>
    </div>
  );
}

export function VariablesEditor({ c, secrets }: { c: CollectionForm; secrets: number }) {
  return (
    <div class="form request">
      <h2>Variables</h2>
      <p class="quiet">Written as {"{{name}}"} in URLs, fields, bodies and credentials. The value of a secret one is shown nowhere: not here after it was saved, not in results, not in what is recorded.</p>
      <Table rows={c.variables} set={(v) => edit((c) => { c.variables = v; })} one={(): VariableForm => ({ name: "", value: "" })} empty="None yet. base, for the address of the API, is a good first one."
        columns={[{ key: "name", name: "name", hint: "base" }, { key: "value", name: "value", hint: "https://api.example.com", wide: 2 }, { key: "secret", name: "secret", check: true }]} />
      {secrets > 0 && <p class="quiet c-kept"><Icon name="lock" size={13} />Where secret:… stands, the file has a secret. It is used and kept as long as the placeholder stays; type over it to change it.</p>}
    </div>
  );
}

export function FolderEditor({ it }: { it: ItemForm }) {
  return (
    <div class="form request">
      <input class="c-name" aria-label="name of the folder" value={it.name} onInput={(e) => { const v = e.currentTarget.value; edit(() => { it.name = v; }); }} autocomplete="off" />
      <p class="quiet">{it.items?.length ? "A folder of " + it.items.length + (it.items.length === 1 ? " item." : " items.") : "An empty folder: + request, on the left, adds one to it."}</p>
    </div>
  );
}
