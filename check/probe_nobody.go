package check

import (
	"regexp"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// needsSomebody reports whether an endpoint has to ask who speaks: by its
// contract, or by what it answers where no contract says.
func (t *Trial) needsSomebody(e *Endpoint) (byContract, needed bool) {
	says := t.Declared && t.Contract != nil && len(t.Contract.Schemes) > 0
	for _, q := range e.Security {
		if len(q) == 0 { // a credential is welcome and not needed
			return says, false
		}
	}
	if says {
		return true, !e.Public
	}
	return false, e.Personal != "" || e.Resource != nil
}

// nobodysShare judges what nobody got of an endpoint that somebody was answered
// by, and says what of it is not for everybody.
func (t *Trial) nobodysShare(e *Endpoint, byContract bool) (of *Person, says string, likely bool) {
	nobody := e.Honest[nil]
	for _, p := range t.People {
		if !e.Answered(p) {
			continue
		}
		if mark := t.personal(e, p, nobody); mark != "" {
			return p, "has what is " + p.Name + "'s, for nobody", false
		}
	}
	if !byContract {
		return nil, "", false
	}
	for _, p := range t.People {
		if !e.Answered(p) || len(Text(e.Honest[p])) == 0 {
			continue
		}
		switch x := e.Honest[p]; {
		case string(Text(x)) == string(Text(nobody)):
			return nil, "is the same for nobody as for " + p.Name, false
		case alikeInKind(x, nobody):
			return nil, "has content of the kind that " + p.Name + " gets, for nobody", false
		}
	}
	return nil, "", false
}

// personal returns a text of an answer that is one person's: a mark in an object
// of theirs, or a fact that no other person has; and that the request did not
// say, nor anybody's public answer has to.
func (t *Trial) personal(e *Endpoint, p *Person, x *exchange.Exchange) string {
	asked := x.Request.Target + string(x.Request.Body.Data)
	tells := func(v string) bool {
		return len(v) >= 6 && !strings.Contains(asked, v) && Contains(x, v) && Contains(e.Honest[p], v)
	}
	if o := e.Resource.Of(p); o != nil {
		for _, m := range o.Marks {
			if tells(m) {
				return m
			}
		}
	}
	for name, v := range p.Facts {
		shared := slices.ContainsFunc(t.People, func(q *Person) bool {
			return q != p && slices.ContainsFunc(values(q.Facts), func(w string) bool { return w == v })
		})
		if !shared && (strings.Contains(v, "@") || privateName.MatchString(name)) && tells(v) {
			return v
		}
	}
	return ""
}

// privateName are the names of facts that nobody publishes of somebody.
var privateName = regexp.MustCompile(`(?i)mail|phone|mobile|iban|account|number|card|ssn|tax|birth|street|address`)

func values(m map[string]string) (out []string) {
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

var guestWords = regexp.MustCompile(`(?i)\b(guest|anonymous|anonym|nobody|public|demo|sample|example)\b`)

// alikeInKind reports whether one answer holds the kind of content that another
// does: most of its members, with values in them. An empty shell, and a stand-in
// for whoever is nobody, do not.
func alikeInKind(somebody, nobody *exchange.Exchange) bool {
	if !Succeeded(nobody) || somebody.Response.Header.MediaType() != nobody.Response.Header.MediaType() {
		return false
	}
	want, got := filled(Members(somebody)), filled(Members(nobody))
	if len(want) == 0 {
		a, b := Text(somebody), Text(nobody)
		first, _, _ := strings.Cut(string(a), "\n") // a table: its first line names the columns
		return strings.Contains(somebody.Response.Header.MediaType(), "csv") && strings.HasPrefix(string(b), first+"\n") && len(b) > len(first)+2
	}
	both, texts := 0, 0
	for shape := range want {
		if v, ok := got[shape]; ok {
			both++
			if len(v) > 1 {
				texts++
			}
			if guestWords.MatchString(v) {
				return false
			}
		}
	}
	return both*3 >= len(want)*2 && texts > 0
}

// filled are the values that say something, by shape.
func filled(leaves []Leaf) map[string]string {
	out := map[string]string{}
	for _, l := range leaves {
		if l.Kind == "null" || l.Kind == "boolean" || l.Value == "" || l.Value == "0" {
			continue
		}
		out[l.Shape] = l.Value
	}
	return out
}

// writtenByNobody has nobody change an object that was made for the trial, and
// reports the change that its owner then reads.
func (t *Trial) writtenByNobody(r *Resource, e *Endpoint) bool {
	var o *Object
	for _, p := range t.People {
		if c := r.Of(p); c != nil && c.Made && c.Seen != nil {
			o = c
			break
		}
	}
	if e == nil || o == nil {
		return false
	}
	a, ok := t.Request(e, o, o.Owner)
	if !ok {
		return false
	}
	for _, in := range a.inputs() {
		if in.in != "body" || len(in.value) < 6 || !slices.ContainsFunc(o.Marks, func(m string) bool { return strings.Contains(in.value, m) }) {
			continue
		}
		mark := t.Mark()
		b := a.put(in, mark).With(nil).whatever()
		b.Of = o.Owner
		x := t.Ask(b)
		if !Succeeded(x) {
			return false
		}
		if seen := t.Look(o); Contains(seen, mark) {
			t.Report(&Flaw{Endpoint: e, Of: o.Owner, Evidence: []exchange.Evidence{CredentialSays("none was sent, and the change was made")},
				Proof: []*exchange.Exchange{o.Seen, x, seen}, Marks: []string{mark}})
			t.Ask(a.whatever())
			return true
		}
		return false
	}
	return false
}

// deletedByNobody has nobody delete what is not there and, where that is not
// refused, an object that is made for it.
func (t *Trial) deletedByNobody(r *Resource) {
	var like *Object
	for _, p := range t.People {
		if o := r.Of(p); like == nil && o != nil && o.Made && o.Owner == p {
			like = o
		}
	}
	if like == nil || r.Create == nil || r.Create.Role != Create {
		return
	}
	a, ok := t.Request(r.Remove, like, like.Owner)
	if !ok {
		return
	}
	harmless, ok := a.nowhere()
	if !ok || refusedOf(t.Ask(harmless.With(nil))) {
		return
	}
	o := t.Make(r, like.Owner)
	if o == nil {
		return
	}
	if a, ok = t.Request(r.Remove, o, o.Owner); !ok {
		return
	}
	b := a.With(nil).whatever()
	b.Of = o.Owner
	x := t.Ask(b)
	if !Succeeded(x) {
		return
	}
	if seen := t.Look(o); vanished(o, seen) {
		t.Report(&Flaw{Endpoint: r.Remove, Of: o.Owner, Evidence: []exchange.Evidence{CredentialSays("none was sent, and the object is gone")},
			Proof: []*exchange.Exchange{o.Seen, x, seen}})
	}
}
