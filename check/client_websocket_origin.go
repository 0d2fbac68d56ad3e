package check

import (
	"net/http"
	"strings"
)

// ClientWebSocketOrigin flags a WebSocket that any site's page may open.
var ClientWebSocketOrigin = &Check{
	ID:    "client-websocket-origin",
	Title: "any site's page may open a WebSocket in the visitor's name",
	Doc: `The same-origin policy does not hold for WebSockets: a browser opens one for
any page, with the cookies of where it leads. Only the server can look at Origin,
and from then on both sides may speak unasked.`,
	Fix:  "Compare Origin with your own at the upgrade (RFC 6455, 10.2), and refuse with 403.",
	Step: StepClient, Severity: High, OWASP: "API8:2023", CWE: 1385, Conversation: []int{1, 45},
	Needs: SawContract,

	Inspect: func(p *Pass) {
		if says := foreignSocket(p); says != "" && p.Response != nil && p.Response.Status == http.StatusSwitchingProtocols {
			p.Find(Header("Origin", says+", and the API switched"))
		}
	},
	Admit: func(p *Pass) {
		if says := foreignSocket(p); says != "" {
			p.Refuse(http.StatusForbidden, Header("Origin", says))
		}
	},
}

// foreignSocket says what is wrong with the origin of an upgrade. A program
// that is no browser sends none, and no cookie either.
func foreignSocket(p *Pass) string {
	h := p.Request.Header
	extended := p.Request.Method == "CONNECT" // RFC 8441
	if !extended && !strings.EqualFold(h.Get("Upgrade"), "websocket") {
		return ""
	}
	switch origin := h.Get("Origin"); {
	case origin == "" && p.SessionCookie != "" && hasCookie(h.Get("Cookie"), p.SessionCookie):
		return "is missing from an upgrade with a cookie"
	case origin != "" && !allowedOrigin(p, origin):
		return "is another site's"
	}
	return ""
}

func hasCookie(line, name string) bool {
	for pair := range strings.SplitSeq(line, ";") {
		if n, _, _ := strings.Cut(strings.TrimSpace(pair), "="); n == name {
			return true
		}
	}
	return false
}
