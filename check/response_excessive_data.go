package check

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/jsonscan"
)

// ResponseExcessiveData flags members that the client was never promised.
var ResponseExcessiveData = &Check{
	ID:      "response-excessive-data",
	Aliases: []string{"excessive-data"},
	Title:   "response carries more than the client was promised",
	Doc: `A whole row is put into the answer, and the client is trusted not to look:
password_hash, internal_notes, the numbers of a card. Everybody can look.`,
	Fix: "Build each answer from the members that its schema declares; never serialize a row.",
	Remedy: `fields:
  - schema: User
    never_send: [password_hash]`,
	Step: StepResponse, Severity: High, OWASP: "API3:2023", CWE: 213, Conversation: []int{37, 53},
	Needs: SawContract | SawReply, Implies: []string{"response-schema", "response-account-number"},

	Inspect: func(p *Pass) {
		for _, v := range p.ReplyViolations() {
			if says, _, bad := excess(p, v); bad && !isReference(p, v) {
				p.Find(ResponseBody(v.Pointer, says))
				return // one finding a response; the next is stripped the same way
			}
		}
	},
	Release: func(p *Pass) {
		if v := strange(p); v != nil {
			p.Refuse(http.StatusBadGateway, ResponseBody(v.Pointer, "is an object or array, and another type is declared"))
			return
		}
		for i, v := range p.ReplyViolations() {
			if says, rule, bad := excess(p, v); bad && !cutAlready(p, i) {
				p.Repair(CutMember(i, rule, ResponseBody(v.Pointer, says)))
			}
		}
	},
	Probe: probeSecrets,
}

// isReference reports whether a member is what guard's own refusals carry: a
// reference to look them up by, which a problem may have beside what the
// description says (RFC 9457, 3.2).
func isReference(p *Pass, v jsonscan.Violation) bool {
	return v.Pointer == "/reference" && p.Response.Status >= 400 && p.Response.Header.MediaType() == "application/problem+json"
}

// excess reports whether a member must not leave, why, and by which line.
func excess(p *Pass, v jsonscan.Violation) (says, rule string, bad bool) {
	switch v.Kind {
	case jsonscan.Undeclared, jsonscan.WriteOnly:
		return v.Kind.String(), "", true
	case jsonscan.Marked:
		f := p.Contract.Mark(v.Mark)
		switch {
		case f == nil:
		case f.NeverSend:
			return "is never sent", f.Place, true
		case f.ReadableBy != nil && !p.Caller().HasRole(f.ReadableBy...):
			return "may be read by others only", f.Place, true
		}
	}
	return "", "", false
}

// cutAlready reports whether another check has taken this member out.
func cutAlready(p *Pass, i int) bool {
	for j := range p.Edits {
		if p.Edits[j].Kind == EditCutMember && p.Edits[j].Index == i {
			return true
		}
	}
	return false
}

// strange returns a place of the answer where an object or array stands and the
// contract declares neither. No schema speaks of what is in it, so none of it
// could be filtered; it does not leave.
func strange(p *Pass) *jsonscan.Violation {
	r := p.Input.Reply
	if r == nil || r.Result.Fault != nil || r.Body == nil || !r.Body.Judged || !p.Success() {
		return nil
	}
	for i := range r.Result.Violations {
		v := &r.Result.Violations[i]
		if v.Kind != jsonscan.Invalid || v.Keyword != "type" {
			continue
		}
		if text := valueAt(r.Raw, v.Pointer); len(text) > 0 && (text[0] == '{' || text[0] == '[') {
			return v
		}
	}
	return nil
}

// valueAt returns the JSON text at a JSON Pointer (RFC 6901), or nil.
func valueAt(text []byte, pointer string) []byte {
	for pointer != "" {
		var name string
		name, pointer, _ = strings.Cut(pointer[1:], "/")
		if pointer != "" {
			pointer = "/" + pointer
		}
		name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		switch text = bytes.TrimLeft(text, " \t\r\n"); {
		case len(text) > 0 && text[0] == '{':
			var members map[string]json.RawMessage
			if json.Unmarshal(text, &members) != nil {
				return nil
			}
			text = members[name]
		case len(text) > 0 && text[0] == '[':
			var items []json.RawMessage
			i, err := strconv.Atoi(name)
			if err != nil || json.Unmarshal(text, &items) != nil || i < 0 || i >= len(items) {
				return nil
			}
			text = items[i]
		default:
			return nil
		}
	}
	return bytes.TrimLeft(text, " \t\r\n")
}

// probeSecrets looks in what honest questions were answered for what nobody, or
// nobody else, should be sent. It asks nothing. What the schema does not have is
// found by the schema.
func probeSecrets(t *Trial) {
	told(t, func(e *Endpoint, p *Person, x *exchange.Exchange, l Leaf, near map[string]bool, objected, judged bool) bool {
		if objected && t.Declared {
			return false
		}
		what, of := secretIn(l, near), (*Person)(nil)
		if what == "" {
			if of = tokenOf(t, l, p); of != nil {
				what = "the credential of somebody else"
			}
		}
		if what == "" && e.Personal != "" && (e.Role == Own || e.Role == Read) && !(judged && t.Declared) {
			if of = emailOf(t, l, p); of != nil {
				what = "somebody else's address"
			}
		}
		if what == "" {
			return false
		}
		t.Report(&Flaw{
			Endpoint: e, Parameter: "response body " + l.Shape, By: p, Of: of,
			Evidence: []exchange.Evidence{ResponseBody(l.Pointer, "is "+what)},
			Proof:    []*exchange.Exchange{x},
		})
		return true
	})
}
