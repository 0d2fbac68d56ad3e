package check

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/parley-project/parley/internal/jsonscan"
)

// ResponseSchema flags answers that break the contract.
var ResponseSchema = &Check{
	ID:    "response-schema",
	Title: "response breaks its schema",
	Doc: `The contract promises one shape and the API sends another. Clients that
believe the contract fail, and checks that rely on it see less than they should.`,
	Fix:  "Mend the answer or the contract, whichever is wrong.",
	Step: StepResponse, Severity: Low, OWASP: "API9:2023", CWE: 1059, Conversation: []int{31, 37},
	Needs: SawContract | SawReply,

	Inspect: inspectReplySchema,
	Release: func(p *Pass) {
		inspectReplySchema(p)
		if v := strange(p); v != nil {
			p.Refuse(http.StatusBadGateway, ResponseBody(v.Pointer, "is an object or array, and another type is declared"))
		}
	},
}

func inspectReplySchema(p *Pass) {
	r := p.Input.Reply
	if r == nil {
		return
	}
	if r.Result.Fault != nil {
		p.Find(ResponseBody(r.Result.Fault.Pointer, string(r.Result.Fault.Kind)))
		return
	}
	for i := range r.Result.Violations {
		if v := &r.Result.Violations[i]; v.Kind == jsonscan.Invalid {
			p.Find(ResponseBody(v.Pointer, v.Keyword+" "+v.Detail))
			return
		}
	}
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
