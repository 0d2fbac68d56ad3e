package check

import (
	"encoding/json"
	"net/http"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/jsonscan"
)

// RequestPutPartial flags a PUT that changes only what it names.
var RequestPutPartial = &Check{
	ID:    "request-put-partial",
	Title: "a PUT changes only what it names",
	Doc: `PUT replaces the whole (RFC 9110, 9.3.4). An API that takes half an object and
keeps the rest leaves in place what the client meant to take away: a role, a
shared address, an old telephone number.`,
	Fix:  "Require every member that the object must have, write exactly those, and offer PATCH for changes.",
	Step: StepRequest, Severity: Low, OWASP: "API8:2023", CWE: 20, Conversation: []int{5},
	Needs: SawContract | SawBody, Implies: []string{"request-schema"},

	Inspect: func(p *Pass) {
		if v := partial(p); v != nil && p.Success() {
			p.Find(RequestBody(v.Pointer, "is not whole: "+v.Detail+", and the API answered"))
		}
	},
	Admit: func(p *Pass) {
		if v := partial(p); v != nil {
			p.Refuse(http.StatusBadRequest, RequestBody(v.Pointer, "is not whole: "+v.Detail))
		}
	},
	Probe: probePutPartial,
}

func partial(p *Pass) *jsonscan.Violation {
	if p.Request.Method != "PUT" {
		return nil
	}
	vs := p.RequestViolations()
	for i := range vs {
		if vs[i].Kind == jsonscan.Invalid && vs[i].Keyword == "required" {
			return &vs[i]
		}
	}
	return nil
}

// probePutPartial replaces an object by one of its members, and looks whether
// the others are still there. A contract that wants no others is believed.
func probePutPartial(t *Trial) {
	for _, w := range writes(t) {
		if w.by.Role != Replace {
			continue
		}
		e := w.marked(t)
		if e == nil {
			continue
		}
		quoted, _ := json.Marshal(e.mark)
		a := *e.Ask
		a.Body = SetMember([]byte("{}"), e.pointer, quoted)
		if t.Declared && broken(bodyOf(&a), a.Body) != "required" {
			continue
		}
		before := t.Look(w.on)
		x := t.Ask(&a)
		if !Succeeded(before) || !worked(x) {
			continue
		}
		kept := ""
		_, look := w.took(t, x, func(after *exchange.Exchange) bool {
			if !Contains(after, e.mark) {
				return false
			}
			for _, name := range members(e.Body) {
				was, is := shown(before, name), shown(after, name)
				if name != e.name && was != nil && saysSomething(was) && string(was) == string(is) {
					kept = name
					return true
				}
			}
			return false
		})
		if look == nil {
			continue
		}
		t.Report(&Flaw{
			Endpoint: w.by, Parameter: "request body", By: a.As, Of: a.As,
			Evidence: []exchange.Evidence{RequestBody("/"+kept, "is left out, and the API keeps it as it was")},
			Proof:    []*exchange.Exchange{before, x, look}, Marks: []string{e.mark},
		})
		w.undo(t, e.honest, e.pointer, w.on)
	}
}
