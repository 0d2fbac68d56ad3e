package check

import "github.com/parley-project/parley/contract"

// AuthzObjectWrite flags another's object changed by whoever knows its number.
var AuthzObjectWrite = &Check{
	ID:    "authz-object-write",
	Title: "anyone can change another's object",
	Doc: `The API lets a caller replace or change an object without asking whose it
is. It is BOLA with lasting damage: the owner reads back what a stranger wrote.`,
	Fix: "Look the object up by its key and its owner together before writing; answer 404 or 403 when they do not match.",
	Remedy: `rules:
  - operation: PATCH /v1/orders/{id}
    owner: object.user_id`,
	Step: StepServer, Severity: Critical, OWASP: "API1:2023", CWE: 639, Conversation: []int{8, 9, 52},
	Needs: SawContract | SawBody,

	Inspect: func(p *Pass) { inspectRules(p, objectWrite(p)) },
	Admit:   func(p *Pass) { admitRules(p, objectWrite(p)) },
}

func objectWrite(p *Pass) func(*contract.Rule) bool {
	return func(r *contract.Rule) bool {
		return tieOf(r) == toObject && p.Unsafe() && p.Request.Method != "DELETE"
	}
}
