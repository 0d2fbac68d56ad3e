package check

import (
	"net/http"
	"strconv"
)

// StatusUndeclared flags a success that the contract does not name.
var StatusUndeclared = &Check{
	ID:    "status-undeclared",
	Title: "a success that the contract does not name",
	Doc: `200, 201 and 204 mean success, each in its place. One in the place of another is
often a failure that was caught too late, and whoever counts by status counts
wrong.`,
	Fix:  "Answer with the status that the contract declares, or declare the one that is answered.",
	Step: StepResponse, Severity: Low, OWASP: "API8:2023", CWE: 684, Conversation: []int{21, 30},
	Needs: SawContract | SawResponse,

	Inspect: func(p *Pass) {
		op, s := p.Operation(), p.Response.Status
		if op == nil || !p.Success() || s == http.StatusPartialContent || p.Request.Method == "OPTIONS" {
			return
		}
		if op.Response(s) == nil && len(op.Statuses()) > 0 {
			p.Find(Status(strconv.Itoa(s) + " is not declared for this operation"))
		}
	},
}
