package check

// AuthnJWTExpired flags an API that believes a token whose time is over.
var AuthnJWTExpired = &Check{
	ID:    "authn-jwt-expired",
	Title: "a token whose time is over is believed",
	Doc: `Tokens leak: into logs, backups, a lost telephone. Their time is what bounds the
harm, as long as somebody looks at it.`,
	Fix:  "Require exp, check it and nbf on every request with at most a minute of leeway, and answer 401.",
	Step: StepServer, Severity: High, OWASP: "API2:2023", CWE: 613, Conversation: []int{11, 18, 24, 52},
	Needs: SawContract | SawCaller,

	Inspect: believed("is outside of its time", "expired", "not-yet"),
	Admit:   disbelieved("is outside of its time", "expired", "not-yet"),
}
