import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./icons";
import type { Fault } from "./api";
import { about } from "./state";

interface Offer { insert: string; show: string; doc: string }

// offers lists what can stand at the end of text.
function offers(text: string): { from: number; list: Offer[] } {
  const m = /(?:^|[\s(])(-?)([^\s()"]*)$/.exec(text);
  if (!m) return { from: text.length, list: [] };
  const word = m[2]!, from = text.length - word.length;
  const keys = about.value?.keys ?? [];
  const colon = word.indexOf(":");
  if (colon < 0) {
    const w = word.toLowerCase();
    return { from, list: keys.filter((k) => k.name.startsWith(w) || w !== "" && k.aliases?.some((a) => a.startsWith(w))).map((k) => ({ insert: k.name + (k.arg ? "." : ":"), show: k.name + (k.arg ? "." + k.arg : "") + ":", doc: k.doc })) };
  }
  const name = word.slice(0, colon);
  const key = keys.find((k) => k.name === name || k.aliases?.includes(name));
  const rest = word.slice(colon + 1).toLowerCase();
  return { from: from + colon + 1, list: (key?.values ?? []).filter((v) => v.startsWith(rest) && v !== rest).map((v) => ({ insert: v + " ", show: v, doc: "" })) };
}

// FilterLine is the one filter language, with completion.
export function FilterLine({ value, fault, onChange }: { value: string; fault: Fault | null; onChange: (text: string) => void }) {
  const [text, setText] = useState(value);
  const [open, setOpen] = useState(false);
  const [pick, setPick] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef(0);
  useEffect(() => { if (document.activeElement !== input.current) setText(value); }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const now = (t: string) => { clearTimeout(timer.current); onChange(t.trim()); };
  const later = (t: string) => {
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => onChange(t.trim()), 250);
  };
  const { from, list } = open ? offers(text) : { from: 0, list: [] };
  const shown = list.slice(0, 12);
  const take = (o: Offer) => {
    const t = text.slice(0, from) + o.insert;
    setText(t); setPick(-1); later(t);
    input.current?.focus();
  };
  return (
    <div class={"filter" + (fault ? " bad" : "")}>
      <Icon name="search" />
      <input ref={input} id="filter" type="text" value={text} spellcheck={false} autocomplete="off" autocapitalize="off"
        placeholder="Filter: words, or status:4xx  identity:102  is:refused" aria-label="filter" aria-invalid={fault ? "true" : "false"}
        role="combobox" aria-expanded={shown.length > 0 ? "true" : "false"} aria-controls="offers"
        onInput={(e) => { const t = e.currentTarget.value; setText(t); setOpen(true); setPick(-1); later(t); }}
        onFocus={() => setOpen(true)} onBlur={() => setTimeout(() => setOpen(false), 120)}
        onKeyDown={(e) => {
          if (e.key === "ArrowDown" && shown.length) { setPick((pick + 1) % shown.length); e.preventDefault(); }
          else if (e.key === "ArrowUp" && shown.length) { setPick((pick + shown.length - 1) % shown.length); e.preventDefault(); }
          else if ((e.key === "Tab" || e.key === "Enter") && pick >= 0 && shown[pick]) { take(shown[pick]!); e.preventDefault(); }
          else if (e.key === "Tab" && !e.shiftKey && shown.length === 1) { take(shown[0]!); e.preventDefault(); }
          else if (e.key === "Enter") { now(text); setOpen(false); e.currentTarget.blur(); document.querySelector<HTMLElement>(".virtual")?.focus(); }
          else if (e.key === "Escape") { if (open && shown.length && text) setOpen(false); else { e.currentTarget.blur(); document.querySelector<HTMLElement>(".virtual")?.focus(); } e.stopPropagation(); }
        }} />
      {text && <button class="bare" aria-label="clear the filter" title="clear" onClick={() => { setText(""); now(""); }}><Icon name="close" size={13} /></button>}
      <kbd class="hint">/</kbd>
      {shown.length > 0 && (
        <div class="offers" id="offers" role="listbox">
          {shown.map((o, i) => (
            <div key={o.show} role="option" aria-selected={i === pick} class={i === pick ? "picked" : ""} onMouseDown={(e) => { e.preventDefault(); take(o); }}>
              <code>{o.show}</code><span>{o.doc}</span>
            </div>
          ))}
        </div>
      )}
      {fault && fault.status === 400 && <div class="filter-fault" role="alert">
        {fault.offset !== undefined && text.trim() === value && <pre>{text}{"\n"}{" ".repeat(Math.min(fault.offset, text.length))}^</pre>}
        <span>{fault.message}</span>
      </div>}
    </div>
  );
}
