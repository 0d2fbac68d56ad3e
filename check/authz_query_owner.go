package check

import (
	"slices"
	"strings"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// AuthzQueryOwner flags an API that believes the user named in the query.
var AuthzQueryOwner = &Check{
	ID:    "authz-query-owner",
	Title: "the user named in the query is believed",
	Doc: `A list is selected by a user number that the client sends. Changing
user_id=101 to 102 shows another's list, though the token says who really asks.`,
	Fix: "Take the user from the verified token; accept the parameter only when it names the caller.",
	Remedy: `rules:
  - operation: GET /v1/orders
    allow: '!has(request.query.user_id) || request.query.user_id == caller.id'`,
	Step: StepServer, Severity: Critical, OWASP: "API1:2023", CWE: 639, Conversation: []int{9, 52},
	Needs: SawContract | SawBody,

	Inspect: func(p *Pass) { inspectRules(p, queryOwner) },
	Admit:   func(p *Pass) { admitRules(p, queryOwner) },
	Release: func(p *Pass) { releaseRules(p, queryOwner) },

	Probe: probeQueryOwner,
}

func queryOwner(r *contract.Rule) bool { return tieOf(r) == toQuery }

// probeQueryOwner names the victim in the query, as the attacker.
func probeQueryOwner(t *Trial) {
	v, by := t.Victim, t.Attacker
	if v == nil || by == nil {
		return
	}
	for _, e := range t.Endpoints {
		if e.Method != "GET" || e.Few != "" || e.Sample == nil {
			continue
		}
		for _, p := range e.Sample.Values {
			theirs, mine := factNamed(v, p.Name), factNamed(by, p.Name)
			if p.In == "query" && theirs != "" && mine != "" && theirs != mine && t.believesQuery(e, p.Name, theirs, mine, v, by) {
				break
			}
		}
	}
}

// factNamed is what a person is called under a parameter's name.
func factNamed(p *Person, name string) string {
	switch {
	case NamesOwner(name):
		return p.Subject
	case NamesTenant(name):
		for fact, value := range p.Facts {
			if plainName(fact) == plainName(name) || NamesTenant(fact) {
				return value
			}
		}
	}
	return ""
}

func (t *Trial) believesQuery(e *Endpoint, name, theirs, mine string, v, by *Person) bool {
	plain, ok := t.Request(e, nil, by)
	if !ok {
		return false
	}
	named := func(value string, as *Person, control bool) *exchange.Exchange {
		a := plain.With(as)
		a.Target, a.Control = withQuery(plain.Target, name, value), control
		if value == theirs && as != v {
			a.Of = v
		}
		return t.Ask(a)
	}
	x := named(theirs, by, false)
	if !Succeeded(x) {
		return false
	}
	own := named(mine, by, true)
	unnamed := t.control(plain, by)
	victim := named(theirs, v, true)
	nobody := named(theirs, nil, true)
	if Succeeded(nobody) && Alike(nobody, x, nil) && e.Personal == "" && !tellsOfPrivate(Members(x)) {
		return false // it is public
	}
	f := &Flaw{Endpoint: e, Parameter: "query " + name, By: by, Of: v, Proof: []*exchange.Exchange{own, victim, x},
		Evidence: []exchange.Evidence{Query(name, "names "+v.Name+", and "+by.Name+" gets what is "+v.Name+"'s")}}
	if o := e.Resource.Of(v); o != nil && len(seen(x, o)) > 0 {
		if len(seen(own, o)) > 0 || len(seen(unnamed, o)) > 0 && !private(e.Resource, o) {
			return false // it is shared by design, or the parameter means nothing
		}
		f.Marks = seen(x, o)
		t.Report(f)
		return true
	}
	// Nobody planted anything here: the attacker must get to the letter what the
	// victim gets, which is not what he gets himself.
	noise := Differences(victim, named(theirs, v, true))
	if Succeeded(victim) && Alike(victim, x, noise) && !Alike(own, x, noise) && !Alike(unnamed, x, noise) && namesIt(x, theirs) && !namesIt(unnamed, theirs) && !namesIt(own, theirs) {
		f.Marks = []string{theirs}
		t.Report(f)
		return true
	}
	return false
}

// namesIt reports whether an answer has a member with a value.
func namesIt(x *exchange.Exchange, value string) bool {
	return slices.ContainsFunc(Members(x), func(l Leaf) bool { return l.Value == value })
}

// withQuery is a target with one more parameter.
func withQuery(target, name, value string) string {
	by := "?"
	if strings.Contains(target, "?") {
		by = "&"
	}
	return target + by + contract.Escape(name) + "=" + contract.Escape(value)
}
