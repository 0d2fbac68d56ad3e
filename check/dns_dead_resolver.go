package check

// DNSDeadResolver flags a resolver that gives no answer.
var DNSDeadResolver = &Check{
	ID:      "dns-dead-resolver",
	Aliases: []string{"dead-resolver"},
	Title:   "a resolver gives no answer",
	Doc: `A client waits seconds for a resolver that does not answer before it asks the
next, for every name anew, and stands still when that one fails as well. A
resolver that cannot be read, or that refuses what others answer, is no better.
Where all of them say that they got no answer it is the zone that fails, and
nothing is said of them.`,
	Fix:  "Take the resolver out of the configuration, or mend it; have at least two that answer.",
	Step: StepDNS, Severity: Low, OWASP: "API8:2023", CWE: 684, Conversation: []int{48},
	Needs: SawAnswers,

	Inspect: func(p *Pass) {
		inUse, others := opinions(p.DNS)
		if inUse != nil {
			others = append([]*opinion{inUse}, others...)
		}
		alive := false
		for _, o := range others {
			_, dead := o.dead()
			alive = alive || !dead
		}
		for _, o := range others {
			if why, dead := o.dead(); dead && (alive || !o.spoke) {
				p.Find(Answers(p.DNS.Name, "got no answer from "+o.resolver+": "+why))
			}
		}
	},
}
