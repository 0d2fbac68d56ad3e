package check

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// AuthzObjectWrite flags another's object changed by whoever knows its number.
var AuthzObjectWrite = &Check{
	ID:    "authz-object-write",
	Title: "anyone can change another's object",
	Doc: `The API lets a caller replace or change an object without asking whose it
is. It is BOLA with lasting damage: the owner reads back what a stranger wrote.`,
	Fix: "Look the object up by its key and its owner together before writing; answer 404 or 403 when they do not match.",
	Remedy: `rules:
  - operation: PATCH /v1/orders/{id}
    owner: object.user_id`,
	Step: StepServer, Severity: Critical, OWASP: "API1:2023", CWE: 639, Conversation: []int{8, 9, 52},
	Needs: SawContract | SawBody,

	Inspect: func(p *Pass) { inspectRules(p, objectWrite(p)) },
	Admit:   func(p *Pass) { admitRules(p, objectWrite(p)) },

	Probe: probeObjectWrite,
}

func objectWrite(p *Pass) func(*contract.Rule) bool {
	return func(r *contract.Rule) bool {
		return tieOf(r) == toObject && p.Unsafe() && p.Request.Method != "DELETE"
	}
}

// probeObjectWrite has the attacker change what the victim made, and the victim
// read it back.
func probeObjectWrite(t *Trial) {
	for _, r := range t.Resources {
		for _, e := range []*Endpoint{r.Update, r.Replace} {
			if e == nil || e.Few != "" || r.few() {
				continue
			}
			o, by := t.objectOf(r, true)
			if o != nil && t.changesAnothers(e, o, by) {
				break
			}
		}
	}
	t.changesPasswords()
}

// few reports whether the objects of a resource are for few people to make.
func (r *Resource) few() bool { return r.Create != nil && r.Create.Few != "" }

func (t *Trial) changesAnothers(e *Endpoint, o *Object, by *Person) bool {
	a, ok := t.Request(e, o, by)
	if !ok {
		return false
	}
	mark := t.Mark()
	if a.Body = t.markOne(e, a.Body, mark); a.Body == nil {
		return false
	}
	a.Of = o.Owner
	x := t.Ask(a)
	if refusedOf(x) || StatusOf(x) == 404 || StatusOf(x) == 0 {
		return false
	}
	back := t.Look(o)
	if !Contains(back, mark) {
		return false // whatever it answered, it did not
	}
	if nobody := t.readsPublicly(o, mark); nobody && e.Public {
		return false
	}
	f := &Flaw{Endpoint: e, Parameter: "path " + o.Resource.Key, By: by, Of: o.Owner, Marks: []string{mark},
		Evidence: []exchange.Evidence{says(x, by, "changes what "+o.Owner.Name+" made, and "+o.Owner.Name+" reads it back")},
		Proof:    []*exchange.Exchange{o.Seen, x, back}}
	if t.shared(e.Resource, o, by) {
		f.Verdict, f.Missing = exchange.Likely, "whether everybody may change what everybody sees"
	}
	t.Report(f)
	o.Seen = back
	return true
}

// readsPublicly reports whether anybody reads a text in an object.
func (t *Trial) readsPublicly(o *Object, mark string) bool {
	if o.Resource.Read == nil {
		return false
	}
	a, ok := t.Request(o.Resource.Read, o, nil)
	return ok && Contains(t.control(a, nil), mark)
}

// markOne puts a text into the first member of a body that takes it, or
// returns nil.
func (t *Trial) markOne(e *Endpoint, body []byte, mark string) []byte {
	raw, _ := json.Marshal(mark)
	leaves := Leaves(body)
	// What took a mark before takes one again, and what is called a text.
	slices.SortStableFunc(leaves, func(a, b Leaf) int { return textual(b) - textual(a) })
	for _, l := range leaves {
		if l.Kind != "string" || NamesOwner(l.Name) || strings.Contains(plainName(l.Name), "password") || strings.Contains(l.Value, "@") {
			continue
		}
		next := SetMember(body, l.Pointer, raw)
		if next == nil {
			continue
		}
		if b := e.RequestBody(mediaTypeOf(e)); b != nil {
			if violations, judged := b.Judge(next); judged && len(violations) > 0 {
				continue
			}
		} else if !strings.Contains(l.Value, "parley") && isWord(l.Value) {
			continue // one of few words, perhaps
		}
		return next
	}
	return nil
}

// textual says how likely it is that a member takes any text.
func textual(l Leaf) int {
	if strings.Contains(l.Value, "parley") {
		return 2
	}
	low := plainName(l.Name)
	for _, w := range []string{"note", "memo", "title", "name", "desc", "text", "comment", "message", "address", "label", "content", "body", "reason"} {
		if strings.Contains(low, w) {
			return 1
		}
	}
	return 0
}

// mediaTypeOf is what a body of an endpoint is called.
func mediaTypeOf(e *Endpoint) string {
	if e.Requests["application/json"] != nil || e.Sample == nil || e.Sample.MediaType == "" {
		return "application/json"
	}
	return e.Sample.MediaType
}

func isWord(s string) bool {
	return s != "" && len(s) < 12 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-") == ""
}
