package check

import (
	"slices"

	"github.com/parley-project/parley/exchange"
)

// TLSChainInvalid flags a chain that breaks a rule of RFC 5280.
var TLSChainInvalid = &Check{
	ID:      "tls-chain-invalid",
	Aliases: []string{"bad-signature", "not-a-ca", "name-constraint", "path-length", "critical-extension", "malformed-certificate"},
	Title:   "the chain breaks a rule that certificates live by",
	Doc: `A chain is good when every certificate in it was signed by the one above, and
that one may: it is an authority, for these names, this far down, under these
policies (RFC 5280, 6.1). Where a server's certificate has signed another, where a
signature does not fit, or an authority speaks for names that are not its own,
somebody has made what he must not, and a client that does not look is deceived.`,
	Fix:  "Serve the certificates as the authority delivered them. When it delivered these, it made a mistake: have it issue them again, and find out what else it signed.",
	Step: StepTLS, Severity: High, OWASP: "API8:2023", CWE: 295, Conversation: []int{44, 50},
	Needs: SawTrust,

	Inspect: func(p *Pass) {
		found := problems(p, "key-usage")
		found = slices.DeleteFunc(found, func(t exchange.TrustProblem) bool { return !t.Fatal })
		findProblems(p, Low, append(found, problems(p, "bad-signature", "not-a-ca", "path-length", "name-constraint", "name-form",
			"unknown-critical-extension", "policy", "malformed", "inconsistent", "nothing-sent", "refused")...))
	},
}
