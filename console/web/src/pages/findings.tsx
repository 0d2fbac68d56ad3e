import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { asFault, type Fault, get } from "../api";
import { count, own } from "../format";
import { Icon } from "../icons";
import { Proof, Whose } from "../proof";
import { Notes, ScanBar, severities, Severity, Sum } from "../scanbar";
import { scanNamed, scans, version } from "../scans";
import { about, copy, curlLine, go, route, trafficLink } from "../state";
import type { Explain, Explanation, Found, FoundAll, ObservedAll } from "../types";
import { Empty, Facts, Failed, Loading, Text, visible } from "../ui";

const traffic = "traffic"; // what is found without a scan

interface Loaded { name: string; findings: Found[]; explain: Explain; replay?: string; cut?: boolean }

// observedAs makes what was found in recorded traffic look like what a scan found.
function observedAs(o: ObservedAll): Loaded {
  return { name: traffic, explain: o.explain, cut: !!o.cut, findings: o.findings.map((g) => ({
    id: g.check + " " + (g.operation ?? ""), fingerprint: "", check: g.check, title: own(o.explain, g.check)?.title ?? g.check, severity: g.severity, verdict: g.verdict, step: g.step,
    operation: g.operation || "outside the contract", evidence: g.evidence ?? [], count: g.count, proof: [{ exchange: g.last, as: "", request: g.operation || "the newest of them", status: 0 }],
    people: g.people ?? [], filter: g.filter,
  })) };
}

interface Filters { text: string; severity: string; verdict: string; operation: string; person: string; quiet: boolean }
const all: Filters = { text: "", severity: "", verdict: "", operation: "", person: "", quiet: true };

const quieted = (f: Found) => !!f.suppressed || !!f.known;
const operationsOf = (f: Found) => f.operations?.length ? f.operations : [f.operation];
const peopleOf = (f: Found) => [...(f.people ?? []), f.by, f.of].filter((p): p is string => !!p);

function passes(f: Found, q: Filters): boolean {
  if (q.severity && f.severity !== q.severity || q.verdict && f.verdict !== q.verdict) return false;
  if (q.operation && !operationsOf(f).includes(q.operation) || q.person && !peopleOf(f).includes(q.person)) return false;
  if (!q.quiet && quieted(f)) return false;
  if (!q.text) return true;
  const hay = [f.check, f.title, f.parameter, f.id, f.owasp, f.cwe ? "CWE-" + f.cwe : "", ...operationsOf(f), ...peopleOf(f), ...(f.evidence ?? []).flatMap((e) => [e.where, e.name, e.says])].join(" ").toLowerCase();
  return q.text.toLowerCase().split(/\s+/).every((w) => hay.includes(w));
}

export function FindingsPage() {
  const [name = "", id = ""] = split(route.value.arg);
  const [observed, setObserved] = useState<ObservedAll | null>(null);
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [other, setOther] = useState<Set<string> | null>(null);
  const [fault, setFault] = useState<Fault | null>(null);
  const [q, setQ] = useState<Filters>(all);
  const known = scans.value?.scans;

  useEffect(() => {
    const stop = new AbortController();
    let timer = 0;
    const read = () => get<ObservedAll>("observed", {}, stop.signal).then((o) => { setObserved(o); timer = window.setTimeout(read, o.reading ? 600 : 5000); },
      (e) => { if (!stop.signal.aborted) { if (name === traffic) setFault(asFault(e)); timer = window.setTimeout(read, 5000); } });
    void read();
    return () => { stop.abort(); clearTimeout(timer); };
  }, []);

  // Without a choice: a scan that has something, or what the traffic has.
  const at = name || (known && observed ? known.find((s) => s.result)?.name ?? (observed.findings.length || !known.length ? traffic : known[0]!.name) : "");
  const scan = scanNamed(at), guarded = known?.length === 2 ? known.find((s) => s.name !== at && s.result) : undefined;
  const v = version.value;
  useEffect(() => {
    setFault(null);
    if (!at || at === traffic || !scan?.result) { setLoaded(null); return; }
    const stop = new AbortController();
    get<FoundAll>("scan/findings", { scan: at }, stop.signal).then(
      (a) => setLoaded({ name: at, findings: a.findings, explain: a.explain, replay: a.replay, cut: !!a.cut }),
      (e) => { if (!stop.signal.aborted) setFault(asFault(e)); });
    return () => stop.abort();
  }, [at, v, !scan?.result]);
  useEffect(() => {
    if (!guarded || at !== known?.[0]?.name) { setOther(null); return; }
    const stop = new AbortController();
    get<FoundAll>("scan/findings", { scan: guarded.name }, stop.signal).then((a) => setOther(new Set(a.findings.map((f) => f.fingerprint))), () => undefined);
    return () => stop.abort();
  }, [guarded?.name, at, v]);

  const shown = useMemo(() => at === traffic ? observed && observedAs(observed) : loaded?.name === at ? loaded : null, [at, observed, loaded]);
  const pick = (n: string) => { setQ({ ...all }); go("/findings/" + encodeURIComponent(n)); };
  if (!known && !observed) return fault ? <Failed fault={fault} /> : <Loading />;
  return (
    <div class="page findings">
      <div class="findings-head">
        <header class="page-head"><h1>Findings</h1><Sum /><Notes s={scan} /></header>
        <ScanBar at={at} pick={pick} traffic={{ name: traffic, n: observed?.findings.length ?? 0, reading: !!observed?.reading }} />
      </div>
      {fault ? <Failed fault={fault} />
        : at === traffic && observed && !observed.findings.length ? <NothingSeen reading={!!observed.reading} />
        : at !== traffic && scan && !scan.result ? <NotScanned can={scan.run} fault={scan.fault} running={scans.value?.running?.name === at} />
        : at !== traffic && known && !scan ? <Empty icon="unknown" title="There is no scan of that name"><p><a href="#/findings">To the findings</a></p></Empty>
        : !shown ? <Loading />
        : <Lists l={shown} q={q} setQ={setQ} id={id} other={other} otherName={guarded?.name} />}
    </div>
  );
}

// split takes the address apart; an ID may hold what an address does.
function split(arg: string): [string?, string?] {
  if (!arg) return [];
  const i = arg.indexOf("/");
  return i < 0 ? [arg] : [arg.slice(0, i), arg.slice(i + 1)];
}

function NothingSeen({ reading }: { reading: boolean }) {
  const a = about.value;
  return reading ? <Loading /> : <Empty icon="good" title="Nothing was found in recorded traffic"><p>Every exchange that passes guard is looked at by the checks. As soon as one finds something it stands here, by check and operation.</p>{a?.guarded && <pre class="type-this">{curlLine(a.guarded)}</pre>}</Empty>;
}

function NotScanned({ can, fault, running }: { can: boolean; fault: string | undefined; running: boolean }) {
  return <Empty icon="scan" title={running ? "The scan is running" : fault ? "There is no result" : "Nothing has been scanned yet"}>
    <p>{fault && !running ? visible(fault) : can ? "A scan asks what an attacker would, as the people that are known here. It changes only what it made itself, and takes that away again." : "A scan asks what an attacker would, as two people. This page shows its result as soon as it is written."}</p>
    {!can && <pre class="type-this">parley scan --api openapi.yaml {about.value?.open ?? "http://127.0.0.1:9000"}</pre>}</Empty>;
}

function Lists({ l, q, setQ, id, other, otherName }: { l: Loaded; q: Filters; setQ: (q: Filters) => void; id: string; other: Set<string> | null; otherName: string | undefined }) {
  const list = useMemo(() => l.findings.filter((f) => passes(f, q)), [l, q]);
  const groups = useMemo(() => {
    const m = new Map<string, Found[]>();
    // What does not count stands at the end, whatever it is.
    for (const f of [...list.filter((f) => !quieted(f)), ...list.filter(quieted)]) {
      const k = (quieted(f) ? "~" : "") + f.check;
      m.set(k, [...(m.get(k) ?? []), f]);
    }
    return [...m];
  }, [list]);
  const order = groups.flatMap(([, fs]) => fs);
  const chosen = order.find((f) => f.id === id), shown = chosen ?? order[0];
  const open = (f: Found | undefined) => { if (f) { history.replaceState(null, "", address(f)); route.value = { ...route.value, page: "findings", arg: l.name + "/" + f.id }; } };
  const address = (f: Found) => "#/findings/" + encodeURIComponent(l.name) + "/" + encodeURIComponent(f.id);
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || e.target instanceof HTMLInputElement || e.target instanceof HTMLSelectElement) return;
      const i = shown ? order.indexOf(shown) : -1;
      if (e.key === "j" || e.key === "k") { open(order[Math.max(0, Math.min(order.length - 1, i + (e.key === "j" ? 1 : -1)))]); e.preventDefault(); }
      else if (e.key === "Escape" && chosen) { go("/findings/" + encodeURIComponent(l.name)); e.preventDefault(); }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });
  return (
    <>
      <FilterBar l={l} q={q} setQ={setQ} n={list.length} />
      <div class={"split" + (chosen ? " chosen" : "")}>
        <div class="found-list scroll" role="navigation" aria-label="findings">
          {groups.map(([k, fs]) => <Group key={k} fs={fs} at={shown} address={address} open={open} other={other} otherName={otherName} />)}
          {!order.length && <Empty icon="search" title="Nothing passes this filter"><button class="button" onClick={() => setQ({ ...all })}>Show all {l.findings.length}</button></Empty>}
          {l.cut && <p class="quiet cut-note">There are more than are shown here.</p>}
        </div>
        {shown && <Detail key={l.name + shown.id} f={shown} e={own(l.explain, shown.check)} replay={l.replay} name={l.name} gone={other && !other.has(shown.fingerprint) ? otherName : undefined} still={other?.has(shown.fingerprint) ? otherName : undefined} />}
      </div>
    </>
  );
}

function FilterBar({ l, q, setQ, n }: { l: Loaded; q: Filters; setQ: (q: Filters) => void; n: number }) {
  const a = about.value;
  const operations = useMemo(() => [...new Set(l.findings.flatMap(operationsOf))].sort(byPath), [l]);
  const people = useMemo(() => [...new Set(l.findings.flatMap(peopleOf))].sort(), [l]);
  const quiet = l.findings.filter(quieted).length;
  const bySeverity = (s: string) => l.findings.filter((f) => f.severity === s && !quieted(f)).length;
  return (
    <div class="found-bar">
      <div class="filter"><Icon name="search" /><input id="filter" type="text" value={q.text} spellcheck={false} autocomplete="off" placeholder="Search" aria-label="search findings"
        onInput={(e) => setQ({ ...q, text: e.currentTarget.value })} onKeyDown={(e) => { if (e.key === "Escape") { e.currentTarget.blur(); e.stopPropagation(); } }} /><span class="quiet found-n" role="status">{n === l.findings.length ? n : n + " of " + l.findings.length}</span></div>
      <div class="tabs" role="group" aria-label="severity">
        {severities.filter(bySeverity).map((s) => <button key={s} aria-pressed={q.severity === s} onClick={() => setQ({ ...q, severity: q.severity === s ? "" : s })} title={s}><Severity name={s} word={false} /> {bySeverity(s)}</button>)}
      </div>
      <select aria-label="verdict" value={q.verdict} onChange={(e) => setQ({ ...q, verdict: e.currentTarget.value })}><option value="">any verdict</option>{["confirmed", "likely", "unknown"].map((v) => <option key={v}>{v}</option>)}</select>
      <select aria-label="operation" class="operation-select" value={q.operation} onChange={(e) => setQ({ ...q, operation: e.currentTarget.value })}><option value="">any operation</option>{operations.map((o) => <option key={o}>{visible(o)}</option>)}</select>
      <select aria-label="person" value={q.person} onChange={(e) => setQ({ ...q, person: e.currentTarget.value })}><option value="">anybody</option>{people.map((p) => <option key={p}>{visible(p)}</option>)}</select>
      {quiet > 0 && <label class="check"><input type="checkbox" checked={q.quiet} onChange={(e) => setQ({ ...q, quiet: e.currentTarget.checked })} />known, suppressed ({quiet})</label>}
      {a && l.findings.length > 0 && <details class="menu"><summary class="button"><Icon name="down" size={14} />Report</summary><div>
        {a.reports.map((r) => <a key={r.name} download href={"/api/report?format=" + encodeURIComponent(r.name) + (l.name === traffic ? "&filter=" + encodeURIComponent("is:finding -source:scan") : "&scan=" + encodeURIComponent(l.name))}>{r.name}<code>{r.extension}</code></a>)}</div></details>}
    </div>
  );
}

export function byPath(a: string, b: string): number {
  const [am = "", ap = ""] = a.split(" "), [bm = "", bp = ""] = b.split(" ");
  return ap < bp ? -1 : ap > bp ? 1 : am < bm ? -1 : 1;
}

function Group({ fs, at, address, open, other, otherName }: { fs: Found[]; at: Found | undefined; address: (f: Found) => string; open: (f: Found) => void; other: Set<string> | null; otherName: string | undefined }) {
  const f = fs[0]!, quiet = quieted(f);
  return (
    <section class={"found-group" + (quiet ? " quieted" : "")}>
      <h3 title={visible(f.check)}><Severity name={f.severity} word={false} /><span>{visible(f.title)}</span>{fs.length > 1 && <span class="found-count">{fs.length}</span>}</h3>
      <ul>{fs.map((f) => <Row key={f.id} f={f} at={f === at} href={address(f)} open={() => open(f)} {...(other && otherName ? { after: other.has(f.fingerprint) ? "still " + otherName : "gone " + otherName, gone: !other.has(f.fingerprint) } : {})} />)}</ul>
    </section>
  );
}

function Row({ f, at, href, open, after, gone }: { f: Found; at: boolean; href: string; open: () => void; after?: string; gone?: boolean }) {
  const me = useRef<HTMLAnchorElement>(null);
  useEffect(() => { if (at) me.current?.scrollIntoView({ block: "nearest" }); }, [at]);
  const ops = operationsOf(f), [method = "", path = ""] = f.operation.split(" ");
  return (
    <li><a ref={me} class={"found-row" + (at ? " at" : "")} aria-current={at ? "true" : undefined} href={href} onClick={(e) => { if (e.ctrlKey || e.metaKey || e.shiftKey) return; e.preventDefault(); open(); }}>
      <span class="found-op">{path ? <><span class={"method m-" + (/^[A-Z]+$/.test(method) ? method.toLowerCase() : "other")}>{visible(method)}</span><code>{visible(path)}</code></> : <span>{visible(f.operation)}</span>}
        {ops.length > 1 && <em>and {ops.length - 1} more</em>}</span>
      <span class="found-who">{f.verdict !== "confirmed" && <b class="found-verdict">{f.verdict}</b>}
        {f.suppressed ? <span class="found-why" title={visible(f.suppressed)}>suppressed: {visible(f.suppressed)}</span> : f.known ? <span class="found-why">known: it is in the baseline</span> : null}
        {f.parameter && <code>{visible(f.parameter)}</code>}{f.by && <span>{visible(f.by)}{f.of && f.of !== f.by ? " → " + visible(f.of) : ""}</span>}
        {f.count > 1 && <span class="quiet">{f.count}×</span>}
        {after && <span class={"found-after" + (gone ? " gone" : "")}><Icon name={gone ? "shield" : "finding"} size={11} />{gone ? "stopped" : "also guarded"}</span>}</span>
    </a></li>
  );
}

function Detail({ f, e, replay, name, gone, still }: { f: Found; e: Explanation | undefined; replay: string | undefined; name: string; gone: string | undefined; still: string | undefined }) {
  const people = scanNamed(name)?.result?.people ?? [];
  const ops = operationsOf(f), line = replay && !f.filter ? replay + " " + f.id : "";
  const box = useRef<HTMLElement>(null);
  useEffect(() => { if (box.current) box.current.scrollTop = 0; }, [f.id]);
  const owasp = f.owasp ?? e?.owasp, cwe = f.cwe ?? e?.cwe;
  return (
    <article class="found scroll" ref={box} aria-label="the finding">
      <a class="found-back" href={"#/findings/" + encodeURIComponent(name)}><Icon name="back" size={14} />all findings</a>
      <header>
        <p class="found-tags"><Severity name={f.severity} /><span class={"verdict v-" + (["confirmed", "likely"].includes(f.verdict) ? f.verdict : "unknown")}><Icon name={f.verdict === "confirmed" ? "good" : "question"} size={12} />{visible(f.verdict)}</span>
          {owasp && <span class="tag">OWASP {visible(owasp)}</span>}{cwe ? <span class="tag">CWE-{cwe}</span> : null}<span class="tag">step {visible(f.step)}</span><code class="card-check">{visible(f.check)}</code>
          {gone && <span class="chip found-gone" title={"the scan of " + visible(gone) + " does not find it"}><Icon name="shield" size={12} />stopped</span>}
          {still && <span class="chip found-still"><Icon name="finding" size={12} />{visible(still)} has it, too</span>}</p>
        <h2>{visible(f.title)}</h2>
        <p class="found-where">{ops.slice(0, 6).map((o) => <code key={o}>{visible(o)}</code>)}{ops.length > 6 && <details><summary>and {ops.length - 6} more</summary>{ops.slice(6).map((o) => <code key={o}>{visible(o)}</code>)}</details>}</p>
        <p class="found-whose"><Whose f={f} part={(n) => people.find((p) => p.name === n)?.part} />{f.parameter && <>, {f.by ? "through" : "in"} <code>{visible(f.parameter)}</code></>}{f.count > 1 && <>, {f.count.toLocaleString("en")} times</>}{f.filter && <>: <a href={trafficLink(f.filter)}>show them<Icon name="arrow" size={12} /></a></>}</p>
        {f.suppressed && <p class="found-note"><Icon name="noted" size={14} /><b>suppressed</b> {visible(f.suppressed)}</p>}
        {f.known && <p class="found-note"><Icon name="noted" size={14} /><b>known</b> the baseline has it</p>}
        {f.missing && <p class="found-note"><Icon name="question" size={14} /><b>only {visible(f.verdict)}</b> {visible(f.missing)}</p>}
      </header>
      {!!f.evidence?.length && <ul class="evidence found-evidence">{f.evidence.slice(0, 20).map((v, i) => <li key={i}><span>{visible(v.where)}</span>{v.name && <code><Text>{v.name}</Text></code>}{v.says && <em><Text>{v.says}</Text></em>}</li>)}{f.evidence.length > 20 && <li><em>and {f.evidence.length - 20} more</em></li>}</ul>}
      <section><div class="section-head"><h3>{f.filter ? "The newest exchange that has it" : "Proof"}</h3>{!f.filter && <span class="quiet">{count(f.proof?.length ?? 0, "request")}, the fewest that show it</span>}
        {line && <button class="button small replay" onClick={() => void copy(line, "command")} title="copy the command that shows it again"><Icon name="copy" size={13} /><code>{visible(line)}</code></button>}</div>
        <Proof f={f} /></section>
      <section class="found-doc">
        {e && <><h3>Why it matters</h3><p>{e.doc.replace(/\s*\n\s*/g, " ")}</p></>}
        {(f.fix || e?.fix) && <><h3>Fix</h3><p class="fix">{visible((f.fix || e!.fix).replace(/\s*\n\s*/g, " "))}</p></>}
        {e?.conversation?.length ? <p class="tag-facts">facts <Facts of={e.conversation} /></p> : null}
      </section>
    </article>
  );
}
