import { useState } from "preact/hooks";
import { count, millis, proto, reason, size } from "./format";
import { Icon } from "./icons";
import { BodyView, Headers, plainHeaders, typeOf } from "./message";
import type { Ran, RanAll } from "./types";
import { Method, Status, Text, visible } from "./ui";

// Results is what came of a run, or of one request.
export function Results({ run, all }: { run: RanAll; all: boolean }) {
  const last = run.results.at(-1);
  const well = run.results.length > 0 && run.results.every((r) => r.ok) && !run.stopped;
  return (
    <section class="results" aria-label="results">
      {all && <p class={"r-sum " + (well ? "well" : "bad")} role="status"><Icon name={well ? "good" : "finding"} size={15} />
        <b>{well ? "All as expected" : [run.failed ? count(run.failed, "expectation") + " did not hold" : "", run.broken ? count(run.broken, "call") + " came to no end" : "", run.skipped ? count(run.skipped, "request") + " skipped" : "", run.stopped ? "stopped: " + run.stopped : ""].filter(Boolean).join(", ") || "There was nothing to send"}</b>
        <span class="quiet">{count(run.requests, "request")} in {millis(run.time)}</span></p>}
      {run.warnings?.map((w, i) => <p key={i} class="c-note"><Icon name="noted" size={13} /><span>{visible(w)}</span></p>)}
      {all ? <div class="r-list">{run.results.map((r, i) => <Line key={i} r={r} />)}</div>
        : <>{run.results.length > 1 && <div class="r-list">{run.results.slice(0, -1).map((r, i) => <Line key={i} r={r} />)}</div>}{last ? <One r={last} /> : <p class="quiet">Nothing was sent.</p>}</>}
      {run.more ? <p class="quiet">and {run.more} more, which are recorded</p> : null}
    </section>
  );
}

function Line({ r }: { r: Ran }) {
  const [open, setOpen] = useState(!r.ok);
  return (
    <div class="r-line">
      <button class="r-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span class={r.ok ? "well" : "bad"}><Icon name={r.skipped ? "minus" : r.ok ? "good" : "failed"} size={14} label={r.skipped ? "skipped" : r.ok ? "as expected" : "not as expected"} /></span>
        <Method name={r.method} /><span class="r-name">{visible([...r.path ?? [], r.name].join(" / "))}</span>
        <Status code={r.status} failure={r.failure} /><span class="num quiet">{millis(r.time)}</span>
        <span class={"fold" + (open ? " open" : "")}><Icon name="fold" size={12} /></span>
      </button>
      {open && <div class="r-more"><Told r={r} /></div>}
    </div>
  );
}

// Told is all of a result but its messages.
function Told({ r }: { r: Ran }) {
  return <>
    {r.url && <p class="r-url"><code><Text>{r.url}</Text></code>{r.id && <><a href={"#/trace/" + encodeURIComponent(r.id)} class="to-trace"><Icon name="trace" size={13} />trace</a><a href={"#/x/" + encodeURIComponent(r.id)}>exchange</a></>}</p>}
    {r.failure && <p class="failure" role="alert"><Icon name="failed" size={15} /><span><b>{r.failed_at === "request" && !r.id ? "Not sent" : "Ended at " + visible(r.failed_at ?? "a step")}</b> <Text>{r.failure}</Text>{r.id && <span class="quiet"> Its trace shows each step.</span>}</span></p>}
    {r.skipped && <p class="quiet">Skipped: {visible(r.skipped)}</p>}
    {r.warnings?.map((w, i) => <p key={i} class="c-note"><Icon name="noted" size={13} /><span>{visible(w)}</span></p>)}
    {r.assertions.length > 0 && <ul class="asserts">{r.assertions.map((a, i) => (
      <li key={i} class={a.skipped ? "quiet" : a.passed ? "well" : "bad"}><Icon name={a.skipped ? "minus" : a.passed ? "good" : "failed"} size={13} label={a.skipped ? "skipped" : a.passed ? "holds" : "does not hold"} />
        <span><Text>{a.name}</Text>{!a.passed && a.message && <em><Text>{a.message}</Text></em>}</span></li>))}</ul>}
    {r.printed?.map((p, i) => <pre key={i} class="r-printed">{visible(p.text)}</pre>)}
  </>;
}

function One({ r }: { r: Ran }) {
  const x = r.exchange;
  return (
    <div class="message one">
      <p class="r-sum"><span class="r-status"><Status code={r.status} failure={r.failure || r.skipped ? "failed" : undefined} />{r.status ? <b>{reason(r.status)}</b> : null}</span>
        <span class="quiet">{proto(r.proto)}</span><span class="quiet">{millis(r.time)}</span>{r.status ? <span class="quiet">{size(r.size)}</span> : null}</p>
      <Told r={r} />
      {x?.response && <>
        <BodyView body={x.response.body} type={typeOf(x.response.header)} cut={r.cut?.response} />
        <details class="r-headers"><summary>{count(x.response.header?.length ?? 0, "header field")}</summary><Headers lines={plainHeaders(x.response.header)} /></details>
        <details class="r-headers"><summary>what was sent</summary><Headers lines={plainHeaders(x.request.header)} /><BodyView body={x.request.body} type={typeOf(x.request.header)} cut={r.cut?.request} /></details>
      </>}
    </div>
  );
}
