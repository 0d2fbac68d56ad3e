package check

import (
	"net/http"
	"strings"

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
			p.Refuse(faultStatus(p, f), f)
		}
	},
}

// faultStatus is the status for a fault: 428 where the API says that a change
// must name the version that it changes, and this one does not (RFC 6585, 3).
func faultStatus(p *Pass, f exchange.Evidence) int {
	if op := p.Operation(); f.Where == "header" && f.Says == "required" && strings.HasPrefix(strings.ToLower(f.Name), "if-") {
		if r := op.Response(http.StatusPreconditionRequired); r != nil && r.Status == "428" {
			return http.StatusPreconditionRequired
		}
	}
	return http.StatusBadRequest
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
