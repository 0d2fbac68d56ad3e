package check

import (
	"net/http"

	"github.com/parley-project/parley/exchange"
)

// RequestMethod flags an answer to a method that is not offered.
var RequestMethod = &Check{
	ID:    "request-method",
	Title: "a method that is not offered is answered",
	Doc: `Frameworks often answer more methods than the documentation names, and nobody
thought about who may use those.`,
	Fix:  "Answer 405 with Allow to every method that is not offered (RFC 9110, 15.5.6).",
	Step: StepRequest, Severity: Medium, OWASP: "API9:2023", CWE: 650, Conversation: []int{8},
	Needs: SawContract,

	Inspect: func(p *Pass) {
		if p.Match.Known && p.Match.Operation == nil && p.Success() && p.Request.Method != "OPTIONS" {
			p.Find(exchange.Evidence{Where: "method", Name: p.Request.Method, Says: "is not offered, and the API answered"})
		}
	},
	Admit: func(p *Pass) {
		// OPTIONS asks what is offered, and is told (RFC 9110, 9.3.7).
		if p.Match.Known && p.Match.Operation == nil && p.Request.Method != "OPTIONS" {
			p.Refuse(http.StatusMethodNotAllowed, exchange.Evidence{Where: "method", Name: p.Request.Method, Says: "is not offered"},
				exchange.Field{Name: "Allow", Value: p.Match.Allow})
		}
	},
}
