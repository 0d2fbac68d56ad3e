import { clock, count, millis } from "./format";
import { Icon } from "./icons";
import { scans, startScan, stopScan, target } from "./scans";
import type { Running, Scan, Tally } from "./types";
import { visible } from "./ui";

export const severities = ["critical", "high", "medium", "low", "info"];

// Severity is told by a word and by how many of its bars are filled.
export function Severity({ name, word = true }: { name: string; word?: boolean }) {
  const n = 4 - Math.max(0, severities.indexOf(name));
  return (
    <span class={"severity sev-" + name} title={name}>
      <svg width="15" height="12" viewBox="0 0 15 12" aria-hidden="true">{[0, 1, 2, 3].map((i) => <rect key={i} x={i * 4} y={8 - i * 2.6} width="3" height={4 + i * 2.6} rx="1" class={i < n ? "on" : "off"} />)}</svg>
      {word ? <span>{name}</span> : <span class="unseen">{name}</span>}
    </span>
  );
}

function Numbers({ t }: { t: Tally }) {
  const some = severities.filter((s) => t.confirmed[s]);
  return <span class="scan-numbers">
    {some.map((s) => <span key={s} class="scan-number" title={count(t.confirmed[s]!, s + " finding")}><Severity name={s} word={false} />{t.confirmed[s]}</span>)}
    {t.likely > 0 && <span class="quiet" title="one control is missing">+{t.likely} likely</span>}
  </span>;
}

function Progress({ r }: { r: Running }) {
  return (
    <div class="scan-progress" role="status" aria-live="off">
      <div class="scan-track"><i style={{ width: (r.of ? r.done / r.of * 100 : 0) + "%" }} /></div>
      <span class="scan-phase"><b>{r.stopping ? "stopping, cleaning up" : visible(r.phase)}</b> {r.asking && <code>{visible(r.asking)}</code>}</span>
      <span class="quiet">{count(r.requests, "request")}, {r.findings} found, {millis(r.time)}</span>
    </div>
  );
}

// Sum says both results side by side.
export function Sum() {
  const [a, b] = scans.value?.scans ?? [];
  if (!a?.result || !b?.result) return null;
  return <p class="scan-sum" role="status"><b>{visible(a.name)}: {count(a.result.tally.all, "finding")}</b>, <b>{visible(b.name)}: {b.result.tally.all}</b></p>;
}

// ScanBar is the head of what shows a scan: one card for each address, of which
// one is looked at. traffic is a further card, of what needed no scan.
export function ScanBar({ at, pick, traffic }: { at: string; pick: (name: string) => void; traffic?: { name: string; n: number; reading: boolean } }) {
  const all = scans.value?.scans ?? [], running = scans.value?.running;
  return (
    <>
      <div class="scan-bar" role="group" aria-label="what to look at">
        {all.map((s) => <Card key={s.name} s={s} at={at === s.name} alone={all.length === 1} pick={() => pick(s.name)} running={running} />)}
        {traffic && <div class={"scan-card small" + (at === traffic.name ? " at" : "")}>
          <button aria-pressed={at === traffic.name} class="scan-pick" onClick={() => pick(traffic.name)}>
            <span class="scan-name"><Icon name="traffic" size={14} />in recorded traffic <span class="scan-when">{traffic.reading ? "still reading …" : "seen in passing"}</span></span>
            <span class="scan-n"><b>{traffic.n.toLocaleString("en")}</b><small>{traffic.n === 1 ? "kind" : "kinds"} of finding</small></span>
          </button>
        </div>}
      </div>
    </>
  );
}

function Card({ s, at, alone, pick, running }: { s: Scan; at: boolean; alone: boolean; pick: () => void; running: Running | undefined }) {
  const r = s.result, here = running?.name === s.name ? running : undefined;
  const well = r && r.tally.all + r.tally.likely === 0 && !r.incomplete;
  return (
    <div class={"scan-card" + (s.run ? " runs" : "") + (at ? " at" : "") + (r ? well ? " well" : r.tally.all ? " bad" : "" : "")}>
      <button aria-pressed={at} class="scan-pick" onClick={pick}>
        <span class="scan-name"><Icon name={s.name === "guarded" ? "lock" : s.name === "open" ? "unlock" : "scan"} size={14} />{alone && s.name === "scan" ? "scanned" : visible(s.name)} <code title={target(s)}>{visible(target(s))}</code>
          {r && <span class="scan-when" title={new Date(r.start).toLocaleString() + ": " + count(r.requests, "request") + " in " + millis(r.time) + ", " + count(r.operations, "operation")}>{when(r.start)}, {count(r.requests, "request")}</span>}</span>
        {r ? <span class="scan-n"><b>{r.tally.all}</b><small class={r.tally.all ? "unseen" : ""}>confirmed</small><Numbers t={r.tally} /></span> : <span class="scan-n none">not scanned yet</span>}
      </button>
      {here && <Progress r={here} />}
      {s.run && (here
        ? <button class="button" onClick={() => void stopScan()} disabled={here.stopping}><Icon name="stop" size={13} />Stop</button>
        : <button class={"button" + (r ? "" : " primary")} disabled={!!running} title={running ? "one scan at a time" : "ask as the known people; what is made is taken away again"} onClick={() => { pick(); void startScan(s.name); }}><Icon name="play" size={13} />{r ? "Scan again" : "Scan now"}</button>)}
      {s.fault && <p class="scan-fault" role="alert"><Icon name="failed" size={13} /> {visible(s.fault)}</p>}
      {r?.incomplete && <p class="scan-fault"><Icon name="finding" size={13} /> not complete: {visible(r.incomplete)}</p>}
    </div>
  );
}

function when(t: string): string {
  const d = new Date(t);
  return d.toDateString() === new Date().toDateString() ? clock(t).slice(0, 5) : d.toLocaleDateString("en", { day: "numeric", month: "short" }) + " " + clock(t).slice(0, 5);
}

export function Notes({ s }: { s: Scan | undefined }) {
  const r = s?.result;
  if (!r?.notes?.length && !r?.left?.length) return null;
  return (
    <details class="scan-notes"><summary>{[r.left?.length ? count(r.left.length, "object") + " left behind" : "", r.notes?.length ? count(r.notes.length, "note") : ""].filter(Boolean).join(", ")} of this scan</summary>
      <ul>{r.left?.map((l) => <li key={l}><b>left:</b> <code>{visible(l)}</code></li>)}{r.notes?.map((n) => <li key={n}>{visible(n)}</li>)}</ul>
    </details>
  );
}
