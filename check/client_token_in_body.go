package check

import (
	"bytes"
	"strings"

	"github.com/parley-project/parley/internal/jsonscan"
)

// ClientTokenInBody flags a session's secret that scripts can read.
var ClientTokenInBody = &Check{
	ID:    "client-token-in-body",
	Title: "the session's secret stands in the body, too",
	Doc: `HttpOnly keeps scripts from reading the session's cookie, and the same answer
hands them its value in the body. One injected script (XSS) is then enough to
take the session along.`,
	Fix:  "Give browsers the cookie and nothing else; give programs a token and no cookie.",
	Step: StepClient, Severity: High, OWASP: "API2:2023", CWE: 522, Conversation: []int{18, 46},
	Needs: SawResponse | SawReply, Implies: []string{"response-excessive-data"},

	Inspect: func(p *Pass) {
		if cookie, _ := secretInBody(p); cookie != "" {
			p.Find(Cookie(cookie, "has a value that stands in the body, too"))
		}
	},
	Release: func(p *Pass) {
		cookie, secret := secretInBody(p)
		if cookie == "" {
			return
		}
		for i, v := range p.ReplyViolations() {
			if v.Kind == jsonscan.Undeclared && v.Start < v.End && v.End <= len(p.Input.Reply.Raw) &&
				bytes.Contains(p.Input.Reply.Raw[v.Start:v.End], secret) {
				p.Repair(CutMember(i, "", ResponseBody(v.Pointer, "is the value of the cookie "+cookie)))
				return
			}
		}
		// The contract promises it: taking it away would break whoever relies on it.
		p.Find(Cookie(cookie, "has a value that stands in the body, too"))
	},
	Probe: logInSpares, // Inspect sees what comes of it
}

func secretInBody(p *Pass) (cookie string, secret []byte) {
	for _, f := range p.Response.Header {
		if len(f.Name) != len("Set-Cookie") || !strings.EqualFold(f.Name, "Set-Cookie") {
			continue
		}
		pair, _, _ := strings.Cut(f.Value, ";")
		name, value, _ := strings.Cut(pair, "=")
		name, value = strings.TrimSpace(name), strings.Trim(strings.TrimSpace(value), `"`)
		if len(value) >= 16 && carriesSession(p, name) && bytes.Contains(p.Response.Body.Data, []byte(value)) {
			return name, []byte(value)
		}
	}
	return "", nil
}
