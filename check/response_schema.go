package check

import "github.com/parley-project/parley/internal/jsonscan"

// ResponseSchema flags answers that break the contract.
var ResponseSchema = &Check{
	ID:    "response-schema",
	Title: "response breaks its schema",
	Doc: `The contract promises one shape and the API sends another. Clients that
believe the contract fail, and checks that rely on it see less than they should.`,
	Fix:  "Mend the answer or the contract, whichever is wrong.",
	Step: StepResponse, Severity: Low, OWASP: "API9:2023", CWE: 1059, Conversation: []int{31, 37},
	Needs: SawContract | SawReply,

	Inspect: func(p *Pass) {
		r := p.Input.Reply
		if r == nil {
			return
		}
		if r.Result.Fault != nil {
			p.Find(ResponseBody(r.Result.Fault.Pointer, string(r.Result.Fault.Kind)))
			return
		}
		for i := range r.Result.Violations {
			if v := &r.Result.Violations[i]; v.Kind == jsonscan.Invalid {
				p.Find(ResponseBody(v.Pointer, v.Keyword+" "+v.Detail))
				return
			}
		}
	},
}
