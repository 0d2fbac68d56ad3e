package check

import (
	"bytes"
	"net/http"
	"slices"

	"github.com/parley-project/parley/exchange"
)

// RequestSize flags a body that is larger than anybody needs.
var RequestSize = &Check{
	ID:    "request-size",
	Title: "a body of any size is read",
	Doc: `Whoever may send a body of any size, or one nested without end, decides how
much memory and time the server spends.`,
	Fix:  "Bound size, depth and number of members before a body is parsed, and answer 413.",
	Step: StepRequest, Severity: Medium, OWASP: "API4:2023", CWE: 770, Conversation: []int{19},
	Needs: SawContract | SawBody,

	Admit: func(p *Pass) {
		if p.TooLarge {
			p.Refuse(http.StatusRequestEntityTooLarge, RequestBody("", "is larger than is read"))
		}
	},
	Probe: probeSize,
}

// hugeBody is more than any member that a person fills in.
const hugeBody = 2 << 20

// probeSize sends a sound body with two megabytes of space in it. Where the
// API's makers describe it and speak of no limit that is a hint only: theirs may
// be higher.
func probeSize(t *Trial) {
	ws := writes(t)
	limited := func(w write) bool { return slices.Contains(w.by.Statuses(), "413") }
	slices.SortStableFunc(ws, func(a, b write) int {
		switch {
		case limited(a) == limited(b):
			return 0
		case limited(a):
			return -1
		}
		return 1
	})
	for _, w := range ws[:min(len(ws), 2)] {
		e := w.marked(t)
		if e == nil {
			continue
		}
		a := *e.Ask
		a.Body = bytes.Replace(a.Body, []byte("{"), append([]byte("{"), bytes.Repeat([]byte(" "), hugeBody)...), 1)
		x := t.Ask(&a)
		if !worked(x) {
			return // it has a limit, or this is no way to ask
		}
		written, look := w.took(t, x, func(x *exchange.Exchange) bool { return Contains(x, e.mark) })
		if look == nil {
			continue
		}
		f := &Flaw{
			Endpoint: w.by, Parameter: "request body", By: a.As, Of: a.As,
			Evidence: []exchange.Evidence{RequestBody("", "has two megabytes, and the API reads them")},
			Proof:    []*exchange.Exchange{x, look}, Marks: []string{e.mark},
		}
		if t.Declared && !limited(w) {
			f.Verdict, f.Missing = exchange.Likely, "a limit that the contract declares (413)"
		}
		t.Report(f)
		w.undo(t, e.honest, e.pointer, written)
		return
	}
}
