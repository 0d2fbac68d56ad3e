package check

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// RequestMethodOverride flags requests that name a second method.
var RequestMethodOverride = &Check{
	ID:    "request-method-override",
	Title: "a request names a second method",
	Doc: `Some frameworks do what X-HTTP-Method-Override says instead of what the request
line says. Whatever decided on the method in front of them, a gateway or the
framework's own router, decided on the wrong one.`,
	Fix:  "Switch method override off; it was for clients that could not send PUT and DELETE.",
	Step: StepRequest, Severity: High, OWASP: "API8:2023", CWE: 436, Conversation: []int{8},

	Inspect: func(p *Pass) {
		if ev, bad := secondMethod(p); bad && p.Success() {
			ev.Says += ", and the API answered"
			p.Suspect(ev)
		}
	},
	Admit: func(p *Pass) {
		if ev, bad := secondMethod(p); bad {
			p.Refuse(http.StatusBadRequest, ev)
		}
	},
}

// secondMethod finds a method beside that of the request line that is not the same.
func secondMethod(p *Pass) (exchange.Evidence, bool) {
	for _, f := range p.Request.Header {
		switch len(f.Name) {
		case len("X-HTTP-Method"), len("X-Method-Override"), len("X-HTTP-Method-Override"):
			if (strings.EqualFold(f.Name, "X-HTTP-Method") || strings.EqualFold(f.Name, "X-Method-Override") ||
				strings.EqualFold(f.Name, "X-HTTP-Method-Override")) && !strings.EqualFold(f.Value, p.Request.Method) {
				return Header(f.Name, "names another method"), true
			}
		}
	}
	if raw := p.Request.Query(); strings.Contains(raw, "method") {
		q, _ := url.ParseQuery(raw)
		if m := q.Get("_method"); m != "" && !strings.EqualFold(m, p.Request.Method) {
			return Query("_method", "names another method"), true
		}
	}
	return exchange.Evidence{}, false
}
