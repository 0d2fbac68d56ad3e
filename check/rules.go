package check

import (
	"net/http"
	"slices"
	"strings"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// aboutObject reports whether a rule ties the object asked for to the caller,
// rather than asking whether the caller may use the function at all.
func aboutObject(r *contract.Rule) bool {
	return r.Owner || strings.Contains(r.Source, "caller.id") || strings.Contains(r.Source, "caller.claims") && namesObject(r.Source)
}

// namesObject reports whether a rule looks at what is asked for. Together with
// a claim, such as the caller's tenant, it ties the two; a claim alone is like
// a role.
func namesObject(source string) bool {
	return slices.ContainsFunc([]string{"request.path", "request.query", "request.body", "request.header", "response.", "object."},
		func(place string) bool { return strings.Contains(source, place) })
}

// byQuery reports whether a rule judges a value of the query.
func byQuery(r *contract.Rule) bool { return strings.Contains(r.Source, "request.query") }

// admitRules lets the rules that pick chooses decide on a request: first those
// that need the request alone, then those that need the object.
func admitRules(p *Pass, pick func(*contract.Rule) bool) {
	op := p.Operation()
	if op == nil {
		return
	}
	for _, phase := range []contract.Phase{contract.OnRequest, contract.OnObject} {
		for _, r := range op.Rules {
			if r.Phase != phase || !pick(r) {
				continue
			}
			if phase == contract.OnObject && !readObject(p, op, r) {
				return
			}
			if !decide(p, op, r) {
				return
			}
		}
	}
}

// releaseRules lets the rules that pick chooses decide on a response before it
// leaves. Only answers that carry the object are judged: a failure has none,
// and a redirect only when it is written in JSON.
func releaseRules(p *Pass, pick func(*contract.Rule) bool) {
	op := p.Operation()
	if op == nil || !p.Success() && !tells(p) {
		return
	}
	for _, r := range op.Rules {
		if r.Phase == contract.OnResponse && pick(r) && !decide(p, op, r) {
			return
		}
	}
}

// inspectRules finds the rules that an answered request broke.
func inspectRules(p *Pass, pick func(*contract.Rule) bool) {
	op := p.Operation()
	if op == nil || !p.Success() {
		return
	}
	for _, r := range op.Rules {
		if !pick(r) || r.Phase == contract.OnObject && p.Input.Object == nil {
			continue
		}
		if p.Saw&SawCaller == 0 && (r.Owner || strings.Contains(r.Source, "caller")) {
			continue // it is not known who asked
		}
		if ok, err := r.Allows(&p.Input); err == nil && !ok {
			p.Find(RuleSays(r.Source, "is false, and the API answered "+http.StatusText(p.Response.Status)))
			return
		}
	}
}

// tells reports whether a redirect brings more than the word that it is one.
func tells(p *Pass) bool {
	r := p.Response
	return r != nil && r.Status >= 300 && r.Status < 400 && r.Body.Size != 0 && r.Status != http.StatusNotModified &&
		(IsJSON(r.Header.MediaType()) || LooksJSON(r.Body.Data))
}

func decide(p *Pass, op *contract.Operation, r *contract.Rule) bool {
	ok, err := r.Allows(&p.Input)
	switch {
	case err != nil:
		p.RefuseBy(r.Place, http.StatusServiceUnavailable, RuleSays(r.Source, "could not be decided"))
	case ok:
		return true
	case p.Caller() == nil:
		p.RefuseBy(r.Place, http.StatusUnauthorized, RuleSays(r.Source, "needs a caller"), challenge(p))
	case aboutObject(r) && r.Hide:
		p.RefuseBy(r.Place, http.StatusNotFound, RuleSays(r.Source, "is false; its existence is hidden"))
	default:
		p.RefuseBy(r.Place, http.StatusForbidden, RuleSays(r.Source, "is false"))
	}
	return false
}

// readObject makes sure that the object is in the input. When it cannot be
// read the request is refused with what that means for the client.
func readObject(p *Pass, op *contract.Operation, r *contract.Rule) bool {
	if p.Input.Object != nil {
		return true
	}
	if p.Object == nil {
		p.RefuseBy(r.Place, http.StatusServiceUnavailable, RuleSays(r.Source, "needs the object, which cannot be read"))
		return false
	}
	object, status, err := p.Object()
	switch {
	case err != nil || status >= 500:
		p.RefuseBy(r.Place, http.StatusBadGateway, RuleSays(r.Source, "needs the object, and reading it failed"))
	case status == http.StatusNotFound || status == http.StatusGone:
		// That it was there is news to whom no rule has tied it yet.
		if r.Hide && !tiedByRequest(op) {
			status = http.StatusNotFound
		}
		p.RefuseBy(r.Place, status, RuleSays(r.Source, "there is no such object"))
	case status == http.StatusUnauthorized && p.Caller() == nil:
		p.RefuseBy(r.Place, http.StatusUnauthorized, RuleSays(r.Source, "the caller may not read the object"), challenge(p))
	case status < 200 || status > 299:
		hidden := http.StatusForbidden
		if r.Hide {
			hidden = http.StatusNotFound
		}
		p.RefuseBy(r.Place, hidden, RuleSays(r.Source, "the caller may not read the object"))
	default:
		p.Input.Object = object
		return true
	}
	return false
}

// tiedByRequest reports whether a rule has tied what is asked for to the caller
// before the object was read, by the path for one.
func tiedByRequest(op *contract.Operation) bool {
	return slices.ContainsFunc(op.Rules, func(r *contract.Rule) bool { return r.Phase == contract.OnRequest && aboutObject(r) })
}

func challenge(p *Pass) exchange.Field {
	c := p.Challenge
	if c == "" {
		c = "Bearer"
	}
	return exchange.Field{Name: "WWW-Authenticate", Value: c}
}
