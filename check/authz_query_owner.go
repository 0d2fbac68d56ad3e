package check

import "github.com/parley-project/parley/contract"

// AuthzQueryOwner flags an API that believes the user named in the query.
var AuthzQueryOwner = &Check{
	ID:    "authz-query-owner",
	Title: "the user named in the query is believed",
	Doc: `A list is selected by a user number that the client sends. Changing
user_id=101 to 102 shows another's list, though the token says who really asks.`,
	Fix: "Take the user from the verified token; accept the parameter only when it names the caller.",
	Remedy: `rules:
  - operation: GET /v1/orders
    allow: '!has(request.query.user_id) || request.query.user_id == caller.id'`,
	Step: StepServer, Severity: Critical, OWASP: "API1:2023", CWE: 639, Conversation: []int{9, 52},
	Needs: SawContract | SawBody,

	Inspect: func(p *Pass) { inspectRules(p, queryOwner) },
	Admit:   func(p *Pass) { admitRules(p, queryOwner) },
	Release: func(p *Pass) { releaseRules(p, queryOwner) },
}

func queryOwner(r *contract.Rule) bool { return tieOf(r) == toQuery }
