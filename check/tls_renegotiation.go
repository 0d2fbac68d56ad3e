package check

import (
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// TLSRenegotiation flags servers that do not tie a new handshake to the old one.
var TLSRenegotiation = &Check{
	ID:      "tls-renegotiation",
	Aliases: []string{"renegotiation"},
	Title:   "a second handshake is not tied to the first",
	Doc: `A server without RFC 5746 cannot tell whether a renegotiation comes from who
began the connection. Someone on the path begins it, sends half a request, and lets
the client's own handshake and credential follow: the server takes both for one
client's. Clients of today refuse such servers.`,
	Fix:  "Use a TLS library that knows RFC 5746 (all since 2010), or speak TLS 1.3 only, which has no renegotiation.",
	Step: StepTLS, Severity: Medium, OWASP: "API8:2023", CWE: 345, Conversation: []int{51},
	Needs: SawOffers,

	Inspect: func(p *Pass) {
		o := p.TLS.Offers
		if slices.Contains(o.Features, "secure-renegotiation") {
			return
		}
		for _, v := range o.Versions {
			if strings.HasPrefix(v.Version, "TLS ") && v.Version != "TLS 1.3" {
				p.Find(exchange.Evidence{Where: "tls", Name: v.Version, Says: "has no renegotiation_info"})
				return
			}
		}
	},
}
