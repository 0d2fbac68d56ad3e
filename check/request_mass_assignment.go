package check

import (
	"net/http"
	"strings"

	"github.com/parley-project/parley/internal/jsonscan"
)

// RequestMassAssignment flags members that a client has no business to set.
var RequestMassAssignment = &Check{
	ID:      "request-mass-assignment",
	Aliases: []string{"mass-assignment", "over-posting"},
	Title:   "members that the client may not set are accepted",
	Doc: `The body is written into the row as it comes. A client who adds
"role":"admin" or "plan":"premium" gets both (mass assignment).`,
	Fix: "Copy the members that may be set, one by one; refuse bodies that carry others.",
	Remedy: `fields:
  - schema: User
    writable_by: {role: [admin], plan: [admin]}`,
	Step: StepRequest, Severity: High, OWASP: "API3:2023", CWE: 915, Conversation: []int{20},
	Needs: SawContract | SawBody,

	Inspect: func(p *Pass) {
		if v, _, bad := foreignMember(p); bad && p.Success() {
			p.Suspect(RequestBody(v.Pointer, v.Kind.String()+", and the API answered"))
		}
	},
	Admit: func(p *Pass) {
		v, rule, bad := foreignMember(p)
		switch {
		case !bad:
		case v.Kind == jsonscan.Marked && p.Caller() != nil:
			p.RefuseBy(rule, http.StatusForbidden, RequestBody(v.Pointer, "may be set by others only"))
		case v.Kind == jsonscan.Marked:
			p.RefuseBy(rule, http.StatusBadRequest, RequestBody(v.Pointer, "may be set by others only"))
		default:
			p.Refuse(http.StatusBadRequest, RequestBody(v.Pointer, v.Kind.String()))
		}
	},

	Probe: probeMassAssignment,
}

// foreignMember is the first member of the request's body that this caller may
// not set, with the place of the policy's line if there is one.
func foreignMember(p *Pass) (v jsonscan.Violation, rule string, bad bool) {
	for _, v := range p.RequestViolations() {
		switch v.Kind {
		case jsonscan.Undeclared, jsonscan.ReadOnly:
			return v, "", true
		case jsonscan.Marked:
			f := p.Contract.Mark(v.Mark)
			if f != nil && f.WritableBy != nil && !p.Caller().HasRole(f.WritableBy...) {
				return v, f.Place, true
			}
		}
	}
	return v, "", false
}

// pointerName is the last token of a JSON Pointer.
func pointerName(pointer string) string {
	return pointer[strings.LastIndexByte(pointer, '/')+1:]
}
