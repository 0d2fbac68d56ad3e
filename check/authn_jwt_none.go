package check

import "net/http"

// AuthnJWTNone flags an API that believes a token which nobody signed.
var AuthnJWTNone = &Check{
	ID:      "authn-jwt-none",
	Aliases: []string{"alg-none"},
	Title:   "a token that nobody signed is believed",
	Doc: `The token itself says how it is signed, and an API that lets it say "none",
or any algorithm that it was not told to expect, accepts what anybody wrote.`,
	Fix:  "Fix the algorithms on the server (RFC 8725, 3.1) and bind each key to one.",
	Step: StepServer, Severity: Critical, OWASP: "API2:2023", CWE: 347, Conversation: []int{11, 52},
	Needs: SawContract | SawCaller,

	Inspect: func(p *Pass) {
		if c := p.Credential(); c != nil && c.Problem == "algorithm" && needsCaller(p) && p.Success() {
			p.Find(CredentialSays("names an algorithm that is not allowed, and the API answered"))
		}
	},
	Admit: func(p *Pass) {
		if c := p.Credential(); c != nil && c.Problem == "algorithm" && needsCaller(p) {
			p.Refuse(http.StatusUnauthorized, CredentialSays("names an algorithm that is not allowed"), challenge(p))
		}
	},
}
