package check

import (
	"slices"

	"github.com/parley-project/parley/exchange"
)

// TLSCertificatePurpose flags a certificate that is meant for something else.
var TLSCertificatePurpose = &Check{
	ID:      "tls-certificate-purpose",
	Aliases: []string{"extended-key-usage", "eku", "key-usage"},
	Title:   "the certificate is not meant for a server",
	Doc: `A certificate says what its key is for (RFC 5280, 4.2.1.12), and so do the
authorities above it. One for clients, mail or code must not prove a server:
they are given out by other rules, often to many people. A key that is not meant
for signing cannot prove a handshake; strict clients refuse it.`,
	Fix:  "Have a certificate issued for server authentication (serverAuth), with digitalSignature as its key usage.",
	Step: StepTLS, Severity: High, OWASP: "API8:2023", CWE: 295, Conversation: []int{44, 50},
	Needs: SawTrust,

	Inspect: func(p *Pass) {
		findProblems(p, Low, slices.DeleteFunc(problems(p, "purpose", "key-usage"), func(t exchange.TrustProblem) bool {
			return t.Kind == "key-usage" && t.Fatal // of an authority: tls-chain-invalid
		}))
	},
}
