package check

// AuthnJWTKey flags an API that believes a token by a key it does not know.
var AuthnJWTKey = &Check{
	ID:    "authn-jwt-key",
	Title: "a token by an unknown key is believed",
	Doc: `The token names a key that the API never published, and the API passes over
the verification instead of refusing: somebody else signed it, or nobody did.`,
	Fix: "Refuse a token whose key is not among those of the issuer; never skip verification for want of a key.",
	Remedy: `identity:
  jwt:
    issuer: https://login.example
    audience: shop
    keys: jwks.json
    algorithms: [ES256]`,
	Step: StepServer, Severity: Critical, OWASP: "API2:2023", CWE: 347, Conversation: []int{11, 52},
	Needs: SawContract | SawCaller,

	Inspect: believed("names a key that is not known", "key"),
	Admit:   disbelieved("names a key that is not known", "key"),
	Probe: func(t *Trial) {
		t.forge("is signed with a key that nobody knows, and the API answered", func(k *token) []string {
			return []string{
				k.signed(t.ownKey(k.alg), map[string]any{"kid": t.Mark()}),
				k.signed(t.ownKey(k.alg), map[string]any{"kid": nil}),
			}
		}, func(k *token) string {
			return k.signed(t.ownKey(k.alg), map[string]any{"alg": unknownAlgorithm, "kid": t.Mark()})
		})
	},
}
