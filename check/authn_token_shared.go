package check

// AuthnTokenShared flags a token that two different programs use.
var AuthnTokenShared = &Check{
	ID:    "authn-token-shared",
	Title: "one token comes from two different clients",
	Doc: `A token belongs to the program that it was given to. When another one, by its
User-Agent, presents it within minutes, it was passed on or stolen. User-Agent
proves nothing, so this is likely and no more; nobody is refused for it.`,
	Fix:  "Find out who the second client is; revoke the token if nobody knows. Bind tokens to their client (RFC 9449, RFC 8705).",
	Step: StepServer, Severity: Medium, OWASP: "API2:2023", CWE: 294, Conversation: []int{14, 17, 18},
	Needs: SawCaller,

	Inspect: func(p *Pass) {
		if p.OtherClient {
			p.Suspect(CredentialSays("was presented by another User-Agent a short while ago"))
		}
	},
}
