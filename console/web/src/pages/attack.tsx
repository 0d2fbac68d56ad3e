import { useEffect } from "preact/hooks";
import { Icon } from "../icons";
import { BodyView, headerDiff, Headers, JsonPairs, plainHeaders, RequestLine, StatusLine, treeOf, typeOf } from "../message";
import { merge } from "../json";
import { own, size } from "../format";
import { go } from "../state";
import type { Explanation, Played, View } from "../types";
import { Facts, Failed, Loading, kindIcon, kindWord, Text } from "../ui";
import { Outcome, RequestWords, stopped, useAttacks } from "./attacks";
import { Rail, reasons, useExchange } from "./exchange";

// AttackPage lays both exchanges of an attack side by side.
export function AttackPage({ at }: { at: number }) {
  const { table, fault } = useAttacks();
  const a = table?.attacks[at];
  const open = useExchange(a?.open.id), guarded = useExchange(a?.guarded.id);
  const n = table?.attacks.length ?? 0;
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || e.target instanceof HTMLInputElement) return;
      if ((e.key === "j" || e.key === "ArrowRight") && at < n - 1) go("/attack/" + (at + 1));
      else if ((e.key === "k" || e.key === "ArrowLeft") && at > 0) go("/attack/" + (at - 1));
      else if (e.key === "Escape") go("/attacks");
      else return;
      e.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });
  if (fault && !table) return <Failed fault={fault} />;
  if (!table) return <Loading />;
  if (!a) return <Failed fault={{ title: "no such attack", message: "The table has " + n + "." } as never} />;
  const e = own(table.explain, a.check);
  return (
    <div class="page scroll attack">
      <nav class="crumbs"><a href="#/attacks"><Icon name="back" size={14} />Before and after</a><span class="quiet">{at + 1} of {n}</span>
        <span class="pager"><a class={"button icon-only" + (at === 0 ? " off" : "")} href={"#/attack/" + Math.max(0, at - 1)} aria-label="previous attack" title="k">‹</a>
          <a class={"button icon-only" + (at >= n - 1 ? " off" : "")} href={"#/attack/" + Math.min(n - 1, at + 1)} aria-label="next attack" title="j">›</a></span></nav>
      <header class="attack-head">
        <h1>{a.name}</h1>
        <p><RequestWords line={a.request} /> {a.as ? <>as <b>{a.as}</b></> : "as nobody"}</p>
        <p class="lead">{a.why}</p>
      </header>
      <div class="sides">
        <SideHead name="Open" p={a.open} view={open.view} fault={open.fault?.message} />
        <SideHead name="Guarded" p={a.guarded} view={guarded.view} fault={guarded.fault?.message} />
        {open.view && guarded.view ? <Both a={open.view} b={guarded.view} /> : <>{open.view && <One v={open.view} />}{guarded.view && <One v={guarded.view} />}</>}
      </div>
      {e && <Why e={e} />}
    </div>
  );
}

function SideHead({ name, p, view, fault }: { name: string; p: Played; view: View | null; fault: string | undefined }) {
  return (
    <section class={"side-head " + (p.outcome === "worked" ? "bad" : stopped(p) ? "well" : "")}>
      <div class="side-name"><h2>{name}</h2><Outcome p={p} /></div>
      <p class="side-address">{view ? <><code>{view.exchange.request.scheme}://{view.exchange.request.authority}</code>
        <a href={"#/x/" + view.exchange.id}>the whole exchange<Icon name="arrow" size={12} /></a></> : fault ? <span class="quiet">{fault}</span> : p.id ? "…" : <span class="quiet">nothing was recorded on this address</span>}</p>
    </section>
  );
}

function One({ v }: { v: View }) {
  return <section class="side-body"><StatusLine x={v.exchange} /><Headers lines={plainHeaders(v.exchange.response?.header)} /><BodyView body={v.exchange.response?.body} type={typeOf(v.exchange.response?.header)} /></section>;
}

function Both({ a, b }: { a: View; b: View }) {
  const x = a.exchange, y = b.exchange;
  const why = reasons(y, b.explain);
  const hx = x.response?.header ?? [], hy = y.response?.header ?? [];
  // Refused answers are other answers: laying them over each other line by
  // line would show everything as changed.
  const alike = x.response && y.response && Math.floor(x.response.status / 100) === Math.floor(y.response.status / 100);
  const ta = treeOf(x.response?.body), tb = treeOf(y.response?.body);
  const pairs = alike && ta && tb ? merge(ta, tb) : null;
  const gone = new Set(hx.filter((f) => !hy.some((g) => g.name.toLowerCase() === f.name.toLowerCase() && g.value === f.value)).map((f) => f.name + "\n" + f.value));
  return <>
    <section class="side-body">
      <h3>Answer</h3><StatusLine x={x} />
      <Headers lines={hx.map((f) => ({ name: f.name, value: f.value, noise: /^(date|content-length)$/i.test(f.name), ...(alike && gone.has(f.name + "\n" + f.value) ? { mark: "removed" as const } : {}) }))} />
      {pairs ? <JsonPairs pairs={pairs} side="left" leak /> : <BodyView body={x.response?.body} type={typeOf(hx)} cut={a.cut.response} />}
    </section>
    <section class="side-body">
      <h3>Answer</h3><StatusLine x={y} instead={alike ? x.response?.status : undefined} />
      <Headers lines={alike ? headerDiff(hx, hy, why.field) : plainHeaders(hy)} />
      {pairs ? <><div class="body-bar"><span>{typeOf(hy)}</span><span>{size(y.response!.body?.size ?? 0)}</span></div><JsonPairs pairs={pairs} side="right" why={why.member} /></>
        : <BodyView body={y.response?.body} type={typeOf(hy)} cut={b.cut.response} />}
    </section>
    <section class="side-body">
      <h3>Request</h3><RequestLine x={x} /><Headers lines={plainHeaders(x.request.header)} /><BodyView body={x.request.body} type={typeOf(x.request.header)} cut={a.cut.request} />
    </section>
    <section class="side-body">
      <h3>What guard did</h3>
      {y.actions?.length ? <ul class="deeds">{y.actions.map((c, i) => (
        <li key={i}><span class={"chip k-" + (c.enforced ? c.kind : "counted")}><Icon name={kindIcon(c.kind)} size={11} />{kindWord(c.kind, c.enforced)}</span>
          <span><span class="quiet">{c.where}</span> {c.name && <code><Text>{c.name}</Text></code>} {c.says && <Text>{c.says}</Text>}
            <span class="deed-by">{c.check}{c.rule && <> · <code class="place">{c.rule}</code></>}</span></span></li>
      ))}</ul> : <p class="quiet">nothing</p>}
    </section>
    <section class="side-rail"><Rail steps={a.steps} at={null} pick={() => go("/x/" + x.id)} /></section>
    <section class="side-rail"><Rail steps={b.steps} at={null} pick={() => go("/x/" + y.id)} /></section>
  </>;
}

function Why({ e }: { e: Explanation }) {
  return (
    <section class="why-card">
      <h3>{e.title}</h3>
      <p>{e.doc.replace(/\s*\n\s*/g, " ")}</p>
      <p class="fix"><b>Fix</b> {e.fix.replace(/\s*\n\s*/g, " ")}</p>
      <p class="tags"><code class="card-check">{e.id}</code><span class={"tag sev-" + e.severity}>{e.severity}</span>{e.owasp && <span class="tag">OWASP {e.owasp}</span>}{e.cwe ? <span class="tag">CWE-{e.cwe}</span> : null}
        {e.conversation?.length ? <span class="tag-facts">facts <Facts of={e.conversation} /></span> : null}</p>
    </section>
  );
}
