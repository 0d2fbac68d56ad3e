package check

import (
	"strings"

	"github.com/parley-project/parley/exchange"
)

// TCPIPv6Dead flags a name with IPv6 addresses that nobody serves.
var TCPIPv6Dead = &Check{
	ID:      "tcp-ipv6-dead",
	Aliases: []string{"ipv6-dead", "broken-aaaa"},
	Title:   "IPv6 addresses are advertised, and nothing answers there",
	Doc: `Clients that have IPv6 try it first. Those that do not race both kinds of
addresses (RFC 8305) wait until it fails, on every call; the others try twice as
often. It is seen when a connection to an IPv6 address was refused, or got no
answer, and one to IPv4 came about. A client that has no way to IPv6 at all says
nothing about the server.`,
	Fix:  "Serve the API on the addresses in its AAAA records, or take the records away.",
	Step: StepTCP, Severity: Low, OWASP: "API8:2023", CWE: 684, Conversation: []int{49},

	Inspect: func(p *Pass) {
		if p.TCP == nil || p.LocalName() {
			return // what this machine is called is in no AAAA record
		}
		var refused, silent *exchange.Attempt
		four := false
		for i := range p.TCP.Attempts {
			a := &p.TCP.Attempts[i]
			addr := a.Remote.Addr().Unmap()
			switch {
			case addr.Is4():
				four = four || a.Failure == ""
			case a.Failure == "":
				return // one that answers is enough
			case strings.HasPrefix(a.Failure, "refused"), strings.Contains(a.Failure, "connection refused"):
				refused = a
			case strings.HasPrefix(a.Failure, "no answer"):
				silent = a
			}
		}
		switch {
		case !four:
		case refused != nil:
			p.Find(exchange.Evidence{Where: "tcp", Name: refused.Remote.String(), Says: "refuses connections; IPv4 answers"})
		case silent != nil:
			p.Suspect(exchange.Evidence{Where: "tcp", Name: silent.Remote.String(), Says: "does not answer; IPv4 does"})
		}
	},
}
