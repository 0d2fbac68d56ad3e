// Package report is what was found, said as text, JSON, SARIF, JUnit, HTML.
//
// A Report is given exchanges one after the other. It groups what checks found
// and what guard did by fingerprint, and keeps of each group a count, the last
// exchanges' IDs and one masked example: a report over a million exchanges is
// as large as what they have to tell. A format is a function that writes a
// Report; Formats lists them.
//
// What was captured was sent by strangers. It is masked again on its way in,
// whatever the recorder did, and leaves with everything visible that could
// steer a terminal, a parser or a browser (see Visible).
package report

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// Options say what a report is about and how it is written.
type Options struct {
	// Title names what was looked at, such as the store's file.
	Title string
	// Filter is the expression that chose the exchanges; empty for all.
	Filter string
	// Version of the program.
	Version string
	// Made is when the report was made. Zero leaves it out.
	Made time.Time
	// FailOn is the severity from which on a confirmed finding is a failure.
	FailOn exchange.Severity
	// Locate returns the place of an operation in the API's description. Nil,
	// or an empty file: not known, and the request stands in its place.
	Locate func(operation string) (file string, line int)
	// Width of the text format in columns. Zero means 80.
	Width int
	// Color lets the text format use colours.
	Color bool
	// Key for placeholders of secrets that the recorder left in. Nil means a
	// random one.
	Key []byte
}

// Kind says what an entry is: a finding, or something guard did.
type Kind string

const (
	Finding  Kind = "finding"
	Refused  Kind = Kind(exchange.Refused)
	Stripped Kind = Kind(exchange.Stripped)
	Repaired Kind = Kind(exchange.Repaired)
)

// An Entry is what was found, or done, in the same way once or many times.
type Entry struct {
	Kind Kind
	// Enforced is false for what guard would have done, in report mode.
	Enforced bool
	// Check is from the catalogue. One that it does not have (any more) has
	// an ID and nothing else.
	Check    *check.Check
	Severity exchange.Severity
	Verdict  exchange.Verdict // of findings
	Step     exchange.Step
	// Operation is the contract's name, or the method and the shape of the
	// path where it has none.
	Operation string
	Evidence  []exchange.Evidence
	// Rule is the line of the policy that made guard act.
	Rule string
	// Status is what guard answered.
	Status int
	// Fingerprint is the same in every run that finds the same.
	Fingerprint string
	// Count is the number of times; Exchanges are the IDs of the first few
	// given.
	Count     int
	Exchanges []exchange.ID
	// First and Last are the times of the oldest and the newest exchange.
	First, Last time.Time
	// Example is the first exchange that was given, masked and shortened. Nil
	// when there were too many to keep.
	Example *exchange.Exchange
	// Proof is there for findings that were proved by asking.
	Proof *Proof

	marks []string // texts in the example that are to be pointed at
}

// Failure reports whether the entry counts against an exit code.
func (e *Entry) Failure(on exchange.Severity) bool {
	return e.Kind == Finding && e.Verdict == exchange.Confirmed && e.Severity >= on && e.Counts()
}

// Did says in words what guard did, or would have.
func (e *Entry) Did() string {
	words := map[Kind][2]string{Refused: {"refused", "would refuse"}, Stripped: {"stripped", "would strip"}, Repaired: {"repaired", "would repair"}}
	w := words[e.Kind]
	if e.Enforced {
		return w[0]
	}
	return w[1]
}

// Limits of what a report keeps.
const (
	maxEntries  = 5000
	maxExamples = 32 << 20 // bytes
	maxBody     = 8 << 10  // bytes of each example's bodies
	maxIDs      = 5
	maxEvidence = 20
	maxShapes   = 2000 // operations whose checks are counted as passed
)

// A Report gathers findings. It is not safe for concurrent use.
type Report struct {
	Options
	// Asked are the IDs of checks that asked questions of their own: those of
	// them that found nothing have passed.
	Asked []string
	// Baseline is true when findings were held against those of an earlier run.
	Baseline bool
	// Incomplete says why the looking ended before its end.
	Incomplete string
	// Exchanges is how many were looked at.
	Exchanges int
	// Omitted is how many findings and actions were not kept because there
	// were too many different ones.
	Omitted int

	catalogue []*check.Check
	entries   map[string]*Entry
	seen      map[string]*operationSeen
	masker    *identity.Masker
	examples  int // bytes
}

// operationSeen is what was seen of an operation: enough to know which checks
// have judged it.
type operationSeen struct {
	facts check.Needs
	count int
}

// New returns an empty report.
func New(o Options) *Report {
	if o.Key == nil {
		o.Key = make([]byte, 32)
		rand.Read(o.Key)
	}
	if o.Width <= 0 {
		o.Width = 80
	}
	return &Report{Options: o, catalogue: check.All, entries: map[string]*Entry{}, seen: map[string]*operationSeen{}, masker: identity.NewMasker(o.Key)}
}

// Add takes in one exchange. It changes nothing of it.
func (r *Report) Add(x *exchange.Exchange) {
	r.Exchanges++
	op := operationOf(x)
	r.see(op, x)
	if len(x.Findings) == 0 && len(x.Actions) == 0 {
		return
	}
	var example *exchange.Exchange
	keep := func() *exchange.Exchange {
		if example == nil && r.examples < maxExamples {
			example = r.example(x)
			r.examples += sizeOf(example)
		}
		return example
	}
	for i := range x.Findings {
		f := &x.Findings[i]
		verdict := f.Verdict
		if verdict != exchange.Confirmed && verdict != exchange.Likely {
			verdict = exchange.Unknown
		}
		r.add(x, keep, Entry{Kind: Finding, Check: r.checkOf(f.Check), Severity: f.Severity, Verdict: verdict, Step: f.Step,
			Operation: op, Evidence: f.Evidence, Fingerprint: f.Fingerprint})
	}
	for i := range x.Actions {
		a := &x.Actions[i]
		if a.Kind != exchange.Refused && a.Kind != exchange.Stripped && a.Kind != exchange.Repaired {
			r.Omitted++ // of a later version
			continue
		}
		c := r.checkOf(a.Check)
		r.add(x, keep, Entry{Kind: Kind(a.Kind), Enforced: a.Enforced, Check: c, Severity: c.Severity, Step: c.Step,
			Operation: op, Evidence: []exchange.Evidence{a.Evidence}, Rule: a.Rule, Status: a.Status})
	}
}

func (r *Report) add(x *exchange.Exchange, example func() *exchange.Exchange, e Entry) {
	e.Severity = min(max(e.Severity, exchange.Info), exchange.Critical)
	if e.Fingerprint == "" {
		e.Fingerprint = fingerprint(&e, x)
	}
	e.Fingerprint = Visible(e.Fingerprint)
	known := r.entries[e.Fingerprint]
	if known == nil {
		if len(r.entries) == maxEntries {
			r.Omitted++
			return
		}
		e.Operation, e.Rule = r.line(e.Operation), r.line(e.Rule)
		e.Evidence = slices.Clone(e.Evidence[:min(len(e.Evidence), maxEvidence)])
		for i := range e.Evidence {
			ev := &e.Evidence[i]
			ev.Where, ev.Name, ev.Says = r.line(ev.Where), r.line(ev.Name), r.line(ev.Says)
		}
		e.First, e.Last, e.Example = x.Start, x.Start, example()
		known = &e
		r.entries[e.Fingerprint] = known
	}
	known.Count++
	if id := exchange.ID(Visible(string(x.ID))); len(known.Exchanges) < maxIDs && !slices.Contains(known.Exchanges, id) {
		known.Exchanges = append(known.Exchanges, id)
	}
	if x.Start.Before(known.First) {
		known.First = x.Start
	}
	if x.Start.After(known.Last) {
		known.Last = x.Start
	}
	// The same flaw may once be proved and once only likely.
	if known.Verdict != exchange.Confirmed && e.Verdict == exchange.Confirmed {
		known.Verdict = exchange.Confirmed
	}
	known.Severity = max(known.Severity, e.Severity)
}

// line makes a stranger's words fit for a line of a report.
func (r *Report) line(s string) string {
	if len(s) > maxLine {
		s = s[:maxLine] + "…"
	}
	return Visible(r.masker.Text(s))
}

// checkOf looks a check up; one that is not in the catalogue gets an ID and no
// more.
func (r *Report) checkOf(id string) *check.Check {
	for _, c := range r.catalogue {
		if c.ID == id {
			return c
		}
	}
	return &check.Check{ID: r.line(id), Title: "a check that this version does not know"}
}

// Entries returns what was found and done, in the order of reports: findings
// before actions, worst first, a check's together, then by operation.
func (r *Report) Entries() []*Entry {
	es := make([]*Entry, 0, len(r.entries))
	worst := map[string]exchange.Severity{} // of a check's findings, and of its actions
	key := func(e *Entry) string {
		if e.Kind == Finding {
			return e.Check.ID
		}
		return e.Check.ID + " "
	}
	for _, e := range r.entries {
		es = append(es, e)
		worst[key(e)] = max(worst[key(e)], e.Severity)
	}
	slices.SortFunc(es, func(a, b *Entry) int {
		return cmp.Or(rank(a.Kind)-rank(b.Kind), cmp.Compare(worst[key(b)], worst[key(a)]), strings.Compare(a.Check.ID, b.Check.ID),
			cmp.Compare(b.Severity, a.Severity), strings.Compare(string(a.Verdict), string(b.Verdict)), strings.Compare(path(a.Operation), path(b.Operation)),
			strings.Compare(a.Operation, b.Operation), strings.Compare(string(a.Kind), string(b.Kind)),
			strings.Compare(fmt.Sprint(a.Evidence), fmt.Sprint(b.Evidence)), strings.Compare(a.Fingerprint, b.Fingerprint))
	})
	return es
}

func rank(k Kind) int {
	if k == Finding {
		return 0
	}
	return 1
}

func path(operation string) string {
	_, p, _ := strings.Cut(operation, " ")
	return p
}

// A Group is one check's entries.
type Group struct {
	Check    *check.Check
	Severity exchange.Severity // the worst
	Entries  []*Entry
}

// Groups returns the findings and, apart, guard's actions, each by check.
func (r *Report) Groups() (findings, actions []Group) {
	for _, e := range r.Entries() {
		to := &findings
		if e.Kind != Finding {
			to = &actions
		}
		if n := len(*to); n == 0 || (*to)[n-1].Check.ID != e.Check.ID {
			*to = append(*to, Group{Check: e.Check, Severity: e.Severity})
		}
		g := &(*to)[len(*to)-1]
		g.Severity = max(g.Severity, e.Severity)
		g.Entries = append(g.Entries, e)
	}
	return findings, actions
}

// Failures counts the entries that are failures by Options.FailOn.
func (r *Report) Failures() int {
	n := 0
	for _, e := range r.entries {
		if e.Failure(r.FailOn) {
			n++
		}
	}
	return n
}

// Tally counts the findings by severity, from info, and what guard did. What is
// known or suppressed is not among them.
func (r *Report) Tally() (found [exchange.Critical + 1]int, did map[string]int) {
	did = map[string]int{}
	for _, e := range r.entries {
		if e.Kind != Finding {
			did[e.Did()] += e.Count
		} else if e.Counts() && e.Severity >= 0 && int(e.Severity) < len(found) {
			found[e.Severity]++
		}
	}
	return found, did
}
