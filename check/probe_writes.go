package check

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/jsonscan"
)

// What probes that change things have in common: which object may be changed,
// by which endpoint, and how to see afterwards that it was.

// A write is an endpoint that changes an object which may be changed.
type write struct {
	on *Object
	by *Endpoint
}

// writes lists what may be written, the gentlest first: changes of one member,
// whole objects, new ones. What takes from one and gives to another is left out:
// less than nothing of it would take from somebody who was there before.
func writes(t *Trial) []write {
	var change, replace, create []write
	for _, r := range t.Resources {
		o := changeable(t, r)
		if o == nil {
			continue
		}
		if takesJSON(r.Update) {
			change = append(change, write{o, r.Update})
		}
		if takesJSON(r.Replace) {
			replace = append(replace, write{o, r.Replace})
		}
		if takesJSON(r.Create) && r.Create.Role == Create && !aboutPeople(r) && !(movesAmount(r.Create) && toLeaf(r.Create).Pointer != "") {
			create = append(create, write{o, r.Create})
		}
	}
	return slices.Concat(change, replace, create)
}

// changeable is an object of a resource that was made for the trial, or nil.
func changeable(t *Trial, r *Resource) *Object {
	if r == nil {
		return nil
	}
	for _, p := range everybody(t) {
		if o := r.Of(p); o != nil && o.Made && Succeeded(o.Seen) {
			return o
		}
	}
	return nil
}

// everybody is the people of a trial, each once, the victim first.
func everybody(t *Trial) []*Person {
	var out []*Person
	for _, p := range append([]*Person{t.Victim, t.Attacker}, t.People...) {
		if p != nil && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// aboutPeople reports whether a resource's objects are those who log in.
func aboutPeople(r *Resource) bool {
	if r.Create != nil && r.Create.Role == SignUp {
		return true
	}
	switch strings.ToLower(r.Name) {
	case "users", "user", "members", "customers", "people", "persons", "profiles", "employees", "accounts":
		return true
	}
	return false
}

// ofIdentity reports whether a member is what a person logs in with or is known
// by. A probe that changes it may lose the person.
func ofIdentity(name string) bool {
	n := strings.ToLower(name)
	for _, word := range []string{"mail", "password", "passwd", "secret", "token", "username", "user_name", "login", "role", "subject", "tenant"} {
		if strings.Contains(n, word) {
			return true
		}
	}
	return false
}

func takesJSON(e *Endpoint) bool {
	return e != nil && e.Operation != nil && slices.ContainsFunc(mediaTypes(e), contract.IsJSON)
}

func mediaTypes(e *Endpoint) []string {
	var out []string
	for mt := range e.Requests {
		out = append(out, mt)
	}
	return out
}

// bodyOf is what the contract says of an ask's body, or nil.
func bodyOf(a *Ask) *contract.Body {
	if a.Endpoint == nil || a.Endpoint.Operation == nil {
		return nil
	}
	return a.Endpoint.RequestBody(a.Header.MediaType())
}

// broken is the keyword of the contract that a body breaks first, and "" when it
// breaks none or nobody judges it.
func broken(b *contract.Body, text []byte) string {
	if b == nil || text == nil {
		return ""
	}
	r := b.Scan(text, jsonscan.Limits{}).Result
	if r.Fault != nil {
		return string(r.Fault.Kind)
	}
	for i := range r.Violations {
		if r.Violations[i].Kind == jsonscan.Invalid {
			return r.Violations[i].Keyword
		}
	}
	return ""
}

// ask is the honest request of a write: what is there stays as it is, as far as
// the owner can see it.
func (w write) ask(t *Trial) (*Ask, bool) {
	a, ok := t.Request(w.by, w.on, w.on.Owner)
	if !ok || !contract.IsJSON(a.Header.MediaType()) || bytes.IndexByte(a.Body, '{') < 0 {
		return nil, false
	}
	if w.by.Role == Create {
		return a, true
	}
	b := *a
	a = &b
	for _, m := range members(a.Body) {
		pointer := "/" + pointerEscaper.Replace(m)
		value := shown(w.on.Seen, m)
		switch {
		case ofIdentity(m) && strings.Contains(strings.ToLower(m), "password"):
			value, _ = json.Marshal(string(w.on.Owner.Password))
		case ofIdentity(m) && value == nil && strings.Contains(strings.ToLower(m), "mail"):
			value, _ = json.Marshal(w.on.Owner.Email)
		}
		if value == nil {
			continue
		}
		if text := SetMember(a.Body, pointer, value); text != nil && broken(bodyOf(a), text) == "" {
			a.Body = text
		}
	}
	return w.current(t, a), true
}

// current names the version that is changed where the API wants that.
func (w write) current(t *Trial, a *Ask) *Ask {
	wants := slices.ContainsFunc(w.by.Parameters, func(p *contract.Parameter) bool {
		return p.In == "header" && strings.EqualFold(p.Name, "If-Match")
	})
	if !wants {
		return a
	}
	if tag := t.Look(w.on); tag.Response != nil && tag.Response.Header.Get("ETag") != "" {
		return a.Set("If-Match", tag.Response.Header.Get("ETag"))
	}
	return a.Set("If-Match", "*")
}

// members are the names of a JSON object's members in their order.
func members(text []byte) []string {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	var out []string
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil
		}
		s, _ := name.(string)
		out = append(out, s)
		var skip json.RawMessage
		if d.Decode(&skip) != nil {
			return nil
		}
	}
	return out
}

// shown is the value of a member of what an answer shows, which may stand in an
// envelope; nil when it does not show it.
func shown(x *exchange.Exchange, name string) json.RawMessage {
	var top map[string]json.RawMessage
	if json.Unmarshal(Text(x), &top) != nil {
		return nil
	}
	if v, ok := top[name]; ok {
		return v
	}
	if len(top) > 4 {
		return nil // no envelope
	}
	var found json.RawMessage
	for _, inner := range top {
		var m map[string]json.RawMessage
		if json.Unmarshal(inner, &m) == nil && m[name] != nil {
			if found != nil {
				return nil
			}
			found = m[name]
		}
	}
	return found
}

// An edit is a write that leaves a mark in one member, as the contract allows.
type edit struct {
	write
	*Ask
	honest              *Ask // the same without the mark
	pointer, name, mark string
}

// marked is an honest write with a mark that its owner can then see, or nil when
// no member is free enough.
func (w write) marked(t *Trial) *edit {
	a, ok := w.ask(t)
	if !ok {
		return nil
	}
	mark := t.Mark()
	quoted, _ := json.Marshal(mark)
	for _, visible := range []bool{true, false} {
		for _, l := range Leaves(a.Body) {
			if l.Kind != "string" && l.Kind != "null" || ofIdentity(l.Name) || strings.Count(l.Pointer, "/") != 1 {
				continue
			}
			if seen := shown(w.on.Seen, l.Name) != nil; seen != visible {
				continue
			}
			text := SetMember(a.Body, l.Pointer, quoted)
			if w.by.Role == Update {
				if one := SetMember([]byte("{}"), l.Pointer, quoted); broken(bodyOf(a), one) == "" {
					text = one
				}
			}
			if text == nil || broken(bodyOf(a), text) != "" || addressed(l) {
				continue
			}
			b := *a
			b.Body = text
			return &edit{w, &b, a, l.Pointer, l.Name, mark}
		}
	}
	return nil
}

// addressed reports whether a text looks as if it had a form that the contract
// does not tell: a date, a URL, a number.
func addressed(l Leaf) bool {
	return l.Kind == "string" && (strings.Contains(l.Value, "://") || len(l.Value) > 0 && strings.Trim(l.Value, "0123456789-:.TZ+ ") == "")
}

// took looks whether a write took effect: the object that was written as its
// owner sees it, or nil. For a new one it is looked at where it was put.
func (w write) took(t *Trial, x *exchange.Exchange, has func(*exchange.Exchange) bool) (*Object, *exchange.Exchange) {
	o := w.on
	if w.by.Role == Create {
		if o = newborn(t, w.on, x); o == nil {
			return nil, nil
		}
	}
	if look := t.Look(o); Succeeded(look) && has(look) {
		return o, look
	}
	return nil, nil
}

// newborn is the object that an answer says was made beside another one, or nil.
func newborn(t *Trial, beside *Object, x *exchange.Exchange) *Object {
	if !Succeeded(x) || t.Adopt == nil {
		return nil
	}
	return t.Adopt(beside.Resource, beside.Owner, x)
}

// undo puts the member that was changed back as it was, or the whole object
// where only that can be sent, or takes away the one that was made.
func (w write) undo(t *Trial, honest *Ask, pointer string, written *Object) {
	if w.by.Role != Create {
		a := w.current(t, honest)
		b := *a
		a = &b
		if one := SetMember([]byte("{}"), pointer, shown(w.on.Seen, pointerName(pointer))); w.by.Role == Update && one != nil && broken(bodyOf(a), one) == "" {
			a.Body = one
		}
		a.Control = true
		t.Ask(a)
		return
	}
	if r := written.Resource; r.Remove != nil {
		if a, ok := t.Request(r.Remove, written, written.Owner); ok {
			a.Control = true
			t.Ask(a)
		}
	}
}

// worked reports whether an answer is a success and does not say otherwise in
// its content.
func worked(x *exchange.Exchange) bool {
	if !Succeeded(x) {
		return false
	}
	var top map[string]json.RawMessage
	if json.Unmarshal(Text(x), &top) != nil {
		return true
	}
	for _, name := range []string{"error", "errors", "success", "ok"} {
		if v, ok := top[name]; ok && failureMembers[name](v) {
			return false
		}
	}
	return true
}

// refused reports whether the API said no to a request for what is in it: not
// for who asked, how often or because it broke.
func refused(x *exchange.Exchange) bool {
	switch s := StatusOf(x); s {
	case 401, 403, 429:
		return false
	default:
		return s >= 400 && s < 500 || Succeeded(x) && !worked(x)
	}
}
