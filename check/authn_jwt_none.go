package check

// AuthnJWTNone flags an API that believes a token which nobody signed.
var AuthnJWTNone = &Check{
	ID:    "authn-jwt-none",
	Title: "a token that nobody signed is believed",
	Doc: `The token itself says how it is signed, and an API that lets it say "none"
accepts what anybody wrote: a name, a role, a date in the next century.`,
	Fix:  "Fix the algorithms on the server (RFC 8725, 3.1); none is never one of them.",
	Step: StepServer, Severity: Critical, OWASP: "API2:2023", CWE: 347, Conversation: []int{11, 52},
	Needs: SawContract | SawCaller,

	Inspect: believed("is not signed", "unsigned"),
	Admit:   disbelieved("is not signed", "unsigned"),
	Probe: func(t *Trial) {
		t.forge("is the person's own without its signature, and the API answered", func(k *token) (all []string) {
			for _, alg := range []string{"none", "None", "NONE", "nOnE"} { // lists of what is refused have one of them
				all = append(all, k.signed(nil, map[string]any{"alg": alg}))
			}
			return all
		}, func(k *token) string { return k.signed(nil, map[string]any{"alg": unknownAlgorithm}) })
	},
}
