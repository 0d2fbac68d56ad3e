package check

import (
	"net/http"
	"strconv"
	"time"

	"github.com/parley-project/parley/exchange"
)

// AuthnRateLimit flags an operation that may be tried without end.
var AuthnRateLimit = &Check{
	ID:      "authn-rate-limit",
	Aliases: []string{"brute-force"},
	Title:   "a log-in may be tried without end",
	Doc: `Nothing slows down a program that tries one password after another, or one
page after another. What can be asked for without limit is guessed in the end.`,
	Fix: "Count attempts by account and by address, and answer 429 with Retry-After.",
	Remedy: `limits:
  - {operation: POST /v1/login, rate: 5/minute, by: request.body.email}`,
	Step: StepServer, Severity: High, OWASP: "API4:2023", CWE: 307, Conversation: []int{27},
	Needs: SawContract | SawBody,

	Admit: func(p *Pass) {
		op := p.Operation()
		if op == nil || p.Count == nil {
			return
		}
		for _, l := range op.Limits {
			key, ok := l.Key(&p.Input)
			if !ok {
				continue // a value that is absent is for the schema to refuse
			}
			if ok, wait := p.Count(l, key); !ok {
				seconds := int((wait + time.Second - 1) / time.Second)
				p.RefuseBy(l.Place, http.StatusTooManyRequests, exchange.Evidence{Where: "limit", Name: l.By, Says: "used up"},
					exchange.Field{Name: "Retry-After", Value: strconv.Itoa(max(1, seconds))})
				return
			}
		}
	},
}
