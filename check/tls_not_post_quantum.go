package check

import (
	"strings"

	"github.com/parley-project/parley/exchange"
)

// TLSNotPostQuantum tells of servers without a post-quantum key exchange.
var TLSNotPostQuantum = &Check{
	ID:      "tls-not-post-quantum",
	Aliases: []string{"post-quantum", "pqc"},
	Title:   "recorded traffic waits for a quantum computer",
	Doc: `No computer breaks elliptic curves today. What is recorded today can be opened by
one that does so later. The hybrid group X25519MLKEM768 prevents that, and clients
of today prefer it; it needs TLS 1.3.`,
	Fix:  "Add X25519MLKEM768 before the other groups (OpenSSL 3.5, Go 1.24 and later have it).",
	Step: StepTLS, Severity: Info, OWASP: "API8:2023", CWE: 326, Conversation: []int{50},
	Needs: SawOffers,

	Inspect: func(p *Pass) {
		o := p.TLS.Offers
		if len(o.Versions) == 0 || o.Incomplete != "" { // what was not seen is not missing
			return
		}
		best := ""
		for _, v := range o.Versions {
			for _, g := range v.Groups {
				if strings.Contains(g, "MLKEM") {
					return
				}
				if best == "" {
					best = g
				}
			}
		}
		if best == "" {
			p.Find(exchange.Evidence{Where: "tls", Name: o.Versions[0].Version, Says: "is taken without a hybrid group"})
			return
		}
		p.Find(exchange.Evidence{Where: "group", Name: best, Says: "is the best one, and no hybrid group is taken"})
	},
}
