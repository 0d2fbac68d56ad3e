import { useEffect, useRef, useState } from "preact/hooks";
import { asFault, type Fault, get, post } from "../api";
import { millis, own, proto } from "../format";
import { Icon } from "../icons";
import { about, go } from "../state";
import type { Evidence, Page, Row, Traced, TracedFinding, TracedStep } from "../types";
import { Empty, Failed, Loading, Method, Status, Text, visible } from "../ui";

const verdicts: { [v: string]: [string, string, string] } = { // word, icon, class
  ok: ["nothing wrong seen", "good", "good"], WARN: ["something was found", "finding", "counted"], FAIL: ["bad", "failed", "failed"],
  skipped: ["skipped", "minus", "unknown"], unknown: ["not seen", "unknown", "unknown"],
};
const verdict = (v: string): [string, string, string] => own(verdicts, v) ?? [v, "unknown", "unknown"];

const names: { [s: string]: string } = {
  dns: "Name lookup", tcp: "Connection", tls: "Encryption", request: "Request", server: "Server", response: "Response", client: "Client",
};

export function TracePage({ id }: { id: string }) {
  return (
    <div class="page scroll trace">
      <TraceBox />
      {id ? <Call id={id} /> : <Recent />}
    </div>
  );
}

// TraceBox takes an address and follows one call to it.
function TraceBox() {
  const [url, setUrl] = useState(""), [method, setMethod] = useState("GET"), [as, setAs] = useState("");
  const [fault, setFault] = useState<Fault | null>(null);
  const [running, setRunning] = useState<AbortController | null>(null);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);
  const a = about.value!;
  if (!a.call) {
    return <p class="trace-box quiet no-print"><Icon name="noted" size={14} /><span>This console shows what others recorded. To trace a URL from here, start it with <code>parley console --call</code> or <code>parley up</code>.</span></p>;
  }
  const trace = async (e: Event) => {
    e.preventDefault();
    const c = new AbortController();
    stop.current = c;
    setRunning(c);
    setFault(null);
    try {
      const r = await post<{ id: string }>("trace", { url, method, as }, c.signal);
      go("/trace/" + r.id);
    } catch (err) {
      if (!c.signal.aborted) setFault(asFault(err));
    } finally { setRunning(null); }
  };
  return (
    <form class="trace-box no-print" onSubmit={(e) => void trace(e)} aria-label="trace a URL now">
      <select aria-label="method" value={method} onChange={(e) => setMethod(e.currentTarget.value)}>
        {["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].map((m) => <option key={m}>{m}</option>)}
      </select>
      <input id="trace-url" aria-label="URL" placeholder={a.guarded ?? a.open ?? "https://api.example.com/v1/orders"} value={url} onInput={(e) => setUrl(e.currentTarget.value)} spellcheck={false} autocomplete="off" />
      {a.names?.length ? <select aria-label="as whom" value={as} onChange={(e) => setAs(e.currentTarget.value)}>
        <option value="">as nobody</option>{a.names.map((n) => <option key={n} value={n}>as {n}</option>)}
      </select> : null}
      {running ? <button type="button" class="button" onClick={() => running.abort()}><Icon name="stop" size={13} />Stop</button>
        : <button class="button primary" disabled={!url.trim()}><Icon name="trace" size={14} />Trace</button>}
      {fault && <p class="form-fault" role="alert"><Icon name="finding" size={14} /><span>{visible(fault.message)}</span></p>}
      {running && <p class="quiet" role="status">One call is being made; it ends after 30 seconds at the latest.</p>}
    </form>
  );
}

// Recent lists what can be traced, while nothing is.
function Recent() {
  const [rows, setRows] = useState<Row[] | null>(null);
  const [fault, setFault] = useState<Fault | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    get<Page>("rows", { side: "client", limit: "14" }, stop.signal).then((p) => setRows(p.rows), (e) => { if (!stop.signal.aborted) setFault(asFault(e)); });
    return () => stop.abort();
  }, []);
  if (fault) return <Failed fault={fault} />;
  if (!rows) return <Loading />;
  if (!rows.length) return <Empty icon="trace" title="No call to follow yet"><p>{about.value?.call ? "Type a URL above: one call is made, and each of its seven steps is judged." : "As soon as something is recorded it can be drawn here, step by step."}</p></Empty>;
  return (
    <section class="recent">
      <h2>Follow one of the last calls</h2>
      <p class="quiet">Any exchange can be drawn in its seven steps, whoever recorded it.</p>
      <ul>{rows.map((r) => (
        <li key={r.id}><a href={"#/trace/" + encodeURIComponent(r.id)}>
          <Method name={r.method} /><code><Text>{r.authority + r.target}</Text></code><span class="quiet">by {visible(r.source)}</span><Status code={r.status} failure={r.failed ? "it broke off" : undefined} /><span class="num quiet">{millis(r.time)}</span>
        </a></li>))}</ul>
    </section>
  );
}

function Call({ id }: { id: string }) {
  const [t, setT] = useState<Traced | null>(null);
  const [fault, setFault] = useState<Fault | null>(null);
  const [open, setOpen] = useState<boolean | null>(null); // null: those that say something
  useEffect(() => {
    const stop = new AbortController();
    get<Traced>("trace/" + encodeURIComponent(id), {}, stop.signal).then(setT, (e) => { if (!stop.signal.aborted) setFault(asFault(e)); });
    return () => stop.abort();
  }, [id]);
  if (fault) return <Failed fault={fault} />;
  if (!t) return <Loading />;
  const n = t.steps.reduce((n, s) => n + s.findings.length, 0);
  const [word, icon, cls] = verdict(t.verdict);
  const to = (s: string) => {
    const e = document.getElementById("step-" + s) as HTMLDetailsElement | null;
    if (!e) return;
    e.open = true;
    e.scrollIntoView({ block: "nearest" });
    e.querySelector("summary")?.focus();
  };
  return (
    <article class="traced">
      <header class="x-head">
        <div class="x-title"><div class="start-line"><Method name={t.method} /><code><Text>{t.url}</Text></code></div></div>
        <div class="x-tools no-print">
          <button class="button" onClick={() => setOpen(open !== true)}>{open === true ? "Fold all" : "Unfold all"}</button>
          <button class="button" onClick={() => { setOpen(true); setTimeout(() => print(), 100); }} title="on paper, or as PDF"><Icon name="print" size={14} />Print</button>
          <a class="button" href={"#/x/" + encodeURIComponent(t.id)}>exchange<Icon name="arrow" size={13} /></a>
        </div>
        <div class="x-meta">
          <span class={"judgement v-" + cls}><Icon name={icon} size={14} /><b>{t.verdict === "ok" ? "ok" : t.verdict}</b>{n > 0 ? <span>{n} {n === 1 ? "finding" : "findings"}</span> : <span>{t.failure ? "it broke off" : word}</span>}</span>
          <Status code={t.status} failure={t.failure} />
          {t.proto && <span>{visible(proto(t.proto))}</span>}
          <span>{millis(t.total)}</span>
          <time dateTime={t.started}>{new Date(t.started).toLocaleString()}</time>
          <span>seen by {visible(t.source)}{t.side && ", " + visible(t.side) + "'s side"}</span>
          {t.actions ? <a href={"#/x/" + encodeURIComponent(t.id)}>what guard did</a> : null}
        </div>
      </header>
      <ol class="rail no-print" aria-label="the call in seven steps">
        {t.steps.map((s, i) => {
          const [w, ic, c] = verdict(s.verdict), says = s.says?.[0] ?? "";
          return (
            <li key={s.step} class={"v-" + c}>
              <button onClick={() => to(s.step)}>
                <span class="knot"><Icon name={ic} size={15} /></span>
                <span class="step-name"><i>{i + 1}</i>{s.step}</span>
                <span class="step-verdict">{s.findings.length ? s.findings.length + (s.findings.length === 1 ? " finding" : " findings") : w}</span>
                <span class="step-says" title={visible(says)}><Text>{says}</Text></span>
              </button>
            </li>);
        })}
      </ol>
      <Phases t={t} />
      <div class="t-steps">{t.steps.map((s, i) => <Step key={s.step} s={s} n={i + 1} open={open} />)}</div>
    </article>
  );
}

function Step({ s, n, open }: { s: TracedStep; n: number; open: boolean | null }) {
  const [word, icon, cls] = verdict(s.verdict);
  const telling = s.verdict === "WARN" || s.verdict === "FAIL" || s.findings.length > 0;
  return (
    <details id={"step-" + s.step} class={"t-step v-" + cls} open={open ?? telling}>
      <summary>
        <span class="knot"><Icon name={icon} size={13} /></span>
        <span class="t-name"><i>{n}</i>{own(names, s.step) ?? s.step}</span>
        <span class="t-verdict">{s.verdict}<span class="sr">: {word}</span></span>
        <span class="t-says"><Text>{(s.says ?? []).join("  ·  ")}</Text></span>
        <span class="num quiet">{s.time ? millis(s.time) : ""}</span>
        <span class="fold"><Icon name="fold" size={12} /></span>
      </summary>
      <div class="t-body">
        {groups(s.findings).map((g, i) => <FindingCard key={i} fs={g} />)}
        {s.notes?.map((note, i) => <p key={i} class="t-note"><Icon name="noted" size={13} /><Text>{note}</Text></p>)}
        {s.facts?.length ? <dl class="t-facts">{s.facts.map((f, i) => <div key={i}><dt>{visible(f.name)}</dt><dd><Text>{f.says}</Text></dd></div>)}</dl>
          : !s.findings.length && <p class="quiet">{s.verdict === "unknown" ? "Nothing was seen of this step from here. Unknown is not the same as good." : s.verdict === "skipped" ? "There was nothing to do here, or the call did not come this far." : "No further facts."}</p>}
      </div>
    </details>
  );
}

// groups puts findings of one check, that call for the same repair, together.
function groups(fs: TracedFinding[]): TracedFinding[][] {
  const out: TracedFinding[][] = [];
  for (const f of fs) {
    const g = out.find((g) => g[0]!.check === f.check && g[0]!.fix === f.fix && g[0]!.verdict === f.verdict && g[0]!.severity === f.severity);
    if (g) g.push(f); else out.push([f]);
  }
  return out;
}

function FindingCard({ fs }: { fs: TracedFinding[] }) {
  const f = fs[0]!;
  const evidence: Evidence[] = fs.flatMap((f) => f.evidence ?? []);
  return (
    <div class={"t-finding f-" + (/^[a-z]+$/.test(f.severity) ? f.severity : "other")}>
      <p class="t-finding-head"><span class={"tag sev-" + (/^[a-z]+$/.test(f.severity) ? f.severity : "other")}>{visible(f.severity)}</span><b>{f.title ?? visible(f.check)}</b>{f.verdict !== "confirmed" && <span class="tag">{visible(f.verdict)}</span>}<code class="card-check">{visible(f.check)}</code></p>
      {evidence.length > 0 && <ul class="evidence">
        {evidence.slice(0, 12).map((v, i) => <li key={i}><span>{visible(v.where)}</span>{v.name && <code><Text>{v.name}</Text></code>}{v.says && <em><Text>{v.says}</Text></em>}</li>)}
        {evidence.length > 12 && <li><em>and {evidence.length - 12} more</em></li>}
      </ul>}
      {f.fix && <p class="fix"><b>Fix</b> <Text>{f.fix}</Text></p>}
    </div>
  );
}

const phaseNames: { [p: string]: string } = {
  blocked: "waited its turn", dns: "name lookup", tcp: "connect", tls: "TLS", send: "request sent", wait: "server works", receive: "response read",
};

function Phases({ t }: { t: Traced }) {
  const sum = t.phases.reduce((n, p) => n + p.time, 0);
  if (!t.phases.length || sum <= 0) return null;
  const total = Math.max(t.total, sum);
  let at = 0;
  return (
    <section class="waterfall" aria-label={"timing, " + millis(total) + " in all"}>
      {t.phases.map((p) => {
        const left = at / total * 100, width = p.time / total * 100;
        at += p.time;
        return (
          <div key={p.name} class="phase">
            <span class="phase-name">{own(phaseNames, p.name) ?? p.name}</span>
            <span class="phase-track"><i class={"p-" + (p.name === "tcp" ? "connect" : p.name)} style={{ marginLeft: Math.min(left, 99.6) + "%", width: Math.max(width, 0.4) + "%" }} /></span>
            <span class="phase-time">{millis(p.time)}</span>
          </div>);
      })}
    </section>
  );
}
