package check

import "fmt"

// DNSForged flags a name that the resolver in use leads somewhere else.
var DNSForged = &Check{
	ID:      "dns-forged",
	Aliases: []string{"dns-spoof", "dns-hijack", "cache-poisoning"},
	Title:   "the resolver in use leads the name elsewhere",
	Doc: `Whoever answers for a name decides which machine gets the call. The answer of
the resolver in use is held against those of others. It is confirmed as forged
when it leads to this machine or a link-local address while others lead to the
Internet, when it claims to be validated but leaves out the signatures that
others got (RFC 4035, 3.2), and when it comes without signatures while two
resolvers, over channels that prove who answers, name one other address, signed.
It is likely where these two agree without signatures, where it leads to a
private network (which a company may do for its own names), and where answers
came that do not belong to the question: somebody is guessing. Addresses of one
network, or behind one alias, are not taken for a forgery.`,
	Fix:  "Use a validating resolver over DoT or DoH on this host, find who answers in its place, and sign the zone. Until then no certificate warning may be overridden.",
	Step: StepDNS, Severity: Critical, OWASP: "API8:2023", CWE: 345, Conversation: []int{43, 44},
	Needs: SawAnswers,

	Inspect: func(p *Pass) {
		inUse, others := opinions(p.DNS)
		if ev, sure := forged(p, inUse, others); ev != "" {
			if sure {
				p.Find(Answers(p.DNS.Name, ev))
			} else {
				p.Suspect(Answers(p.DNS.Name, ev))
			}
			return
		}
		if inUse != nil && inUse.stray > 0 && inUse.answered() {
			p.Suspect(Answers(p.DNS.Name, fmt.Sprintf("got %d answers at %s that do not belong to the question: somebody guesses", inUse.stray, inUse.resolver)))
		}
	},
}

// forged says in which way the answer in use contradicts the others, or
// nothing.
func forged(p *Pass, inUse *opinion, others []*opinion) (says string, sure bool) {
	if inUse == nil || !inUse.answered() || localName(p.DNS.Name, p.LocalZones) {
		return "", false
	}
	var open, odd []*opinion // that lead to the Internet, and elsewhere
	for _, o := range others {
		if !o.answered() {
			continue
		}
		if o.public() {
			open = append(open, o)
		}
		if differ(inUse, o) {
			odd = append(odd, o)
		} else if inUse.public() {
			return "", false // somebody agrees
		}
	}
	if _, how := inUse.turns(); how != "" {
		return "", false // whoever owns the name does that: rebinding
	}
	if a, r := inUse.inside(); r.what != "" && len(open) > 0 {
		if a.IsUnspecified() {
			return "", false // a block list: they disagree
		}
		return fmt.Sprintf("leads to %s (%s) by %s, and to %s by %s", a, r.what, inUse.resolver, open[0].list(), names(open)), r.sure
	}
	var proved, signed []*opinion
	for _, o := range odd {
		if sameEnd(inUse, o) {
			return "", false
		}
		if o.proved && far(inUse, o) {
			proved = append(proved, o)
		}
		if o.signed {
			signed = append(signed, o)
		}
	}
	contradicts := func(os []*opinion, first, last string) string {
		return fmt.Sprintf("leads to %s by %s%s, and to %s by %s%s", inUse.list(), inUse.resolver, first, os[0].list(), names(os), last)
	}
	switch {
	case len(odd) == 0:
		return "", false
	case inUse.visible && inUse.claimed && len(signed) > 0:
		return contradicts(signed, " (\"validated\", without a signature)", ", signed"), true
	case len(proved) >= 2 && alike(proved):
		bySignature := inUse.visible && !inUse.signed && all(proved, func(o *opinion) bool { return o.signed })
		if bySignature {
			return contradicts(proved, "", ", signed, over channels that prove who answers"), true
		}
		return contradicts(proved, "", ", over channels that prove who answers"), false
	case len(proved) > 0 && proved[0].signed && inUse.visible && !inUse.signed && alike(odd):
		return contradicts(proved[:1], "", ", signed, over a channel that proves who answers"), false
	}
	return "", false
}
