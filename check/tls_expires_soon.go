package check

import (
	"fmt"
	"time"
)

// TLSExpiresSoon flags a certificate whose renewal is late.
var TLSExpiresSoon = &Check{
	ID:      "tls-expires-soon",
	Aliases: []string{"expires-soon", "certificate-expiry"},
	Title:   "the certificate expires soon",
	Doc: `Certificates are renewed by programs, at a third of their lifetime left. One
that is past that has perhaps been forgotten; at a tenth it is urgent. The time
left is held against the lifetime and not against a number of days, because
lifetimes shrink: two days are plenty for a certificate of a week, and nothing
for one of a year.`,
	Fix:  "Find out why it has not been renewed: the program that should, its rights, its way to the authority. Then watch the date from outside.",
	Step: StepTLS, Severity: Medium, OWASP: "API8:2023", CWE: 298, Conversation: []int{50},
	Needs: SawTrust,

	Inspect: func(p *Pass) {
		if len(p.TLS.Chain) == 0 {
			return
		}
		c := p.TLS.Chain[0]
		life, left := c.NotAfter.Sub(c.NotBefore), c.NotAfter.Sub(p.Now)
		if c.NotAfter.IsZero() || life <= 0 || left < 0 || left >= life/3 || p.Now.Before(c.NotBefore) {
			return
		}
		p.Find(Certificate(fmt.Sprintf("expires on %s: %s of %s are left", c.NotAfter.UTC().Format("2006-01-02 15:04 MST"), span(left), span(life))))
		if left > life/10 {
			p.found[len(p.found)-1].Severity = Low
		}
	},
}

// span is a time in hours or days.
func span(d time.Duration) string {
	if d < 48*time.Hour {
		return fmt.Sprintf("%d hours", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}
