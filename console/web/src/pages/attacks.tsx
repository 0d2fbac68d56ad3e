import { Fragment } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { asFault, type Fault, get } from "../api";
import { own } from "../format";
import { Icon } from "../icons";
import { about, copy, go } from "../state";
import type { Attack, Explain, Played } from "../types";
import { Empty, Facts, factsLegend, Failed, Loading, Method, Status, Text, visible } from "../ui";

interface Table { attacks: Attack[]; explain: Explain }

export function useAttacks(): { table: Table | null; fault: Fault | null; again: () => void } {
  const [table, setTable] = useState<Table | null>(null);
  const [fault, setFault] = useState<Fault | null>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    let timer = 0;
    const read = () => get<Table>("attacks", {}, stop.signal).then((t) => {
      setTable(t); setFault(null);
      // While they are still being played, look again.
      if (t.attacks.length === 0 || t.attacks.some((a) => !a.guarded.outcome)) timer = window.setTimeout(read, 1000);
    }, (e) => { if (!stop.signal.aborted) { setFault(asFault(e)); timer = window.setTimeout(read, 3000); } });
    void read();
    return () => { stop.abort(); clearTimeout(timer); };
  }, [turn]);
  return { table, fault, again: () => setTurn(turn + 1) };
}

const outcomes: { [o: string]: [string, string] } = {
  worked: ["finding", "worked"], refused: ["refused", "refused"], filtered: ["stripped", "filtered"], repaired: ["repaired", "repaired"], failed: ["noted", "no answer"],
};

// stopped says whether guard kept the attack from working.
export const stopped = (p: Played) => p.outcome === "refused" || p.outcome === "filtered" || p.outcome === "repaired" || failed(p);
// It got an answer, but not the one it wanted.
const failed = (p: Played) => p.outcome === "failed" && !!p.status;

export function Outcome({ p, word = true }: { p: Played; word?: boolean }) {
  const [icon, text] = failed(p) ? ["good", "did not work"] : own(outcomes, p.outcome) ?? ["unknown", p.outcome || "not played yet"];
  const cls = p.outcome === "worked" ? "bad" : stopped(p) ? "well" : "plain";
  return <span class={"outcome " + cls}><Icon name={icon} size={14} /><Status code={p.status} />
    {word && <span class="outcome-word">{text}{p.says && p.says !== text && <i>{visible(p.says)}</i>}</span>}</span>;
}

export function AttacksPage() {
  const { table, fault, again } = useAttacks();
  const [at, draw] = useState(-1);
  const here = useRef(-1); // keys may come faster than the page is drawn
  const n = table?.attacks.length ?? 0;
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || e.target instanceof HTMLInputElement) return;
      if (e.key === "j" || e.key === "ArrowDown") draw(here.current = Math.min(n - 1, here.current + 1));
      else if (e.key === "k" || e.key === "ArrowUp") draw(here.current = Math.max(0, here.current - 1));
      else if (e.key === "Enter" && here.current >= 0 && !(e.target instanceof HTMLButtonElement)) go("/attack/" + here.current);
      else return;
      e.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });
  useEffect(() => { document.getElementById("attack-" + at)?.scrollIntoView({ block: "nearest" }); }, [at]);
  if (fault && !table) return <Failed fault={fault} retry={again} />;
  if (!table) return <Loading />;
  const a = about.value;
  if (!n) return (
    <Empty icon="compare" title={a?.attacks ? "The attacks are being played" : "No attacks were played"}>
      {a?.attacks ? <p>Each appears here as soon as both addresses have answered.</p>
        : <><p>This page shows the same request on an open address and on a guarded one. The example API plays it at once:</p><pre class="type-this">parley up</pre></>}
    </Empty>
  );
  const worked = table.attacks.filter((x) => x.open.outcome === "worked").length;
  const through = table.attacks.filter((x) => x.guarded.outcome === "worked").length;
  const held = table.attacks.filter((x) => stopped(x.guarded));
  const by = (o: string) => held.filter((x) => x.guarded.outcome === o).length;
  return (
    <div class="page scroll attacks">
      <section class="verdicts">
        <div class={"tally " + (worked ? "bad" : "well")}><div class="tally-n">{worked}<small>of {n}</small></div><div><b>work on the open address</b><Address url={a?.open} /></div></div>
        <div class="tally-arrow"><Icon name="arrow" size={22} /></div>
        <div class={"tally " + (through ? "bad" : "well")}><div class="tally-n">{through}<small>of {n}</small></div><div><b>work through guard</b><Address url={a?.guarded} /></div></div>
        <p class="tally-words">{[...["refused", "filtered", "repaired"].map((o): [string, number] => [o, by(o)]), ["did not work", by("failed")] as [string, number]].filter((x) => x[1] > 0).map((x) => x[1] + " " + x[0]).join(", ")}. Same API, same requests, same credentials; the second address has guard in front of it.</p>
      </section>
      <table class="attack-table">
        <thead><tr><th>attack</th><th>request</th><th>open</th><th>guarded</th><th class="facts-col" title={factsLegend}>facts<Icon name="noted" size={12} label={factsLegend} /></th></tr></thead>
        <tbody>
          {table.attacks.map((x, i) => (
            <tr key={i} id={"attack-" + i} class={i === at ? "at" : ""} onClick={() => go("/attack/" + i)}>
              <td><a href={"#/attack/" + i} class="attack-name">{x.name}</a><div class="attack-why" title={x.why}>{x.why}</div></td>
              <td class="attack-request"><RequestWords line={x.request} /><div class="attack-as">{x.as ? <>as <b>{visible(x.as)}</b></> : "as nobody"}</div></td>
              <td><Outcome p={x.open} /></td>
              <td><Outcome p={x.guarded} /></td>
              <td class="facts-col"><Facts of={x.conversation} /></td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="legend">Facts are {factsLegend}.</p>
    </div>
  );
}

export function RequestWords({ line }: { line: string }) {
  const i = line.indexOf(" ");
  return i < 0 ? <code>{visible(line)}</code> : <span class="request-words"><Method name={line.slice(0, i)} /><code>{line.slice(i + 1).split(/(?=[?&])/).map((p, n) => <Fragment key={n}>{n > 0 && <wbr />}<Text>{p}</Text></Fragment>)}</code></span>;
}

function Address({ url }: { url: string | undefined }) {
  if (!url) return null;
  return <button class="address" title="copy" onClick={() => copy(url, "address")}><code>{url}</code><Icon name="copy" size={12} /></button>;
}
