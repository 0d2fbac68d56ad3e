package check

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// RequestTokenInURL flags credentials that travel in the URL.
var RequestTokenInURL = &Check{
	ID:      "request-token-in-url",
	Aliases: []string{"token-in-url"},
	Title:   "a credential travels in the URL",
	Doc: `URLs are written to logs, histories and Referer fields. A token in one is
read by everybody who reads those (RFC 6750, 5.3).`,
	Fix:  "Take credentials from Authorization or a cookie only; refuse requests that carry one in the query.",
	Step: StepRequest, Severity: High, OWASP: "API2:2023", CWE: 598, Conversation: []int{10},

	Inspect: func(p *Pass) {
		if !p.Success() {
			return
		}
		if c := inQuery(p); c != nil {
			p.Find(Query(c.Field, "carries a credential, and the API answered"))
		} else if name := secretInQuery(p); name != "" {
			p.Suspect(Query(name, "has the name of a credential, and the API answered"))
		}
	},
	Admit: func(p *Pass) {
		c := inQuery(p)
		switch {
		case c == nil:
		case needsCaller(p):
			p.Refuse(http.StatusUnauthorized, Query(c.Field, "carries a credential"), challenge(p))
		default:
			p.Refuse(http.StatusBadRequest, Query(c.Field, "carries a credential"))
		}
	},
	Probe: func(t *Trial) {
		for _, p := range []*Person{t.Victim, t.Attacker} {
			if pl := t.place(p); pl != nil {
				believesQuery(t, pl)
				return
			}
		}
	},
}

func inQuery(p *Pass) *exchange.Credential {
	for i := range p.Presented {
		if p.Presented[i].Carrier == "query" {
			return &p.Presented[i]
		}
	}
	if c := p.Credential(); c != nil && c.Carrier == "query" {
		return c
	}
	return nil
}

// secretInQuery is the parameter that is a credential by its name, where no
// contract says what it is for.
func secretInQuery(p *Pass) string {
	if p.Operation() != nil {
		return ""
	}
	for pair := range strings.SplitSeq(p.Request.Query(), "&") {
		name, value, _ := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(name)
		if err == nil && identity.SecretParameter(plain, value) {
			return plain
		}
	}
	return ""
}

// queryNames are what a credential is called in URLs.
var queryNames = []string{"access_token", "token", "api_key", "apikey", "key", "auth", "jwt", "auth_token", "session"}

// believesQuery shows a person's own credential in the query: under all names at
// once and, as that may be refused for the others, under the usual ones.
func believesQuery(t *Trial, pl *place) {
	ask := func(secret string, names ...string) *exchange.Exchange {
		a := pl.ask.With(pl.person)
		a.Bare, a.Control = true, false
		for _, n := range names {
			a = a.put(input{in: "query", name: n}, secret)
		}
		return t.Ask(a)
	}
	own := secretOf(pl.person)
	names := queryNames[:3]
	switch x := ask(own, queryNames...); {
	case pl.believes(x):
		names = queryNames
	case StatusOf(x) == 401 || StatusOf(x) == 403:
		return
	}
	for _, n := range names {
		x := ask(own, n)
		if !pl.believes(x) {
			continue
		}
		if c := ask(t.Mark(), n); StatusOf(c) != 0 && !pl.believes(c) {
			t.Report(&Flaw{Endpoint: pl.endpoint, Parameter: "query " + n, By: pl.person, Proof: []*exchange.Exchange{pl.no, c, x},
				Evidence: []exchange.Evidence{Query(n, "carries a credential, and the API answered")}})
		}
		return
	}
}
