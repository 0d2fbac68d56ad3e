package check

import "github.com/parley-project/parley/contract"

// AuthzObjectDelete flags another's object removed by whoever knows its number.
var AuthzObjectDelete = &Check{
	ID:    "authz-object-delete",
	Title: "anyone can delete another's object",
	Doc: `The API removes an object for any caller who is logged in. Numbers are easy
to guess, so one stranger can empty the whole collection.`,
	Fix: "Delete by key and owner together; answer 404 or 403 when they do not match.",
	Remedy: `rules:
  - operation: DELETE /v1/orders/{id}
    owner: object.user_id`,
	Step: StepServer, Severity: Critical, OWASP: "API1:2023", CWE: 639, Conversation: []int{7, 8, 9, 52},
	Needs: SawContract | SawBody,

	Inspect: func(p *Pass) { inspectRules(p, objectDelete(p)) },
	Admit:   func(p *Pass) { admitRules(p, objectDelete(p)) },
}

func objectDelete(p *Pass) func(*contract.Rule) bool {
	return func(r *contract.Rule) bool {
		return tieOf(r) == toObject && p.Request.Method == "DELETE"
	}
}
