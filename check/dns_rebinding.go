package check

import (
	"fmt"
	"net/netip"
)

// DNSRebinding flags a public name that leads into the client's own network.
var DNSRebinding = &Check{
	ID:      "dns-rebinding",
	Aliases: []string{"rebinding", "dns-private-address"},
	Title:   "a public name leads into the client's own network",
	Doc: `Anybody can publish a name that leads to an address inside of somebody else's
network. A client that calls it is let in where the attacker is not: to this
machine, to the network's devices, to the address where clouds keep credentials.
The answer may be harmless when it is looked at and turn a moment later, so it
is asked for twice. Private networks are told as likely, and only when another
resolver leads there as well, for a company's own resolver leads its own names
there. Names of special use (RFC 6761 and others: localhost, local, internal,
test, home.arpa) and zones that are declared as local may lead anywhere.`,
	Fix:  "Connect only to addresses that were checked, not to the name again; have the resolver drop private addresses from public answers; verify Host and certificates on inner services.",
	Step: StepDNS, Severity: High, OWASP: "API7:2023", CWE: 350, Conversation: []int{43, 48},
	Needs: SawAnswers,

	Inspect: func(p *Pass) {
		if localName(p.DNS.Name, p.LocalZones) {
			return
		}
		inUse, others := opinions(p.DNS)
		if inUse != nil {
			others = append([]*opinion{inUse}, others...)
		}
		for _, o := range others {
			if a, how := o.turns(); how != "" {
				p.Find(Answers(p.DNS.Name, fmt.Sprintf("leads to %s (%s) by %s, %s", a, reachOf(a).what, o.resolver, how)))
				return
			}
		}
		for _, o := range others {
			a, r := o.inside()
			switch {
			case r.sure:
				p.Find(Answers(p.DNS.Name, fmt.Sprintf("leads to %s (%s) by %s", a, r.what, o.resolver)))
				return
			case r.what != "" && !a.IsUnspecified() && shared(others, o):
				p.Suspect(Answers(p.DNS.Name, fmt.Sprintf("leads to %s (%s) by %s", a, r.what, o.resolver)))
				return
			}
		}
	},
}

// turns returns an address of the client's own network that a resolver named
// after, or beside, one of the Internet.
func (o *opinion) turns() (a netip.Addr, how string) {
	for _, typ := range []string{"A", "AAAA"} {
		open := false
		for i, ask := range o.asks[typ] {
			var inside netip.Addr
			for _, a := range ask {
				if reachOf(a).what == "" {
					open = true
				} else if !a.IsUnspecified() {
					inside = a
				}
			}
			if inside.IsValid() && open {
				if i > 0 {
					return inside, "after another address the first time"
				}
				return inside, "beside an address of the Internet"
			}
		}
	}
	return a, ""
}

// shared reports whether another resolver leads out of the Internet as well.
func shared(os []*opinion, but *opinion) bool {
	for _, o := range os {
		if _, r := o.inside(); o != but && r.what != "" {
			return true
		}
	}
	return false
}
