package check

import (
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// TLSOldVersion flags servers that speak versions of TLS that were given up.
var TLSOldVersion = &Check{
	ID:      "tls-old-version",
	Aliases: []string{"old-tls", "sslv3", "poodle"},
	Title:   "the server speaks a version of TLS that was given up",
	Doc: `SSL 2.0 and 3.0 are broken, and TLS 1.0 and 1.1 rest on MD5 and SHA-1 and know
no authenticated encryption. RFC 6176, RFC 7568 and RFC 8996 forbid them. Clients
of today need none of them; whoever stands on the path may make a client use the
oldest that both sides take.`,
	Fix:  "Speak TLS 1.2 and 1.3 only, such as: ssl_protocols TLSv1.2 TLSv1.3;",
	Step: StepTLS, Severity: Medium, OWASP: "API8:2023", CWE: 327, Conversation: []int{42, 51},
	Needs: SawTransport,

	Inspect: func(p *Pass) {
		var ev []exchange.Evidence
		if old(p.TLS.Version) {
			ev = append(ev, exchange.Evidence{Where: "tls", Name: p.TLS.Version, Says: "was agreed on"})
		}
		if o := p.TLS.Offers; o != nil {
			for _, v := range o.Versions {
				if old(v.Version) && v.Version != p.TLS.Version {
					ev = append(ev, exchange.Evidence{Where: "tls", Name: v.Version, Says: "is accepted"})
				}
			}
		}
		if ev != nil {
			p.Find(ev...)
		}
	},
}

func old(version string) bool {
	return slices.Contains([]string{"TLS 1.0", "TLS 1.1"}, version) || strings.HasPrefix(version, "SSL ")
}
