package check

import "net/http"

// AuthnMissing flags an operation that answers without asking who speaks.
var AuthnMissing = &Check{
	ID:    "authn-missing",
	Title: "an operation answers without asking who speaks",
	Doc: `The contract says that the operation needs a credential, and the API answers
without one. Everything behind it is public, whatever the documentation says.`,
	Fix:  "Refuse with 401 and WWW-Authenticate before any logic runs, for every operation that is not public.",
	Step: StepServer, Severity: Critical, OWASP: "API2:2023", CWE: 306, Conversation: []int{11, 24, 52},
	Needs: SawContract | SawCaller,

	Inspect: func(p *Pass) {
		if needsCaller(p) && p.Credential() == nil && p.Success() {
			p.Find(CredentialSays("none was sent, and the API answered"))
		}
	},
	Admit: func(p *Pass) {
		if needsCaller(p) && p.Credential() == nil {
			p.Refuse(http.StatusUnauthorized, CredentialSays("missing"), challenge(p))
		}
	},
}

// needsCaller reports whether the operation needs somebody and nobody was
// proved.
func needsCaller(p *Pass) bool {
	op := p.Operation()
	return op != nil && !op.Public && p.Caller() == nil
}
