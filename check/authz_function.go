package check

import (
	"slices"
	"strings"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// AuthzFunction flags an administrator's function that anybody may call.
var AuthzFunction = &Check{
	ID:      "authz-function",
	Aliases: []string{"bfla"},
	Title:   "an administrator's function answers everybody",
	Doc: `Being logged in is taken for being allowed. A customer who finds the
address of a report or of the list of all users reads it (broken function level
authorization, BFLA).`,
	Fix: "Ask for the role or scope on every function, in one place that refuses by default.",
	Remedy: `rules:
  - operation: GET /v1/admin/**
    allow: '"admin" in caller.roles'`,
	Step: StepServer, Severity: Critical, OWASP: "API5:2023", CWE: 285, Conversation: []int{25, 52},
	Needs: SawContract | SawBody,
	// A list of all people that everybody gets is also one of what is others'.
	Implies: []string{"authz-object-list"},

	Inspect: func(p *Pass) { inspectRules(p, functionRead(p)) },
	Admit: func(p *Pass) {
		refuseUnjudged(p)
		admitRules(p, functionRead(p))
	},
	Release: func(p *Pass) { releaseRules(p, functionRead(p)) },

	Probe: probeFunction,
}

func functionRead(p *Pass) func(*contract.Rule) bool {
	return func(r *contract.Rule) bool { return !aboutObject(r) && !p.Unsafe() }
}

// refuseUnjudged refuses an operation that no rule speaks of, when the policy
// says that such are denied.
func refuseUnjudged(p *Pass) {
	op := p.Operation()
	if op != nil && p.Contract.Default == contract.Deny && len(op.Rules) == 0 && !op.Public {
		p.Refuse(403, RuleSays("default: deny", "and no rule speaks of "+op.Name))
	}
}

// probeFunction asks as an ordinary person for what seems to be for few.
func probeFunction(t *Trial) {
	by := t.Attacker
	if by == nil {
		by = t.Victim
	}
	if by == nil {
		return
	}
	for _, e := range t.Endpoints {
		if e.Few == "" || e.Method != "GET" || e.Personal != "" || isOneOf(e, by) {
			continue
		}
		a, ok := t.Request(e, nil, by)
		if !ok {
			continue
		}
		x := t.Ask(a)
		if !Succeeded(x) || Meant(x) != StatusOf(x) || len(Text(x)) == 0 {
			continue
		}
		nobody := t.control(a, nil)
		if Succeeded(nobody) && Alike(nobody, x, nil) {
			continue // it asks for no credential at all: another flaw
		}
		f := &Flaw{Endpoint: e, Parameter: "operation", By: by, Proof: []*exchange.Exchange{nobody, x},
			Evidence: []exchange.Evidence{says(x, by, "is answered, though "+e.Few)}}
		if few := t.fewFor(e); few != nil {
			y := e.Honest[few]
			if !sameKind(x, y) {
				continue // everybody has a page of their own here
			}
			f.Proof = []*exchange.Exchange{nobody, y, x}
		} else if len(Members(x)) == 0 {
			continue
		}
		t.Report(f)
	}
	t.probeWrites(false)
}

// fewFor is somebody for whom an endpoint is.
func (t *Trial) fewFor(e *Endpoint) *Person {
	for _, p := range t.People {
		if p != t.Victim && p != t.Attacker && !p.Spare && e.Answered(p) && p.ranksAbove(t.Victim) {
			return p
		}
	}
	return nil
}

// ranksAbove reports whether a person has a role that another one lacks.
func (p *Person) ranksAbove(q *Person) bool {
	return slices.ContainsFunc(p.Roles, func(r string) bool { return !q.HasRole(r) })
}

// isOneOf reports whether an endpoint's words say that somebody is one of the
// few it is for.
func isOneOf(e *Endpoint, p *Person) bool {
	return slices.ContainsFunc(p.Roles, func(r string) bool { return r != "" && strings.Contains(strings.ToLower(e.Few), strings.ToLower(r)) })
}

// sameKind reports whether two answers have the same members.
func sameKind(a, b *exchange.Exchange) bool {
	shapes := func(x *exchange.Exchange) map[string]bool {
		m := map[string]bool{}
		for _, l := range Members(x) {
			m[l.Shape] = true
		}
		return m
	}
	sa, sb := shapes(a), shapes(b)
	common := 0
	for s := range sa {
		if sb[s] {
			common++
		}
	}
	return common > 0 && common*2 >= len(sb)
}

// probeWrites asks as an ordinary person for changes that are for few, without
// changing anything that was there: of something that is not there, or of what
// one of the few made for it. With siblings it
// reports methods beside others that ask for permission, else those of resources
// where none does.
func (t *Trial) probeWrites(siblings bool) {
	by := t.Attacker
	if by == nil {
		by = t.Victim
	}
	for _, r := range t.Resources {
		var writes []*Endpoint
		for _, e := range []*Endpoint{r.Replace, r.Update, r.Remove} {
			if e != nil && (e.Few != "" || r.few()) && !e.Public && !isOneOf(e, by) {
				writes = append(writes, e)
			}
		}
		if len(writes) == 0 {
			continue
		}
		var passed []*Flaw
		refused := r.Create != nil && refusedOf(r.Create.Honest[by]) || r.Create != nil && r.Create.Few != "" && t.refusedToMake(r, by)
		for _, e := range writes {
			if f := t.writesFew(e, r, by); f != nil {
				passed = append(passed, f)
			} else {
				refused = true
			}
		}
		// Where a sibling asks for permission, it is the method that does not.
		if refused != siblings {
			continue
		}
		for _, f := range passed {
			switch {
			case f.Verdict == exchange.Likely && !refused:
				continue
			case refused:
				f.Verdict, f.Missing = exchange.Confirmed, ""
			}
			t.Report(f)
		}
	}
}

// refusedToMake reports whether a person may not make an object: asked with a
// body that nobody takes.
func (t *Trial) refusedToMake(r *Resource, by *Person) bool {
	a, ok := t.Request(r.Create, nil, by)
	if !ok {
		return false
	}
	a.Body, a.Control = []byte("{}"), true
	return refusedOf(t.Ask(a)) && t.Alive(by)
}

// ordinaryNear is an ordinary person of the same tenant as another one, so that
// it is the role that decides.
func (t *Trial) ordinaryNear(p *Person) *Person {
	var first *Person
	for _, q := range append([]*Person{t.Attacker, t.Victim}, t.People...) {
		if q == nil || q == p || t.Victim != nil && q.ranksAbove(t.Victim) {
			continue
		}
		if first == nil {
			first = q
		}
		if factNamed(q, "tenant") == factNamed(p, "tenant") {
			return q
		}
	}
	return first
}

// writesFew reports how an ordinary person got past the question whether they
// may. Without an object that may be changed it is only likely: what is not
// there was said before who may.
func (t *Trial) writesFew(e *Endpoint, r *Resource, by *Person) *Flaw {
	for _, p := range t.People {
		o := r.Of(p)
		if o == nil || !o.Made || p == by || p.Spare || !p.ranksAbove(by) {
			continue
		}
		if e.Method == "DELETE" {
			if o = t.Make(r, p); o == nil {
				continue
			}
		}
		by := t.ordinaryNear(p)
		a, ok := t.Request(e, o, by)
		if !ok || by == p {
			continue
		}
		a.Of = p
		mark := t.Mark()
		if e.Method != "DELETE" {
			if a.Body = t.markOne(e, a.Body, mark); a.Body == nil {
				continue
			}
		}
		x := t.Ask(a)
		if refusedOf(x) || StatusOf(x) == 0 || StatusOf(x) == 405 {
			return nil
		}
		back := t.Look(o)
		if e.Method == "DELETE" && gone(back) || e.Method != "DELETE" && Contains(back, mark) {
			return &Flaw{Endpoint: e, Parameter: "method " + e.Method, By: by, Of: p, Marks: []string{mark}, Proof: []*exchange.Exchange{o.Seen, x, back},
				Evidence: []exchange.Evidence{says(x, by, "changes what only few may")}}
		}
		return nil
	}
	a, ok := t.Request(e, t.missing(r, nil), by)
	if !ok {
		return nil
	}
	x := t.Ask(a)
	if st := StatusOf(x); st == 0 || refusedOf(x) || st == 405 || st >= 500 || st == 400 || st == 415 || st == 422 || !t.Alive(by) {
		return nil
	}
	nobody := t.control(a, nil)
	if !refusedOf(nobody) {
		return nil
	}
	return &Flaw{Endpoint: e, Parameter: "method " + e.Method, By: by, Verdict: exchange.Likely, Missing: "there is nothing that may be changed",
		Proof: []*exchange.Exchange{nobody, x}, Evidence: []exchange.Evidence{says(x, by, "is told that it is not there, and not that it is not allowed")}}
}
