package check

// AuthnJWTHeader flags an API that verifies a token with the key that it brings along.
var AuthnJWTHeader = &Check{
	ID:    "authn-jwt-header",
	Title: "a token is verified with the key that it brings along",
	Doc: `A token may carry a key (jwk, x5c) or an address to fetch one from (jku, x5u).
An API that uses either lets every token prove itself, and one that fetches can
be sent to addresses inside.`,
	Fix:  "Ignore jwk, jku, x5c and x5u, or compare them with a fixed list; take keys from the issuer alone (RFC 8725, 3.10).",
	Step: StepServer, Severity: Critical, OWASP: "API2:2023", CWE: 347, Conversation: []int{11, 52},
	Needs: SawContract | SawCaller,

	Inspect: believed("brings its own key", "own-key"),
	Admit:   disbelieved("brings its own key", "own-key"),
}
