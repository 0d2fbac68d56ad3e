package check

import (
	"strings"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// AuthzObject flags another's object read by whoever knows its number.
var AuthzObject = &Check{
	ID:      "authz-object",
	Aliases: []string{"bola", "idor"},
	Title:   "anyone can read another's object",
	Doc: `The API checks that an object exists, not whose it is. Whoever changes the
number in the path reads somebody else's order, profile or account (broken
object level authorization, BOLA).`,
	Fix: "Compare the object's owner with the caller on every read; answer 404 or 403 to everybody else.",
	Remedy: `rules:
  - operation: GET /v1/orders/{id}
    owner: response.user_id
    hide_existence: true`,
	Step: StepServer, Severity: Critical, OWASP: "API1:2023", CWE: 639, Conversation: []int{9, 52},
	Needs: SawContract | SawBody,

	Inspect: func(p *Pass) { inspectRules(p, objectRead(p)) },
	Admit:   func(p *Pass) { admitRules(p, objectRead(p)) },
	Release: func(p *Pass) { releaseRules(p, objectRead(p)) },

	Probe: probeObjectRead,
}

func objectRead(p *Pass) func(*contract.Rule) bool {
	return func(r *contract.Rule) bool { return tieOf(r) == toObject && !p.Unsafe() }
}

// probeObjectRead has the attacker read what the victim owns. The proof is a
// text that only the victim planted there.
func probeObjectRead(t *Trial) {
	for _, r := range t.Resources {
		o, by := t.objectOf(r, false)
		if o == nil {
			continue
		}
		for _, e := range readers(r) {
			if e.Few == "" && t.readsAnothers(e, o, by) {
				break // the same lack of a check, most likely in one function
			}
		}
	}
}

// readers are the endpoints that show an object when its ID is known, or the
// list below somebody else's ID.
func readers(r *Resource) []*Endpoint {
	var out []*Endpoint
	if r.Read != nil {
		out = append(out, r.Read)
	}
	for _, e := range r.Others {
		if e.Method == "GET" {
			out = append(out, e)
		}
	}
	if r.List != nil && strings.Contains(r.Collection, "{") {
		out = append(out, r.List)
	}
	return out
}

func (t *Trial) readsAnothers(e *Endpoint, o *Object, by *Person) bool {
	a, ok := t.Request(e, o, by)
	if !ok {
		return false
	}
	a.Of = o.Owner
	x := t.Ask(a)
	marks := seen(x, o)
	if !Succeeded(x) || len(marks) == 0 {
		return false
	}
	owner := t.control(a, o.Owner)
	nobody := t.control(a, nil)
	switch {
	case !Succeeded(owner), projected(owner, x):
		return false // there is a part for everybody
	case len(seen(nobody, o)) > 0 && (!t.Declared && !private(e.Resource, o) || e.Public || e.optional()):
		return false // it is public; whether it should be is asked elsewhere
	case t.shared(e.Resource, o, by):
		return false
	}
	f := &Flaw{Endpoint: e, Parameter: "path " + o.Resource.Key, By: by, Of: o.Owner, Marks: marks,
		Evidence: []exchange.Evidence{says(x, by, "reads what "+o.Owner.Name+" wrote")}, Proof: []*exchange.Exchange{owner, nobody, x}}
	if e.Resource.List == nil && !private(e.Resource, o) {
		f.Verdict, f.Missing = exchange.Likely, "there is no list that shows whether everybody may see it"
	}
	t.Report(f)
	return true
}
