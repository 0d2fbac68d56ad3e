package check

import "net/http"

// RequestSize flags a body that is larger than anybody needs.
var RequestSize = &Check{
	ID:    "request-size",
	Title: "a body of any size is read",
	Doc: `Whoever may send a body of any size, or one nested without end, decides how
much memory and time the server spends.`,
	Fix:  "Bound size, depth and number of members before a body is parsed, and answer 413.",
	Step: StepRequest, Severity: Medium, OWASP: "API4:2023", CWE: 770, Conversation: []int{19},
	Needs: SawContract | SawBody,

	Admit: func(p *Pass) {
		if p.TooLarge {
			p.Refuse(http.StatusRequestEntityTooLarge, RequestBody("", "is larger than is read"))
		}
	},
}
