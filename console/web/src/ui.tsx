import type { ComponentChildren } from "preact";
import { useContext } from "preact/hooks";
import { Icon } from "./icons";
import { MarksOf } from "./marks";
import type { Fault } from "./api";
import { own, statusClass } from "./format";
import { about } from "./state";

// Text shows captured text. Masked secrets become chips: the value is not in
// the store, the mark tells equal ones apart.
export function Text({ children }: { children: string }) {
  const { texts } = useContext(MarksOf);
  const parts = children.split(/(secret:[0-9a-f]{12})/);
  const plain = (s: string) => texts && texts.test(s) ? s.split(texts).map((t, i) => i % 2 === 0 ? visible(t) : <mark key={i}>{visible(t)}</mark>) : visible(s);
  if (parts.length === 1) return <>{plain(children)}</>;
  return <>{parts.map((p, i) => i % 2 === 0 ? plain(p) : <Secret key={i} mark={p.slice(7)} />)}</>;
}

function Secret({ mark }: { mark: string }) {
  return <span class="secret" title={"masked: the value was not kept. The same secret always shows the same mark: " + mark}><Icon name="lock" size={11} />{mark.slice(0, 6)}</span>;
}

// visible shows control characters and those that change the direction of
// text as symbols: captured text must not rearrange the page.
export function visible(s: string): string {
  return s.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, (c) => {
    const n = c.charCodeAt(0);
    return n < 0x20 ? String.fromCharCode(0x2400 + n) : "␥" + n.toString(16);
  });
}

export function Status({ code, failure }: { code?: number | undefined; failure?: string | undefined }) {
  if (!code) return <span class="status failed" title={failure}>{failure ? "failed" : "–"}</span>;
  return <span class={"status " + statusClass(code)}>{code}</span>;
}

export function Method({ name }: { name: string }) {
  return <span class={"method m-" + (/^[A-Z]+$/.test(name) ? name.toLowerCase() : "other")}>{visible(name)}</span>;
}

const verdictWords: { [v: string]: string } = {
  good: "nothing wrong seen", noted: "worth knowing", finding: "finding", refused: "refused", repaired: "put right", failed: "failed", unknown: "unknown",
};
export function verdictWord(v: string, counted?: boolean): string {
  return counted ? "would act" : own(verdictWords, v) ?? v;
}

const kindWords: { [k: string]: [string, string] } = {
  refuse: ["refused", "would refuse"], strip: ["removed", "would remove"], repair: ["repaired", "would repair"],
};
export function kindWord(kind: string, enforced: boolean): string {
  return (own(kindWords, kind) ?? [kind, kind])[enforced ? 0 : 1]!;
}
const kindIcons: { [k: string]: string } = { refuse: "refused", strip: "stripped", repair: "repaired" };
export function kindIcon(kind: string): string { return own(kindIcons, kind) ?? "noted"; }

export function Empty({ icon, title, children }: { icon: string; title: string; children?: ComponentChildren }) {
  return <div class="empty"><div class="empty-icon"><Icon name={icon} size={28} /></div><h2>{title}</h2>{children}</div>;
}

export function Failed({ fault, retry }: { fault: Fault; retry?: () => void }) {
  return (
    <div class="empty fault" role="alert">
      <div class="empty-icon"><Icon name="finding" size={28} /></div>
      <h2>{fault.title}</h2><p>{fault.message}</p>
      {retry && <button class="button" onClick={retry}>Try again</button>}
    </div>
  );
}

export function Loading() { return <div class="loading" role="status" aria-label="loading"><i /><i /><i /></div>; }

export function Kbd({ children }: { children: string }) { return <kbd>{children}</kbd>; }

// Facts are numbers of the conversation; what a number says is its title.
export const factsLegend = "numbers of the conversation, doc/conversation.md: point at one to read it";

export function Facts({ of: numbers }: { of: number[] | undefined }) {
  if (!numbers?.length) return null;
  return <span class="facts">{numbers.map((n) => <span class="fact" key={n} title={n + ": " + (about.value?.facts[n - 1] ?? "doc/conversation.md")}>{n}</span>)}</span>;
}
