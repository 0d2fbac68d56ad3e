package check

import "github.com/parley-project/parley/contract"

// AuthzBodyOwner flags an API that believes the user named in the body.
var AuthzBodyOwner = &Check{
	ID:    "authz-body-owner",
	Title: "the user named in the body is believed",
	Doc: `A payment, an order, a message says in its body whose it is. Changing
from_user_id pays with another's money, though the token says who really asks.`,
	Fix: "Take the user from the verified token; accept the member only when it names the caller.",
	Remedy: `rules:
  - operation: POST /v1/transfers
    allow: '!has(request.body.from_id) || request.body.from_id == caller.id'`,
	Step: StepServer, Severity: Critical, OWASP: "API1:2023", CWE: 639, Conversation: []int{9, 52},
	Needs: SawContract | SawBody,

	Inspect: func(p *Pass) { inspectRules(p, bodyOwner) },
	Admit:   func(p *Pass) { admitRules(p, bodyOwner) },
	Release: func(p *Pass) { releaseRules(p, bodyOwner) },
}

func bodyOwner(r *contract.Rule) bool { return tieOf(r) == toBody }
