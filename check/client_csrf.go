package check

import (
	"net/http"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
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
	Probe: func(t *Trial) {
		p := t.browser()
		if p == nil {
			return
		}
		for _, f := range t.forgeries(p) {
			if pageAsks(t, p, f) {
				return
			}
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

// pageAsks has a change asked for as the page of another site would, with the
// session's cookie and nothing else, and reports it if it is made. The same
// without a cookie must not be, and as the API's own page asks it must.
func pageAsks(t *Trial, p *Person, f forgery) bool {
	look := func() *exchange.Exchange {
		if f.look == nil {
			return t.Look(f.object)
		}
		a := f.look.With(p)
		a.Control = true
		return t.Ask(a)
	}
	from := func(as *Person, origin, site string) *Ask {
		a := f.ask.With(as).whatever()
		a.ByCookie = as != nil
		for _, c := range p.CSRF { // a page of another site does not know it
			a.Header = slices.DeleteFunc(slices.Clone(a.Header), func(h exchange.Field) bool { return strings.EqualFold(h.Name, c.Name) })
		}
		return a.Set("Origin", origin).Set("Sec-Fetch-Site", site)
	}
	there := func(before, after *exchange.Exchange, noise map[string]bool) bool {
		if f.mark != "" {
			return Contains(after, f.mark) && !Contains(before, f.mark)
		}
		return Succeeded(after) && !Alike(before, after, noise)
	}
	first, before := look(), look()
	if !Succeeded(first) || !Succeeded(before) {
		return false
	}
	noise := Differences(first, before)
	nobody := from(nil, foreignOrigin, "cross-site")
	nobody.Control = true
	none := t.Ask(nobody)
	if StatusOf(none) == 0 || Succeeded(none) {
		return false
	}
	x := t.Ask(from(p, foreignOrigin, "cross-site"))
	if !Succeeded(x) {
		return false
	}
	after := look()
	if !there(before, after, noise) {
		return false
	}
	own := from(p, ownOrigin(x), "same-origin")
	for _, c := range p.CSRF {
		if !strings.EqualFold(c.Name, "Cookie") {
			own = own.Set(c.Name, c.Value)
		}
	}
	own.Control = true
	right := t.Ask(own)
	flaw := &Flaw{Endpoint: f.ask.Endpoint, By: p, Of: p, Parameter: "header Origin", Proof: []*exchange.Exchange{before, none, x, after},
		Evidence: []exchange.Evidence{Header("Origin", "is another site's, and the API made the change")}}
	if f.mark != "" {
		flaw.Marks = []string{f.mark}
	}
	switch {
	case !f.simple && len(p.CSRF) == 0:
		// A browser asks before it sends this, and whoever is not answered does not.
		flaw.Verdict, flaw.Missing = exchange.Likely, "no form can send it: a browser asks first whether it may"
	case !Succeeded(right):
		flaw.Verdict, flaw.Missing = exchange.Likely, "the same as the API's own page asks it"
	}
	t.Report(flaw)
	if f.undo != nil {
		t.Ask(f.undo.whatever())
	}
	return true
}
