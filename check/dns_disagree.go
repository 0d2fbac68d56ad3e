package check

import (
	"fmt"
	"slices"
)

// DNSDisagree flags resolvers that contradict each other, without saying who
// is right.
var DNSDisagree = &Check{
	ID:      "dns-disagree",
	Aliases: []string{"split-dns", "nxdomain-hijack"},
	Title:   "resolvers do not agree on the name",
	Doc: `Clients in different networks end at different machines, or at none. The cause
is a change that has not reached everybody, a filter, a provider that answers
for names that do not exist, or a forger; the answers alone do not tell which.
That each network gets an address near to it is how content is delivered: where
no two resolvers agree, where addresses rotate in one network, or an alias leads
all to one name, nothing is said.`,
	Fix:  "Compare with what the zone's own servers say; wait for the TTL after a change; use another resolver where one filters or invents.",
	Step: StepDNS, Severity: Medium, OWASP: "API8:2023", CWE: 345, Conversation: []int{43, 48},
	Needs: SawAnswers,

	Inspect: func(p *Pass) {
		inUse, others := opinions(p.DNS)
		if localName(p.DNS.Name, p.LocalZones) {
			return
		}
		if says, _ := forged(p, inUse, others); says != "" {
			return // said with more weight
		}
		everybody := others
		if inUse != nil {
			everybody = append([]*opinion{inUse}, others...)
		}
		var lead, none []*opinion
		for _, o := range everybody {
			switch {
			case o.answered():
				lead = append(lead, o)
			case o.none():
				none = append(none, o)
			}
		}
		if len(lead) == 0 {
			return
		}
		if len(none) > 0 && !own(lead) {
			p.Find(Answers(p.DNS.Name, fmt.Sprintf("has no address by %s, and leads to %s by %s", names(none), lead[0].list(), names(lead))))
			return
		}
		if a, b := camps(lead); b != nil {
			p.Suspect(Answers(p.DNS.Name, fmt.Sprintf("leads to %s by %s, and to %s by %s", a[0].list(), names(a), b[0].list(), names(b))))
		}
	},
}

// own reports whether a name leads into a private network only: what others do
// not know is then the network's own name.
func own(lead []*opinion) bool {
	return all(lead, func(o *opinion) bool {
		_, r := o.inside()
		return r.what != ""
	})
}

// camps divides resolvers that do not agree into those that agree with the
// first one and the rest; b is nil when there is nothing to say.
func camps(lead []*opinion) (a, b []*opinion) {
	if len(lead) > 2 && apart(lead) || slices.ContainsFunc(lead, (*opinion).rotates) {
		return nil, nil
	}
	a = lead[:1:1]
	for _, o := range lead[1:] {
		if differ(lead[0], o) {
			b = append(b, o)
		} else {
			a = append(a, o)
		}
	}
	for _, o := range b {
		if sameEnd(lead[0], o) {
			return nil, nil
		}
	}
	if len(b) > 1 && apart(b) {
		return nil, nil
	}
	return a, b
}
