package check

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/parley-project/parley/contract"
)

// StatusRedirect flags redirects to plain HTTP or to somebody else.
var StatusRedirect = &Check{
	ID:    "status-redirect",
	Title: "a redirect leads to plain HTTP or to another host",
	Doc: `A client follows a redirect with all that it has: path, query, often its
credential. One to http:// sends that in clear, and one to a host that nobody
named sends it to whoever owns that host (open redirect).`,
	Fix:  "Redirect to relative paths or https:// addresses of your own; declare the operations that lead elsewhere.",
	Step: StepResponse, Severity: Medium, OWASP: "API8:2023", CWE: 601, Conversation: []int{22},
	Needs: SawResponse,

	Inspect: func(p *Pass) {
		if _, says := judgeRedirect(p); says != "" {
			p.Find(Header("Location", says))
		}
	},
	Release: func(p *Pass) {
		switch to, says := judgeRedirect(p); {
		case says == "":
		case to == "":
			p.Refuse(http.StatusBadGateway, Header("Location", says))
		default:
			e := SetHeader("Location", to)
			e.Says = says
			p.Repair(e)
		}
	},
	Probe: probeRedirect,
}

// judgeRedirect says what is wrong with a redirect, and where it ought to lead;
// to is empty when nowhere.
func judgeRedirect(p *Pass) (to, says string) {
	switch p.Response.Status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return "", ""
	}
	location := p.Response.Header.Get("Location")
	u, err := url.Parse(location)
	switch {
	case location == "":
		return "", ""
	case err != nil || strings.ContainsAny(location, "\\\t\r\n"):
		return "", "is not an address that all clients read alike"
	case u.Host == "" && u.Scheme == "":
		return "", ""
	case u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return "", "leads out of the web"
	}
	own := sameName(u.Host, p.Request.Authority)
	if !own && p.Contract != nil && p.Contract.Upstream != "" {
		// An API that does not know under which name it is reached names itself.
		if up, err := url.Parse(p.Contract.Upstream); err == nil && up.Host == u.Host {
			own = true
		}
	}
	if !own && !promisesRedirect(p) {
		return "", "leads to another host"
	}
	if own && u.Host != p.Request.Authority && u.Scheme != "https" {
		u.Host = p.Request.Authority
	}
	if u.Scheme == "http" && p.Request.Scheme == "https" {
		u.Scheme = "https"
		return u.String(), "leads to plain HTTP"
	}
	return "", ""
}

// sameName compares two authorities without their ports.
func sameName(a, b string) bool {
	ua, ub := url.URL{Host: a}, url.URL{Host: b}
	return strings.EqualFold(ua.Hostname(), ub.Hostname())
}

// promisesRedirect reports whether the contract declares that the operation
// redirects. Without a contract nothing is known of other hosts.
func promisesRedirect(p *Pass) bool {
	if p.Contract == nil {
		return true
	}
	op := p.Operation()
	return op != nil && op.Response(p.Response.Status) != nil
}

// mostKnown bounds how many objects of a list are asked for at one endpoint.
const mostKnown = 4

// probeRedirect reads a few objects that are in a list: where one of them is
// kept is not where the next one is. Parameters that say where to go next are
// given an address that is nobody's.
func probeRedirect(t *Trial) {
	for _, r := range askable(t) {
		a, ok := r.ask(t)
		if !ok {
			continue
		}
		if r.e.Resource != nil && r.e.Role != List {
			ids := listed(r.e.Resource, r.as)
			for _, id := range ids[:min(len(ids), mostKnown)] {
				if b, ok := a.withLast(func(string) string { return contract.Escape(id) }); ok && b.Target != a.Target {
					t.Ask(b)
				}
			}
		}
		for _, name := range queries(r.e) {
			if leadsOn(name) {
				t.Ask(a.inQuery(name, "https://"+t.Mark()+".invalid/"))
			}
		}
	}
}

// leadsOn reports whether a parameter's name says that it is an address to go to.
func leadsOn(name string) bool {
	switch strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name)) {
	case "next", "url", "redirect", "redirecturl", "redirecturi", "redirectto", "returnto", "returnurl", "continue", "callback", "callbackurl", "goto", "target", "dest", "destination":
		return true
	}
	return false
}
