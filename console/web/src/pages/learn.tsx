import { useEffect, useMemo, useState } from "preact/hooks";
import { asFault, type Fault, get } from "../api";
import { count, own } from "../format";
import { Icon } from "../icons";
import { about, go, say, trafficLink } from "../state";
import type { LearntAll, LearntChange, LearntOperation } from "../types";
import { Empty, Failed, Loading, Method, visible } from "../ui";

// The ways in which what was seen and what is described may differ, those that
// ask for a person first.
type Kind = "shadow" | "named" | "member" | "type" | "parameter" | "status" | "unused" | "both";
const kinds: { kind: Kind; icon: string; name: string; says: string }[] = [
  { kind: "shadow", icon: "ghost", name: "shadow", says: "called, and not described" },
  { kind: "member", icon: "found", name: "new members", says: "in bodies, and not described" },
  { kind: "type", icon: "finding", name: "other types", says: "seen otherwise than described" },
  { kind: "parameter", icon: "search", name: "new parameters", says: "sent, and not described" },
  { kind: "status", icon: "noted", name: "new statuses", says: "answered, and not described" },
  { kind: "named", icon: "question", name: "only named", says: "in pages or scripts, never called" },
  { kind: "unused", icon: "minus", name: "unused", says: "described, never called" },
  { kind: "both", icon: "good", name: "as described", says: "described and called" },
];

const changeKinds: { [what: string]: Kind } = { "new member": "member", "type differs": "type", "new parameter": "parameter", "new status": "status" };

function kindOf(o: LearntOperation): Kind {
  return o.shadow ? "shadow" : o.named ? "named" : o.unused ? "unused" : "both";
}

// example opens the newest exchange that shows it.
async function example(filter: string) {
  try {
    const x = await get<{ id?: string }>("example", { filter });
    if (x.id) go("/x/" + x.id); else say("the store has no such exchange any more");
  } catch (e) { say(asFault(e).message); }
}

export function LearnPage() {
  const [all, setAll] = useState<LearntAll | null>(null);
  const [fault, setFault] = useState<Fault | null>(null);
  const [only, setOnly] = useState<Kind | "">("");
  const [text, setText] = useState("");
  useEffect(() => {
    const stop = new AbortController();
    let timer = 0;
    const read = () => get<LearntAll>("learnt", {}, stop.signal).then((a) => { setAll(a); setFault(null); if (a.on) timer = window.setTimeout(read, a.reading ? 500 : 4000); },
      (e) => { if (!stop.signal.aborted) { setFault(asFault(e)); timer = window.setTimeout(read, 4000); } });
    void read();
    return () => { stop.abort(); clearTimeout(timer); };
  }, []);
  const numbers = useMemo(() => {
    const n: { [k: string]: number } = {};
    for (const o of all?.operations ?? []) { const k = kindOf(o); n[k] = (n[k] ?? 0) + 1; }
    for (const c of all?.changes ?? []) { const k = own(changeKinds, c.what); if (k) n[k] = (n[k] ?? 0) + 1; }
    return n;
  }, [all]);
  if (fault && !all) return <Failed fault={fault} />;
  if (!all) return <Loading />;
  if (!all.on) return <div class="page scroll policy"><header class="page-head"><h1>Learn</h1></header><Empty icon="learn" title="Nothing is learning from this traffic"><p>While guard learns, or from what it has recorded, this page shows which endpoints and members were seen that the description does not have.</p><pre class="type-this">parley guard --learn learnt.yaml -c parley.yaml</pre></Empty></div>;
  const wanted = (says: string, k: Kind | undefined) => (!only || only === k) && says.toLowerCase().includes(text.toLowerCase());
  const ops = all.operations.filter((o) => wanted(o.operation, kindOf(o)));
  const changes = all.changes.filter((c) => c.what !== "new operation" && wanted(c.operation + " " + c.place + " " + c.what, own(changeKinds, c.what)));
  const order = (o: LearntOperation) => kinds.findIndex((k) => k.kind === kindOf(o));
  ops.sort((a, b) => order(a) - order(b));
  const differs = kinds.some((k) => k.kind !== "both" && k.kind !== "unused" && numbers[k.kind]);
  return (
    <div class="page scroll policy learn">
      <header class="page-head">
        <div class="section-head"><h1>Learn</h1>{all.reading && <span class="chip k-counted" role="status"><Icon name="auto" size={11} />still reading older exchanges</span>}
          {all.operations.some((o) => o.seen) && <a class="button" download href="/api/learnt/openapi"><Icon name="down" size={14} />openapi.yaml</a>}</div>
        <p class="lead">{all.described ? "What was seen in traffic beside what the description promises." : "What was seen in traffic. No description was given to compare it with, so all of it is new."}</p>
      </header>
      <div class="totals kinds" role="group" aria-label="what differs">
        {kinds.filter((k) => numbers[k.kind] || k.kind === "shadow").map((k) => (
          <button key={k.kind} class={"total d-" + k.kind + (only === k.kind ? " at" : "") + (numbers[k.kind] ? "" : " none")} aria-pressed={only === k.kind} onClick={() => setOnly(only === k.kind ? "" : k.kind)} title={k.says}>
            <Icon name={k.icon} size={18} /><b>{(numbers[k.kind] ?? 0).toLocaleString("en")}</b><span>{k.name}<small>{k.says}</small></span></button>))}
      </div>
      <div class="found-bar flat"><div class="filter"><Icon name="search" /><input id="filter" type="text" value={text} spellcheck={false} autocomplete="off" placeholder="Search operations and members" aria-label="search" onInput={(e) => setText(e.currentTarget.value)} onKeyDown={(e) => { if (e.key === "Escape") { e.currentTarget.blur(); e.stopPropagation(); } }} /><kbd class="hint">/</kbd></div>
        {only && <button class="button" onClick={() => setOnly("")}><Icon name="close" size={12} />all kinds</button>}</div>
      {!!all.never_send?.length && !only && <section><h2>Secrets in answers</h2><p class="quiet">Members that no client should be sent. Guard takes them out when the policy says never_send.</p><ul class="plain-list">{all.never_send.map((n) => <li key={n}><Icon name="leak" size={13} /> <code>{visible(n)}</code></li>)}</ul></section>}
      {changes.length > 0 && <section><h2>In messages</h2><Changes changes={changes} /></section>}
      {!differs && !text && !only && all.described && all.operations.some((o) => o.seen) && <p class="calm"><Icon name="good" size={16} />All that was seen is as the description says.</p>}
      {ops.length > 0 ? <section><h2>Operations</h2><Operations ops={ops} /></section>
        : !changes.length && (all.operations.length + all.changes.length === 0 ? <Empty icon="learn" title="Nothing was seen yet"><p>As soon as clients call the API its operations stand here.</p></Empty> : <Empty icon="search" title="Nothing passes this filter" />)}
      {all.left && <p class="quiet">{visible(all.left)}</p>}
      {all.cut && <p class="quiet">There is more than is shown here; the description has all of it.</p>}
      <p class="quiet learn-type">The same from a file: <code>parley learn {about.value?.contract ? "--api openapi.yaml " : ""}traffic.har</code></p>
    </div>
  );
}

function Changes({ changes }: { changes: LearntChange[] }) {
  const groups = new Map<string, LearntChange[]>();
  for (const c of changes) groups.set(c.operation, [...(groups.get(c.operation) ?? []), c]);
  return (
    <table class="counts learnt"><thead><tr><th>where</th><th>what</th><th class="num">seen</th><th /></tr></thead>
      {[...groups].map(([op, cs]) => (
        <tbody key={op}>
          <tr class="group"><th colSpan={4}><code>{visible(op)}</code></th></tr>
          {cs.map((c, i) => { const k = kinds.find((k) => k.kind === own(changeKinds, c.what)); return (
            <tr key={i}><td><code><span class="quiet">{visible(c.place.slice(0, c.place.lastIndexOf("/") + 1))}</span><b>{visible(c.name)}</b></code></td>
              <td><span class={"chip d-" + (k?.kind ?? "")}><Icon name={k?.icon ?? "noted"} size={11} />{c.what}</span></td><td class="num">{c.count.toLocaleString("en")}×</td>
              <td><Links filter={c.filter} what={c.operation + " " + c.place} /></td></tr>); })}
        </tbody>))}
    </table>
  );
}

function Links({ filter, what }: { filter: string | undefined; what: string }) {
  if (!filter) return null;
  return <span class="learn-links"><button class="bare" onClick={() => void example(filter)} aria-label={"an exchange with " + visible(what)}>example</button><a class="show" href={trafficLink(filter)} title={filter} aria-label={"exchanges of " + visible(what)}>all<Icon name="arrow" size={12} /></a></span>;
}

function Operations({ ops }: { ops: LearntOperation[] }) {
  return (
    <table class="counts learnt"><thead><tr><th>operation</th><th>description</th><th>who succeeded</th><th>answers</th><th class="num">seen</th><th /></tr></thead>
      <tbody>{ops.map((o) => {
        const k = kinds.find((k) => k.kind === kindOf(o))!, [method = "", path = ""] = o.operation.split(" ");
        const who = [...new Set((o.callers ?? []).filter((c) => c.succeeded > 0).map((c) => c.roles?.length ? c.roles.join("+") : c.subject))];
        return (
          <tr key={o.operation} class={"l-" + k.kind}><td><span class="request-words">{method === "?" ? <span class="method">?</span> : <Method name={method} />}<code>{visible(path)}</code></span></td>
            <td><span class={"chip d-" + k.kind}><Icon name={k.icon} size={11} />{k.name}</span></td>
            <td>{o.open && <span class="tag">anybody</span>} {who.slice(0, 4).map((w) => <span key={w} class="tag">{visible(w)}</span>)}{who.length > 4 && <span class="quiet">and {who.length - 4} more</span>}{o.refused && <span class="quiet">nobody</span>}</td>
            <td class="quiet">{Object.keys(o.statuses ?? {}).map((s) => s === "0" || s === "-1" ? null : <span key={s}>{s}{o.statuses![s]! > 1 && <small>×{o.statuses![s]}</small>} </span>)}</td>
            <td class="num">{o.seen ? o.count.toLocaleString("en") + "×" : "–"}</td><td><Links filter={o.filter} what={o.operation} /></td></tr>);
      })}</tbody>
      <tfoot><tr><td colSpan={6} class="quiet">{count(ops.length, "operation")}</td></tr></tfoot>
    </table>
  );
}
