package check

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// RequestGetChanges flags a GET that asks for a change.
var RequestGetChanges = &Check{
	ID:    "request-get-changes",
	Title: "a GET changes something",
	Doc: `GET promises to change nothing (RFC 9110, 9.2.1), and browsers, crawlers and
caches rely on it: they send one for a picture, a link, a preview. An order that
?action=cancel cancels is cancelled by whoever shows its owner a picture.`,
	Fix:  "Change things with POST, PUT, PATCH and DELETE only; ignore or refuse parameters of GET that ask for a change.",
	Step: StepRequest, Severity: High, OWASP: "API8:2023", CWE: 650, Conversation: []int{3},
	Needs: SawContract, Implies: []string{"request-parameters", "request-undeclared-endpoint"},

	Inspect: func(p *Pass) {
		if ev, bad := asksForChange(p); bad && p.Success() {
			ev.Says += ", and the API answered"
			p.Suspect(ev)
		}
	},
	Admit: func(p *Pass) {
		if ev, bad := asksForChange(p); bad && ev.Where == "path" {
			p.Refuse(http.StatusNotFound, ev)
		} else if bad {
			p.Refuse(http.StatusBadRequest, ev)
		}
	},
	Probe: probeGetChanges,
}

var changeWords = map[string]bool{
	"delete": true, "remove": true, "destroy": true, "drop": true, "purge": true, "cancel": true, "update": true, "edit": true, "create": true,
	"add": true, "set": true, "reset": true, "approve": true, "reject": true, "pay": true, "refund": true, "transfer": true, "disable": true,
	"enable": true, "activate": true, "deactivate": true, "revoke": true, "publish": true, "freeze": true, "unfreeze": true, "logout": true,
}

// asksForChange finds an undeclared verb: ?cancel=1, ?action=cancel, /cancel. A
// GET that the contract declares so is for its author to think about.
func asksForChange(p *Pass) (exchange.Evidence, bool) {
	if p.Request.Method != "GET" && p.Request.Method != "HEAD" {
		return exchange.Evidence{}, false
	}
	for _, f := range p.Parameters {
		if f.In != "query" || f.Keyword != "undeclared" {
			continue
		}
		name := strings.ToLower(f.Name)
		if changeWords[name] {
			return Query(f.Name, "asks for a change with "+p.Request.Method), true
		}
		switch name {
		case "action", "do", "op", "cmd", "command", "method", "act", "task":
			q, _ := url.ParseQuery(p.Request.Query())
			if changeWords[strings.ToLower(q.Get(f.Name))] {
				return Query(f.Name, "asks for a change with "+p.Request.Method), true
			}
		}
	}
	if !p.Match.Known {
		path := p.Request.Path()
		if changeWords[strings.ToLower(path[strings.LastIndexByte(path, '/')+1:])] {
			return exchange.Evidence{Where: "path", Says: "asks for a change with " + p.Request.Method}, true
		}
	}
	return exchange.Evidence{}, false
}

// states are words that an object is said to be in, and the verbs that bring it
// there.
var states = []struct{ state, verb string }{
	{"cancelled", "cancel"}, {"canceled", "cancel"}, {"closed", "close"}, {"archived", "archive"}, {"published", "publish"}, {"posted", "post"},
	{"approved", "approve"}, {"rejected", "reject"}, {"paid", "pay"}, {"refunded", "refund"}, {"completed", "complete"}, {"done", "complete"},
	{"disabled", "disable"}, {"inactive", "deactivate"}, {"active", "activate"}, {"locked", "lock"}, {"frozen", "freeze"}, {"revoked", "revoke"},
	{"suspended", "suspend"}, {"confirmed", "confirm"}, {"shipped", "ship"}, {"deleted", "delete"},
}

// mostVerbs bounds what is tried on one object.
const mostVerbs = 5

// verbsFor are the changes that somebody may have put behind a GET of an object:
// those that the contract has words for, and the usual ones.
func verbsFor(e *Endpoint, x *exchange.Exchange) []string {
	verbs := []string{"cancel", "delete"}
	body := ReplyBody(e.Operation, x.Response)
	text := Text(x)
	for _, l := range Leaves(text) {
		if l.Kind != "string" || broken(body, text) != "" || broken(body, SetMember(text, l.Pointer, json.RawMessage(`"no such word"`))) == "" {
			continue
		}
		for _, s := range states {
			if broken(body, SetMember(text, l.Pointer, json.RawMessage(`"`+s.state+`"`))) == "" && !slices.Contains(verbs, s.verb) {
				verbs = append(verbs, s.verb)
			}
		}
	}
	return verbs[:min(len(verbs), mostVerbs)]
}

// probeGetChanges asks for an object with parameters that name a change, and
// looks whether it is the same afterwards. What changes by itself, a count of
// readers for one, is left out.
func probeGetChanges(t *Trial) {
	for _, r := range t.Resources {
		known := changeable(t, r)
		if known == nil || r.Read == nil || r.Create == nil || aboutPeople(r) {
			continue
		}
		verbs := verbsFor(r.Read, known.Seen)
		if o, _ := changedBy(t, r, known.Owner, verbs); o == nil {
			continue
		}
		for _, verb := range verbs {
			o, proof := changedBy(t, r, known.Owner, []string{verb})
			if o == nil {
				continue
			}
			if other, _ := changedBy(t, r, known.Owner, []string{t.Mark()}); other != nil {
				break // it changes whatever is asked
			}
			t.Report(&Flaw{
				Endpoint: r.Read, Parameter: "query", By: known.Owner, Of: known.Owner,
				Evidence: []exchange.Evidence{Query("action", "asks for "+verb+", and the object is changed")},
				Proof:    proof,
			})
			break
		}
	}
}

// changedBy makes an object, asks for it with verbs and returns it when it is
// another one then, with the exchanges that show it.
func changedBy(t *Trial, r *Resource, owner *Person, verbs []string) (*Object, []*exchange.Exchange) {
	o := t.Make(r, owner)
	if o == nil || !Succeeded(o.Seen) {
		return nil, nil
	}
	a, ok := t.Request(r.Read, o, owner)
	if !ok {
		return nil, nil
	}
	first, before := t.Look(o), t.Look(o)
	noise := Differences(first, before)
	if !Succeeded(first) || !Succeeded(before) {
		return nil, nil
	}
	proof := []*exchange.Exchange{before}
	for _, verb := range verbs {
		q := a
		for _, name := range []string{"action", "do", "op", "cmd", "_action"} {
			q = q.inQuery(name, verb)
		}
		proof = append(proof, t.Ask(q.inQuery(verb, "1")))
	}
	after := t.Look(o)
	proof = append(proof, after)
	if after.Response == nil || !t.Alive(owner) {
		return nil, nil
	}
	if vanished(o, after) || Succeeded(after) && !Alike(before, after, noise) {
		return o, proof
	}
	return nil, nil
}
