package check

import "github.com/parley-project/parley/contract"

// AuthzFunction flags an administrator's function that anybody may call.
var AuthzFunction = &Check{
	ID:      "authz-function",
	Aliases: []string{"bfla"},
	Title:   "an administrator's function answers everybody",
	Doc: `Being logged in is taken for being allowed. A customer who finds the
address of a report or of the list of all users reads it (broken function level
authorization, BFLA).`,
	Fix: "Ask for the role or scope on every function, in one place that refuses by default.",
	Remedy: `rules:
  - operation: GET /v1/admin/**
    allow: '"admin" in caller.roles'`,
	Step: StepServer, Severity: Critical, OWASP: "API5:2023", CWE: 285, Conversation: []int{25, 52},
	Needs: SawContract | SawBody,

	Inspect: func(p *Pass) { inspectRules(p, functionRead(p)) },
	Admit: func(p *Pass) {
		refuseUnjudged(p)
		admitRules(p, functionRead(p))
	},
	Release: func(p *Pass) { releaseRules(p, functionRead(p)) },
}

func functionRead(p *Pass) func(*contract.Rule) bool {
	return func(r *contract.Rule) bool { return !aboutObject(r) && !p.Unsafe() }
}

// refuseUnjudged refuses an operation that no rule speaks of, when the policy
// says that such are denied.
func refuseUnjudged(p *Pass) {
	op := p.Operation()
	if op != nil && p.Contract.Default == contract.Deny && len(op.Rules) == 0 && !op.Public {
		p.Refuse(403, RuleSays("default: deny", "and no rule speaks of "+op.Name))
	}
}
