import { createContext } from "preact";

// What proves a finding is pointed at in the messages that show it: texts
// wherever they stand, members of JSON by their pointers, header fields by
// their names.
export interface Marks { texts: RegExp | null; members: RegExp[]; fields: Set<string> }

export const none: Marks = { texts: null, members: [], fields: new Set() };
export const MarksOf = createContext<Marks>(none);

const literal = (s: string) => s.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

export function marksOf(texts: string[] | undefined, evidence: { where: string; name?: string }[] | undefined): Marks {
  const ts = (texts ?? []).filter((t) => t.length > 1).slice(0, 50).sort((a, b) => b.length - a.length).map(literal);
  const members: RegExp[] = [], fields = new Set<string>();
  for (const e of (evidence ?? []).slice(0, 100)) {
    if (!e.name) continue;
    if (e.where === "header" || e.where === "cookie") fields.add(e.where === "cookie" ? "set-cookie" : e.name.toLowerCase());
    // In a pointer * and the number of an item stand for every item.
    else if (e.where.endsWith("body") && e.name.startsWith("/")) members.push(new RegExp("^" + literal(e.name).replace(/\/(?:\\\*|\d+|-)(?=\/|$)/g, "/[^/]+") + "$"));
  }
  return { texts: ts.length ? new RegExp("(" + ts.join("|") + ")") : null, members, fields };
}
