import { render } from "preact";
import { useEffect } from "preact/hooks";
import { asFault, get, logout, over } from "./api";
import { Icon, Logo } from "./icons";
import { AccessPage } from "./pages/access";
import { AttackPage } from "./pages/attack";
import { AttacksPage } from "./pages/attacks";
import { ComposePage } from "./pages/compose";
import { ExchangePage } from "./pages/exchange";
import { FindingsPage } from "./pages/findings";
import { LearnPage } from "./pages/learn";
import { PolicyPage } from "./pages/policy";
import { TracePage } from "./pages/trace";
import { TrafficPage } from "./pages/traffic";
import { readScans, scans } from "./scans";
import { about, go, keysShown, route, said, stats, theme, turnTheme } from "./state";
import type { About } from "./types";
import { Empty, Kbd, Loading } from "./ui";

const pages: { key: string; page: string; icon: string; name: string }[] = [
  { key: "b", page: "attacks", icon: "compare", name: "Before and after" },
  { key: "t", page: "traffic", icon: "traffic", name: "Traffic" },
  { key: "r", page: "trace", icon: "trace", name: "Trace" },
  { key: "c", page: "compose", icon: "compose", name: "Compose" },
  { key: "f", page: "findings", icon: "found", name: "Findings" },
  { key: "a", page: "access", icon: "access", name: "Access" },
  { key: "p", page: "policy", icon: "policy", name: "Policy" },
  { key: "l", page: "learn", icon: "learn", name: "Learn" },
];

const keys: [string, string][] = [
  ["g b", "before and after"], ["g t", "traffic"], ["g r", "trace"], ["g c", "compose"], ["g f", "findings"], ["g a", "access"], ["g p", "policy"], ["g l", "learn"], ["/", "filter"], ["j k", "next, previous"], ["↓ ↑", "next, previous"],
  ["Home End", "newest, oldest"], ["Enter", "open"], ["Esc", "close, back"], ["f", "whole page"], ["s", "list the other side"], ["c", "copy as curl"], ["d", "theme"], ["?", "these keys"],
];

let readingAbout = false;
async function readAbout() {
  if (readingAbout) return;
  readingAbout = true;
  try {
    about.value = await get<About>("about");
    stats.value ??= about.value.stats;
  } catch (e) {
    if (asFault(e).status === 0) setTimeout(() => void readAbout(), 1500);
  } finally { readingAbout = false; }
}

function home(): string { return about.value?.attacks ? "attacks" : "traffic"; }

const themeWord = () => "Theme: " + (theme.value === "auto" ? "system" : theme.value);

// typing reports whether keys are text for a field.
function typing(t: EventTarget | null): boolean {
  return t instanceof HTMLInputElement || t instanceof HTMLTextAreaElement || t instanceof HTMLSelectElement;
}

let waitingG = 0;
addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  if (typing(e.target)) return;
  if (keysShown.value && e.key === "Escape") { keysShown.value = false; e.preventDefault(); return; }
  if (waitingG && Date.now() - waitingG < 1200) {
    const p = pages.find((p) => p.key === e.key);
    waitingG = 0;
    if (p) { go("/" + p.page); e.preventDefault(); return; }
  }
  if (e.key === "g") { waitingG = Date.now(); e.preventDefault(); }
  else if (e.key === "?") { keysShown.value = !keysShown.value; e.preventDefault(); }
  else if (e.key === "d") { turnTheme(); e.preventDefault(); }
  else if (e.key === "/") {
    const f = document.getElementById("filter");
    if (f) f.focus(); else { go("/traffic"); setTimeout(() => document.getElementById("filter")?.focus(), 60); }
    e.preventDefault();
  } else if (e.key === "Escape" && (route.value.page === "x" || route.value.page === "trace" && route.value.arg) && history.length > 1) { history.back(); e.preventDefault(); }
}, true);

function App() {
  useEffect(() => { void readAbout(); void readScans(); }, []);
  const a = about.value;
  if (over.value) return <SignedOut />;
  if (!a) return <Loading />;
  const page = route.value.page || home();
  return (
    <>
      <nav class="side" aria-label="pages">
        <a class="brand" href={"#/" + home()}><Logo /><span>Parley</span></a>
        {pages.map((p) => (
          <a key={p.page} href={"#/" + p.page} class={page === p.page || (p.page === "attacks" && page === "attack") || (p.page === "traffic" && page === "x") ? "here" : ""} title={p.name + " (g " + p.key + ")"} aria-label={p.name}>
            <Icon name={p.icon} /><span>{p.name}</span>{p.page === "findings" && <FindingCount />}
          </a>
        ))}
        <div class="side-foot">
          <button onClick={() => { keysShown.value = true; }} title="Keys (?)" aria-label="Keys"><Icon name="keys" /><span>Keys</span></button>
          <button onClick={turnTheme} title={themeWord() + " (d)"} aria-label={themeWord()}><Icon name={theme.value === "auto" ? "auto" : theme.value === "dark" ? "moon" : "sun"} /><span>{themeWord()}</span></button>
          <button onClick={() => void logout()} title="Leave" aria-label="Leave"><Icon name="leave" /><span>Leave</span></button>
          {a.version && <small>{a.version}</small>}
        </div>
      </nav>
      <header class="top">
        <b class="api-title">{a.title || "API"}</b>
        {a.mode && <span class={"mode " + a.mode} title={a.mode === "report" ? "guard judges and records, and changes nothing" : "guard refuses, removes and repairs"}><i />{a.mode}</span>}
        {stats.value?.problem && <span class="mode stuck" title={stats.value.problem}><Icon name="finding" size={13} />not recording: {stats.value.problem}</span>}
        {a.open && <span class="where"><span>open</span><code>{a.open}</code></span>}
        {a.guarded && <span class="where"><span>guarded</span><code>{a.guarded}</code></span>}
      </header>
      <main>{
        page === "attacks" ? <AttacksPage /> : page === "attack" ? <AttackPage at={Number(route.value.arg)} />
        : page === "traffic" ? <TrafficPage /> : page === "policy" ? <PolicyPage />
        : page === "trace" ? <TracePage id={route.value.arg} key={route.value.arg} />
        : page === "findings" ? <FindingsPage /> : page === "access" ? <AccessPage /> : page === "learn" ? <LearnPage />
        : page === "compose" ? <ComposePage />
        : page === "x" ? <ExchangePage id={route.value.arg} key={route.value.arg} />
        : <Empty icon="unknown" title="There is no such page"><p><a href={"#/" + home()}>To the first page</a></p></Empty>
      }</main>
      {keysShown.value && <Keys />}
      <div class={"said" + (said.value ? " on" : "")} role="status">{said.value}</div>
    </>
  );
}

// FindingCount is how many findings the first scan that was made has confirmed.
function FindingCount() {
  const r = scans.value?.scans.find((s) => s.result)?.result;
  if (scans.value?.running) return <span class="nav-n soft" title="a scan is running">…</span>;
  return r ? <span class={"nav-n" + (r.tally.all ? "" : " soft")} title={r.tally.all + " confirmed by the scan of " + r.target}>{r.tally.all}</span> : null;
}

function Keys() {
  return (
    <div class="veil" onClick={() => { keysShown.value = false; }}>
      <div class="keys" role="dialog" aria-label="keys" onClick={(e) => e.stopPropagation()}>
        <h2>Keys</h2>
        <dl>{keys.map(([k, what]) => <div key={k}><dt>{k.split(" ").map((x) => <Kbd key={x}>{x}</Kbd>)}</dt><dd>{what}</dd></div>)}</dl>
      </div>
    </div>
  );
}

function SignedOut() {
  return <main class="alone"><Empty icon="lock" title="This session has ended"><p>Open the one-time address that the program printed when it started. It works once, for one browser. To get another, type this where the program was started:</p><pre class="type-this">parley console</pre></Empty></main>;
}

render(<App />, document.getElementById("app")!);
