package check

// ResponseFrameOptions flags responses that another site may frame.
var ResponseFrameOptions = &Check{
	ID:      "response-frame-options",
	Aliases: []string{"clickjacking"},
	Title:   "response lets another site frame it",
	Doc: `A page of somebody else's can show the answer in a frame under its own
buttons (clickjacking). Old browsers know X-Frame-Options only.`,
	Fix:  "Send X-Frame-Options: DENY beside frame-ancestors 'none'.",
	Step: StepResponse, Severity: Low, OWASP: "API8:2023", CWE: 1021, Conversation: []int{35},
	Needs: SawResponse,

	Inspect: findMissing("X-Frame-Options", describesContent),
	Release: addMissing("X-Frame-Options", describesContent, func(*Pass) string { return "DENY" }),
}
