package check

// AuthnJWTAlgorithm flags an API that lets a token choose how it is verified.
var AuthnJWTAlgorithm = &Check{
	ID:    "authn-jwt-algorithm",
	Title: "a token chooses the algorithm that it is verified with",
	Doc: `A server that verifies with whatever algorithm the token names can be handed
its own public key as a shared secret: what was made to be published then signs
tokens (RS256 or ES256 turned into HS256).`,
	Fix: "Bind each key to one algorithm and refuse every other before the key is used (RFC 8725, 3.1).",
	Remedy: `identity:
  jwt:
    issuer: https://login.example
    audience: shop
    keys: jwks.json
    algorithms: [ES256]`,
	Step: StepServer, Severity: Critical, OWASP: "API2:2023", CWE: 327, Conversation: []int{11, 52},
	Needs: SawContract | SawCaller,

	Inspect: believed("names an algorithm that is not allowed", "algorithm"),
	Admit:   disbelieved("names an algorithm that is not allowed", "algorithm"),
	Probe: func(t *Trial) {
		t.forge("is signed with the public key as a secret, and the API answered", func(k *token) (all []string) {
			if k.secret() {
				return nil
			}
			keys := t.published()
			for _, own := range []bool{true, false} { // the key that the token names, or else any
				for _, key := range keys {
					if len(all) > 0 && !own || own && key.kid != k.kid {
						continue
					}
					for _, secret := range key.asSecrets() {
						all = append(all, k.signed(secretSigner("HS256", secret), nil))
					}
				}
			}
			return all[:min(len(all), 2*maxPublished)]
		}, func(k *token) string { return k.signed(secretSigner("HS256", []byte(t.Mark())), nil) })
	},
}
