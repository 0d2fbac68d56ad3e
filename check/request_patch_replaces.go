package check

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// RequestPatchReplaces flags a PATCH that takes away what it did not name.
var RequestPatchReplaces = &Check{
	ID:    "request-patch-replaces",
	Title: "a PATCH takes away what it did not name",
	Doc: `PATCH changes only what it names (RFC 5789; RFC 7396). An API that writes the
whole object from half a body empties the rest: the client meant to change a note
and lost an address. It can be told only afterwards, from the object before.`,
	Fix:  "Write only the members that the body has; tell a member that is absent from one that is null.",
	Step: StepRequest, Severity: Medium, OWASP: "API8:2023", CWE: 471, Conversation: []int{6},
	Needs: SawContract | SawBody | SawReply,

	Inspect: func(p *Pass) {
		if p.Request.Method != "PATCH" || !p.Success() || p.Input.Object == nil || p.Input.Body == nil {
			return
		}
		if lost := lostMembers(p.Input.Object.Raw, p.Input.Body.Raw, p.Input.Reply.Raw); len(lost) > 0 {
			p.Suspect(ResponseBody("/"+lost[0], "was not named, and is empty now: "+strings.Join(lost, ", ")))
		}
	},
	Probe: probePatchReplaces,
}

// maxCompared bounds the bodies that are compared member by member.
const maxCompared = 64 << 10

// lostMembers names the members that were filled before a change which does not
// name them, and are empty in the answer to it.
func lostMembers(before, change, after []byte) []string {
	if max(len(before), len(change), len(after)) > maxCompared {
		return nil
	}
	var was, named, is map[string]json.RawMessage
	if json.Unmarshal(before, &was) != nil || json.Unmarshal(change, &named) != nil || json.Unmarshal(after, &is) != nil {
		return nil // a list of operations (RFC 6902), or no object
	}
	var lost []string
	for name, v := range was {
		if _, ok := named[name]; ok || !saysSomething(v) {
			continue
		}
		if now, ok := is[name]; ok && !saysSomething(now) {
			lost = append(lost, name)
		}
	}
	slices.Sort(lost)
	return lost
}

// probePatchReplaces changes one member of an object, and looks whether others
// that were filled are empty then.
func probePatchReplaces(t *Trial) {
	for _, w := range writes(t) {
		if w.by.Role != Update {
			continue
		}
		e := w.marked(t)
		if e == nil || len(members(e.Body)) != 1 || e.Header.MediaType() == "application/json-patch+json" {
			continue
		}
		before := t.Look(w.on)
		x := t.Ask(e.Ask)
		if !Succeeded(before) || !worked(x) {
			continue
		}
		lost := ""
		_, look := w.took(t, x, func(after *exchange.Exchange) bool {
			if !Contains(after, e.mark) {
				return false
			}
			for _, name := range members(e.honest.Body) {
				was, is := shown(before, name), shown(after, name)
				if name != e.name && was != nil && saysSomething(was) && (is == nil || !saysSomething(is)) {
					lost = name
					return true
				}
			}
			return false
		})
		if look == nil {
			continue
		}
		t.Report(&Flaw{
			Endpoint: w.by, Parameter: "request body", By: e.As, Of: e.As,
			Evidence: []exchange.Evidence{ResponseBody("/"+lost, "was not named, and is empty now")},
			Proof:    []*exchange.Exchange{before, x, look}, Marks: []string{e.mark},
		})
		w.undo(t, e.honest, e.pointer, w.on)
	}
}
