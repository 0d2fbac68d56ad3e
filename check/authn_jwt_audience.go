package check

// AuthnJWTAudience flags an API that believes a token that is meant for another API.
var AuthnJWTAudience = &Check{
	ID:    "authn-jwt-audience",
	Title: "a token for another API is believed",
	Doc: `A token that was given to one API is presented at another by whoever operates
the first, or stole from it. The audience says whom it is for.`,
	Fix: "Require aud and compare it with the name of this API (RFC 8725, 3.9).",
	Remedy: `identity:
  jwt:
    issuer: https://login.example
    audience: shop
    keys: jwks.json
    algorithms: [ES256]`,
	Step: StepServer, Severity: Critical, OWASP: "API2:2023", CWE: 863, Conversation: []int{11, 52},
	Needs: SawContract | SawCaller,

	Inspect: believed("is for another API", "audience"),
	Admit:   disbelieved("is for another API", "audience"),
	Probe: func(t *Trial) {
		t.mint("is for another API, and the API answered", func(k *token, claims map[string]any) bool {
			other := t.Mark()
			switch claims["aud"].(type) {
			case string:
				claims["aud"] = other
			case []any:
				claims["aud"] = []string{other}
			default:
				return false
			}
			return true
		})
	},
}
