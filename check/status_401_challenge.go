package check

import "net/http"

// Status401Challenge flags a 401 that does not say how to prove who one is.
var Status401Challenge = &Check{
	ID:    "status-401-challenge",
	Title: "401 does not say how to prove who one is",
	Doc: `A 401 must carry WWW-Authenticate (RFC 9110, 15.5.2). Without it a client
cannot tell a missing token from an expired one, nor which kind is wanted.`,
	Fix:  "Send WWW-Authenticate with the scheme in every 401.",
	Step: StepResponse, Severity: Low, OWASP: "API8:2023", CWE: 684, Conversation: []int{24},
	Needs: SawResponse,

	Inspect: findMissing("WWW-Authenticate", unchallenged),
	Release: func(p *Pass) {
		if unchallenged(p) && p.Challenge != "" && !p.Response.Header.Has("WWW-Authenticate") {
			f := challenge(p)
			p.Repair(SetHeader(f.Name, f.Value))
		}
	},
}

// unchallenged leaves a 401 alone that ought to be a 403.
func unchallenged(p *Pass) bool {
	return p.Response.Status == http.StatusUnauthorized && p.Caller() == nil
}
