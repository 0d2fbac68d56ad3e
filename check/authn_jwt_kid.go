package check

// AuthnJWTKid flags an API that uses the key name of a token as a path or a query.
var AuthnJWTKid = &Check{
	ID:    "authn-jwt-kid",
	Title: "a token's key name is used as a path or a query",
	Doc: `The kid of a token is text that anybody wrote. An API that opens the file or
runs the query that it spells can be led to a key that the attacker knows: an
empty file, a constant in a UNION.`,
	Fix:  "Look kid up in the list of known keys by comparison, and in nothing else (RFC 8725, 3.10).",
	Step: StepServer, Severity: Critical, OWASP: "API2:2023", CWE: 20, Conversation: []int{11, 52},
	Needs: SawContract | SawCaller,

	Inspect: believed("names its key with a path or a query", "kid"),
	Admit:   disbelieved("names its key with a path or a query", "kid"),
}
