package check

// ResponseCSP flags responses that do not say what a page may load.
var ResponseCSP = &Check{
	ID:      "response-csp",
	Aliases: []string{"csp"},
	Title:   "response does not say what a page may load",
	Doc: `A browser that is led to render an answer runs what stands in it. A
Content-Security-Policy that allows nothing makes an API's answers inert.`,
	Fix:  "Send Content-Security-Policy: default-src 'none'; frame-ancestors 'none' with JSON, and a policy of its own with each page.",
	Step: StepResponse, Severity: Low, OWASP: "API8:2023", CWE: 1021, Conversation: []int{32},
	Needs: SawResponse,

	Inspect: findMissing("Content-Security-Policy", describesContent),
	Release: addMissing("Content-Security-Policy", describesContent, func(p *Pass) string {
		if rendered(p) { // what a page needs is its author's to say; these break none
			return "base-uri 'self'; object-src 'none'; frame-ancestors 'none'"
		}
		return "default-src 'none'; frame-ancestors 'none'"
	}),
}
