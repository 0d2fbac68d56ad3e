package check

import "github.com/parley-project/parley/contract"

// AuthzMethod flags PUT, DELETE and the like that need no permission.
var AuthzMethod = &Check{
	ID:    "authz-method",
	Title: "a method that changes things needs no permission",
	Doc: `Reading is open to all, and so is writing: the API offers PUT and DELETE at
the same address and asks nobody for a role. Whoever guesses the URL pattern
overwrites or removes what belongs to the shop.`,
	Fix: "Authorize each method by itself; what may be read by all may still be changed by few.",
	Remedy: `rules:
  - operation: DELETE /v1/products/{id}
    allow: '"admin" in caller.roles'`,
	Step: StepServer, Severity: Critical, OWASP: "API5:2023", CWE: 285, Conversation: []int{8, 52},
	Needs: SawContract | SawBody,

	Inspect: func(p *Pass) { inspectRules(p, functionWrite(p)) },
	Admit:   func(p *Pass) { admitRules(p, functionWrite(p)) },

	Probe: func(t *Trial) { t.probeWrites(true) },
}

func functionWrite(p *Pass) func(*contract.Rule) bool {
	return func(r *contract.Rule) bool { return !aboutObject(r) && p.Unsafe() }
}
