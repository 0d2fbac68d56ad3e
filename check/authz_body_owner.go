package check

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// AuthzBodyOwner flags an API that believes the user named in the body.
var AuthzBodyOwner = &Check{
	ID:    "authz-body-owner",
	Title: "the user named in the body is believed",
	Doc: `A payment, an order, a message says in its body whose it is. Changing
from_user_id pays with another's money, though the token says who really asks.`,
	Fix: "Take the user from the verified token; accept the member only when it names the caller.",
	Remedy: `rules:
  - operation: POST /v1/transfers
    allow: '!has(request.body.from_id) || request.body.from_id == caller.id'`,
	Step: StepServer, Severity: Critical, OWASP: "API1:2023", CWE: 639, Conversation: []int{9, 52},
	Needs: SawContract | SawBody,

	Inspect: func(p *Pass) { inspectRules(p, bodyOwner) },
	Admit:   func(p *Pass) { admitRules(p, bodyOwner) },
	Release: func(p *Pass) { releaseRules(p, bodyOwner) },

	Probe: probeBodyOwner,
}

func bodyOwner(r *contract.Rule) bool { return tieOf(r) == toBody }

// probeBodyOwner names somebody else in the body of what it makes, and that one
// finds it among what is theirs.
func probeBodyOwner(t *Trial) {
	for _, e := range t.Endpoints {
		if e.Method != "POST" || e.Role != Create || e.Few != "" || e.Sample == nil {
			continue
		}
		for _, l := range e.members() {
			if NamesOwner(l.Name) && strings.Count(l.Pointer, "/") == 1 && t.declaredIn(e, l) {
				if movesAmount(e) {
					t.paysForAnother(e, l)
				} else {
					t.makesForAnother(e, l)
				}
				break
			}
		}
	}
}

// declaredIn reports whether a member of the sample is one that clients may
// send: others are a matter of mass assignment.
func (t *Trial) declaredIn(e *Endpoint, l Leaf) bool {
	b := e.RequestBody(mediaTypeOf(e))
	if b == nil {
		return true
	}
	body := SetMember(e.Sample.Body, l.Pointer, leafJSON(l))
	if body == nil {
		return false
	}
	violations, judged := b.Judge(body)
	return !judged || len(violations) == 0
}

// members are the values of all bodies that are known of an endpoint, one of
// each place.
func (e *Endpoint) members() []Leaf {
	out := Leaves(e.Sample.Body)
	for _, body := range e.Sample.Others {
		for _, l := range Leaves(body) {
			if !slices.ContainsFunc(out, func(had Leaf) bool { return had.Pointer == l.Pointer }) {
				out = append(out, l)
			}
		}
	}
	return out
}

// subjectJSON is how a body names a person.
func subjectJSON(l Leaf, p *Person) json.RawMessage {
	if l.Kind == "number" {
		if _, err := strconv.ParseInt(p.Subject, 10, 64); err != nil {
			return nil
		}
		return json.RawMessage(p.Subject)
	}
	raw, _ := json.Marshal(p.Subject)
	return raw
}

// makesForAnother makes something that says to be the victim's.
func (t *Trial) makesForAnother(e *Endpoint, l Leaf) {
	v, by := t.Victim, t.Attacker
	if v == nil || by == nil || v.Subject == "" || e.Resource == nil || e.Resource.List == nil {
		return
	}
	raw := subjectJSON(l, v)
	a, ok := t.Request(e, nil, by)
	if !ok || raw == nil {
		return
	}
	mark := t.Mark()
	body := t.markOne(e, SetMember(a.Body, l.Pointer, raw), mark)
	if body == nil {
		return
	}
	a.Body, a.Of = body, v
	x := t.Ask(a)
	if !Succeeded(x) {
		return
	}
	theirs, mine := t.freshList(e.Resource, v), t.freshList(e.Resource, by)
	if Contains(theirs, mark) && !Contains(mine, mark) {
		t.Report(&Flaw{Endpoint: e, Parameter: "request body " + l.Pointer, By: by, Of: v, Marks: []string{mark},
			Evidence: []exchange.Evidence{RequestBody(l.Pointer, "names "+v.Name+", and it became "+v.Name+"'s")}, Proof: []*exchange.Exchange{x, theirs}})
	}
}

// movesAmount reports whether a body says how much is to go from one to another.
func movesAmount(e *Endpoint) bool {
	return slices.ContainsFunc(e.members(), func(l Leaf) bool { return strings.HasSuffix(plainName(l.Name), "amount") })
}

// paysForAnother pays with what a newcomer was given a moment before, as the
// one who gave it: whatever comes of it, in the end each has what they had.
func (t *Trial) paysForAnother(e *Endpoint, from Leaf) {
	by := t.Attacker
	var payer *Person
	for _, p := range t.People {
		if p.Spare && p.Subject != "" && p != by {
			payer = p
			break
		}
	}
	to, amount := toLeaf(e), amountLeaf(e)
	if by == nil || payer == nil || by.Subject == "" || to.Pointer == "" || amount.Pointer == "" {
		return
	}
	pay := func(as, to2 *Person, from2 *Person) *Ask {
		a, ok := t.Request(e, nil, as)
		if !ok {
			return nil
		}
		one := json.RawMessage("1")
		if amount.Kind == "string" {
			one = json.RawMessage(`"1.00"`)
		}
		body := SetMember(SetMember(a.Body, amount.Pointer, one), to.Pointer, subjectJSON(to, to2))
		if from2 != nil {
			body = SetMember(body, from.Pointer, subjectJSON(from, from2))
		} else {
			body = without(body, from.Pointer)
		}
		if body == nil {
			return nil
		}
		a.Body = body
		return a
	}
	give, back := pay(by, payer, nil), pay(payer, by, nil)
	take := pay(by, by, payer)
	if give == nil || back == nil || take == nil {
		return
	}
	mark := t.Mark()
	for _, l := range e.members() { // a word with it, where there is room for one
		if raw, _ := json.Marshal(mark); l.Kind == "string" && textual(l) > 0 && strings.Count(l.Pointer, "/") == 1 {
			take.Body = SetMember(take.Body, l.Pointer, raw)
			break
		}
	}
	done := t.Remember(back)
	if x := t.Ask(give); !Succeeded(x) {
		if StatusOf(x) >= 400 {
			done()
		}
		return
	}
	take.Of = payer
	x := t.Ask(take)
	took, id := false, ""
	for _, l := range Members(x) {
		took = took || Succeeded(x) && l.Name == from.Name && l.Value == payer.Subject
		if l.Name == "id" && id == "" {
			id = l.Value
		}
	}
	f := &Flaw{Endpoint: e, Parameter: "request body " + from.Pointer, By: by, Of: payer, Proof: []*exchange.Exchange{x},
		Evidence: []exchange.Evidence{RequestBody(from.Pointer, "names "+payer.Name+", and "+payer.Name+" paid")}}
	switch list := t.freshList(e.Resource, payer); {
	case Contains(list, mark):
		took, f.Marks = true, []string{mark}
		f.Proof = append(f.Proof, list)
		t.Report(f)
	case took && id != "" && namesIt(list, id):
		f.Marks = []string{id}
		f.Proof = append(f.Proof, list)
		t.Report(f)
	case took:
		f.Verdict, f.Missing = exchange.Likely, "there is no list in which the payer could see it"
		t.Report(f)
	}
	if took || Succeeded(t.Ask(back)) {
		done()
	}
}

func toLeaf(e *Endpoint) Leaf {
	for _, l := range e.members() {
		low := plainName(l.Name)
		for _, w := range []string{"to", "recipient", "beneficiary", "payee", "receiver", "dest", "target"} {
			if rest, ok := strings.CutPrefix(low, w); ok && (rest == "" || NamesPerson(rest) || rest == "id") {
				return l
			}
		}
	}
	return Leaf{}
}

func amountLeaf(e *Endpoint) Leaf {
	for _, l := range e.members() {
		if strings.HasSuffix(plainName(l.Name), "amount") {
			return l
		}
	}
	return Leaf{}
}

// without takes a member at the top out of a JSON object.
func without(body []byte, pointer string) []byte {
	var m map[string]json.RawMessage
	if json.Unmarshal(body, &m) != nil {
		return nil
	}
	delete(m, strings.TrimPrefix(pointer, "/"))
	out, err := json.Marshal(m)
	if err != nil {
		return nil
	}
	return out
}
