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
	Implies: []string{"status-undeclared"},

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
	Probe: probeMethodOverride,
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

// overrides are the fields that frameworks take a method from.
var overrides = []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"}

// probeMethodOverride asks for an object with a field that says DELETE, and
// looks whether it is still there. Frameworks that look at the field only for
// POST are asked so, too.
func probeMethodOverride(t *Trial) {
	tried := 0
	for _, r := range t.Resources {
		o := changeable(t, r)
		if o == nil || r.Read == nil || r.Create == nil || aboutPeople(r) {
			continue
		}
		if tried++; tried > 2 {
			return
		}
		for _, method := range []string{"GET", "POST"} {
			if !overridden(t, r, o.Owner, method, overrides) {
				continue
			}
			for _, name := range overrides {
				if overridden(t, r, o.Owner, method, []string{name}) {
					return
				}
			}
		}
	}
}

// overridden reports whether a new object of a resource is gone after it was
// asked for with some fields. With one field it is reported.
func overridden(t *Trial, r *Resource, owner *Person, method string, fields []string) bool {
	o := t.Make(r, owner)
	if o == nil || !Succeeded(o.Seen) {
		return false
	}
	a, ok := t.Request(r.Read, o, owner)
	if !ok {
		return false
	}
	a.Method = method
	for _, name := range fields {
		a = a.Set(name, "DELETE")
	}
	if method == "POST" {
		a = a.Set("Content-Type", "application/json")
		a.Body = []byte("{}")
	}
	before := t.Look(o)
	x := t.Ask(a)
	after := t.Look(o)
	if !Succeeded(before) || vanished(o, before) || !vanished(o, after) || !t.Alive(owner) {
		return false
	}
	if len(fields) == 1 {
		t.Report(&Flaw{
			Endpoint: r.Read, Parameter: "header " + fields[0], By: owner, Of: owner,
			Evidence: []exchange.Evidence{Header(fields[0], "says DELETE, and "+method+" deletes")},
			Proof:    []*exchange.Exchange{before, x, after},
		})
	}
	return true
}
