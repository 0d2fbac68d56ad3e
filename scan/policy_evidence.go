package scan

import (
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// A sight is one request as guard would see it, with what a rule may look at.
type sight struct {
	x      *exchange.Exchange
	as     *check.Person
	object *exchange.Exchange // what guard would have read before; nil: not known
}

// refusing is the rule of an operation that refuses a request, or nil. Rules
// that look at what is not there say nothing.
func (d *draft) refusing(k *contract.Contract, v sight, pick func(*contract.Rule) bool) *contract.Rule {
	x := *v.x
	x.Server.Caller = d.who.seenBy(v.as)
	p := check.PassOf(&x, k, time.Now())
	op := p.Match.Operation
	if op == nil {
		return nil
	}
	if v.object != nil {
		p.Input.Object = check.PassOf(v.object, k, time.Now()).Input.Reply
	}
	for _, r := range op.Rules {
		switch {
		case pick != nil && !pick(r):
			continue
		case r.Phase == contract.OnObject && p.Input.Object == nil, r.Phase == contract.OnResponse && (p.Input.Reply == nil || !p.Success()):
			continue
		}
		if ok, err := r.Allows(&p.Input); err == nil && !ok {
			return r
		}
	}
	return nil
}

// attackOf is the request of a finding's proof that should not have been
// answered.
func (d *draft) attackOf(f *Finding) (sight, bool) {
	fl := f.flaw
	for _, x := range slices.Backward(fl.Proof) {
		if x == nil || x.Response == nil || control(x) || fl.Endpoint == nil || x.Server.Operation != fl.Endpoint.Name {
			continue
		}
		who := ""
		if x.Server.Caller != nil {
			who = x.Server.Caller.Name
		}
		if fl.By != nil && who != fl.By.Name || fl.By == nil && who != "" {
			continue
		}
		return sight{x: x, as: fl.By, object: d.objectOf(fl.Endpoint, fl.Of, x)}, true
	}
	return sight{}, false
}

func control(x *exchange.Exchange) bool {
	return slices.ContainsFunc(x.Links, func(l exchange.Link) bool { return l.Kind == exchange.Control })
}

// objectOf is what guard would read before a change, from what its owner was
// shown.
func (d *draft) objectOf(e *check.Endpoint, owner *check.Person, x *exchange.Exchange) *exchange.Exchange {
	r := e.Resource
	if r == nil || r.Read == nil || r.Read.Path != e.Path {
		return nil
	}
	if o := r.Of(owner); o != nil && check.Succeeded(o.Seen) && o.Seen.Server.Operation == r.Read.Name {
		return o.Seen
	}
	return nil
}

// honest are requests to an endpoint that must stay answered: of each person
// about what is their own, and the controls of a proof.
func (d *draft) honest(e *check.Endpoint, f *Finding) []sight {
	var out []sight
	r := e.Resource
	if r != nil && strings.HasPrefix(e.Path, r.Item) {
		for _, p := range d.s.trial.People {
			o := r.Of(p)
			if o == nil || o.Owner != p {
				continue
			}
			if a, ok := d.s.request(e, o, p); ok {
				v := sight{x: asked(a, e), as: p, object: d.objectOf(e, p, nil)}
				if e.Method == "GET" && o.Seen != nil && o.Seen.Server.Operation == e.Name {
					v.x = o.Seen
				}
				out = append(out, v)
			}
		}
	}
	for _, x := range f.flaw.Proof {
		if x == nil || !control(x) || !check.Succeeded(x) || x.Server.Operation != e.Name || x.Server.Caller == nil {
			continue
		}
		if p := d.person(x.Server.Caller.Name); p != nil {
			out = append(out, sight{x: x, as: p})
		}
	}
	return out
}

// asked is an ask as an exchange that nobody answered.
func asked(a *check.Ask, e *check.Endpoint) *exchange.Exchange {
	x := &exchange.Exchange{Request: exchange.Request{Method: a.Method, Target: a.Target, Header: a.Header}}
	x.Request.Body = exchange.Body{Data: a.Body, Size: int64(len(a.Body))}
	x.Server.Operation = e.Name
	return x
}

func (d *draft) person(name string) *check.Person {
	for _, p := range d.s.trial.People {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// above are requests of people of higher rank about what is a victim's, which
// the API answered. They are of the victim's own tenant: what an owner of
// another one gets is no right of theirs.
func (d *draft) above(e *check.Endpoint, victim *check.Person) []sight {
	var out []sight
	r := e.Resource
	for _, p := range d.s.trial.People {
		if !d.ranks(p) || d.otherTenant(p, victim) {
			continue
		}
		if x := d.s.above[e][p]; check.Succeeded(x) {
			out = append(out, sight{x: x, as: p})
			continue
		}
		// Who was let to change it may do so elsewhere.
		if r == nil || e.Method == "GET" || !check.Succeeded(d.s.wrote[r][p]) {
			continue
		}
		o := r.Of(victim)
		if o == nil {
			o = r.Of(d.s.trial.Victim)
		}
		if o == nil {
			continue
		}
		if a, ok := d.s.request(e, o, p); ok {
			out = append(out, sight{x: asked(a, e), as: p, object: d.objectOf(e, o.Owner, nil)})
		}
	}
	return out
}

// ranks reports whether somebody has a role that neither victim nor attacker
// has, and whose name says that it is a higher one.
func (d *draft) ranks(p *check.Person) bool { return len(d.rankRoles(p)) > 0 }

func (d *draft) rankRoles(p *check.Person) []string { return d.s.rankRoles(p) }

func (s *scanner) rankRoles(p *check.Person) []string {
	if p == nil || p.Spare || p == s.trial.Victim || p == s.trial.Attacker {
		return nil
	}
	var out []string
	for _, r := range p.Roles {
		if fewWord(r) != "" && !s.trial.Victim.HasRole(r) && !s.trial.Attacker.HasRole(r) {
			out = append(out, r)
		}
	}
	return out
}

// otherTenant reports whether two people work for different ones.
func (d *draft) otherTenant(p, q *check.Person) bool {
	a, b := d.who.callers[p], d.who.callers[q]
	if a == nil || b == nil {
		return false
	}
	for name, v := range a.claims {
		if w, ok := b.claims[name]; ok && check.NamesTenant(name) && w != v {
			return true
		}
	}
	return false
}

// askAbove asks as people of higher rank for what is the victim's: whether the
// API answers them tells whether a rule has to make an exception of them.
func (s *scanner) askAbove() {
	s.above = map[*check.Endpoint]map[*check.Person]*exchange.Exchange{}
	v := s.trial.Victim
	for _, e := range s.trial.Endpoints {
		if e.Method != "GET" || s.endless(e) || e.Few != "" || open(e) {
			continue
		}
		for _, p := range s.trial.People {
			if len(s.rankRoles(p)) == 0 {
				continue
			}
			a, ok := s.aboutVictim(e, v, p)
			if !ok {
				continue
			}
			a.Of, a.Control = nil, true
			if s.above[e] == nil {
				s.above[e] = map[*check.Person]*exchange.Exchange{}
			}
			s.above[e][p] = s.ask(a)
		}
	}
}

// askColleagues lets those who are no strangers to the victim, people of the
// same tenant and those of higher rank, write what stands there anyway into the
// object that the victim made for the scan: who may tells what a rule on
// changes has to allow.
func (s *scanner) askColleagues() {
	s.wrote = map[*check.Resource]map[*check.Person]*exchange.Exchange{}
	s.peersRefused = map[*check.Resource]bool{}
	v := s.trial.Victim
	for _, r := range s.trial.Resources {
		e := r.Update
		if e == nil {
			e = r.Replace
		}
		o := r.Of(v)
		if e == nil || e.Few != "" || o == nil || !o.Made || isPeople(r.Name) {
			continue
		}
		for _, p := range s.trial.People {
			rank := len(s.rankRoles(p)) > 0
			if p == v || p == s.trial.Attacker || p.Spare || !rank && !sameTenant(p, v) {
				continue
			}
			a, ok := s.request(e, o, p)
			if !ok {
				continue
			}
			a.Of, a.Control = nil, true
			x := s.ask(a)
			if s.wrote[r] == nil {
				s.wrote[r] = map[*check.Person]*exchange.Exchange{}
			}
			s.wrote[r][p] = x
			if st := check.StatusOf(x); !rank && (st == 403 || st == 404) {
				s.peersRefused[r] = true
			}
			if check.Succeeded(x) { // its version is another now
				if seen := s.look(o); check.Succeeded(seen) {
					o.Seen = seen
				}
			}
		}
	}
}

// sameTenant reports whether two people are known to work for the same one.
func sameTenant(p, q *check.Person) bool {
	if p == nil || q == nil {
		return false
	}
	for name, v := range p.Facts {
		if check.NamesTenant(name) && v != "" && q.Facts[name] == v {
			return true
		}
	}
	return false
}

// aboutVictim is the request of somebody for what is the victim's: their
// object, or the list of theirs where the query may name whose.
func (s *scanner) aboutVictim(e *check.Endpoint, v, p *check.Person) (*check.Ask, bool) {
	r := e.Resource
	if r == nil || v == nil {
		return nil, false
	}
	if strings.HasPrefix(e.Path, r.Item) {
		if o := r.Of(v); o != nil {
			return s.request(e, o, p)
		}
		return nil, false
	}
	for _, value := range e.Sample.Values {
		if value.In == "query" && check.NamesOwner(value.Name) && v.Subject != "" {
			a, ok := s.request(e, nil, p)
			if ok {
				sep := "?"
				if strings.Contains(a.Target, "?") {
					sep = "&"
				}
				a.Target += sep + contract.Escape(value.Name) + "=" + contract.Escape(v.Subject)
			}
			return a, ok
		}
	}
	return nil, false
}
