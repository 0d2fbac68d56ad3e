package check

// AuthnJWTIssuer flags an API that believes a token of another issuer.
var AuthnJWTIssuer = &Check{
	ID:    "authn-jwt-issuer",
	Title: "a token of another issuer is believed",
	Doc: `Keys are shared between issuers more often than one thinks: test and production,
two tenants of one provider. Without a look at iss the users of the one are users
of the other.`,
	Fix: "Compare iss with the one issuer that is expected, whole (RFC 8725, 3.8).",
	Remedy: `identity:
  jwt:
    issuer: https://login.example
    audience: shop
    keys: jwks.json
    algorithms: [ES256]`,
	Step: StepServer, Severity: Critical, OWASP: "API2:2023", CWE: 346, Conversation: []int{11, 52},
	Needs: SawContract | SawCaller,

	Inspect: believed("is another issuer's", "issuer"),
	Admit:   disbelieved("is another issuer's", "issuer"),
	Probe: func(t *Trial) {
		t.mint("is another issuer's, and the API answered", func(k *token, claims map[string]any) bool {
			_, ok := claims["iss"].(string)
			claims["iss"] = "https://" + t.Mark() + ".example"
			return ok
		})
	},
}
