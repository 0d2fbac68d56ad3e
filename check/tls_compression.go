package check

import (
	"slices"

	"github.com/parley-project/parley/exchange"
)

// TLSCompression flags servers that compress before they encrypt.
var TLSCompression = &Check{
	ID:      "tls-compression",
	Aliases: []string{"crime"},
	Title:   "the server compresses what it encrypts",
	Doc: `When a secret and a guess are compressed together, the right guess makes a
shorter record, and the length is seen by everybody on the path. So a cookie or
token is found out byte by byte. TLS 1.3 has no compression any more.`,
	Fix:  "Switch TLS compression off (OpenSSL has it off unless told otherwise), or speak TLS 1.3 only.",
	Step: StepTLS, Severity: Medium, OWASP: "API8:2023", CWE: 203, Conversation: []int{51},
	Needs: SawOffers,

	Inspect: func(p *Pass) {
		if slices.Contains(p.TLS.Offers.Features, "compression") {
			p.Find(exchange.Evidence{Where: "tls", Name: "compression", Says: "was chosen when it was offered"})
		}
	},
}
