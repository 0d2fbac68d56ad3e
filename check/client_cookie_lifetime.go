package check

import (
	"strings"
	"time"

	"github.com/parley-project/parley/identity"
)

// ClientCookieLifetime flags session cookies that outlive the session.
var ClientCookieLifetime = &Check{
	ID:      "client-cookie-lifetime",
	Aliases: []string{"cookie-max-age"},
	Title:   "the session's cookie is kept for more than a month",
	Doc: `A cookie that a client keeps for months is a session for whoever gets hold of
the machine, a backup of it or the browser's profile meanwhile.`,
	Fix:  "Let the cookie end with the browser's session, or within days, and renew it while it is used.",
	Step: StepClient, Severity: Low, OWASP: "API2:2023", CWE: 613, Conversation: []int{45, 54},
	Needs: SawResponse | SawClient,

	Inspect: func(p *Pass) {
		eachCookie(p, func(name string, attribute func(string) (string, bool)) {
			var life time.Duration
			if v, ok := attribute("max-age"); ok {
				life, _ = time.ParseDuration(strings.TrimSpace(v) + "s")
			} else if v, ok := attribute("expires"); ok {
				if t, ok := identity.ParseCookieDate(v); ok {
					life = t.Sub(p.Now)
				}
			}
			if life > 31*24*time.Hour {
				p.Find(Cookie(name, "is kept for more than a month"))
			}
		})
	},
}
