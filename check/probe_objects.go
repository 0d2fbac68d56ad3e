package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// objectOf is an object of a resource that somebody owns and another one has no
// business with, and that other one. With made, it is one that may be changed.
func (t *Trial) objectOf(r *Resource, made bool) (o *Object, by *Person) {
	owners := []*Person{t.Victim}
	for _, p := range t.People {
		if p.Spare && p != t.Victim {
			owners = append(owners, p)
		}
	}
	for _, p := range owners {
		if o := r.Of(p); o != nil && slices.ContainsFunc(o.Marks, func(m string) bool { return !o.named(m) }) && (o.Made || !made) {
			if by := t.otherThan(p); by != nil {
				return o, by
			}
		}
	}
	return nil, nil
}

// otherThan is who attacks what a person owns: the attacker, or an ordinary
// person beside.
func (t *Trial) otherThan(owner *Person) *Person {
	if t.Attacker != nil && t.Attacker != owner {
		return t.Attacker
	}
	for _, p := range t.People {
		if p != owner && p.Spare {
			return p
		}
	}
	return nil
}

// seen are the marks of an object that an answer shows.
func seen(x *exchange.Exchange, o *Object) []string {
	var out []string
	for _, m := range o.Marks {
		if Contains(x, m) && !o.named(m) {
			out = append(out, m)
		}
	}
	return out
}

// named reports whether a mark is what the object is called: whoever asks for it
// says that, and lists show it to whom the rest is closed.
func (o *Object) named(mark string) bool {
	for _, v := range o.Params {
		if v == mark {
			return true
		}
	}
	return false
}

// control asks the same as somebody else, to know what an answer means.
func (t *Trial) control(a *Ask, as *Person) *exchange.Exchange {
	c := a.With(as)
	c.Control = true
	return t.Ask(c)
}

// freshList reads the list of a resource as somebody, as it is now.
func (t *Trial) freshList(r *Resource, as *Person) *exchange.Exchange {
	if r.List == nil || !r.List.Answered(as) {
		return nil
	}
	a, ok := t.Request(r.List, nil, as)
	if !ok {
		return nil
	}
	a.Control = true
	return t.Ask(a)
}

// shared reports whether the API shows everybody the objects of a resource by
// its design: somebody's own list has another's, and nothing says that they are
// private.
func (t *Trial) shared(r *Resource, o *Object, by *Person) bool {
	x := t.freshList(r, by)
	if !Succeeded(x) || private(r, o) {
		return false
	}
	if len(seen(x, o)) > 0 {
		return true
	}
	for _, l := range Members(x) {
		if NamesOwner(l.Name) && l.Value != "" && l.Kind != "null" && by.Subject != "" && l.Value != by.Subject {
			return true
		}
	}
	return false
}

// private reports whether something says that an object is its owner's alone:
// the description, or members of somebody's private life.
func private(r *Resource, o *Object) bool {
	return r.List != nil && r.List.Personal != "" || r.Read != nil && r.Read.Personal != "" || tellsOfPrivate(Members(o.Seen))
}

// projected reports whether somebody was shown less of an object than its
// owner: the part that is for everybody.
func projected(owner, other *exchange.Exchange) bool {
	shown := map[string]bool{}
	for _, l := range Members(other) {
		shown[l.Shape] = l.Value != "" && l.Kind != "null" && !strings.Contains(l.Value, "*") && !strings.Contains(l.Value, "XXXX")
	}
	hidden := 0
	for _, l := range Members(owner) {
		if l.Value != "" && l.Kind != "null" && !shown[l.Shape] && !strings.Contains(l.Value, "XXXX") {
			hidden++
		}
	}
	return hidden > 0
}

// refusedOf reports whether an answer is a refusal of who asked.
func refusedOf(x *exchange.Exchange) bool {
	s := Meant(x)
	return s == 401 || s == 403
}

// gone reports whether an answer says that a thing is not there any more.
func gone(x *exchange.Exchange) bool {
	s := Meant(x)
	return s == 404 || s == 410
}

// Meant is the status that an answer means: of a failure that hides behind a
// success, the one that its body speaks of.
func Meant(x *exchange.Exchange) int {
	if !Succeeded(x) {
		return StatusOf(x)
	}
	p := &Pass{Exchange: decoded(x)}
	if _, status, bad := hiddenFailure(p); bad {
		return status
	}
	return StatusOf(x)
}

// missingID is an ID of the shape that a resource's have, of something that is
// not there.
func (t *Trial) missingID(r *Resource) string {
	for _, o := range r.Objects {
		id := o.ID()
		switch {
		case id != "" && strings.Trim(id, "0123456789") == "":
			return "987654321"
		case len(id) == 36 && strings.Count(id, "-") == 4:
			return fmt.Sprintf("00000000-0000-4000-8000-%012d", len(id))
		}
		return t.Mark()
	}
	return "987654321"
}

// missing is an object that is not there, at a place where another one could
// be.
func (t *Trial) missing(r *Resource, like *Object) *Object {
	params := map[string]string{}
	if like != nil {
		for k, v := range like.Params {
			params[k] = v
		}
	}
	params[r.Key] = t.missingID(r)
	return &Object{Resource: r, Params: params, Made: true}
}

// says is evidence of what somebody got.
func says(x *exchange.Exchange, by *Person, what string) exchange.Evidence {
	return Status(fmt.Sprintf("%d: %s %s", StatusOf(x), by, what))
}
