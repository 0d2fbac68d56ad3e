package check

import (
	"net/http"

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
