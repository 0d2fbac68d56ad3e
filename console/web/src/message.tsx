import { useContext, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { cutText, mediaType, reason, size, statusClass, text } from "./format";
import { Icon } from "./icons";
import { MarksOf } from "./marks";
import { merge, parse, pretty, type Line, type Pair } from "./json";
import type { Body, Exchange, Field } from "./types";
import { Method, Text, visible } from "./ui";

// A Mark says something about a line: why a member was taken out.
export type Mark = { why: string; kind: "removed" | "added" | "changed" };

const step = 600; // lines shown at first, and with each "more"

// A message's fields that differ on every exchange and mean nothing here.
const noise = new Set(["date", "content-length", "x-request-id", "connection", "keep-alive", "transfer-encoding"]);

// What guard's own listener adds to every answer, after the API's has been
// seen: it is in the API's record, and not taken out of its answer.
const ours = new Set(["alt-svc"]);

export interface HeaderLine { name: string; value: string; mark?: "removed" | "added" | "changed"; was?: string; noise?: boolean; why?: string }

// headerDiff lays two field lists over each other, in the order of b. What
// only a has comes at the end, as removed.
export function headerDiff(a: Field[], b: Field[], why: (name: string) => string | undefined): HeaderLine[] {
  const rest = a.map((f) => ({ ...f, used: false }));
  const out: HeaderLine[] = [];
  const extra = (l: HeaderLine): HeaderLine => {
    const w = why(l.name);
    return { ...l, noise: noise.has(l.name.toLowerCase()), ...(w ? { why: w } : {}) };
  };
  const unmatched: { line: HeaderLine; name: string }[] = [];
  for (const f of b) {
    const n = f.name.toLowerCase();
    const same = rest.find((x) => !x.used && x.name.toLowerCase() === n && x.value === f.value);
    if (same) { same.used = true; out.push({ name: f.name, value: f.value, noise: noise.has(n) }); }
    else { const line: HeaderLine = { name: f.name, value: f.value, mark: "added" }; out.push(line); unmatched.push({ line, name: n }); }
  }
  for (const u of unmatched) {
    const other = rest.find((x) => !x.used && x.name.toLowerCase() === u.name);
    if (other) { other.used = true; u.line.mark = "changed"; u.line.was = other.value; }
    Object.assign(u.line, extra(u.line));
  }
  for (const x of rest) if (!x.used && !ours.has(x.name.toLowerCase())) out.push(extra({ name: x.name, value: x.value, mark: "removed" }));
  return out;
}

export function plainHeaders(fs: Field[] | undefined): HeaderLine[] {
  return (fs ?? []).map((f) => ({ name: f.name, value: f.value }));
}

export function Headers({ lines, notes }: { lines: HeaderLine[]; notes?: boolean }) {
  const { fields } = useContext(MarksOf);
  if (!lines.length) return <p class="quiet">no header fields</p>;
  return (
    <dl class="headers">
      {lines.map((l, i) => (
        <div key={i} class={(l.mark && !(l.noise) ? "mark-" + l.mark : "") + (l.noise ? " noise" : "") + (fields.has(l.name.toLowerCase()) ? " mark-proof" : "")} title={l.why ?? (l.mark === "changed" ? "was: " + l.was : undefined)}>
          <dt>{l.mark && !l.noise && <span class="sign" aria-label={l.mark}>{l.mark === "removed" ? "−" : l.mark === "added" ? "+" : "≠"}</span>}<Text>{l.name}</Text></dt>
          <dd><Text>{l.value}</Text>{l.mark === "changed" && !l.noise && l.was !== undefined && <s><Text>{l.was}</Text></s>}
            {notes !== false && l.mark && !l.noise && l.why && <em class="why">{l.why}</em>}</dd>
        </div>
      ))}
    </dl>
  );
}

function JsonLine({ l }: { l: Line }) {
  return <>
    {"  ".repeat(l.depth)}
    {l.key !== undefined && <><span class="j-key"><Text>{l.key}</Text></span>: </>}
    <span class={"j-" + l.kind}><Text>{l.text}</Text></span>{l.comma ? "," : ""}
  </>;
}

function Lines({ children }: { children: ComponentChildren[] }) {
  const [n, setN] = useState(step);
  return <>
    {children.slice(0, n)}
    {children.length > n && <button class="button small" onClick={() => setN(n + step * 4)}>{children.length - n} more lines</button>}
  </>;
}

// Json shows a text; the pairs show it against another. side says which of the
// two is drawn; lines that only the other has appear as struck-through ghosts.
export function Json({ lines }: { lines: Line[] }) {
  const { members } = useContext(MarksOf);
  return <pre class="body json"><Lines>{lines.map((l, i) => {
    const told = members.length > 0 && l.key !== undefined && members.some((m) => m.test(l.pointer));
    return <div key={i} class={"line" + (told ? " mark-proof" : "")}>{told && <span class="sign" aria-label="proof">►</span>}<JsonLine l={l} /></div>;
  })}</Lines></pre>;
}

export function JsonPairs({ pairs, side, why, leak }: { pairs: Pair[]; side: "left" | "right"; why?: (pointer: string) => string | undefined; leak?: boolean }) {
  const [at, setAt] = useState<string | null>(null);
  const rows = pairs.map((p, i) => {
    const own = side === "left" ? p.left : p.right, other = side === "left" ? p.right : p.left;
    if (own && p.same) return <div key={i} class="line"><JsonLine l={own} /></div>;
    if (own && other) return <div key={i} class="line mark-changed"><span class="sign">≠</span><JsonLine l={own} /></div>;
    if (own) {
      const kind = side === "left" ? (leak ? "leak" : "removed") : "added";
      return <div key={i} class={"line mark-" + kind}><span class="sign">{side === "left" ? "−" : "+"}</span><JsonLine l={own} /></div>;
    }
    if (side === "left") return <div key={i} class="line gap">{" "}</div>;
    const w = why?.(other!.pointer), shown = at === other!.pointer && other!.key !== undefined;
    return (
      <div key={i} class={"line ghost" + (w ? " told" : "")} title={w} onClick={w ? () => setAt(shown ? null : other!.pointer) : undefined}>
        <span class="sign">−</span><s><JsonLine l={other!} /></s>{shown && <em class="why">{w}</em>}
      </div>
    );
  });
  return <pre class="body json diff"><Lines>{rows}</Lines></pre>;
}

// BodyView shows a body as text: pretty when it is JSON, never as a page.
export function BodyView({ body, type, cut, all, before, why }: {
  body: Body | undefined; type: string; cut?: boolean | undefined; all?: (() => void) | undefined;
  before?: Body | undefined; why?: (pointer: string) => string | undefined;
}) {
  const [raw, setRaw] = useState(false);
  if (!body || (!body.size && !body.data)) return <p class="quiet">no body</p>;
  if (!body.data) return <p class="quiet">{size(body.size)}, not kept</p>;
  const t = cut ? cutText(body.data) : text(body.data) ?? cutText(body.data);
  if (t === null || t.includes("\u0000")) return <><p class="quiet">{size(body.size)} that are not text{type && ", " + type}</p><Hex data={body.data} /></>;
  const tree = cut ? null : parse(t);
  const b = before?.data && !cut ? text(before.data) : null;
  const other = b !== null && b !== undefined && b !== t ? parse(b) : null;
  return (
    <>
      <div class="body-bar">
        <span>{type || "no type"}</span><span>{size(body.size)}</span>
        {tree && <button class="bare" aria-pressed={raw} onClick={() => setRaw(!raw)}>{raw ? "pretty" : "as sent"}</button>}
        {(cut || atobLength(body.data) < body.size) && <span class="cut">the first {size(atobLength(body.data))}{cut && all && <> · <button class="bare" onClick={all}>load all</button></>}</span>}
      </div>
      {tree && !raw
        ? other ? <JsonPairs pairs={merge(other, tree)} side="right" {...(why ? { why } : {})} /> : <Json lines={pretty(tree)} />
        : <pre class="body"><Text>{t.length > 200_000 ? t.slice(0, 200_000) + "\n…" : t}</Text></pre>}
    </>
  );
}

function atobLength(b64: string): number {
  return b64.length / 4 * 3 - (b64.endsWith("==") ? 2 : b64.endsWith("=") ? 1 : 0);
}

function Hex({ data }: { data: string }) {
  const raw = atob(data.slice(0, 1024 * 4 / 3 & ~3));
  const rows: string[] = [];
  for (let i = 0; i < raw.length; i += 16) {
    const part = [...raw.slice(i, i + 16)];
    rows.push(i.toString(16).padStart(6, "0") + "  " + part.map((c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join(" ").padEnd(48) + "  " + part.map((c) => c >= " " && c <= "~" ? c : "·").join(""));
  }
  return <pre class="body hex">{rows.join("\n")}</pre>;
}

// treeOf reads a JSON body, or gives null.
export function treeOf(b: Body | undefined) {
  const t = b?.data ? text(b.data) : null;
  return t ? parse(t) : null;
}

export function RequestLine({ x }: { x: Exchange }) {
  return <div class="start-line"><Method name={x.request.method} /><code><Text>{x.request.target}</Text></code><span class="quiet">{visible(x.request.authority)}</span></div>;
}

// StatusLine says how it ended; told when the page says elsewhere why it failed.
export function StatusLine({ x, instead, told }: { x: Exchange; instead?: number | undefined; told?: boolean }) {
  if (!x.response) return <div class="start-line"><span class="status failed">no response</span><span>{x.failure ? !told && visible(x.failure) : "it was not seen"}</span></div>;
  return (
    <div class="start-line">
      <span class={"status big " + statusClass(x.response.status)}>{x.response.status}</span><span>{reason(x.response.status)}</span>
      {instead !== undefined && instead !== x.response.status && <span class="was">was <s>{instead}</s></span>}
      {x.failure && !told && <span class="was"><Icon name="finding" size={13} /> {visible(x.failure)}</span>}
    </div>
  );
}

// Switched stands where a message would: a 101 hands the connection over.
export function Switched() {
  return <p class="quiet">From here on the connection carries another protocol. What follows is not recorded.</p>;
}

export function typeOf(h: Field[] | undefined): string { return mediaType(h); }
