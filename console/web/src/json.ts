// A JSON text as a tree that keeps order, duplicates and the digits of
// numbers, which JSON.parse does not; and two such trees laid side by side.

export type Node =
  | { kind: "object"; members: { key: string; value: Node }[] }
  | { kind: "array"; items: Node[] }
  | { kind: "string" | "number" | "word"; text: string };

export function parse(s: string): Node | null {
  let i = 0, depth = 0;
  const space = /[ \t\r\n]*/y, num = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y, str = /"(?:[^"\\\u0000-\u001f]|\\.)*"/y, word = /true|false|null/y;
  const skip = () => { space.lastIndex = i; space.test(s); i = space.lastIndex; };
  const take = (re: RegExp): string | null => {
    re.lastIndex = i;
    const m = re.exec(s);
    if (!m) return null;
    i = re.lastIndex;
    return m[0];
  };
  const value = (): Node | null => {
    if (++depth > 200) return null;
    skip();
    let n: Node | null = null;
    const ch = s[i];
    if (ch === "{") {
      i++;
      const members: { key: string; value: Node }[] = [];
      skip();
      if (s[i] === "}") i++;
      else for (;;) {
        skip();
        const key = take(str);
        if (key === null) return null;
        skip();
        if (s[i++] !== ":") return null;
        const v = value();
        if (!v) return null;
        members.push({ key, value: v });
        skip();
        const c = s[i++];
        if (c === "}") break;
        if (c !== ",") return null;
      }
      n = { kind: "object", members };
    } else if (ch === "[") {
      i++;
      const items: Node[] = [];
      skip();
      if (s[i] === "]") i++;
      else for (;;) {
        const v = value();
        if (!v) return null;
        items.push(v);
        skip();
        const c = s[i++];
        if (c === "]") break;
        if (c !== ",") return null;
      }
      n = { kind: "array", items };
    } else if (ch === '"') {
      const t = take(str);
      n = t === null ? null : { kind: "string", text: t };
    } else {
      const t = take(word);
      if (t !== null) n = { kind: "word", text: t };
      else {
        const d = take(num);
        n = d ? { kind: "number", text: d } : null;
      }
    }
    depth--;
    return n;
  };
  const n = value();
  skip();
  return n && i === s.length ? n : null;
}

// A Line is one line of a pretty-printed text. key holds its quotes.
export interface Line { depth: number; key?: string; text: string; kind: string; comma: boolean; pointer: string }

// A Pair is a line as the left and the right have it. One that only one side
// has is null on the other.
export interface Pair { left: Line | null; right: Line | null; same: boolean }

const escape = (key: string) => {
  let k = key;
  try { k = JSON.parse(key) as string; } catch { /* keep it as written */ }
  return k.replace(/~/g, "~0").replace(/\//g, "~1");
};

function lines(n: Node, depth: number, key: string | undefined, comma: boolean, pointer: string, out: Line[]) {
  const start = { depth, ...(key === undefined ? {} : { key }), pointer };
  if (n.kind === "object" || n.kind === "array") {
    const [open, close] = n.kind === "object" ? ["{", "}"] : ["[", "]"];
    const children = n.kind === "object" ? n.members : n.items.map((value) => ({ key: undefined, value }));
    if (children.length === 0) { out.push({ ...start, text: open! + close!, kind: "mark", comma }); return; }
    out.push({ ...start, text: open!, kind: "mark", comma: false });
    children.forEach((c, i) => lines(c.value, depth + 1, c.key, i < children.length - 1, pointer + "/" + (c.key === undefined ? i : escape(c.key)), out));
    out.push({ depth, pointer, text: close!, kind: "mark", comma });
    return;
  }
  out.push({ ...start, text: n.text, kind: n.kind, comma });
}

export function pretty(n: Node): Line[] {
  const out: Line[] = [];
  lines(n, 0, undefined, false, "", out);
  return out;
}

function only(n: Node, depth: number, key: string | undefined, comma: boolean, pointer: string, left: boolean, out: Pair[]) {
  const ls: Line[] = [];
  lines(n, depth, key, comma, pointer, ls);
  for (const l of ls) out.push(left ? { left: l, right: null, same: false } : { left: null, right: l, same: false });
}

// merge lays two texts side by side, member by member.
export function merge(a: Node, b: Node, depth = 0, key?: string, commaA = false, commaB = false, pointer = "", out: Pair[] = []): Pair[] {
  const start = { depth, ...(key === undefined ? {} : { key }), pointer };
  if (a.kind === "object" && b.kind === "object") {
    out.push(pair({ ...start, text: "{", kind: "mark", comma: false }, { ...start, text: "{", kind: "mark", comma: false }));
    const rest = b.members.slice();
    const lastA = a.members.length - 1;
    const todo: [typeof a.members[0] | null, typeof a.members[0] | null][] = [];
    for (const m of a.members) {
      const at = rest.findIndex((x) => x.key === m.key);
      todo.push([m, at < 0 ? null : rest.splice(at, 1)[0]!]);
    }
    for (const m of rest) todo.push([null, m]);
    const lastB = b.members.length - 1;
    let ia = 0, ib = 0;
    for (const [x, y] of todo) {
      const ca = x !== null && ia++ < lastA, cb = y !== null && ib++ < lastB;
      const k = (x ?? y)!.key, p = pointer + "/" + escape(k);
      if (x && y) merge(x.value, y.value, depth + 1, k, ca, cb, p, out);
      else if (x) only(x.value, depth + 1, k, ca, p, true, out);
      else only(y!.value, depth + 1, k, cb, p, false, out);
    }
    out.push(pair({ depth, pointer, text: "}", kind: "mark", comma: commaA }, { depth, pointer, text: "}", kind: "mark", comma: commaB }));
  } else if (a.kind === "array" && b.kind === "array") {
    out.push(pair({ ...start, text: "[", kind: "mark", comma: false }, { ...start, text: "[", kind: "mark", comma: false }));
    const n = Math.max(a.items.length, b.items.length);
    for (let i = 0; i < n; i++) {
      const x = a.items[i], y = b.items[i], p = pointer + "/" + i;
      const ca = i < a.items.length - 1, cb = i < b.items.length - 1;
      if (x && y) merge(x, y, depth + 1, undefined, ca, cb, p, out);
      else if (x) only(x, depth + 1, undefined, ca, p, true, out);
      else only(y!, depth + 1, undefined, cb, p, false, out);
    }
    out.push(pair({ depth, pointer, text: "]", kind: "mark", comma: commaA }, { depth, pointer, text: "]", kind: "mark", comma: commaB }));
  } else {
    const la: Line[] = [], lb: Line[] = [];
    lines(a, depth, key, commaA, pointer, la);
    lines(b, depth, key, commaB, pointer, lb);
    for (let i = 0; i < Math.max(la.length, lb.length); i++) out.push(pair(la[i] ?? null, lb[i] ?? null));
  }
  return out;
}

function pair(left: Line | null, right: Line | null): Pair {
  return { left, right, same: left !== null && right !== null && left.text === right.text && left.kind === right.kind };
}
