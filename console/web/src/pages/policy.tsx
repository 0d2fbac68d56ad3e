import { useEffect, useState } from "preact/hooks";
import { asFault, type Fault, get } from "../api";
import { count, own } from "../format";
import { Icon } from "../icons";
import { about, curlLine, stats, trafficLink } from "../state";
import type { ActionCount, ContractView, Explain } from "../types";
import { Empty, Failed, kindIcon, kindWord, Loading, visible } from "../ui";

interface Counts { actions: ActionCount[]; run?: boolean; explain: Explain }

export function PolicyPage() {
  const [counts, setCounts] = useState<Counts | null>(null);
  const [contract, setContract] = useState<ContractView | null>(null);
  const [fault, setFault] = useState<Fault | null>(null);
  const [by, setBy] = useState<"rule" | "operation">("rule");
  useEffect(() => {
    const stop = new AbortController();
    let timer = 0;
    const read = () => get<Counts>("actions", {}, stop.signal).then((c) => { setCounts(c); setFault(null); timer = window.setTimeout(read, 2000); },
      (e) => { if (!stop.signal.aborted) { setFault(asFault(e)); timer = window.setTimeout(read, 4000); } });
    void read();
    get<ContractView>("contract", {}, stop.signal).then(setContract, () => undefined);
    return () => { stop.abort(); clearTimeout(timer); };
  }, []);
  if (fault && !counts) return <Failed fault={fault} />;
  if (!counts || !contract) return <Loading />;
  const a = about.value, report = a?.mode === "report";
  // What guard does in its present mode stands first; what it did in the other
  // is not added to it. Without a guard: what was enforced, if anything was.
  const enforced = a?.mode ? !report : counts.actions.some((c) => c.enforced);
  const now = counts.actions.filter((c) => c.enforced === enforced), then = counts.actions.filter((c) => c.enforced !== enforced);
  const total = (kind: string) => now.filter((c) => c.kind === kind).reduce((n, c) => n + c.count, 0);
  const span = counts.run ? " since it was started" : " in all runs that this store has seen";
  const unjudged = contract.operations.filter((o) => o.unjudged);
  return (
    <div class="page scroll policy">
      <header class="page-head">
        <h1>Policy</h1>
        <p class="lead">{report
          ? "Guard is in report mode: it changes nothing for clients, and counts what it would do: here" + span + ". Turn rules on one by one, or all with mode: enforce."
          : a?.mode === "enforce" ? "Guard enforces: this is what it has refused, removed and repaired" + span + "." : "No guard is running. What is in the store was judged before."}</p>
      </header>
      <div class="totals">
        {(["refuse", "strip", "repair"] as const).map((k) => (
          <div key={k} class={"total k-" + k}><Icon name={kindIcon(k)} size={18} /><b>{total(k).toLocaleString("en")}</b><span>{kindWord(k, enforced)}</span></div>
        ))}
        <div class="total"><Icon name="traffic" size={18} /><b>{(stats.value?.rows ?? a?.stats.rows ?? 0).toLocaleString("en")}</b><span>exchanges in the store</span></div>
        {contract.operations.length > 0 && <div class="total"><Icon name="unknown" size={18} /><b>{unjudged.length}<small> of {contract.operations.length}</small></b><span>operations without a rule</span></div>}
      </div>
      {now.length === 0
        ? <Empty icon="policy" title={enforced ? "Nothing had to be changed" : "Nothing would have been changed"}><p>As soon as guard {enforced ? "acts" : "would act"} on a call, the rule that decided is counted here.</p>
          {a?.guarded && <pre class="type-this">{curlLine(a.guarded)}</pre>}</Empty>
        : <section>
          <div class="section-head"><h2>{enforced ? "What was changed" : "What would change"}</h2>
            <div class="tabs" role="tablist"><button role="tab" aria-selected={by === "rule"} onClick={() => setBy("rule")}>by rule</button><button role="tab" aria-selected={by === "operation"} onClick={() => setBy("operation")}>by operation</button></div></div>
          <Groups actions={now} explain={counts.explain} by={by} />
        </section>}
      {then.length > 0 && <section class="other-mode"><h3>{enforced ? "Counted in report mode: would have been changed" : "Enforced: was changed"}</h3>
        <Groups actions={then} explain={counts.explain} by={by} /></section>}
      {contract.not_judged.length > 0 && <section><h2>Not judged</h2><p class="quiet">These parts of the contract could not be compiled. What they describe passes unfiltered; start with --strict to make that an error.</p>
        <ul class="plain-list">{contract.not_judged.map((l) => <li key={l}><code>{visible(l)}</code></li>)}</ul></section>}
      {contract.operations.length > 0 ? <section><h2>Operations</h2>
        <p class="quiet">From <code>{contract.file}</code>. {unjudged.length > 0 && <>Those marked <span class="chip k-counted"><Icon name="unknown" size={11} />no rule</span> are decided by the API description's <code>security</code> alone: anybody who is logged in may call them on any object.</>}</p>
        <table class="operations"><tbody>{contract.operations.map((o) => (
          <tr key={o.name} class={o.unjudged ? "un" : ""}>
            <td><a href={trafficLink("operation:" + JSON.stringify(o.name))}><code>{o.name}</code></a></td>
            <td>{o.rules?.map((r) => <div key={r.place} class="rule"><span class="quiet">{r.owner ? "owner" : "allow"}</span><code>{r.source}</code></div>)}
              {!o.rules?.length && (o.public ? <span class="quiet">public</span> : <span class="chip k-counted"><Icon name="unknown" size={11} />no rule</span>)}</td>
            <td class="place">{o.rules?.[0]?.place ?? o.place}</td>
          </tr>))}</tbody></table></section>
        : <section><h2>Contract</h2><p class="quiet">No API description was given, so nothing is known of operations, types and fields. Add one:</p><pre class="type-this">parley up --upstream {a?.open ?? "URL"} --api openapi.yaml</pre></section>}
    </div>
  );
}

function Groups({ actions, explain, by }: { actions: ActionCount[]; explain: Explain; by: "rule" | "operation" }) {
  const groups = new Map<string, ActionCount[]>();
  for (const a of actions) {
    const k = by === "rule" ? a.check : a.operation || "outside the contract";
    groups.set(k, [...(groups.get(k) ?? []), a]);
  }
  const sum = (as: ActionCount[]) => as.reduce((n, a) => n + a.count, 0);
  const sorted = [...groups].sort((x, y) => sum(y[1]) - sum(x[1]));
  const most = Math.max(...actions.map((a) => a.count));
  return (
    <table class="counts">
      <thead><tr><th>{by === "rule" ? "operation" : "check"}</th><th>guard</th><th>rule</th><th class="num">times</th><th /></tr></thead>
      {sorted.map(([k, as]) => (
        <tbody key={k}>
          <tr class="group"><th colSpan={3}>{by === "rule" ? <><span>{own(explain, k)?.title ?? k}</span><code class="card-check">{k}</code>{own(explain, k)?.owasp && <span class="tag">{own(explain, k)!.owasp}</span>}</> : <code>{visible(k)}</code>}</th><th class="num">{sum(as).toLocaleString("en")}</th><th /></tr>
          {as.sort((x, y) => y.count - x.count).map((a, i) => (
            <tr key={i}>
              <td>{by === "rule" ? <code>{visible(a.operation || "outside the contract")}</code> : <><span>{own(explain, a.check)?.title ?? a.check}</span></>}</td>
              <td><span class={"chip k-" + (a.enforced ? a.kind : "counted")}><Icon name={kindIcon(a.kind)} size={11} />{kindWord(a.kind, a.enforced)}</span></td>
              <td class="place">{a.rule && <code>{visible(a.rule)}</code>}</td>
              <td class="num"><span class="bar" aria-hidden="true"><i class={"k-" + a.kind} style={{ width: Math.max(2, a.count / most * 100) + "%" }} /></span><span class="times">{a.count.toLocaleString("en")}</span></td>
              <td><a class="show" href={trafficLink(a.filter ?? "")} title={a.filter} aria-label={"show " + count(a.count, "exchange")}>show<Icon name="arrow" size={12} /></a></td>
            </tr>
          ))}
        </tbody>
      ))}
    </table>
  );
}
