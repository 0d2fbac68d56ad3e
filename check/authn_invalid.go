package check

import "net/http"

// AuthnInvalid flags an API that believes a credential which proves nothing.
var AuthnInvalid = &Check{
	ID:    "authn-invalid",
	Title: "a credential that proves nothing is believed",
	Doc: `An expired, forged or foreign credential must be worth as little as none: a
wrong signature, another issuer or audience, an unknown key, a token revoked.`,
	Fix:  "Verify signature, issuer, audience and times of each token, and answer 401 when one fails.",
	Step: StepServer, Severity: Critical, OWASP: "API2:2023", CWE: 287, Conversation: []int{11, 24, 52},
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
	return c != nil && !c.Verified && c.Problem != "algorithm" && c.Carrier != "query" && needsCaller(p)
}
