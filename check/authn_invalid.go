package check

import (
	"net/http"
	"slices"
)

// AuthnInvalid flags an API that believes a credential which proves nothing.
var AuthnInvalid = &Check{
	ID:    "authn-invalid",
	Title: "a credential that proves nothing is believed",
	Doc: `A forged or revoked credential must be worth as little as none: a wrong
signature, a key for programs that nobody gave out, a token that was taken back,
a scheme that is not in use. What is wrong in a way of its own has a check of its
own.`,
	Fix: "Verify the signature of each token and look up each key, and answer 401 when one fails.",
	Remedy: `identity:
  jwt:
    issuer: https://login.example
    audience: shop
    keys: jwks.json
    algorithms: [ES256]`,
	Step: StepServer, Severity: Critical, OWASP: "API2:2023", CWE: 287, Conversation: []int{11, 15, 24, 52},
	Needs: SawContract | SawCaller,

	Inspect: func(p *Pass) {
		if c := p.Credential(); judgedBad(p) && p.Success() {
			p.Find(CredentialSays(c.Problem + ", and the API answered"))
		}
	},
	Admit: func(p *Pass) {
		if c := p.Credential(); judgedBad(p) {
			p.Refuse(http.StatusUnauthorized, CredentialSays(c.Problem), challenge(p))
		}
	},
}

// judgedBad reports a bad credential that no other check speaks of.
func judgedBad(p *Pass) bool {
	c := p.Credential()
	if c == nil || c.Verified || c.Carrier == "query" || !needsCaller(p) {
		return false
	}
	switch c.Problem {
	case "unsigned", "algorithm", "key", "kid", "own-key", "expired", "not-yet", "issuer", "audience":
		return false
	}
	return true
}

// believed is the Inspect of a credential that is bad in one way.
func believed(says string, problems ...string) func(*Pass) {
	return func(p *Pass) {
		if presents(p, problems) && p.Success() {
			p.Find(CredentialSays(says + ", and the API answered"))
		}
	}
}

// disbelieved is its Admit.
func disbelieved(says string, problems ...string) func(*Pass) {
	return func(p *Pass) {
		if presents(p, problems) {
			p.Refuse(http.StatusUnauthorized, CredentialSays(says), challenge(p))
		}
	}
}

func presents(p *Pass, problems []string) bool {
	c := p.Credential()
	return c != nil && !c.Verified && slices.Contains(problems, c.Problem) && needsCaller(p)
}
