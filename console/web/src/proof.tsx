import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { RefObject } from "preact";
import { own } from "./format";
import { Icon } from "./icons";
import { MarksOf, marksOf } from "./marks";
import { BodyView, Headers, plainHeaders, StatusLine, Switched, typeOf } from "./message";
import { useExchange } from "./pages/exchange";
import { copy } from "./state";
import type { Evidence, Found, Shown } from "./types";
import { Loading, Method, Status, Text, visible } from "./ui";

// Proof shows the fewest requests that show a finding again, in order: who sent
// each, what came back, and in it what tells.
export function Proof({ f }: { f: Found }) {
  const steps = f.proof ?? [];
  // The last one tells. When it is a control, such as reading back, what tells
  // with it is the last that succeeded and is none.
  const last = steps.length - 1;
  const act = steps[last]?.control ? steps.map((s) => !s.control && s.status < 400).lastIndexOf(true) : -1;
  const marks = useMemo(() => marksOf(f.marks, f.evidence), [f]);
  if (!steps.length) return <p class="quiet">The result names no exchange.</p>;
  return (
    <MarksOf.Provider value={marks}>
      <ol class="proof">{steps.map((s, i) => <Step key={f.id + i} s={s} n={i + 1} word={i === act || i === last && act < 0 ? "proof" : s.control ? "control" : "request"} start={i === last || i === act} evidence={f.evidence ?? []} passive={!f.by} />)}</ol>
    </MarksOf.Provider>
  );
}

function Step({ s, n, word, start, evidence, passive }: { s: Shown; n: number; word: string; start: boolean; evidence: Evidence[]; passive: boolean }) {
  const [open, setOpen] = useState(start);
  const [method = "", ...rest] = s.request.split(" ");
  return (
    <li class={"proof-step " + word + (open ? " open" : "")}>
      <button class="proof-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span class="proof-n" aria-hidden="true">{n}</span>
        <span class="proof-what"><Method name={method} /><code><Text>{rest.join(" ")}</Text></code></span>
        <span class="proof-as">{!s.as ? null : <>{passive ? "sent" : "as"} {passive && "by "}<b>{visible(s.as)}</b></>}</span>
        <span class="proof-role" title={word === "control" ? "it shows that the answer of the other means something" : ""}><Icon name={word === "control" ? "control" : "found"} size={13} />{word}</span>
        {s.status ? <Status code={s.status} /> : null}
        <span class={"fold" + (open ? " open" : "")}><Icon name="fold" size={12} /></span>
      </button>
      {open && <Told id={s.exchange} curl={s.curl} evidence={word === "control" ? [] : evidence} />}
    </li>
  );
}

// useFirstMark brings what is marked into view, within its own box.
function useFirstMark(box: RefObject<HTMLDivElement | null>, ready: unknown) {
  useEffect(() => {
    for (const pre of box.current?.querySelectorAll<HTMLElement>("pre.body") ?? []) {
      const m = pre.querySelector<HTMLElement>("mark, .mark-proof");
      if (m) pre.scrollTop = m.getBoundingClientRect().top - pre.getBoundingClientRect().top + pre.scrollTop - 60;
    }
  }, [ready]);
}

function Told({ id, curl, evidence }: { id: string; curl: string | undefined; evidence: Evidence[] }) {
  const { view, fault, all } = useExchange(id);
  const [heads, setHeads] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useFirstMark(box, view);
  if (fault) return <p class="proof-gone quiet">{fault.status === 404 ? "This exchange is not in the store that is open here: give the one that the scan wrote with --store." : fault.message} <code>{id}</code>{curl && <button class="button" onClick={() => void copy(curl, "curl command")}><Icon name="copy" size={13} />curl</button>}</p>;
  if (!view) return <Loading />;
  const x = view.exchange, after = x.response;
  const lines = plainHeaders(after?.header), sent = plainHeaders(x.request.header);
  const told = (name: string) => evidence.some((e) => e.where === "header" && e.name?.toLowerCase() === name.toLowerCase() || e.where === "cookie" && /^(set-)?cookie$/i.test(name));
  const some = (ls: typeof lines) => heads ? ls : ls.filter((l) => told(l.name) || /^(authorization|cookie|set-cookie|x-api-key|location)$/i.test(l.name));
  const missing = evidence.filter((e) => e.where === "header" && e.name && !lines.some((l) => l.name.toLowerCase() === e.name!.toLowerCase()) && !sent.some((l) => l.name.toLowerCase() === e.name!.toLowerCase()));
  const hidden = lines.length + sent.length - some(lines).length - some(sent).length;
  return (
    <div class="told" ref={box}>
      <div class="told-bar">
        <button class="button" onClick={() => void copy(curl ?? view.curl, "curl command")}><Icon name="copy" size={13} />curl</button>
        <a class="button" href={"#/x/" + x.id}><Icon name="traffic" size={13} />exchange</a>
        <a class="button" href={"#/trace/" + encodeURIComponent(x.id)}><Icon name="trace" size={13} />trace</a>
        <a class="button" href={"#/compose?from=" + encodeURIComponent(x.id)} title="change it and send it again; its secrets are placeholders"><Icon name="compose" size={13} />compose</a>
        {(hidden > 0 || heads) && <button class="bare" aria-pressed={heads} onClick={() => setHeads(!heads)}>{heads ? "fewer header fields" : hidden + " more header fields"}</button>}
      </div>
      <div class="told-sides">
        <div><h4>sent</h4>
          {some(sent).length > 0 && <Headers lines={some(sent)} />}
          <BodyView body={x.request.body} type={typeOf(x.request.header)} cut={view.cut.request} all={all} /></div>
        <div><h4>came back</h4>
          <StatusLine x={x} />
          {(some(lines).length > 0) && <Headers lines={some(lines)} />}
          {missing.map((e, i) => <p key={i} class="proof-missing"><span class="sign">−</span><code><Text>{e.name!}</Text></code> <Text>{e.says ?? "missing"}</Text></p>)}
          {after && after.status === 101 ? <Switched /> : after && <BodyView body={after.body} type={typeOf(after.header)} cut={view.cut.response} all={all} />}</div>
      </div>
    </div>
  );
}

const parts: { [k: string]: string } = { victim: "the victim", attacker: "the attacker" };

// Whose says in a sentence who did it to whom.
export function Whose({ f, part }: { f: Found; part: (name: string) => string | undefined }) {
  const name = (n: string) => { const p = own(parts, part(n) ?? ""); return <><b>{visible(n)}</b>{p && <span class="quiet"> ({p})</span>}</>; };
  if (f.people?.length) return <>asked by {f.people.map((p, i) => <span key={p}>{i > 0 && ", "}<b>{visible(p)}</b></span>)}</>;
  if (!f.by) return <>seen in passing, whoever asks</>;
  const by = f.by === "nobody" ? <><b>nobody</b><span class="quiet"> (no credential)</span></> : name(f.by);
  return f.of && f.of !== f.by ? <>{by} reached what belongs to {name(f.of)}</> : <>{by} could do it</>;
}
