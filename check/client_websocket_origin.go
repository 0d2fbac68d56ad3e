package check

import (
	"net/http"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
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
	Probe: func(t *Trial) {
		p := t.browser()
		if p == nil {
			return
		}
		for _, e := range t.Endpoints {
			if e.Method == "GET" && isSocket(e) && opensAnywhere(t, e, p) {
				return
			}
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

// isSocket reports whether an endpoint is a WebSocket: it is declared to be, was
// seen to be, or asks for the upgrade.
func isSocket(e *Endpoint) bool {
	if slices.Contains(e.Statuses(), "101") {
		return true
	}
	for _, x := range e.Honest {
		if x == nil || x.Response == nil {
			continue
		}
		switch x.Response.Status {
		case http.StatusSwitchingProtocols, http.StatusUpgradeRequired:
			return true
		case http.StatusBadRequest:
			if strings.Contains(strings.ToLower(x.Response.Header.Get("Upgrade")), "websocket") || x.Response.Header.Has("Sec-WebSocket-Version") {
				return true
			}
		}
	}
	return false
}

// opensAnywhere reports a WebSocket that opens with a session's cookie for a
// page of another site, and does not for nobody: the cookie is what opens it.
func opensAnywhere(t *Trial, e *Endpoint, p *Person) bool {
	a, ok := t.Request(e, e.Resource.Of(p), p)
	if !ok {
		return false
	}
	shake := func(p *Person, origin string) *exchange.Exchange {
		b := a.With(p)
		b.ByCookie = p != nil
		b.Control = p == nil || origin != foreignOrigin
		for _, f := range []exchange.Field{{Name: "Connection", Value: "Upgrade"}, {Name: "Upgrade", Value: "websocket"},
			{Name: "Sec-WebSocket-Version", Value: "13"}, {Name: "Sec-WebSocket-Key", Value: "cGFybGV5LWFza3MtaGVyZQ=="},
			{Name: "Origin", Value: origin}} {
			b = b.Set(f.Name, f.Value)
		}
		site := "same-origin"
		if origin == foreignOrigin {
			site = "cross-site"
		}
		return t.Ask(b.Set("Sec-Fetch-Site", site))
	}
	x := shake(p, foreignOrigin)
	if StatusOf(x) != http.StatusSwitchingProtocols {
		return false
	}
	nobody, own := shake(nil, foreignOrigin), shake(p, ownOrigin(x))
	if StatusOf(nobody) == 0 || StatusOf(nobody) == http.StatusSwitchingProtocols || StatusOf(own) != http.StatusSwitchingProtocols {
		return false
	}
	t.Report(&Flaw{Endpoint: e, By: p, Parameter: "header Origin", Proof: []*exchange.Exchange{nobody, own, x},
		Evidence: []exchange.Evidence{Header("Origin", "is another site's, and the API switched")}})
	return true
}
