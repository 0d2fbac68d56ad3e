package check

import (
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// AuthzObjectDelete flags another's object removed by whoever knows its number.
var AuthzObjectDelete = &Check{
	ID:    "authz-object-delete",
	Title: "anyone can delete another's object",
	Doc: `The API removes an object for any caller who is logged in. Numbers are easy
to guess, so one stranger can empty the whole collection.`,
	Fix: "Delete by key and owner together; answer 404 or 403 when they do not match.",
	Remedy: `rules:
  - operation: DELETE /v1/orders/{id}
    owner: object.user_id`,
	Step: StepServer, Severity: Critical, OWASP: "API1:2023", CWE: 639, Conversation: []int{7, 8, 9, 52},
	Needs: SawContract | SawBody,

	Inspect: func(p *Pass) { inspectRules(p, objectDelete(p)) },
	Admit:   func(p *Pass) { admitRules(p, objectDelete(p)) },

	Probe: probeObjectDelete,
}

func objectDelete(p *Pass) func(*contract.Rule) bool {
	return func(r *contract.Rule) bool {
		return tieOf(r) == toObject && p.Request.Method == "DELETE"
	}
}

// probeObjectDelete has the attacker delete something that the victim made for
// it, and the victim look whether it is still there.
func probeObjectDelete(t *Trial) {
	for _, r := range t.Resources {
		e := r.Remove
		owner := t.Victim
		if e == nil || e.Few != "" || r.few() || owner == nil || r.Create == nil || r.Create.Role != Create || !r.Create.Answered(owner) {
			continue
		}
		by := t.otherThan(owner)
		if by == nil {
			continue
		}
		o := t.Make(r, owner)
		if o == nil || !Succeeded(o.Seen) {
			continue
		}
		a, ok := t.Request(e, o, by)
		if !ok {
			continue
		}
		a.Of = owner
		everybodys := t.shared(r, o, by)
		x := t.Ask(a)
		if refusedOf(x) || StatusOf(x) == 404 || StatusOf(x) == 0 {
			continue
		}
		back := t.Look(o)
		// What was emptied is gone too, if anything was in it to know it by.
		emptied := Succeeded(back) && len(seen(o.Seen, o)) > 0 && len(seen(back, o)) == 0
		if !gone(back) && !emptied || !t.Alive(owner) {
			continue
		}
		f := &Flaw{Endpoint: e, Parameter: "path " + r.Key, By: by, Of: owner,
			Evidence: []exchange.Evidence{says(x, by, "deletes what "+owner.Name+" made")}, Proof: []*exchange.Exchange{o.Seen, x, back}}
		if everybodys {
			f.Verdict, f.Missing = exchange.Likely, "whether everybody may delete what everybody sees"
		}
		t.Report(f)
	}
}
