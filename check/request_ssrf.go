package check

import "github.com/parley-project/parley/contract"

// RequestSSRF flags an API that goes wherever a request sends it.
var RequestSSRF = &Check{
	ID:      "request-ssrf",
	Aliases: []string{"ssrf"},
	Title:   "the API calls whatever address a request names",
	Doc: `A webhook, a picture or an import is named by its address, and the API fetches
it: http://127.0.0.1, a neighbour that trusts the network, the cloud's own
address that hands out keys. The caller stands outside and the call comes from
inside.`,
	Fix: "Allow https only, refuse addresses that are not public when they are dialled (not by their text), and follow no redirects.",
	Remedy: `rules:
  - operation: POST /v1/hooks
    allow: request.body.url.startsWith("https://")`,
	Step: StepRequest, Severity: High, OWASP: "API7:2023", CWE: 918, Conversation: []int{19, 23},
	Needs: SawContract | SawBody,

	Inspect: func(p *Pass) { inspectRules(p, namesAddress) },
	Admit:   func(p *Pass) { admitRules(p, namesAddress) },
}

func namesAddress(r *contract.Rule) bool { return tieOf(r) == toAddress }
