package check

import (
	"net/http"

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
}

func duplicate(p *Pass) *jsonscan.Fault {
	if b := p.Input.Body; b != nil && b.Result.Fault != nil && b.Result.Fault.Kind == jsonscan.Duplicate {
		return b.Result.Fault
	}
	return nil
}
