package check

import (
	"net/http"
	"strconv"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// AuthzExistence flags refusals that tell which objects exist.
var AuthzExistence = &Check{
	ID:    "authz-existence",
	Title: "a refusal tells which objects exist",
	Doc: `What is somebody else's is refused with 403 and what does not exist with 404.
Whoever counts through the numbers learns which orders, users and invoices there
are, and how many.`,
	Fix: "Answer 404 for what the caller may not know of, in the same words as for what is not there (RFC 9110, 15.5.4).",
	Remedy: `rules:
  - operation: GET /v1/orders/{id}
    hide_existence: true`,
	Step: StepServer, Severity: Low, OWASP: "API1:2023", CWE: 204, Conversation: []int{26},
	Needs: SawContract | SawCaller | SawResponse,

	Inspect: func(p *Pass) {
		if hidesObject(p) && p.Response.Status == http.StatusForbidden {
			p.Find(Status("403 where 404 would hide that there is something"))
		}
	},
	Release: func(p *Pass) {
		if !hidesObject(p) {
			return
		}
		// A 401 to a caller whose credential is good is a 403 in the wrong place.
		if s := p.Response.Status; s == http.StatusForbidden || s == http.StatusGone || rightRefusal(p) == http.StatusForbidden {
			p.Repair(Reword(http.StatusNotFound, Status(strconv.Itoa(s)+" tells that there is something")))
		}
	},

	Probe: probeExistence,
}

// hidesObject reports whether the policy hides what exists and it has not been
// decided yet whether the object is the caller's: about his own the API may
// say what it likes.
func hidesObject(p *Pass) bool {
	op := p.Operation()
	if op == nil || op.Public || !op.HideExistence || p.Caller() == nil {
		return false
	}
	for _, r := range op.Rules {
		if aboutObject(r) && r.Phase != contract.OnResponse {
			return false
		}
	}
	return true
}

// probeExistence compares the refusal of what is somebody else's with that of
// what does not exist.
func probeExistence(t *Trial) {
	for _, r := range t.Resources {
		o, by := t.objectOf(r, false)
		if o == nil {
			continue
		}
		for _, e := range readers(r) {
			if e.Few == "" && e != r.List && t.tellsExistence(e, o, by) {
				break
			}
		}
	}
}

func (t *Trial) tellsExistence(e *Endpoint, o *Object, by *Person) bool {
	there, ok := t.Request(e, o, by)
	if !ok {
		return false
	}
	there.Of = o.Owner
	x := t.Ask(there)
	if !refusedOf(x) || !t.Alive(by) {
		return false
	}
	not, ok := t.Request(e, t.missing(o.Resource, o), by)
	if !ok {
		return false
	}
	y := t.control(not, by)
	if !gone(y) {
		return false
	}
	t.Report(&Flaw{Endpoint: e, Parameter: "path " + o.Resource.Key, By: by, Of: o.Owner, Proof: []*exchange.Exchange{y, x},
		Evidence: []exchange.Evidence{Status(strconv.Itoa(StatusOf(x)) + " for what is there, " + strconv.Itoa(StatusOf(y)) + " for what is not")}})
	return true
}
