package check

import (
	"net/http"

	"github.com/parley-project/parley/exchange"
)

// RequestParameters flags a path, query or header value that breaks the
// contract and is accepted.
var RequestParameters = &Check{
	ID:    "request-parameters",
	Title: "a parameter that breaks the contract is accepted",
	Doc: `Parameters that are not declared, given twice, or of the wrong type or range
reach code that did not expect them: a page size without bound, a second user
number, a sort order that is SQL.`,
	Fix:  "Validate path, query and header values against their schemas, and answer 400.",
	Step: StepRequest, Severity: Medium, OWASP: "API8:2023", CWE: 20, Conversation: []int{10, 23},
	Needs: SawContract,

	Inspect: func(p *Pass) {
		if f, bad := parameterFault(p); bad && p.Success() {
			p.Find(exchange.Evidence{Where: f.Where, Name: f.Name, Says: f.Says + ", and the API answered"})
		}
	},
	Admit: func(p *Pass) {
		if f, bad := parameterFault(p); bad {
			p.Refuse(http.StatusBadRequest, f)
		}
	},
}

// parameterFault is the first fault, a missing or malformed value before one
// that is merely undeclared.
func parameterFault(p *Pass) (exchange.Evidence, bool) {
	for _, f := range p.Parameters {
		if f.Keyword != "undeclared" {
			return exchange.Evidence{Where: f.In, Name: f.Name, Says: f.Keyword}, true
		}
	}
	for _, f := range p.Parameters {
		return exchange.Evidence{Where: f.In, Name: f.Name, Says: f.Keyword}, true
	}
	return exchange.Evidence{}, false
}
