package check

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/jsonscan"
)

// RequestDuplicateMember flags a body that two parsers read in two ways.
var RequestDuplicateMember = &Check{
	ID:    "request-duplicate-member",
	Title: "a member given twice is accepted",
	Doc: `Of {"currency":"XXX","currency":"INR"} one parser keeps the first value and
another the last (RFC 8259, 4). What was checked is then not what is done.`,
	Fix:  "Refuse bodies with duplicate member names, invalid UTF-8 or anything after the value.",
	Step: StepRequest, Severity: Medium, OWASP: "API8:2023", CWE: 436, Conversation: []int{19, 20},
	Needs: SawBody,

	Inspect: func(p *Pass) {
		if f := duplicate(p); f != nil && p.Success() {
			p.Find(RequestBody(f.Pointer, "is given twice, and the API answered"))
		}
	},
	Admit: func(p *Pass) {
		if f := duplicate(p); f != nil {
			p.Refuse(http.StatusBadRequest, RequestBody(f.Pointer, "is given twice"))
		}
	},
	Probe: probeDuplicate,
}

func duplicate(p *Pass) *jsonscan.Fault {
	if b := p.Input.Body; b != nil && b.Result.Fault != nil && b.Result.Fault.Kind == jsonscan.Duplicate {
		return b.Result.Fault
	}
	return nil
}

// probeDuplicate gives a member twice with two marks, and looks whether one of
// them was kept.
func probeDuplicate(t *Trial) {
	ws := writes(t)
	for _, w := range ws[:min(len(ws), mostWrites)] {
		e := w.marked(t)
		if e == nil {
			continue
		}
		name, _ := json.Marshal(e.name)
		other := t.Mark()
		a := *e.Ask
		a.Body = bytes.Replace(a.Body, []byte("{"), []byte(`{`+string(name)+`:"`+other+`",`), 1)
		x := t.Ask(&a)
		if !worked(x) {
			continue
		}
		kept := ""
		written, look := w.took(t, x, func(x *exchange.Exchange) bool {
			for _, mark := range []string{other, e.mark} {
				if Contains(x, mark) {
					kept = mark
				}
			}
			return kept != ""
		})
		if look == nil {
			continue
		}
		which := map[bool]string{true: "first", false: "last"}[kept == other]
		t.Report(&Flaw{
			Endpoint: w.by, Parameter: "request body " + e.pointer, By: a.As, Of: a.As,
			Evidence: []exchange.Evidence{RequestBody(e.pointer, "is given twice, and the API keeps the "+which+" value")},
			Proof:    []*exchange.Exchange{x, look}, Marks: []string{kept},
		})
		w.undo(t, e.honest, e.pointer, written)
		return
	}
}
