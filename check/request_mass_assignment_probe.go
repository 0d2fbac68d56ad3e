package check

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/parley-project/parley/exchange"
)

// probeMassAssignment sends members that are not the client's to set: those
// that only answers have, and those whose names give power. The proof is that
// they are kept.
func probeMassAssignment(t *Trial) {
	by := t.Attacker
	if by == nil {
		by = t.Victim
	}
	for _, p := range t.People {
		if p.Spare && p != t.Victim {
			by = p // somebody who may be ruined
			break
		}
	}
	for _, e := range t.Endpoints {
		if e.Sample == nil || len(e.Sample.Body) == 0 || e.Few != "" || e.Resource == nil {
			continue
		}
		switch e.Role {
		case SignUp:
			t.assigns(e, nil, nil)
		case Create:
			if !movesAmount(e) {
				t.assigns(e, nil, t.makerOf(e.Resource, by))
			}
		case Update, Replace:
			if who := t.makerOf(e.Resource, by); who != nil {
				t.assigns(e, e.Resource.Of(who), who)
			}
		}
	}
}

// makerOf is who has an object of a resource that may be changed, or may make
// one.
func (t *Trial) makerOf(r *Resource, first *Person) *Person {
	for _, p := range append([]*Person{first, t.Attacker, t.Victim}, t.People...) {
		if o := r.Of(p); p != nil && o != nil && o.Made && !p.ranksAbove(t.Victim) {
			return p
		}
	}
	return nil
}

// A seed is a member that an attack adds.
type seed struct {
	pointer string
	value   json.RawMessage
	// power is true when its name alone says that it is not for the client to set.
	power bool
	// guessed is true when nobody says that the API knows the name.
	guessed bool
}

// powers are members that give power, with values that nobody is given unasked.
var powers = []struct{ name, value string }{
	{"role", `"admin"`}, {"roles", `["admin"]`}, {"is_admin", "true"}, {"isAdmin", "true"}, {"admin", "true"}, {"is_staff", "true"}, {"permissions", `["*"]`},
	{"verified", "true"}, {"email_verified", "true"}, {"approved", "true"}, {"balance", "424242"}, {"credit", "424242"},
}

// assigns tries one endpoint.
func (t *Trial) assigns(e *Endpoint, o *Object, by *Person) {
	plain, ok := t.Request(e, o, by)
	if !ok {
		return
	}
	plain.Of = nil
	before := e.Honest[by]
	if o != nil {
		before = t.Look(o)
	}
	if !Succeeded(before) {
		return
	}
	envelope := envelopeOf(before, e.Resource, o)
	seeds := t.seeds(e, plain.Body, before, envelope, by)
	for len(seeds) > 0 {
		x := t.sendSeeds(e, plain, seeds)
		if Succeeded(x) {
			all := sync.OnceValue(func() bool { return t.keepsAll(e, o, by, plain, before) })
			for _, s := range t.kept(e, o, by, x, before, seeds) {
				t.reportSeed(e, by, before, x, s, all)
			}
			return
		}
		if StatusOf(x) == 0 {
			return
		}
		left := slices.DeleteFunc(slices.Clone(seeds), func(s seed) bool { return namesMember(x, s.pointer) })
		if len(left) == len(seeds) || len(left) == 0 {
			break
		}
		seeds = left
	}
	// Together they are refused, and nobody says why: each by itself.
	for _, s := range t.seeds(e, plain.Body, before, envelope, by) {
		if s.pointer == "/permissions" || s.pointer == "/is_staff" || s.pointer == "/isAdmin" || s.pointer == "/email_verified" || s.pointer == "/credit" {
			continue // rarer names were asked with the others
		}
		x := t.sendSeeds(e, plain, []seed{s})
		if !Succeeded(x) {
			continue
		}
		for _, s := range t.kept(e, o, by, x, before, []seed{s}) {
			t.reportSeed(e, by, before, x, s, func() bool { return t.keepsAll(e, o, by, plain, before) })
			return
		}
	}
}

func (t *Trial) reportSeed(e *Endpoint, by *Person, before, x *exchange.Exchange, s seed, keepsAll func() bool) {
	f := &Flaw{Endpoint: e, Parameter: "request body " + s.pointer, By: by, Marks: []string{string(s.value)}, Proof: []*exchange.Exchange{before, x},
		Evidence: []exchange.Evidence{RequestBody(s.pointer, "is taken from the client and kept")}}
	if s.guessed && keepsAll() {
		f.Verdict, f.Missing = exchange.Likely, "what means nothing is kept as well, so that it may mean nothing either"
	}
	t.Report(f)
}

// keepsAll reports whether a member is kept whose name is made up: then the API
// keeps whatever it is given, and a powerful name there is no power.
func (t *Trial) keepsAll(e *Endpoint, o *Object, by *Person, plain *Ask, before *exchange.Exchange) bool {
	mark := t.Mark()
	made := []seed{{pointer: "/" + mark, value: json.RawMessage(`"` + mark + `"`)}}
	x := t.sendSeeds(e, plain, made)
	return Succeeded(x) && len(t.kept(e, o, by, x, before, made)) > 0
}

// sendSeeds sends a body with seeds. What must be different each time is made
// anew.
func (t *Trial) sendSeeds(e *Endpoint, plain *Ask, seeds []seed) *exchange.Exchange {
	a := *plain
	a.Body = t.renewed(e, plain.Body)
	for _, s := range seeds {
		if next := SetMember(a.Body, s.pointer, s.value); next != nil {
			a.Body = next
		}
	}
	return t.Ask(&a)
}

// renewed gives a body that makes somebody another name.
func (t *Trial) renewed(e *Endpoint, body []byte) []byte {
	if e.Role != SignUp {
		return body
	}
	mark := t.Mark()
	for _, l := range Leaves(body) {
		low, value := plainName(l.Name), ""
		switch {
		case strings.Contains(low, "password"):
			value = "Aa1!" + mark
		case strings.Contains(low, "mail") || strings.Contains(l.Value, "@"):
			value = mark + "@example.com"
		case strings.Contains(low, "user") || strings.Contains(low, "login") || low == "name":
			value = mark
		default:
			continue
		}
		raw, _ := json.Marshal(value)
		if next := SetMember(body, l.Pointer, raw); next != nil {
			body = next
		}
	}
	return body
}

// envelopeOf is the pointer of the object in an answer: "" or "/data".
func envelopeOf(x *exchange.Exchange, r *Resource, o *Object) string {
	for _, l := range Members(x) {
		if (l.Name == r.Key || l.Name == "id" || o != nil && l.Value == o.ID()) && strings.Count(l.Pointer, "/") <= 2 {
			return l.Pointer[:strings.LastIndexByte(l.Pointer, '/')]
		}
	}
	return ""
}

// seeds are what may be tried at an endpoint: declared members with powerful
// names, members that only answers have, and well-known ones.
func (t *Trial) seeds(e *Endpoint, body []byte, before *exchange.Exchange, envelope string, by *Person) []seed {
	var out []seed
	add := func(pointer string, value json.RawMessage, power bool) {
		if value != nil && !slices.ContainsFunc(out, func(s seed) bool { return s.pointer == pointer }) {
			out = append(out, seed{pointer: pointer, value: value, power: power})
		}
	}
	sent := map[string]bool{}
	for _, l := range Leaves(body) {
		sent["/"+strings.SplitN(strings.TrimPrefix(l.Pointer, "/"), "/", 2)[0]] = true
	}
	for _, l := range Leaves(e.Sample.Body) { // declared
		if strings.Count(l.Pointer, "/") == 1 && (isPower(l.Name) || t.forFewMember(e, l)) && !sent[l.Pointer] {
			add(l.Pointer, t.otherValue(e, l, by), true)
		}
	}
	for _, l := range Members(before) { // only in answers
		rest, ok := strings.CutPrefix(l.Pointer, envelope)
		if !ok || strings.Count(rest, "/") != 1 || sent[rest] || rest == "/id" || rest == "/"+e.Resource.Key || isTimeName(l.Name) || t.declares(e, body, rest, l) {
			continue
		}
		if !t.Declared && !isPower(l.Name) && !NamesOwner(l.Name) && !namesMoney(l.Name) {
			continue
		}
		l.Pointer = rest
		add(rest, t.otherValue(e, l, by), isPower(l.Name))
	}
	for _, p := range powers {
		if !sent["/"+p.name] && !t.declares(e, body, "/"+p.name, Leaf{Name: p.name, Value: "admin", Kind: "string"}) {
			had := len(out)
			if add("/"+p.name, json.RawMessage(p.value), true); len(out) > had {
				out[had].guessed = true
			}
		}
	}
	return out
}

// isPower reports whether a name gives power.
func isPower(name string) bool {
	switch plainName(name) {
	case "role", "roles", "admin", "isadmin", "superuser", "issuperuser", "staff", "isstaff", "permissions", "permission", "scopes", "scope", "groups",
		"verified", "isverified", "emailverified", "approved", "isapproved", "balance", "credit", "credits", "plan", "tier":
		return true
	}
	return false
}

// forFewMember reports whether the description says of an operation that the
// member is for few: "Only owners set the status".
func (t *Trial) forFewMember(e *Endpoint, l Leaf) bool {
	switch plainName(l.Name) {
	case "status", "state", "owner", "ownerid", "createdby":
	default:
		return false
	}
	text := strings.ToLower(e.Sample.Summary + " " + e.Sample.Doc)
	return strings.Contains(text, "only") && strings.Contains(text, strings.ToLower(l.Name))
}

func isTimeName(name string) bool {
	low := plainName(name)
	return strings.HasSuffix(low, "at") && len(low) > 5 || strings.Contains(low, "date") || strings.Contains(low, "time")
}

func namesMoney(name string) bool {
	low := plainName(name)
	return low == "total" || low == "price" || low == "amount" || low == "balance" || low == "discount"
}

// declares reports whether the contract lets clients send a member.
func (t *Trial) declares(e *Endpoint, body []byte, pointer string, l Leaf) bool {
	b := e.RequestBody(mediaTypeOf(e))
	if b == nil {
		return false
	}
	raw := leafJSON(l)
	next := SetMember(body, pointer, raw)
	if next == nil {
		return false
	}
	violations, judged := b.Judge(next)
	return judged && len(violations) == 0
}

func leafJSON(l Leaf) json.RawMessage {
	if l.Kind == "string" {
		raw, _ := json.Marshal(l.Value)
		return raw
	}
	return json.RawMessage(l.Value)
}

// otherValue is a value for a member that nobody would have by chance.
func (t *Trial) otherValue(e *Endpoint, l Leaf, by *Person) json.RawMessage {
	for _, p := range powers {
		if plainName(p.name) == plainName(l.Name) && (p.value[0] == '"') == (l.Kind == "string") && p.name != "verified" {
			return json.RawMessage(p.value)
		}
	}
	if NamesOwner(l.Name) {
		for _, p := range t.People {
			if p != by && p.Spare && p.Subject != "" {
				return subjectJSON(l, p)
			}
		}
		for _, p := range t.People {
			if p != by && p.Subject != "" && (by == nil || p.Subject != by.Subject) {
				return subjectJSON(l, p)
			}
		}
		return nil
	}
	switch l.Kind {
	case "boolean":
		if l.Value == "true" {
			return json.RawMessage("false")
		}
		return json.RawMessage("true")
	case "number":
		if strings.Contains(l.Value, ".") {
			return json.RawMessage("0.01")
		}
		return json.RawMessage("424242")
	case "string":
		return t.otherWord(e, l)
	}
	return nil
}

// otherWord is another of the words that a member may have, or a mark.
func (t *Trial) otherWord(e *Endpoint, l Leaf) json.RawMessage {
	words := []string{"admin", "premium", "posted", "approved", "paid", "active", "closed", "shipped", "gold", "pro", "enterprise"}
	b := e.RequestBody(mediaTypeOf(e))
	if b != nil && l.Pointer != "" {
		if _, judged := b.Judge(e.Sample.Body); judged {
			for _, w := range words {
				raw, _ := json.Marshal(w)
				if next := SetMember(e.Sample.Body, l.Pointer, raw); next != nil && w != l.Value {
					if violations, _ := b.Judge(next); len(violations) == 0 {
						return raw
					}
				}
			}
		}
	}
	switch plainName(l.Name) {
	case "plan", "tier":
		return json.RawMessage(`"premium"`)
	case "status", "state":
		return json.RawMessage(`"approved"`)
	case "currency", "kind", "type":
		return nil
	}
	raw, _ := json.Marshal(t.Mark())
	return raw
}

// namesMember reports whether a refusal speaks of a member.
func namesMember(x *exchange.Exchange, pointer string) bool {
	name := strings.TrimPrefix(pointer, "/")
	return Contains(x, `"`+name+`"`) || Contains(x, `/`+name) || Contains(x, " "+name+" ")
}

// kept are the seeds that an object has afterwards, when it is read again, and
// had not before.
func (t *Trial) kept(e *Endpoint, o *Object, by *Person, x, before *exchange.Exchange, seeds []seed) []seed {
	after := x
	if o != nil {
		if back := t.Look(o); Succeeded(back) {
			after = back
		}
	} else if back := t.lookAtMade(e, by, x); back != nil {
		after = back
	}
	envelope := envelopeOf(after, e.Resource, o)
	was := map[string]string{}
	for _, l := range Members(before) {
		was[l.Pointer] = l.Value
	}
	var out []seed
	for _, s := range seeds {
		for _, want := range Leaves(s.value) {
			at := envelope + s.pointer + want.Pointer
			for _, l := range Members(after) {
				if l.Pointer == at && sameValue(l.Value, want.Value) && !sameValue(was[at], want.Value) {
					out = append(out, s)
				}
			}
		}
	}
	return out
}

// lookAtMade reads what was just made where its Location says it is; it is
// taken away again afterwards.
func (t *Trial) lookAtMade(e *Endpoint, by *Person, x *exchange.Exchange) *exchange.Exchange {
	r := e.Resource
	if r.Read == nil || by == nil {
		return nil
	}
	made := t.Adopt(r, by, x)
	if made == nil {
		return nil
	}
	back := t.Look(made)
	if !Succeeded(back) {
		return nil
	}
	return back
}

// sameValue compares texts of values; numbers by their worth.
func sameValue(a, b string) bool {
	if a == b {
		return true
	}
	return trimNumber(a) == trimNumber(b)
}

func trimNumber(s string) string {
	if strings.Trim(s, "0123456789.-") != "" || !strings.Contains(s, ".") {
		return s
	}
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}
