package check

// ResponseNosniff flags responses whose type a browser may guess.
var ResponseNosniff = &Check{
	ID:      "response-nosniff",
	Aliases: []string{"nosniff"},
	Title:   "response lets a browser guess its type",
	Doc: `Without X-Content-Type-Options a browser may take JSON or text that an
attacker wrote for a page or a script.`,
	Fix:  "Send X-Content-Type-Options: nosniff.",
	Step: StepResponse, Severity: Low, OWASP: "API8:2023", CWE: 430, Conversation: []int{34},
	Needs: SawResponse,

	Inspect: findMissing("X-Content-Type-Options", describesContent),
	Release: addMissing("X-Content-Type-Options", describesContent, func(*Pass) string { return "nosniff" }),
}
