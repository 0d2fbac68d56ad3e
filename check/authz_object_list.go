package check

import "github.com/parley-project/parley/contract"

// AuthzObjectList flags a list that holds the objects of others.
var AuthzObjectList = &Check{
	ID:    "authz-object-list",
	Title: "a list holds everybody's objects",
	Doc: `Asked without a filter, the list leaves out the one filter that matters: whose.
One request reads what counting through the numbers would take a night for.`,
	Fix: "Select by the verified caller in the query itself, and only then by what the client asks.",
	Remedy: `rules:
  - operation: GET /v1/orders
    allow: response.items.all(o, o.user_id == caller.id)`,
	Step: StepServer, Severity: Critical, OWASP: "API1:2023", CWE: 639, Conversation: []int{9, 52},
	Needs: SawContract | SawBody,

	Inspect: func(p *Pass) { inspectRules(p, objectList) },
	Release: func(p *Pass) { releaseRules(p, objectList) },
}

func objectList(r *contract.Rule) bool { return tieOf(r) == toItems }
