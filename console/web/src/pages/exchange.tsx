import { useEffect, useState } from "preact/hooks";
import { asFault, type Fault, get } from "../api";
import { clock, count, millis, own, proto } from "../format";
import { Icon } from "../icons";
import { BodyView, headerDiff, Headers, plainHeaders, RequestLine, StatusLine, Switched, typeOf } from "../message";
import { copy } from "../state";
import type { Action, Exchange, Explain, Explanation, Finding, Side, Step, View } from "../types";
import { Facts, Failed, kindIcon, kindWord, Loading, Status, Text, verdictWord, visible } from "../ui";

export function useExchange(id: string | undefined): { view: View | null; fault: Fault | null; all: () => void } {
  const [view, setView] = useState<View | null>(null);
  const [fault, setFault] = useState<Fault | null>(null);
  const [bodies, setBodies] = useState("");
  useEffect(() => {
    if (!id) return;
    const stop = new AbortController();
    get<View>("exchanges/" + encodeURIComponent(id), { bodies }, stop.signal).then(
      (v) => { setView(v); setFault(null); },
      (e) => { if (!stop.signal.aborted) { setFault(asFault(e)); setView(null); } });
    return () => stop.abort();
  }, [id, bodies]);
  return { view: view && view.exchange.id === id ? view : null, fault, all: () => setBodies("all") };
}

export function ExchangePage({ id }: { id: string }) {
  const { view, fault, all } = useExchange(id);
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || e.target instanceof HTMLInputElement || e.key !== "c" || !view) return;
      void copy(view.curl, "curl command");
      e.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [view]);
  if (fault) return <Failed fault={fault} />;
  if (!view) return <Loading />;
  return <div class="page scroll"><nav class="crumbs pad"><a href="#/traffic"><Icon name="back" size={14} />Traffic</a><code class="quiet">{id}</code></nav><ExchangeView view={view} all={all} /></div>;
}

const sideNames: { [k: string]: string } = { client: "client's side", upstream: "upstream's side" };

function tabName(kind: string, to: boolean, x: Exchange): string {
  if (kind === "forwarded") return x.side === "upstream" ? "upstream's side" : "client's side";
  if (kind === "preread") return to ? "what it was read for" : "object read first";
  if (kind === "compared") return "on the other address";
  return (to ? "" : "its ") + kind;
}

// ExchangeView draws one call in its seven steps, with all that was found and
// done, and both messages.
export function ExchangeView({ view, all, bar }: { view: View; all: () => void; bar?: preact.ComponentChildren }) {
  // -1: the exchange itself; else a position in linked. It holds for one
  // exchange; the step that is looked at stays when the next one is shown.
  const [chosen, setChosen] = useState({ id: "", tab: -1 });
  const tab = chosen.id === view.exchange.id ? chosen.tab : -1;
  const setTab = (tab: number) => setChosen({ id: view.exchange.id, tab });
  const [step, setStep] = useState<string | null>(null);
  const linked = view.linked.filter((l) => l.kind !== "compared");
  const shown: Side = tab >= 0 && linked[tab] ? linked[tab]! : view;
  const x = shown.exchange;
  // The other conversation of the same call, to see what guard changed on the way.
  const up = x.side === "client" ? [view as Side, ...linked].find((s) => s.exchange.side === "upstream" && (s === view || linked.find((l) => l === s)?.kind === "forwarded")) : undefined;
  const compared = view.linked.find((l) => l.kind === "compared");
  return (
    <article class="exchange">
      <header class="x-head">
        <div class="x-title"><RequestLine x={x} /></div>
        <div class="x-tools">
          {linked.length > 0 && (
            <div class="tabs" role="tablist" aria-label="which conversation">
              <button role="tab" aria-selected={tab < 0} onClick={() => setTab(-1)}>{own(sideNames, view.exchange.side ?? "") ?? "this"}</button>
              {linked.map((l, i) => <button key={i} role="tab" aria-selected={tab === i} onClick={() => setTab(i)}>{tabName(l.kind, l.to, l.exchange)}</button>)}
            </div>
          )}
          {compared && <a class="button" href={"#/x/" + compared.exchange.id} title="the same request on the other address"><Icon name="compare" size={14} />other address</a>}
          <a class="button" href={"#/trace/" + encodeURIComponent(x.id)} title="what was seen at each step, and what to do"><Icon name="trace" size={14} />trace</a>
          <a class="button" href={"#/compose?from=" + encodeURIComponent(x.id)} title="change it and send it again; its secrets are placeholders"><Icon name="compose" size={14} />compose</a>
          <button class="button" onClick={() => copy(shown.curl, "curl command")} title="copy as curl (c)"><Icon name="copy" size={14} />curl</button>
          {bar}
        </div>
        <div class="x-meta">
          <Status code={x.response?.status} failure={x.failure} />
          <span>{proto(x.request.proto)}</span>
          <span title={x.start}>{clock(x.start)}</span>
          <span>{millis((x.times.total ?? 0) / 1e6)}</span>
          <span>seen by {x.source}{x.server.mode && ", mode " + x.server.mode}</span>
          {x.server.caller && <span>as <b>{visible(x.server.caller.name ?? x.server.caller.subject)}</b></span>}
        </div>
      </header>
      <Rail steps={shown.steps} at={step} pick={(s) => setStep(s === step ? null : s)} />
      {x.failure && <p class="failure" role="alert"><Icon name="failed" size={15} /><span><b>Failed at {shown.steps.find((s) => s.verdict === "failed")?.step ?? "an unknown step"}</b> <Text>{x.failure}</Text></span></p>}
      {step && <StepFacts s={shown.steps.find((s) => s.step === step)!} />}
      <Findings x={x} explain={view.explain} steps={shown.steps} only={step} />
      <Waterfall x={x} />
      <Messages side={shown} up={up} explain={view.explain} all={all} />
    </article>
  );
}

export function Rail({ steps, at, pick }: { steps: Step[]; at: string | null; pick: (s: string) => void }) {
  return (
    <ol class="rail" aria-label="the call in seven steps">
      {steps.map((s, i) => (
        <li key={s.step} class={"v-" + (s.counted ? "counted" : s.verdict) + (at === s.step ? " at" : "")}>
          <button onClick={() => pick(s.step)} aria-pressed={at === s.step}>
            <span class="knot"><Icon name={s.verdict} size={15} /></span>
            <span class="step-name"><i>{i + 1}</i>{s.step === "server" ? "server" : s.step}</span>
            <span class="step-verdict">{verdictWord(s.verdict, s.counted)}</span>
            <span class="step-says" title={visible(s.says)}><Text>{s.says}</Text></span>
          </button>
        </li>
      ))}
    </ol>
  );
}

function StepFacts({ s }: { s: Step }) {
  return (
    <section class="step-facts">
      <h3>{s.step}</h3><p><Text>{s.says}</Text></p>
      {s.facts?.length ? <dl>{s.facts.map(([k, v]) => <div key={k}><dt>{k}</dt><dd><Text>{v}</Text></dd></div>)}</dl>
        : <p class="quiet">{s.verdict === "unknown" ? "Nothing was seen of this step from here. Unknown is not the same as good." : "No further facts."}</p>}
    </section>
  );
}

interface Group { check: string; kind: string; enforced: boolean; finding?: Finding; actions: Action[] }

// Findings explains what was found and done, once per check.
function Findings({ x, explain, steps, only }: { x: Exchange; explain: Explain; steps: Step[]; only: string | null }) {
  const groups: Group[] = [];
  const stepOf = new Map<Action | Finding, string>();
  for (const s of steps) {
    for (const i of s.actions ?? []) stepOf.set(x.actions![i]!, s.step);
    for (const i of s.findings ?? []) stepOf.set(x.findings![i]!, s.step);
  }
  for (const a of x.actions ?? []) {
    if (only && stepOf.get(a) !== only) continue;
    const g = groups.find((g) => g.check === a.check && g.kind === a.kind && g.enforced === a.enforced);
    if (g) g.actions.push(a);
    else groups.push({ check: a.check, kind: a.kind, enforced: a.enforced, actions: [a] });
  }
  for (const f of x.findings ?? []) {
    if (x.failure && !stepOf.has(f)) continue; // of guard's own answer: it says nothing of the API
    if (only && stepOf.get(f) !== only) continue;
    const g = groups.find((g) => g.check === f.check);
    if (g) g.finding = f;
    else groups.push({ check: f.check, kind: "finding", enforced: true, finding: f, actions: [] });
  }
  if (!groups.length) {
    if (only || x.failure || (x.actions?.length ?? 0) + (x.findings?.length ?? 0) > 0) return null;
    return <p class="calm"><Icon name={x.side === "upstream" ? "noted" : "good"} size={14} />{x.side === "upstream" ? "This is what the API answered; what guard made of it is on the client's side." : "Guard changed nothing, and no check spoke."}</p>;
  }
  const order: { [k: string]: number } = { refuse: 0, finding: 1, strip: 2, repair: 3 };
  groups.sort((a, b) => (own(order, a.kind) ?? 9) - (own(order, b.kind) ?? 9));
  return <section class="cards" aria-label="what was found and done">{groups.map((g, i) => <Card key={g.check + g.kind + i} g={g} e={own(explain, g.check)} alone={groups.length === 1} />)}</section>;
}

function Card({ g, e, alone }: { g: Group; e: Explanation | undefined; alone: boolean }) {
  const [open, setOpen] = useState(alone || g.kind === "refuse" || g.kind === "finding");
  const rules = [...new Set(g.actions.map((a) => a.rule).filter(Boolean))];
  const evidence = g.actions.length ? g.actions : g.finding?.evidence ?? [];
  const icon = g.kind === "finding" ? "finding" : kindIcon(g.kind);
  const word = g.kind === "finding" ? g.finding!.severity + " finding" + (g.finding!.verdict === "confirmed" ? "" : ", " + g.finding!.verdict) : kindWord(g.kind, g.enforced);
  const status = g.actions.find((a) => a.status)?.status;
  return (
    <div class={"card k-" + (g.enforced ? g.kind : "counted")}>
      <button class="card-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name={icon} size={15} /><b class="card-kind">{word}{status ? ", " + status : ""}</b>
        <span class="card-title">{e?.title ?? g.check}</span>
        {!open && evidence[0] && <span class="card-brief"><code><Text>{evidence[0].name ?? evidence[0].where}</Text></code>{evidence[0].says && <> <Text>{evidence[0].says}</Text></>}{evidence.length > 1 && <> and {evidence.length - 1} more</>}</span>}
        <code class="card-check">{g.check}</code>
        <span class={"fold" + (open ? " open" : "")}><Icon name="fold" size={12} /></span>
      </button>
      {open && <ul class="evidence">
        {evidence.slice(0, 12).map((v, i) => <li key={i}><span>{v.where}</span>{v.name && <code><Text>{v.name}</Text></code>}{v.says && <em><Text>{v.says}</Text></em>}</li>)}
        {evidence.length > 12 && <li><em>and {evidence.length - 12} more</em></li>}
        {rules.map((r) => <li key={r}><span>decided by</span><code class="place"><Text>{r!}</Text></code></li>)}
      </ul>}
      {open && e && (
        <div class="card-doc">
          <p>{e.doc.replace(/\s*\n\s*/g, " ")}</p>
          <p class="fix"><b>Fix</b> {e.fix.replace(/\s*\n\s*/g, " ")}</p>
          <p class="tags">
            <span class={"tag sev-" + e.severity}>{e.severity}</span>
            {e.owasp && <span class="tag">OWASP {e.owasp}</span>}{e.cwe ? <span class="tag">CWE-{e.cwe}</span> : null}
            <span class="tag">step {e.step}</span>
            {e.conversation?.length ? <span class="tag-facts">facts <Facts of={e.conversation} /></span> : null}
          </p>
        </div>
      )}
    </div>
  );
}

const phases: [string, string][] = [
  ["dns", "name lookup"], ["connect", "connect"], ["tls", "TLS"], ["send", "request sent"], ["decide", "guard decides"], ["wait", "API works"], ["receive", "response read"],
];

function Waterfall({ x }: { x: Exchange }) {
  const t = { ...x.times };
  // HAR counts TLS within connect: show them apart.
  if (t.connect && t.tls) t.connect = Math.max(0, t.connect - t.tls);
  const seen = phases.filter(([p]) => (t[p] ?? 0) > 0);
  if (!seen.length) return null;
  const sum = seen.reduce((n, [p]) => n + t[p]!, 0);
  const total = Math.max(t.total ?? 0, sum);
  let at = 0;
  return (
    <section class="waterfall" aria-label={"timing, " + millis(total / 1e6) + " in all"}>
      {seen.map(([p, name]) => {
        const left = at / total * 100, width = t[p]! / total * 100;
        at += t[p]!;
        return (
          <div key={p} class="phase">
            <span class="phase-name">{name}</span>
            <span class="phase-track"><i class={"p-" + p} style={{ marginLeft: left + "%", width: Math.max(width, 0.4) + "%" }} /></span>
            <span class="phase-time">{millis(t[p]! / 1e6)}</span>
          </div>
        );
      })}
    </section>
  );
}

// reasons looks up why guard touched a field or a member.
export function reasons(x: Exchange, explain: Explain): { field: (name: string) => string | undefined; member: (pointer: string) => string | undefined } {
  const say = (a: Action) => kindWord(a.kind, a.enforced) + " by " + a.check + (a.rule ? " (" + a.rule + ")" : "") + ": " + (a.says || (own(explain, a.check)?.title ?? ""));
  return {
    field: (name) => { const a = x.actions?.find((a) => (a.where === "header" || a.where === "cookie") && a.name?.toLowerCase() === name.toLowerCase()); return a && say(a); },
    member: (pointer) => {
      const as = x.actions?.filter((a) => a.where === "response body" || a.where === "request body") ?? [];
      const a = as.find((a) => pointer === a.name || pointer.startsWith(a.name + "/"))
        ?? as.find((a) => a.name !== undefined && new RegExp("^" + a.name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\/(?:\\\*|0|-)(?=\/)/g, "/[^/]+") + "(/|$)").test(pointer));
      return a && say(a);
    },
  };
}

function Messages({ side, up, explain, all }: { side: Side; up: Side | undefined; explain: Explain; all: () => void }) {
  const x = side.exchange, why = reasons(x, explain);
  const before = up?.exchange.response, after = x.response;
  const diff = before && after ? headerDiff(before.header ?? [], after.header ?? [], why.field) : plainHeaders(after?.header);
  const changes = diff.filter((d) => d.mark && !d.noise).length;
  return (
    <section class="messages">
      <div class="message">
        <h3>Request</h3>
        <RequestLine x={x} />
        <Headers lines={plainHeaders(x.request.header)} />
        <BodyView body={x.request.body} type={typeOf(x.request.header)} cut={side.cut.request} all={all} />
      </div>
      <div class="message">
        <h3>Response {changes > 0 && <span class="quiet">{count(changes, "header field")} changed by guard</span>}</h3>
        <StatusLine x={x} instead={before?.status} told />
        {after && after.status === 101 ? <>{diff.length > 0 && <Headers lines={diff} />}<Switched /></> : after && <>
          <Headers lines={diff} />
          <BodyView body={after.body} type={typeOf(after.header)} cut={side.cut.response} all={all} before={before?.status === after.status ? before?.body : undefined} why={why.member} />
        </>}
      </div>
    </section>
  );
}
