package check

import "github.com/parley-project/parley/contract"

// AuthzObject flags another's object read by whoever knows its number.
var AuthzObject = &Check{
	ID:      "authz-object",
	Aliases: []string{"bola", "idor"},
	Title:   "anyone can read another's object",
	Doc: `The API checks that an object exists, not whose it is. Whoever changes the
number in the path reads somebody else's order, profile or account (broken
object level authorization, BOLA).`,
	Fix: "Compare the object's owner with the caller on every read; answer 404 or 403 to everybody else.",
	Remedy: `rules:
  - operation: GET /v1/orders/{id}
    owner: response.user_id
    hide_existence: true`,
	Step: StepServer, Severity: Critical, OWASP: "API1:2023", CWE: 639, Conversation: []int{9, 52},
	Needs: SawContract | SawBody,

	Inspect: func(p *Pass) { inspectRules(p, objectRead(p)) },
	Admit:   func(p *Pass) { admitRules(p, objectRead(p)) },
	Release: func(p *Pass) { releaseRules(p, objectRead(p)) },
}

func objectRead(p *Pass) func(*contract.Rule) bool {
	return func(r *contract.Rule) bool { return tieOf(r) == toObject && !p.Unsafe() }
}
