// What the API under /api answers; the Go side is console/api.go.

export interface Key { name: string; aliases?: string[]; arg?: string; doc: string; values?: string[] }
export interface Stats { rows: number; bytes: number; queued: number; lost: number; problem?: string }
export interface About {
  title: string; version?: string; mode?: string; open?: string; guarded?: string; ca?: string;
  attacks: boolean; contract: boolean; stats: Stats; keys: Key[]; steps: string[]; reports: { name: string; extension: string }[]; facts: string[];
  call: boolean; names?: string[];
}
export interface Row {
  id: string; n: number; start: number; source: string; side?: string;
  method: string; tls?: string; authority: string; target: string; operation?: string;
  status?: number; caller?: string; type?: string; size: number; time: number; failed?: boolean;
  findings?: number; worst?: string; acts?: { [kind: string]: number };
}
export interface Page { rows: Row[]; older?: string; newer?: string; again?: boolean }

export interface Field { name: string; value: string }
export interface Body { size: number; data?: string }
export interface Evidence { where: string; name?: string; says?: string }
export interface Action extends Evidence { kind: string; check: string; enforced: boolean; status?: number; rule?: string }
export interface Finding { check: string; severity: string; verdict: string; step: string; evidence?: Evidence[] }
export interface Exchange {
  id: string; source: string; side?: string; start: string;
  request: { method: string; scheme: string; authority: string; target: string; proto: string; header?: Field[]; body?: Body };
  server: {
    caller?: { subject: string; name?: string; roles?: string[] };
    operation?: string; mode?: string;
  };
  response?: { status: number; proto?: string; header?: Field[]; trailer?: Field[]; body?: Body };
  times: { [phase: string]: number };
  failure?: string;
  findings?: Finding[]; actions?: Action[];
}
export interface Step {
  step: string; verdict: string; counted?: boolean; says: string; facts?: [string, string][];
  findings?: number[]; actions?: number[];
}
export interface Cut { request?: boolean; response?: boolean }
export interface Side { exchange: Exchange; cut: Cut; steps: Step[]; curl: string }
export interface Linked extends Side { kind: string; to: boolean }
export interface Explanation {
  id: string; title: string; doc: string; fix: string; step: string; severity: string;
  owasp?: string; cwe?: number; conversation?: number[];
}
export type Explain = { [check: string]: Explanation };
export interface View extends Side { schema: string; linked: Linked[]; explain: Explain }

export interface Played { id?: string; status?: number; outcome: string; says?: string }
export interface Attack {
  name: string; check: string; request: string; as?: string; why: string; conversation?: number[];
  open: Played; guarded: Played;
}
export interface ActionCount {
  check: string; kind: string; rule?: string; operation?: string; enforced: boolean; count: number; filter?: string;
}
export interface Operation {
  name: string; place?: string; public?: boolean; unjudged?: boolean;
  rules?: { source: string; owner?: boolean; place: string }[];
}
export interface ContractView {
  file?: string; title?: string; version?: string; mode?: string; default?: string;
  operations: Operation[]; not_judged: string[];
}

// A call as the page Trace draws it; the Go side is console/trace.go.
export interface TracedFinding extends Finding { title?: string; fix?: string }
export interface TracedStep {
  step: string; verdict: string; says: string[] | null; facts: { name: string; says: string }[] | null; notes?: string[]; findings: TracedFinding[]; time?: number;
}
export interface Traced {
  id: string; verdict: string; method: string; url: string; proto?: string; status?: number; failure?: string; started: string; source: string; side?: string; actions?: number;
  steps: TracedStep[]; phases: { name: string; time: number }[]; total: number;
}

// A collection as the page Compose edits it; the Go side is console/compose_form.go.
export interface FieldForm { name: string; value: string; off?: boolean; file?: string }
export interface AuthForm { scheme?: string; username?: string; password?: string; token?: string; key?: string; value?: string; in?: string }
export interface ItemForm {
  from?: string; name: string; doc?: string; folder?: boolean; items?: ItemForm[];
  method?: string; url?: string; query?: FieldForm[]; header?: FieldForm[];
  body?: { mode?: string; text?: string; fields?: FieldForm[] }; auth?: AuthForm; as?: string;
  expect?: { fact: string; is: string; want: string }[]; capture?: { variable: string; fact: string; matches?: string; secret?: boolean }[]; needs?: string[];
}
export interface VariableForm { name: string; value: string; secret?: boolean }
export interface CollectionForm { name: string; doc?: string; variables: VariableForm[]; items: ItemForm[] }
export interface Opened { file: string; version: string; collection: CollectionForm; warnings?: string[]; secrets?: number }
export interface Ran {
  name: string; path?: string[]; method: string; url: string; status?: number; proto?: string; time: number; size: number;
  assertions: { name: string; step: string; passed: boolean; skipped?: boolean; message?: string }[];
  failure?: string; failed_at?: string; skipped?: string; warnings?: string[]; printed?: { level: string; text: string }[]; id?: string; ok: boolean;
  exchange?: Exchange; cut?: Cut;
}
export interface RanAll { results: Ran[]; more?: number; requests: number; failed: number; broken: number; skipped?: number; time: number; stopped?: string; warnings?: string[] }

// What a scan found, as the pages Findings and Access draw it; the Go side is
// console/scan.go and package scan.
export interface Asker { name: string; subject?: string; roles?: string[]; spare?: boolean; part?: string }
export interface Tally { confirmed: { [severity: string]: number }; all: number; likely: number; suppressed: number; known: number }
export interface ScanResult {
  target: string; title?: string; start: string; time: number; requests: number; people: Asker[] | null; operations: number; tally: Tally;
  left?: string[]; notes?: string[]; incomplete?: string;
}
export interface Scan { name: string; url?: string; run: boolean; fault?: string; result?: ScanResult }
export interface Running { name: string; time: number; phase: string; asking?: string; requests: number; done: number; of: number; findings: number; stopping?: boolean }
export interface Scans { scans: Scan[]; running?: Running }
export interface Shown { exchange: string; as: string; request: string; status: number; control?: boolean; curl?: string }
export interface Found {
  id: string; fingerprint: string; check: string; title: string; severity: string; verdict: string; step: string; operation: string; operations?: string[];
  parameter?: string; by?: string; of?: string; evidence?: Evidence[]; missing?: string; owasp?: string; cwe?: number; fix?: string; count: number;
  proof: Shown[] | null; marks?: string[]; suppressed?: string; known?: boolean;
  people?: string[]; filter?: string; // of what was found in recorded traffic
}
export interface FoundAll { findings: Found[]; cut?: number; replay: string; explain: Explain }
export interface Observed { check: string; operation?: string; severity: string; verdict: string; step: string; count: number; evidence?: Evidence[]; last: string; at: string; people?: string[]; filter: string }
export interface ObservedAll { findings: Observed[]; reading?: boolean; cut?: boolean; read: number; explain: Explain }
export interface AccessCell { who: string; own?: string; others?: string; evidence?: string[]; status?: number; finding?: string }
export interface AccessRow { operation: string; few?: string; open?: boolean; cells: AccessCell[] | null }
export interface Access { people: Asker[]; rows: AccessRow[]; cut?: number }

// What was learnt, as the page Learn draws it; the Go side is console/learnt.go.
export interface LearntOperation {
  operation: string; seen: boolean; declared: boolean; shadow: boolean; unused: boolean; named: boolean; count: number; statuses?: { [status: string]: number };
  callers?: { subject: string; roles?: string[]; count: number; succeeded: number }[]; open: boolean; refused?: boolean; filter?: string;
}
export interface LearntChange { operation: string; what: string; place: string; count: number; name: string; filter?: string }
export interface LearntAll { on: boolean; described: boolean; operations: LearntOperation[]; changes: LearntChange[]; never_send?: string[]; left?: string; reading?: boolean; cut?: boolean }
