package check

import (
	"net/http"
	"slices"
)

// ClientCSRF flags changes that another site's page can make a browser ask for.
var ClientCSRF = &Check{
	ID:      "client-csrf",
	Aliases: []string{"csrf", "xsrf"},
	Title:   "another site's page can make the browser ask for a change",
	Doc: `A browser adds the session's cookie by itself, also to a request that
somebody else's page makes (cross-site request forgery). What tells them apart is
Sec-Fetch-Site and Origin.`,
	Fix:  "Refuse changes with a cookie whose Origin is not the API's own, and set SameSite.",
	Step: StepClient, Severity: High, OWASP: "API8:2023", CWE: 352, Conversation: []int{45},
	Needs: SawContract | SawCaller,

	Inspect: func(p *Pass) {
		if says, bad := crossSite(p); bad && p.Request.Header.Has("Origin") && p.Success() {
			p.Find(Header("Origin", says+", and the API did it"))
		}
	},
	Admit: func(p *Pass) {
		if says, bad := crossSite(p); bad {
			p.Refuse(http.StatusForbidden, Header("Origin", says))
		}
	},
}

// crossSite reports whether a change comes with a cookie and without proof
// that the API's own page asked for it.
func crossSite(p *Pass) (says string, bad bool) {
	c := p.Credential()
	if c == nil || c.Carrier != "cookie" || !p.Unsafe() {
		return "", false
	}
	origin := p.Request.Header.Get("Origin")
	if origin != "" && allowedOrigin(p, origin) {
		return "", false
	}
	switch p.Request.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return "", false
	case "":
		if origin == "" {
			return "is missing from a change made with a cookie", true
		}
		return "is another site's", true
	}
	return "is another site's", true
}

// allowedOrigin reports whether an origin is the request's own or one that the
// policy lets read answers.
func allowedOrigin(p *Pass, origin string) bool {
	if origin == p.Request.Scheme+"://"+p.Request.Authority {
		return true
	}
	return p.Contract != nil && p.Contract.CORS != nil && slices.Contains(p.Contract.CORS.Origins, origin)
}
