package check

import (
	"net/http"

	"github.com/parley-project/parley/exchange"
)

// RequestTokenInURL flags credentials that travel in the URL.
var RequestTokenInURL = &Check{
	ID:      "request-token-in-url",
	Aliases: []string{"token-in-url"},
	Title:   "a credential travels in the URL",
	Doc: `URLs are written to logs, histories and Referer fields. A token in one is
read by everybody who reads those (RFC 6750, 5.3).`,
	Fix:  "Take credentials from Authorization or a cookie only; refuse requests that carry one in the query.",
	Step: StepRequest, Severity: High, OWASP: "API2:2023", CWE: 598, Conversation: []int{10},

	Inspect: func(p *Pass) {
		if c := inQuery(p); c != nil {
			if p.Success() {
				p.Find(Query(c.Field, "carries a credential, and the API answered"))
			}
		}
	},
	Admit: func(p *Pass) {
		c := inQuery(p)
		switch {
		case c == nil:
		case needsCaller(p):
			p.Refuse(http.StatusUnauthorized, Query(c.Field, "carries a credential"), challenge(p))
		default:
			p.Refuse(http.StatusBadRequest, Query(c.Field, "carries a credential"))
		}
	},
}

func inQuery(p *Pass) *exchange.Credential {
	for i := range p.Presented {
		if p.Presented[i].Carrier == "query" {
			return &p.Presented[i]
		}
	}
	if c := p.Credential(); c != nil && c.Carrier == "query" {
		return c
	}
	return nil
}
