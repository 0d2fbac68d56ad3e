package scan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

// survey looks around as an honest client would: who is who, what there is, and
// who is answered. It makes the objects that are then asked about.
func (s *scanner) survey() error {
	s.progress.Phase = "looking around"
	if err := s.chart(); err != nil {
		return err
	}
	if len(s.trial.Endpoints) == 0 {
		return errors.New("scan: the description has no operation that could be asked")
	}
	s.quiet = true
	if err := s.reachable(); err != nil {
		return err
	}
	s.quiet = false
	if err := s.introduce(); err != nil {
		return err
	}
	s.quiet = true
	for _, e := range s.trial.Endpoints { // now it is known who has which role
		e.Few = s.fewOf(e)
	}
	s.askPlain(append([]*check.Person{nil}, s.trial.People...)...)
	s.chooseAlive()
	if err := s.taken(); err != nil {
		return err
	}
	for range 2 + max(0, 2-len(s.o.People)) { // who stands in for the victim or attacker is not to spare
		if p := s.signUp(); p != nil {
			s.askPlain(p)
		}
	}
	if s.trial.Attacker == nil { // a newcomer will do
		for _, p := range s.trial.People {
			if p.Spare && p != s.trial.Victim {
				if s.trial.Victim == nil {
					s.trial.Victim = p
				} else if s.trial.Attacker == nil {
					s.trial.Attacker = p
				}
			}
		}
	}
	for _, r := range s.trial.Resources {
		s.stock(r)
	}
	s.askAbout()
	s.askAbove()
	s.askColleagues()
	return nil
}

// reachable asks for anything at all: a target that does not answer is told of
// at once.
func (s *scanner) reachable() error {
	x := s.ask(&check.Ask{Method: "GET", Target: "/"})
	if x.Response == nil {
		x = s.ask(&check.Ask{Method: "GET", Target: "/"})
	}
	if x.Response == nil {
		return &UnreachableError{s.base, x.Failure}
	}
	s.deep(x)
	return nil
}

// An UnreachableError says that nothing can be asked of a target.
type UnreachableError struct{ Target, Why string }

func (e *UnreachableError) Error() string { return "scan: " + e.Target + ": " + e.Why }

// askPlain asks all that can be read without an object, as some people.
func (s *scanner) askPlain(people ...*check.Person) {
	failing := 0
	for _, e := range s.trial.Endpoints {
		if e.Method != "GET" || strings.Contains(e.Path, "{") {
			continue
		}
		for _, p := range people {
			a, ok := s.request(e, nil, p)
			if !ok {
				continue
			}
			x := s.ask(a)
			e.Honest[p] = x
			if p != nil {
				s.readSelf(e, p, x)
			}
			if x.Response == nil || x.Response.Status >= 500 {
				failing++
			} else {
				failing = -1 << 20
			}
			if failing > 12 {
				s.stop(allFails)
				return
			}
		}
	}
	if failing >= 3 {
		s.stop(allFails)
	}
}

// allFails is why nothing more is asked of an API that is broken: its failures
// say nothing of how it is when it works.
const allFails = "the API fails whatever it is asked"

// A CredentialError says that the API does not take somebody's credential.
type CredentialError struct {
	Name string
	Says string
}

func (e *CredentialError) Error() string {
	return "scan: the API does not take the credential of " + e.Name + ": " + e.Says
}

// taken reports that victim and attacker are somebody to the API: what a dead
// credential is refused would look like protection.
func (s *scanner) taken() error {
	if v, a := s.trial.Victim, s.trial.Attacker; v != nil && a != nil && v.Subject != "" && v.Subject == a.Subject && v.Facts["tenant"] == a.Facts["tenant"] {
		return &SamePersonError{v.Name, a.Name}
	}
	for _, p := range []*check.Person{s.trial.Victim, s.trial.Attacker} {
		refused, at := 0, ""
		for _, e := range s.trial.Endpoints {
			x := e.Honest[p]
			if p == nil || x == nil || open(e) {
				continue
			}
			if check.Succeeded(x) {
				refused = -1 << 20
			} else if st := check.StatusOf(x); st == 401 || st == 403 && check.StatusOf(e.Honest[nil]) == 403 {
				refused++
				at = fmt.Sprintf("%d at %s", st, e.Name)
			}
		}
		if refused > 0 {
			return &CredentialError{p.Name, at}
		}
	}
	return nil
}

// chooseAlive finds what tells a working credential from a dead one.
func (s *scanner) chooseAlive() {
	best := 0
	for _, e := range s.trial.Endpoints {
		if e.Method != "GET" || strings.Contains(e.Path, "{") || s.trial.Victim == nil || !e.Answered(s.trial.Victim) {
			continue
		}
		score := 1
		if st := check.StatusOf(e.Honest[nil]); st == 401 || st == 403 {
			score += 4
		}
		if e.Personal != "" {
			score++
		}
		if e.Role == check.Own {
			score++
		}
		for _, p := range s.trial.People {
			if e.Answered(p) {
				score++
			}
		}
		if score > best && score > 4 {
			best, s.alive = score, e
		}
	}
}

// stock finds and makes objects of a resource.
func (s *scanner) stock(r *check.Resource) {
	s.known[r] = map[*check.Person][]*check.Object{}
	people := append([]*check.Person{nil}, s.trial.People...)
	if r.List != nil {
		for _, p := range people {
			s.listed(r, p)
		}
	}
	if isPeople(r.Name) {
		s.stockPeople(r)
		return
	}
	if r.Create == nil || r.Create.Role != check.Create {
		s.adopt(r)
		return
	}
	var refused bool
	for _, p := range s.trial.People {
		if r.Create.Few != "" && !s.mayFew(r.Create, p) {
			continue
		}
		if p != s.trial.Victim && p != s.trial.Attacker && r.Of(s.trial.Victim) != nil && r.Of(s.trial.Attacker) != nil {
			continue // those two are enough
		}
		if o := s.make(r, p); o != nil {
			r.Objects[p] = o
		} else if st := check.StatusOf(r.Create.Honest[p]); st == 401 || st == 403 {
			refused = refused || p == s.trial.Victim
		}
	}
	if refused && r.Create.Few == "" && len(r.Objects) > 0 {
		var who []string
		for p := range r.Objects {
			who = append(who, p.Name)
		}
		slices.Sort(who)
		r.Create.Few = "only " + strings.Join(who, ", ") + " may"
	}
	s.adopt(r)
}

// mayFew reports whether somebody seems to be one of the few.
func (s *scanner) mayFew(e *check.Endpoint, p *check.Person) bool {
	if p == s.trial.Victim || p == s.trial.Attacker || p.Spare {
		return false
	}
	return slices.ContainsFunc(p.Roles, func(role string) bool {
		return !s.trial.Victim.HasRole(role) && (strings.Contains(strings.ToLower(e.Few), strings.ToLower(role)) || fewWord(role) != "")
	})
}

// mostKnown is how many items of a list are looked at. All of them are protected.
const mostKnown = 200

// listed reads the list of a resource as somebody, and notes what is there.
func (s *scanner) listed(r *check.Resource, p *check.Person) {
	x := r.List.Honest[p]
	if x == nil {
		a, ok := s.request(r.List, nil, p)
		if !ok {
			return
		}
		x = s.ask(a)
		r.List.Honest[p] = x
	}
	if !check.Succeeded(x) {
		return
	}
	for i, one := range items(check.Members(x)) {
		id := idAmong(r, one.leaves, one.at)
		if id == "" {
			continue
		}
		o := &check.Object{Resource: r, Params: s.params(r, x.Request.Target, id), Seen: x}
		s.protect(o)
		if i < mostKnown {
			s.known[r][p] = append(s.known[r][p], o)
			s.listing[o] = one.leaves
		}
	}
}

// protect notes that an object was there before.
func (s *scanner) protect(o *check.Object) {
	if slices.ContainsFunc(s.made, func(m *check.Object) bool { return m.Resource == o.Resource && m.ID() == o.ID() }) {
		return
	}
	if path, ok := s.path(o.Resource.Item, o, o.Owner); ok {
		s.existing[path] = true
	}
}

// stockPeople takes people themselves for the objects of a resource of people.
func (s *scanner) stockPeople(r *check.Resource) {
	for _, p := range s.trial.People {
		if p.Subject == "" {
			continue
		}
		o := r.Objects[p]
		if o == nil {
			o = &check.Object{Resource: r, Owner: p, Params: s.params(r, "", p.Subject), Made: p.Spare}
			if path, ok := s.path(r.Collection, nil, p); ok {
				o.Params = s.params(r, path, p.Subject)
			} else {
				continue
			}
			if !o.Made {
				s.protect(o)
			}
		}
		seen := s.look(o)
		if !check.Succeeded(seen) {
			continue
		}
		o.Seen = seen
		o.Marks = union(o.Marks, s.ownMarks(p, seen))
		r.Objects[p] = o
	}
}

// ownMarks are values in an answer that tell one person from all others.
func (s *scanner) ownMarks(p *check.Person, x *exchange.Exchange) []string {
	var out []string
	for _, l := range check.Members(x) {
		if l.Kind != "string" || len(l.Value) < 8 || isTime(l.Value) || strings.Contains(l.Value, "://") {
			continue
		}
		shared := false
		for _, q := range s.trial.People {
			for _, v := range q.Facts {
				shared = shared || q != p && v == l.Value
			}
		}
		if !shared && !slices.Contains(out, l.Value) && (strings.Contains(l.Value, "@") || strings.ContainsAny(l.Value, "0123456789 -") || p.Facts[l.Name] == l.Value) {
			out = append(out, l.Value)
		}
	}
	return out
}

// isTime reports whether a text is a date or a time (RFC 3339).
func isTime(v string) bool {
	return len(v) >= 10 && v[4] == '-' && v[7] == '-' && strings.Trim(v[:4], "0123456789") == ""
}

// adopt takes for those who have none an object that was there before and is
// theirs: it names them as its owner, or only they see it.
func (s *scanner) adopt(r *check.Resource) {
	for _, p := range s.trial.People {
		if r.Objects[p] != nil || p.Subject == "" {
			continue
		}
		for _, o := range s.known[r][p] {
			leaves := s.listing[o]
			mine := slices.ContainsFunc(leaves, func(l check.Leaf) bool { return l.Value == p.Subject && isOwnerName(l.Name) })
			if !mine {
				continue
			}
			own := *o
			own.Owner = p
			if seen := s.look(&own); check.Succeeded(seen) {
				own.Seen = seen
			}
			for _, l := range leaves {
				if l.Kind == "string" && len(l.Value) >= 8 && !isTime(l.Value) && !s.elsewhere(r, p, l.Value) {
					own.Marks = append(own.Marks, l.Value)
				}
			}
			if len(own.Marks) > 0 {
				r.Objects[p] = &own
				break
			}
		}
	}
}

// elsewhere reports whether a value stands in what others are shown too.
func (s *scanner) elsewhere(r *check.Resource, p *check.Person, value string) bool {
	n := 0
	for q, os := range s.known[r] {
		if len(os) > 0 && check.Contains(os[0].Seen, value) && q != p {
			return true
		}
	}
	for _, o := range s.known[r][p] {
		for _, l := range s.listing[o] {
			if l.Value == value {
				n++
			}
		}
	}
	return n > 1
}

// isOwnerName reports whether a member names who something belongs to.
func isOwnerName(name string) bool {
	low := strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
	for _, w := range []string{"owner", "ownerid", "user", "userid", "author", "authorid", "customer", "customerid", "account", "accountid", "createdby", "creator", "creatorid",
		"member", "memberid", "subject", "sub", "username", "fromuserid", "from", "person", "personid", "patientid", "clientid", "sender", "senderid"} {
		if low == w {
			return true
		}
	}
	return false
}

// askAbout asks the honest questions about each person's own object.
func (s *scanner) askAbout() {
	for _, e := range s.trial.Endpoints {
		if e.Method != "GET" || !strings.Contains(e.Path, "{") || e.Role == check.List {
			continue
		}
		r := e.Resource
		for _, p := range s.trial.People {
			if e.Honest[p] != nil || s.endless(e) && p != s.trial.Victim {
				continue
			}
			var o *check.Object
			if r != nil {
				if o = r.Of(p); o == nil {
					if o = s.anyObject(r, p); o == nil {
						continue
					}
				}
			}
			if a, ok := s.request(e, o, p); ok {
				a.Of = nil
				e.Honest[p] = s.ask(a)
			}
		}
		if r == nil {
			continue
		}
		if o := s.anyObject(r, nil); o != nil && e.Honest[nil] == nil {
			if v := r.Of(s.trial.Victim); v != nil {
				o = v
			}
			if a, ok := s.request(e, o, nil); ok {
				e.Honest[nil] = s.ask(a)
			}
		}
	}
}

// anyObject is an object of nobody in particular that a person was shown.
func (s *scanner) anyObject(r *check.Resource, p *check.Person) *check.Object {
	for _, q := range []*check.Person{p, nil} {
		if os := s.known[r][q]; len(os) > 0 {
			return os[0]
		}
	}
	if p == nil {
		return r.Of(s.trial.Victim)
	}
	return nil
}

func union(a, b []string) []string {
	for _, v := range b {
		if !slices.Contains(a, v) {
			a = append(a, v)
		}
	}
	return a
}
