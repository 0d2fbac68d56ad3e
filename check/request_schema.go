package check

import (
	"encoding/json"
	"net/http"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/jsonscan"
)

// RequestSchema flags a body that breaks the contract and is accepted.
var RequestSchema = &Check{
	ID:    "request-schema",
	Title: "a body that breaks the schema is accepted",
	Doc: `The contract says what a body looks like, and the API takes something else:
wrong types, missing members, numbers out of range, text that is not JSON. What
the code did not expect is where it breaks.`,
	Fix:  "Validate each body against its schema before it is used, and answer 400.",
	Step: StepRequest, Severity: Medium, OWASP: "API8:2023", CWE: 20, Conversation: []int{19, 23},
	Needs: SawContract | SawBody, Implies: []string{"response-schema"}, // what is kept is shown again

	Inspect: func(p *Pass) {
		if pointer, says, bad := schemaFault(p); bad && p.Success() {
			p.Find(RequestBody(pointer, says+", and the API answered"))
		}
	},
	Admit: func(p *Pass) {
		if pointer, says, bad := schemaFault(p); bad {
			p.Refuse(http.StatusBadRequest, RequestBody(pointer, says))
		}
	},
	Probe: probeSchema,
}

func schemaFault(p *Pass) (pointer, says string, bad bool) {
	b, op := p.Input.Body, p.Operation()
	if op != nil && op.Requests == nil && len(p.Request.Body.Data) > 0 {
		return "", "is not declared for this operation", true
	}
	if b == nil {
		if op != nil && op.BodyRequired && p.Request.Body.Size == 0 {
			return "", "is missing", true
		}
		return "", "", false
	}
	if f := b.Result.Fault; f != nil {
		return f.Pointer, string(f.Kind), f.Kind != jsonscan.Duplicate
	}
	for i := range b.Result.Violations {
		if v := &b.Result.Violations[i]; v.Kind == jsonscan.Invalid {
			return v.Pointer, v.Keyword + " " + v.Detail, true
		}
	}
	return "", "", false
}

// mostBreaches bounds what is tried at one endpoint.
const mostBreaches = 4

// probeSchema breaks what the contract says of bodies, one place at a time, and
// reads back whether the API keeps it.
func probeSchema(t *Trial) {
	if !t.Declared {
		return
	}
	for _, w := range writes(t) {
		honest, ok := w.ask(t)
		if !ok {
			continue
		}
		stale := false
		bs := breaches(bodyOf(honest), honest.Body, t.Mark())
		for _, b := range bs[:min(len(bs), mostBreaches)] {
			a := *honest
			a.Body = b.body
			if w.by.Role == Update {
				if one := SetMember([]byte("{}"), b.pointer, b.value); one != nil && broken(bodyOf(&a), one) == b.keyword {
					a.Body = one
				}
			}
			if stale {
				a = *w.current(t, &a)
			}
			x := t.Ask(&a)
			if x.Response == nil {
				return
			}
			if x.Response.Status == 401 && !t.Alive(w.on.Owner) {
				return
			}
			if !worked(x) {
				continue
			}
			stale = true
			written, look := w.took(t, x, b.keeps)
			if look == nil {
				continue
			}
			t.Report(&Flaw{
				Endpoint: w.by, Parameter: "request body " + b.shape, By: a.As, Of: a.As,
				Evidence: []exchange.Evidence{RequestBody(b.pointer, "breaks "+b.keyword+", and the API keeps it")},
				Proof:    []*exchange.Exchange{x, look}, Marks: []string{plain(b.value)},
			})
			w.undo(t, honest, b.pointer, written)
			break
		}
	}
}

// plain is a JSON text without its quotes.
func plain(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) == nil {
		return s
	}
	return string(value)
}
