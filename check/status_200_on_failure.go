package check

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/parley-project/parley/internal/jsonscan"
)

// Status200OnFailure flags failures that call themselves a success.
var Status200OnFailure = &Check{
	ID:    "status-200-on-failure",
	Title: "a failure is answered with a success status",
	Doc: `The status says 200 and the body says error. Whatever counts failures to see
an attack, a cache, a client's retry, a monitor, sees a success.`,
	Fix:  "Send the status that belongs to the failure, and problem details in the body (RFC 9457).",
	Step: StepResponse, Severity: Medium, OWASP: "API8:2023", CWE: 393, Conversation: []int{21, 30},
	Needs: SawResponse, Implies: []string{"status-undeclared", "response-schema", "response-excessive-data"},

	Inspect: func(p *Pass) {
		if member, _, bad := hiddenFailure(p); bad {
			p.Find(Status("is a success"), ResponseBody("/"+member, "says that it failed"))
		}
	},
	Release: func(p *Pass) {
		if member, status, bad := hiddenFailure(p); bad {
			p.Repair(Problem(status, ResponseBody("/"+member, "says that it failed, and the status was a success")))
		}
	},
	Probe: probe200,
}

// failureMembers are top-level members that say a failure when they hold what
// their function accepts.
var failureMembers = map[string]func(json.RawMessage) bool{
	"error":   saysSomething,
	"errors":  saysSomething,
	"success": func(v json.RawMessage) bool { return string(v) == "false" },
	"ok":      func(v json.RawMessage) bool { return string(v) == "false" },
	"status": func(v json.RawMessage) bool {
		return string(v) == `"error"` || string(v) == `"fail"` || string(v) == `"failure"` || failureCode(v) != 0
	},
	"code": func(v json.RawMessage) bool { return failureCode(v) != 0 },
}

func saysSomething(v json.RawMessage) bool {
	switch string(v) {
	case "null", "false", `""`, "[]", "{}", "0":
		return false
	}
	return true
}

func failureCode(v json.RawMessage) int {
	if len(v) == 3 && (v[0] == '4' || v[0] == '5') && v[1] >= '0' && v[1] <= '9' && v[2] >= '0' && v[2] <= '9' {
		return int(v[0]-'0')*100 + int(v[1]-'0')*10 + int(v[2]-'0')
	}
	return 0
}

// hiddenFailure reports the member of a successful answer's top level that
// says it failed, and the status that belongs to it. A member that the contract
// declares for this status means what the contract says, and is left alone.
func hiddenFailure(p *Pass) (member string, status int, bad bool) {
	body := p.Response.Body
	if !p.Success() || !body.Complete() || !LooksJSON(body.Data) || !mayFail(p) {
		return "", 0, false
	}
	var top map[string]json.RawMessage
	if json.Unmarshal(body.Data, &top) != nil {
		return "", 0, false
	}
	for name, says := range failureMembers {
		if v, ok := top[name]; ok && says(v) && !declaredMember(p, name) {
			// "status" and "code" alone are common in honest answers; they
			// need a companion that speaks of an error.
			if (name == "status" || name == "code") && failureCode(v) != 0 && !companion(top) {
				continue
			}
			if member == "" || name < member {
				member = name
			}
		}
	}
	if member == "" {
		return "", 0, false
	}
	return member, meantStatus(top, body.Data), true
}

var failureWords = [][]byte{[]byte(`"error`), []byte(`"success"`), []byte(`"ok"`), []byte(`"status"`), []byte(`"code"`)}

// mayFail is a quick look for any of the members' names, before the body is
// taken apart. Where the contract has a schema the one scan has found what is
// not declared already; most answers end here.
func mayFail(p *Pass) bool {
	if r := p.Input.Reply; r != nil && r.Body != nil && r.Body.Judged && r.Result.Fault == nil {
		for i := range r.Result.Violations {
			v := &r.Result.Violations[i]
			if v.Kind == jsonscan.Undeclared && len(v.Pointer) > 0 && failureMembers[v.Pointer[1:]] != nil {
				return true
			}
		}
		return false
	}
	for _, w := range failureWords {
		if bytes.Contains(p.Response.Body.Data, w) {
			return true
		}
	}
	return false
}

func companion(top map[string]json.RawMessage) bool {
	_, message := top["message"]
	_, detail := top["detail"]
	return (message || detail) && len(top) <= 5
}

// declaredMember reports whether the contract has this top-level member for
// this answer. Without a contract nothing is declared.
func declaredMember(p *Pass, name string) bool {
	r := p.Input.Reply
	if r == nil || r.Body == nil || !r.Body.Judged {
		return false
	}
	for i := range r.Result.Violations {
		if r.Result.Violations[i].Pointer == "/"+name {
			return false
		}
	}
	return true
}

// meantStatus is the status that the failure speaks of: a code that it names,
// or what its words say, or 500.
func meantStatus(top map[string]json.RawMessage, body []byte) int {
	// In an envelope the failure is an object of its own.
	var inner map[string]json.RawMessage
	json.Unmarshal(top["error"], &inner)
	for _, m := range []map[string]json.RawMessage{top, inner} {
		for _, name := range []string{"status", "code", "statusCode", "status_code"} {
			if c := failureCode(m[name]); c != 0 && http.StatusText(c) != "" {
				return c
			}
		}
	}
	text := strings.ToLower(string(body[:min(len(body), 4096)]))
	for _, w := range []struct {
		words  string
		status int
	}{
		{"not found", 404}, {"no such", 404}, {"does not exist", 404},
		{"unauthorized", 401}, {"unauthenticated", 401},
		{"forbidden", 403}, {"not allowed", 403}, {"permission", 403}, {"denied", 403},
		{"too many", 429}, {"conflict", 409}, {"already exists", 409},
		{"invalid", 400}, {"required", 400}, {"malformed", 400}, {"bad request", 400},
	} {
		if strings.Contains(text, w.words) {
			return w.status
		}
	}
	return http.StatusInternalServerError
}

// probe200 asks for what does not exist, and sends what cannot be made, so that
// there are failures to look at.
func probe200(t *Trial) {
	provoke(t, func(e *Endpoint) bool { return e.Role == Read }, 3, (*Ask).nowhere)
	provoke(t, func(e *Endpoint) bool { return e.Role == Create }, 2, (*Ask).without)
}
