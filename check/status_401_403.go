package check

import (
	"net/http"
	"strings"
)

// Status401403 flags the two refusals put in each other's place.
var Status401403 = &Check{
	ID:    "status-401-403",
	Title: "401 and 403 are swapped",
	Doc: `401 says: prove who you are, and how. 403 says: I know, and you may not. A
client that gets the wrong one logs in again for ever or gives up a session that
was good, and whoever counts refusals to see an attack counts the wrong thing.`,
	Fix:  "Answer 401 with WWW-Authenticate when there is no valid credential, 403 when there is one (RFC 9110, 15.5.2 and 15.5.4).",
	Step: StepResponse, Severity: Low, OWASP: "API8:2023", CWE: 393, Conversation: []int{24, 25},
	Needs: SawContract | SawCaller | SawResponse, Implies: []string{"status-401-challenge"},

	Inspect: func(p *Pass) {
		switch right := rightRefusal(p); {
		case right == http.StatusForbidden:
			p.Find(Status("401 to a caller whose credential is good"))
		case right == http.StatusUnauthorized:
			p.Find(Status("403 to a request without a valid credential"))
		}
	},
	Release: func(p *Pass) {
		switch right := rightRefusal(p); {
		case right == http.StatusForbidden:
			p.Repair(Problem(right, Status("401 to a caller whose credential is good")))
			if p.Response.Header.Has("WWW-Authenticate") {
				p.Repair(DropHeader("WWW-Authenticate", "belongs to a 401"))
			}
		case right == http.StatusUnauthorized:
			f := challenge(p)
			p.Repair(Problem(right, Status("403 to a request without a valid credential")), SetHeader(f.Name, f.Value))
		}
	},
}

// rightRefusal is the status that ought to stand there, or 0 when the one that
// stands is right. An API that says invalid_token has its reason (RFC 6750,
// 3.1): it may have revoked what is otherwise good.
func rightRefusal(p *Pass) int {
	op := p.Operation()
	if op == nil || op.Public {
		return 0
	}
	switch {
	case p.Response.Status == http.StatusUnauthorized && p.Caller() != nil &&
		!strings.Contains(p.Response.Header.Get("WWW-Authenticate"), "invalid_token"):
		return http.StatusForbidden
	case p.Response.Status == http.StatusForbidden && p.Caller() == nil:
		return http.StatusUnauthorized
	}
	return 0
}
