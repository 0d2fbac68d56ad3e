package check

import (
	"net/http"

	"github.com/parley-project/parley/exchange"
)

// RequestUndeclaredEndpoint flags an endpoint that the contract does not name.
var RequestUndeclaredEndpoint = &Check{
	ID:    "request-undeclared-endpoint",
	Title: "an endpoint that the contract does not name answers",
	Doc: `Old versions, debug pages and forgotten functions answer beside the documented
ones. Nobody reviews what nobody knows of.`,
	Fix:  "Take it away, or write it into the contract with its rules.",
	Step: StepRequest, Severity: Medium, OWASP: "API9:2023", CWE: 1059, Conversation: []int{56},
	Needs: SawContract,

	Inspect: func(p *Pass) {
		if !p.Match.Known && p.Success() {
			p.Find(exchange.Evidence{Where: "path", Says: "is not in the contract, and the API answered"})
		}
	},
	Admit: func(p *Pass) {
		if !p.Match.Known {
			p.Refuse(http.StatusNotFound, exchange.Evidence{Where: "path", Says: "is not in the contract"})
		}
	},
}
