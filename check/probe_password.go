package check

import (
	"encoding/json"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// changesPasswords has one newcomer give another a new password. A sound API
// refuses, or changes the caller's own: only the log-in tells.
func (t *Trial) changesPasswords() {
	var doors []door
	for _, d := range t.doors(false) {
		if d.password.in != "" {
			doors = append(doors, d)
		}
	}
	if len(doors) == 0 {
		return
	}
	for _, r := range t.Resources {
		for _, e := range append([]*Endpoint{r.Update, r.Replace}, r.Others...) {
			if e == nil || e.Safe() || e.Method == "DELETE" || e.Sample == nil || e.Few != "" {
				continue
			}
			for _, l := range e.members() {
				if isPassword(plainName(l.Name)) && t.changesPassword(r, e, l, doors[0]) {
					return
				}
			}
		}
	}
}

func (t *Trial) changesPassword(r *Resource, e *Endpoint, l Leaf, d door) bool {
	for _, p := range t.People {
		o := r.Of(p)
		by := t.otherThan(p)
		if !p.Spare || p.Email == "" || o == nil || !o.Made || by == nil {
			continue
		}
		a, ok := t.Request(e, o, by)
		if !ok {
			continue
		}
		secret := "Bb2!" + t.Mark()
		raw, _ := json.Marshal(secret)
		if a.Body = SetMember(a.Body, l.Pointer, raw); a.Body == nil {
			continue
		}
		if before := d.try(t, p.Email, secret); Succeeded(before) || StatusOf(before) == 0 || StatusOf(before) == 429 {
			return false // whatever is said there lets in
		}
		a.Of = p
		x := t.Ask(a)
		if refusedOf(x) || gone(x) || StatusOf(x) == 0 {
			return false
		}
		in := d.try(t, p.Email, secret)
		if !Succeeded(in) {
			return false
		}
		p.Password = identity.Secret(secret)
		t.Report(&Flaw{Endpoint: e, Parameter: "path " + r.Key, By: by, Of: p, Proof: []*exchange.Exchange{x, in},
			Evidence: []exchange.Evidence{says(x, by, "gives "+p.Name+" another password, and it opens the account"), RequestBody(l.Pointer, "is the new password")}})
		return true
	}
	return false
}
