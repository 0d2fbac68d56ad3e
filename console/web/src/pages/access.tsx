import { Component } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { asFault, type Fault, get } from "../api";
import { count, own } from "../format";
import { Icon } from "../icons";
import { Notes, ScanBar } from "../scanbar";
import { scanNamed, scans, version } from "../scans";
import { go, route } from "../state";
import type { Access, AccessCell, AccessRow, Asker } from "../types";
import { Empty, Failed, Loading, Status, visible } from "../ui";
import { byPath } from "./findings";
import { useExchange } from "./exchange";

// What a cell can say. Each has a word, a shape and a colour of its own: any
// one of them is enough. The worst comes first.
const words: [string, string, string][] = [
  ["bypassed", "unlock", "got what is another's, or for few"],
  ["unclear", "question", "was answered, and it is not proved whether that is another's"],
  ["enforced", "shield", "was refused what is another's, or for few"],
  ["allowed", "good", "got one's own, or what is for all"],
  ["refused", "minus", "was refused"],
  ["unasked", "dot", "was not asked"],
];
const icons: { [word: string]: string } = Object.fromEntries(words.map(([w, i]) => [w, i]));

// wordOf is what a cell says first: what came of asking for another's tells
// more than what came of asking for one's own.
function wordOf(c: AccessCell | undefined): string {
  return c?.others || c?.own || "unasked";
}

export function AccessPage() {
  const name = route.value.arg, known = scans.value?.scans;
  const at = name || (known?.find((s) => s.result)?.name ?? known?.[0]?.name ?? "");
  const scan = scanNamed(at);
  const [data, setData] = useState<{ name: string; a: Access } | null>(null);
  const [fault, setFault] = useState<Fault | null>(null);
  const v = version.value;
  useEffect(() => {
    setFault(null);
    if (!scan?.result) return;
    const stop = new AbortController();
    get<Access>("scan/access", { scan: at }, stop.signal).then((a) => setData({ name: at, a }), (e) => { if (!stop.signal.aborted) setFault(asFault(e)); });
    return () => stop.abort();
  }, [at, v, !scan?.result]);
  if (!known) return <Loading />;
  return (
    <div class="page access">
      <div class="findings-head">
        <header class="page-head"><h1>Access</h1><p class="lead">Who gets what: each operation asked as each person, for one’s own and for another’s.</p><Notes s={scan} /></header>
        <ScanBar at={at} pick={(n) => go("/access/" + encodeURIComponent(n))} />
      </div>
      {fault ? <Failed fault={fault} />
        : !scan?.result ? <Empty icon="access" title={scan && scans.value?.running?.name === scan.name ? "The scan is running" : known.length ? "Nothing has been scanned yet" : "There is no scan to show"}><p>The matrix is made by a scan, as two people or more.</p>{!scan?.run && <pre class="type-this">parley scan --api openapi.yaml --as priya --as rajan URL</pre>}</Empty>
        : data?.name !== at ? <Loading /> : <Matrix key={at} a={data.a} name={at} />}
    </div>
  );
}

interface Place { row: number; column: number }

function Matrix({ a, name }: { a: Access; name: string }) {
  const [show, setShow] = useState<"all" | "open" | "few">("all");
  const [text, setText] = useState("");
  const [at, setAt] = useState<Place | null>(null); // whose evidence is shown
  const [focus, setFocus] = useState<Place>({ row: 0, column: 0 });
  const table = useRef<HTMLTableElement>(null);
  const cells = useMemo(() => new Map(a.rows.map((r) => [r, new Map((r.cells ?? []).map((c) => [c.who, c]))])), [a]);
  const cellOf = (r: AccessRow, p: Asker) => cells.get(r)!.get(p.name);
  const wordsOf = (r: AccessRow) => a.people.map((p) => wordOf(cellOf(r, p)));
  const tallies = useMemo(() => { const t: { [w: string]: number } = {}; for (const r of a.rows) for (const w of wordsOf(r)) t[w] = (t[w] ?? 0) + 1; return t; }, [a]);
  const needs = useMemo(() => a.rows.filter((r) => wordsOf(r).some((w) => w === "bypassed" || w === "unclear")), [a]);
  const few = useMemo(() => a.rows.filter((r) => r.few), [a]);
  const rows = useMemo(() => (show === "open" ? needs : show === "few" ? few : a.rows).filter((r) => r.operation.toLowerCase().includes(text.toLowerCase())).sort((x, y) => byPath(x.operation, y.operation)), [a, show, text]);
  const narrow = a.people.length > 7;

  // Of a long matrix only the rows around the window are drawn.
  const [top, setTop] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const windowed = rows.length > 120;
  const from = windowed ? Math.max(0, Math.min(top, rows.length - 60) - 20) : 0, to = windowed ? Math.min(rows.length, top + 80) : rows.length;
  const longest = useMemo(() => Math.max(...a.rows.map((r) => r.operation.length)) + 12, [a]);
  useEffect(() => { setTop(0); if (box.current) box.current.scrollTop = 0; }, [show, text]);

  const move = (e: KeyboardEvent) => {
    const d = own<[number, number]>({ ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -1000], End: [0, 1000], PageDown: [12, 0], PageUp: [-12, 0] }, e.key);
    if (e.key === "Escape" && at) { setAt(null); e.preventDefault(); return; }
    if (!d || e.ctrlKey || e.metaKey || e.altKey) return;
    const to = { row: Math.max(0, Math.min(rows.length - 1, focus.row + d[0])), column: Math.max(0, Math.min(a.people.length - 1, focus.column + d[1])) };
    setFocus(to);
    if (windowed && box.current) { // draw it first
      const y = to.row * rowHeight, b = box.current;
      if (y < b.scrollTop) b.scrollTop = y; else if (y > b.scrollTop + b.clientHeight - 120) b.scrollTop = y - b.clientHeight + 120;
    }
    const find = () => table.current?.querySelector<HTMLElement>(`[data-at="${to.row},${to.column}"]`);
    const cell = find();
    if (cell) cell.focus({ preventScroll: false }); else requestAnimationFrame(() => requestAnimationFrame(() => find()?.focus()));
    e.preventDefault();
  };
  useEffect(() => { if (at) table.current?.querySelector("td.at")?.scrollIntoView({ block: "nearest", inline: "nearest" }); }, [at]);
  const act = useRef<Act>({ focus: setFocus, pick: setAt });
  const chosen = at && rows[at.row] && a.people[at.column] ? { row: rows[at.row]!, person: a.people[at.column]! } : null;
  return (
    <>
      <div class="found-bar">
        <div class="filter"><Icon name="search" /><input id="filter" type="text" value={text} spellcheck={false} autocomplete="off" placeholder="Search operations" aria-label="search operations" onInput={(e) => { setText(e.currentTarget.value); setAt(null); }} onKeyDown={(e) => { if (e.key === "Escape") { e.currentTarget.blur(); e.stopPropagation(); } }} /><kbd class="hint">/</kbd></div>
        <div class="tabs" role="group" aria-label="which operations">
          {([["all", "all", a.rows.length], ["open", "bypassed or unclear", needs.length], ["few", "for few", few.length]] as const).map(([k, says, n]) => <button key={k} aria-pressed={show === k} onClick={() => { setShow(k); setAt(null); setFocus({ row: 0, column: 0 }); }}>{says} <b>{n}</b></button>)}
        </div>
        <ul class="access-legend" aria-label="legend">{words.map(([w, icon, says]) => <li key={w} class={"a-" + w} title={says}><span class="a-mark"><Icon name={icon} size={12} /></span>{w === "unasked" ? "not asked" : w}{w !== "unasked" && <b>{tallies[w] ?? 0}</b>}</li>)}</ul>
      </div>
      <div class={"matrix-box" + (chosen ? " chosen" : "")}>
        <div class={"matrix-scroll scroll" + (windowed ? " windowed" : "")} ref={box} tabIndex={-1} onScroll={windowed ? (e) => setTop(Math.floor(e.currentTarget.scrollTop / rowHeight / 10) * 10) : undefined}>
          {rows.length === 0 ? <Empty icon={show === "open" && !text ? "shield" : "search"} title={show === "open" && !text ? "Nothing is bypassed or unclear" : "No operation passes this filter"} /> :
          <table class={"matrix" + (narrow ? " narrow" : "")} ref={table} style={windowed ? { "--first": Math.min(42, longest) + "ch" } : {}} role="grid" aria-rowcount={rows.length + 1} onKeyDown={move}>
            <thead><tr><th scope="col">operation</th>{a.people.map((p) => <Head key={p.name} p={p} />)}</tr></thead>
            <tbody>
              {from > 0 && <tr aria-hidden="true" style={{ height: from * rowHeight + "px" }} />}
              {rows.slice(from, to).map((r, k) => { const i = from + k; return <Row key={r.operation} r={r} i={i} people={a.people} cells={cells.get(r)!} at={at?.row === i ? at.column : -1} focus={focus.row === i ? focus.column : -1} act={act} />; })}
              {to < rows.length && <tr aria-hidden="true" style={{ height: (rows.length - to) * rowHeight + "px" }} />}
            </tbody>
          </table>}
          {a.cut ? <p class="quiet cut-note">{a.cut} more operations are not shown.</p> : null}
        </div>
        {chosen && <Evidence r={chosen.row} p={chosen.person} c={cellOf(chosen.row, chosen.person)} name={name} close={() => setAt(null)} />}
      </div>
    </>
  );
}

const rowHeight = 29;

interface Act { focus: (p: Place) => void; pick: (p: Place | null) => void }
interface RowProps { r: AccessRow; i: number; people: Asker[]; cells: Map<string, AccessCell>; at: number; focus: number; act: { current: Act } }

// A Row is drawn again only when something of it has changed: a matrix has
// thousands of cells, and a key moves between two.
class Row extends Component<RowProps> {
  override shouldComponentUpdate(n: RowProps) {
    const p = this.props;
    return n.r !== p.r || n.i !== p.i || n.people !== p.people || n.at !== p.at || n.focus !== p.focus;
  }
  override render() {
    const { r, i, people, cells, at, focus, act } = this.props;
    const [method = "", path = ""] = r.operation.split(" ");
    return (
      <tr aria-rowindex={i + 2}>
        <th scope="row"><span class={"method m-" + (/^[A-Z]+$/.test(method) ? method.toLowerCase() : "other")}>{visible(method)}</span><code title={visible(r.operation)}>{visible(path)}</code>
          {r.few && <span class="few" title={"for few: " + visible(r.few)}><Icon name="lock" size={10} /><i>{visible(r.few)}</i></span>}{r.open && <span class="few open" title="answers without a credential"><i>open</i></span>}</th>
        {people.map((p, j) => {
          const c = cells.get(p.name), w = wordOf(c), here = at === j, tab = focus === j ? 0 : -1, name = visible(p.name) + ": ";
          return <td key={p.name} class={"a-" + w + (here ? " at" : "")} role="gridcell">{!c || w === "unasked"
            ? <span class="a-cell" data-at={i + "," + j} tabIndex={tab} onFocus={() => act.current.focus({ row: i, column: j })} aria-label={name + "not asked"}>·</span>
            : <button class="a-cell" data-at={i + "," + j} tabIndex={tab} aria-pressed={here} title={name + says(c)} aria-label={name + says(c)} onFocus={() => act.current.focus({ row: i, column: j })} onClick={() => act.current.pick(here ? null : { row: i, column: j })}>
              <span class="a-mark"><Icon name={own(icons, w) ?? "dot"} size={12} /></span><span class="a-word">{w}</span></button>}</td>;
        })}
      </tr>);
  }
}

function Head({ p }: { p: Asker }) {
  return (
    <th scope="col" class={p.part ? "part-" + p.part : ""} title={[p.subject && "subject " + visible(p.subject), p.spare ? "registered by the scan" : ""].filter(Boolean).join(", ")}>
      <b>{visible(p.name)}</b>
      <span class="head-part">{p.part ? <><Icon name={p.part === "victim" ? "shield" : "scan"} size={10} />{p.part}</> : p.spare ? "newcomer" : p.name === "nobody" ? "no credential" : ""}</span>
      <span class="head-role" title={p.roles?.map(visible).join(", ")}>{p.roles?.map(visible).join(", ")}</span>
    </th>
  );
}

function says(c: AccessCell): string {
  const own = c.own ? (c.own === "allowed" ? "gets one's own or what is for all" : "is refused") : "";
  const others = c.others === "bypassed" ? "bypassed: gets what is another's or for few" : c.others === "enforced" ? "enforced: is refused what is another's or for few" : c.others === "unclear" ? "unclear: was answered, without proof" : "";
  return [others, own].filter(Boolean).join("; ") + (c.status ? ", " + c.status : "");
}

function Evidence({ r, p, c, name, close }: { r: AccessRow; p: Asker; c: AccessCell | undefined; name: string; close: () => void }) {
  if (!c) return null;
  const w = wordOf(c);
  return (
    <aside class="cell-detail scroll" aria-label="the evidence">
      <div>
        <header><span class={"a-" + w}><span class="a-mark"><Icon name={own(icons, w) ?? "dot"} size={13} /></span></span><h2>{w}</h2></header>
        <p><code>{visible(r.operation)}</code></p>
        <p>as <b>{visible(p.name)}</b>{p.part && <span class="quiet"> ({p.part})</span>}{p.roles?.length ? <span class="quiet">, {p.roles.map(visible).join(", ")}</span> : null}</p>
      </div>
      <div>
        <dl>
          {c.others && <div><dt>another’s, or for few</dt><dd class={"a-" + c.others}><span class="a-mark"><Icon name={own(icons, c.others) ?? "dot"} size={11} /></span>{visible(c.others)}</dd></div>}
          {c.own && <div><dt>one’s own, or for all</dt><dd class={"a-" + c.own}><span class="a-mark"><Icon name={own(icons, c.own) ?? "dot"} size={11} /></span>{visible(c.own)}</dd></div>}
          {r.few && <div><dt>for few, because</dt><dd>{visible(r.few)}</dd></div>}
        </dl>
        {c.finding && <a class="button" href={"#/findings/" + encodeURIComponent(name) + "/" + encodeURIComponent(c.finding)}><Icon name="found" size={13} />the finding that proves it</a>}
      </div>
      <div>
        <h3>{count(c.evidence?.length ?? 0, "exchange")} that {c.evidence?.length === 1 ? "says" : "say"} so</h3>
        <ul>{(c.evidence ?? []).map((id) => <Exchange key={id} id={id} />)}</ul>
      </div>
      <button class="button icon-only close" onClick={close} aria-label="close" title="close (Esc)"><Icon name="close" size={13} /></button>
    </aside>
  );
}

function Exchange({ id }: { id: string }) {
  const { view, fault } = useExchange(id);
  if (fault) return <li class="quiet">{fault.status === 404 ? "not in this store" : fault.message} <code>{id}</code></li>;
  if (!view) return <li class="quiet">…</li>;
  const x = view.exchange;
  return <li><a href={"#/x/" + x.id}><Status code={x.response?.status} failure={x.failure} /><code>{visible(x.request.method)} {visible(x.request.target)}</code>{x.server.caller && <span class="quiet">as {visible(x.server.caller.name ?? x.server.caller.subject)}</span>}</a></li>;
}
