package check

import (
	"strings"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// AuthzObjectList flags a list that holds the objects of others.
var AuthzObjectList = &Check{
	ID:    "authz-object-list",
	Title: "a list holds everybody's objects",
	Doc: `Asked without a filter, the list leaves out the one filter that matters: whose.
One request reads what counting through the numbers would take a night for.`,
	Fix: "Select by the verified caller in the query itself, and only then by what the client asks.",
	Remedy: `rules:
  - operation: GET /v1/orders
    allow: response.items.all(o, o.user_id == caller.id)`,
	Step: StepServer, Severity: Critical, OWASP: "API1:2023", CWE: 639, Conversation: []int{9, 52},
	Needs: SawContract | SawBody,

	Inspect: func(p *Pass) { inspectRules(p, objectList) },
	Release: func(p *Pass) { releaseRules(p, objectList) },

	Probe: probeObjectList,
}

func objectList(r *contract.Rule) bool { return tieOf(r) == toItems }

// probeObjectList looks for the victim's object in the attacker's own list. It
// is a flaw where the API says otherwise that the object is private: it refuses
// to show it by itself, or describes it so.
func probeObjectList(t *Trial) {
	for _, r := range t.Resources {
		o, by := t.objectOf(r, false)
		if o == nil || r.List == nil || r.List.Few != "" {
			continue
		}
		a, ok := t.Request(r.List, nil, by)
		if !ok {
			continue
		}
		x := t.Ask(a)
		marks := seen(x, o)
		if !Succeeded(x) || len(marks) == 0 {
			continue
		}
		nobody := t.control(a, nil)
		if len(seen(nobody, o)) > 0 && r.List.Personal == "" && (t.Declared || !private(r, o) || r.List.Public || r.List.optional()) {
			continue // it is public
		}
		proof := []*exchange.Exchange{nobody, x}
		hidden := false
		if r.Read != nil {
			if one, ok := t.Request(r.Read, o, by); ok {
				one.Of = o.Owner
				y := t.control(one, by)
				hidden = refusedOf(y) || gone(y)
				if hidden {
					proof = []*exchange.Exchange{nobody, y, x}
				}
			}
		}
		if !hidden && !private(r, o) || !t.Alive(by) {
			continue
		}
		f := &Flaw{Endpoint: r.List, Parameter: "response", By: by, Of: o.Owner, Marks: marks,
			Evidence: []exchange.Evidence{says(x, by, "finds what "+o.Owner.Name+" wrote in a list")}, Proof: proof}
		if !hidden && r.List.Personal == "" && r.ofPeople() {
			f.Verdict, f.Missing = exchange.Likely, "whether people are meant to find each other here"
		}
		t.Report(f)
	}
}

// ofPeople reports whether the objects of a resource are those who ask.
func (r *Resource) ofPeople() bool {
	return r.Key != "id" && NamesPerson(r.Key) || NamesPerson(strings.TrimSuffix(r.Name, "s"))
}
