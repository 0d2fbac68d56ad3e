package check

import (
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// Methods that are not offered, asked for in a form that does no harm: about an
// object that does not exist, or with a body that says nothing.

// madeUp is a method that no API offers, and one that programs in between know.
const madeUp = "LOCK"

// An offer is a path of the contract and the methods that it offers.
type offer struct {
	path    string
	methods []string
	e       *Endpoint // one of them, for the values of the path
}

// offers lists the paths of the contract in their order.
func offers(t *Trial) []*offer {
	var out []*offer
	for _, e := range t.Endpoints {
		if e.Operation == nil {
			continue
		}
		i := slices.IndexFunc(out, func(p *offer) bool { return p.path == e.Path })
		if i < 0 {
			out = append(out, &offer{path: e.Path, e: e})
			i = len(out) - 1
		}
		out[i].methods = append(out[i].methods, e.Method)
		if e.Method == "GET" {
			out[i].e = e
		}
	}
	return out
}

// ask is a request with a method at the path: without an object, as somebody.
// It is false where even that might do something.
func (p *offer) ask(t *Trial, method string, as *Person) (*Ask, bool) {
	a, ok := t.Request(p.e, p.e.Resource.Of(as), as)
	if !ok {
		return nil, false
	}
	b, about := a.nowhere()
	switch {
	case about:
		a = b
	case strings.Contains(p.path, "{"):
		return nil, false
	case method == "DELETE" || method == "POST" || method == "PUT" && !as.mayBeRuined():
		// What these do needs neither an object nor a body: {} in the place of all
		// that somebody has set is a change. Nobody may ask where nobody is let in.
		if p.e.Public {
			return nil, false
		}
		a = a.With(nil)
	}
	c := *a
	a = &c
	a.Method, a.Endpoint = method, nil
	a.Target, _, _ = strings.Cut(a.Target, "?")
	a.Body = []byte("{}")
	if method == "DELETE" {
		a.Body = nil
		return a, true
	}
	return a.Set("Content-Type", "application/json"), true
}

// mayBeRuined reports whether what a person has was made for the trial.
func (p *Person) mayBeRuined() bool { return p != nil && p.Spare }

// offered reports whether some template of the contract with a method fits a
// path: /users/me is /users/{id}, too.
func offered(t *Trial, method, path string) bool {
	segments := strings.Split(path, "/")
	for _, e := range t.Endpoints {
		if e.Operation == nil || e.Method != method {
			continue
		}
		template := strings.Split(e.Path, "/")
		fits := len(template) == len(segments)
		for i := 0; fits && i < len(template); i++ {
			fits = template[i] == segments[i] || strings.Contains(template[i], "{")
		}
		if fits {
			return true
		}
	}
	return false
}

// saysNoSuchMethod reports whether an answer says that there is no such method.
func saysNoSuchMethod(x *exchange.Exchange) bool { return StatusOf(x) == 405 || StatusOf(x) == 501 }
