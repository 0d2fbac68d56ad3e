import { useEffect, useRef, useState } from "preact/hooks";
import { FilterLine } from "../filterline";
import { clock, count, millis, own, shortType, size } from "../format";
import { Icon } from "../icons";
import * as list from "../list";
import { about, copy, curlLine, go, online, route, say, stats } from "../state";
import type { Row, View } from "../types";
import { Empty, Failed, Method, Status, Text, visible } from "../ui";
import { Virtual } from "../virtual";
import { ExchangeView, useExchange } from "./exchange";
import { get } from "../api";

const height = 30;

// Whose conversation is listed: guard writes down both, and one of them is
// enough to read.
const sides: [string, string][] = [["client", "client's side"], ["upstream", "upstream's side"], ["all", "both"]];

export function TrafficPage() {
  const filter = route.value.query.get("filter") ?? "", side = route.value.query.get("side") ?? "client";
  const [{ at, id }, setHere] = useState({ at: -1, id: "" });
  // Keys may come faster than the page is drawn: they go by this, not by what
  // was drawn last.
  const here = useRef({ at: -1, id: "" });
  const move = (at: number, id: string) => { here.current = { at, id }; setHere(here.current); };
  const [open, setOpen] = useState(route.value.query.get("open") === "1");
  const [turn, setTurn] = useState(0);
  const v = list.version.value;

  // An exchange that is open stays so when the list changes, whether it is in
  // the new one or not.
  useEffect(() => {
    move(-1, open ? here.current.id : "");
    void list.start(filter, side);
    return list.stop;
  }, [filter, side]);

  // New rows above move the selected one down: follow it by its ID.
  useEffect(() => {
    const { at, id } = here.current;
    if (id && list.rowAt(at)?.id !== id) move(list.indexOf(id), id);
  }, [v]);

  const navigate = (changes: { [k: string]: string }) => {
    const q = new URLSearchParams(route.value.query);
    for (const [k, val] of Object.entries(changes)) if (val) q.set(k, val); else q.delete(k);
    history.replaceState(null, "", "#/traffic" + (q.size ? "?" + q : ""));
    route.value = { ...route.value, query: q };
  };
  const select = (i: number) => {
    const n = list.length.value;
    if (!n) return;
    i = Math.max(0, Math.min(n - 1, i));
    move(i, list.rowAt(i)!.id);
    setTurn((t) => t + 1);
    if (i > n - 30) void list.more();
  };

  const close = () => { setOpen(false); if (here.current.at < 0) move(-1, ""); };

  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || (e.target instanceof HTMLInputElement)) return;
      const { at, id } = here.current;
      const page = Math.max(1, Math.floor((document.querySelector(".virtual")?.clientHeight ?? 300) / height) - 1);
      switch (e.key) {
        case "j": case "ArrowDown": select(at + 1); break;
        case "k": case "ArrowUp": select(at < 0 ? 0 : at - 1); break;
        case "PageDown": select(at + page); break;
        case "PageUp": select(at - page); break;
        case "Home": list.flush(); select(0); break;
        case "End": void list.all().then(() => select(list.length.value - 1)); break;
        case "Enter": if (e.target instanceof HTMLButtonElement || e.target instanceof HTMLAnchorElement) return; if (at >= 0) setOpen(true); else select(0); break;
        case "Escape": close(); break;
        case "f": if (id) go("/x/" + id); else say("nothing to open: choose an exchange with j or k"); break;
        case "c": if (!id) say("nothing to copy: choose an exchange with j or k"); else void get<View>("exchanges/" + id).then((x) => copy(x.curl, "curl command")); break;
        case "s": { const i = sides.findIndex((s) => s[0] === side); navigate({ side: sides[(i + 1) % sides.length]![0] }); break; }
        default: return;
      }
      e.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });

  const fault = list.fault.value, n = list.length.value;
  return (
    <div class="page traffic">
      <div class="list-bar">
        <FilterLine value={filter} fault={fault} onChange={(t) => { if (t !== filter) navigate({ filter: t }); }} />
        <div class="tabs" role="tablist" aria-label="whose conversation">
          {sides.map(([k, name]) => <button key={k} role="tab" aria-selected={k === side} onClick={() => navigate({ side: k })} title="s">{name}</button>)}
        </div>
        {!fault && <Reports filter={filter} side={side} />}
        <Live />
      </div>
      <div class="list">
        <div class="row row-head" role="row">
          <span class="num">#</span><span class="flags" aria-label="flags" /><span>method</span><span>path</span><span>status</span><span>caller</span><span>type</span><span class="num">size</span><span class="num">time</span><span>guard</span>
        </div>
        {list.arrived.value > 0 && <button class="arrived" onClick={() => { list.flush(); document.querySelector(".virtual")!.scrollTop = 0; }}><Icon name="up" size={13} />{count(list.arrived.value, "new row")}</button>}
        {fault && fault.status !== 400 ? <Failed fault={fault} retry={() => void list.start(filter, side)} />
          : fault && n === 0 ? <Empty icon="search" title="This filter cannot be read"><p>The line above says where and why. The list waits until it can.</p><button class="button" onClick={() => navigate({ filter: "" })}>Show all</button></Empty>
          : n === 0 && !list.loading.value ? <Nothing filter={filter} clear={() => navigate({ filter: "", side: "all" })} />
          : <Virtual count={n} height={height} at={at} label="exchanges, newest first" scrollTo={{ i: at, turn }}
              onTop={list.follow} onEnd={() => void list.more()}
              row={(i) => <Line key={list.rowAt(i)?.id} i={i} r={list.rowAt(i)} at={i === at} pick={() => { select(i); }} open={() => { select(i); setOpen(true); }} />} />}
      </div>
      {open && id && <Detail id={id} close={close} />}
    </div>
  );
}

function Detail({ id, close }: { id: string; close: () => void }) {
  // Moving with a key held down should not ask for every row on the way.
  const [settled, setSettled] = useState(id);
  useEffect(() => {
    const t = setTimeout(() => setSettled(id), 30);
    return () => clearTimeout(t);
  }, [id]);
  const { view, fault, all } = useExchange(settled);
  const [last, setLast] = useState<View | null>(null);
  useEffect(() => { if (view) setLast(view); }, [view]);
  const v = view ?? last;
  const bar = <>
    <a class="button icon-only" href={"#/x/" + id} title="whole page (f)" aria-label="whole page"><Icon name="full" size={14} /></a>
    <button class="button icon-only" onClick={close} title="close (Esc)" aria-label="close"><Icon name="close" size={14} /></button>
  </>;
  return <section class="detail scroll" aria-label="selected exchange">{fault ? <Failed fault={fault} /> : v ? <ExchangeView view={v} all={all} bar={bar} /> : null}</section>;
}

// Reports is the menu of downloads: what was found in the exchanges that the
// list shows.
const reportWords: { [name: string]: string } = { text: "Text", json: "JSON", sarif: "SARIF", junit: "JUnit", html: "Page to read or print" };

function Reports({ filter, side }: { filter: string; side: string }) {
  const menu = useRef<HTMLDetailsElement>(null);
  const close = () => { if (menu.current) menu.current.open = false; };
  return (
    <details class="menu" ref={menu} onFocusOut={(e) => { if (!menu.current?.contains(e.relatedTarget as Node | null)) close(); }}
      onKeyDown={(e) => { if (e.key === "Escape" && menu.current?.open) { close(); e.stopPropagation(); } }}>
      <summary class="button" title="download what was found in the exchanges of this list"><Icon name="down" size={13} />Report</summary>
      <div>
        {[...about.value?.reports ?? []].reverse().map((f) =>
          <a key={f.name} href={"/api/report?" + new URLSearchParams({ format: f.name, side, filter })} download={"parley-report" + f.extension} onClick={close}>
            <span>{own(reportWords, f.name) ?? f.name}</span><code>{f.extension}</code>
          </a>)}
      </div>
    </details>
  );
}

function Live() {
  const s = online.value;
  return <span class={"live " + s} title={s === "on" ? "new exchanges appear by themselves" : s === "lost" ? "the program does not answer; trying again" : "connecting"}>
    <i />{s === "on" ? "live" : s === "lost" ? "lost, trying again" : "waiting"}
    {stats.value && <span class="quiet">{stats.value.rows.toLocaleString("en")}{stats.value.queued > 0 && ` +${stats.value.queued}`}</span>}
  </span>;
}

function Nothing({ filter, clear }: { filter: string; clear: () => void }) {
  const a = about.value;
  if (filter) return <Empty icon="search" title="Nothing matches this filter"><p>New exchanges that do will appear here.</p><button class="button" onClick={clear}>Show all</button></Empty>;
  const to = a?.guarded ?? a?.open;
  return (
    <Empty icon="traffic" title="Nothing was seen yet">
      <p>Every call through guard appears here the moment its response has left. {to ? "Make one:" : "Start guard in front of an API:"}</p>
      <pre class="type-this">{to ? curlLine(to) : "parley up --upstream http://127.0.0.1:9000 --api openapi.yaml"}</pre>
    </Empty>
  );
}

function Line({ i, r, at, pick, open }: { i: number; r: Row | undefined; at: boolean; pick: () => void; open: () => void }) {
  if (!r) return <div class="row" />;
  const q = r.target.indexOf("?");
  const path = q < 0 ? r.target : r.target.slice(0, q), query = q < 0 ? "" : r.target.slice(q);
  return (
    <div class={"row" + (at ? " at" : "") + (r.failed ? " broken" : "")} id={"row-" + i} role="row" aria-selected={at} onClick={at ? open : pick} onDblClick={open}>
      <span class="num quiet">{r.n || ""}</span>
      <span class="flags">
        {r.tls === "yes" ? <Icon name="lock" size={12} label="TLS" /> : r.tls === "no" ? <span class="clear" title="in clear"><Icon name="unlock" size={12} label="in clear" /></span> : null}
        {r.failed && <span class="sev-high" title="it failed: open it to see why"><Icon name="failed" size={12} label="failed" /></span>}
        {r.findings ? <span class={"sev-" + r.worst} title={count(r.findings, "finding")}><Icon name="finding" size={12} label={count(r.findings, "finding")} /></span> : null}
      </span>
      <Method name={r.method} />
      <span class="path" title={visible(r.authority + r.target) + " · " + clock(r.start)}><Text>{path}</Text><i><Text>{query}</Text></i>{r.side === "upstream" && <em class="side-tag">upstream</em>}</span>
      <span><Status code={r.status} failure={r.failed ? "it broke off: open it to see why" : undefined} /></span>
      <span class="cell">{r.caller ? visible(r.caller) : <i class="quiet">nobody</i>}</span>
      <span class="cell quiet">{shortType(r.type)}</span>
      <span class="num">{r.size ? size(r.size) : <i class="quiet">–</i>}</span>
      <span class="num">{millis(r.time)}</span>
      <span class="did"><Did r={r} /><a class="row-trace" href={"#/trace/" + encodeURIComponent(r.id)} title="trace: the call in seven steps" onClick={(e) => e.stopPropagation()}><Icon name="trace" size={13} label="trace" /></a></span>
    </div>
  );
}

const did: [string, string, string][] = [["refuse", "refused", "refused"], ["strip", "removed", "stripped"], ["repair", "repaired", "repaired"]];

function Did({ r }: { r: Row }) {
  if (!r.acts) return null;
  const chips = [];
  let said = false; // "would" once is enough
  for (const [kind, word, icon] of did) {
    const n = r.acts[kind], would = r.acts["would " + kind];
    if (n) chips.push(<span key={kind} class={"chip k-" + kind}><Icon name={icon} size={11} />{word}{kind !== "refuse" && n > 1 ? " " + n : ""}</span>);
    if (would) chips.push(<span key={"w" + kind} class="chip k-counted" title={"report mode: would " + kind + ", only counted"}><Icon name={icon} size={11} />{!said && "would "}{kind}{kind !== "refuse" && would > 1 ? " " + would : ""}</span>);
    said ||= !!would;
  }
  return <>{chips}</>;
}
