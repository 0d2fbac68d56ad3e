package check

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// ResponseErrorDetails flags failures that tell how the server is built.
var ResponseErrorDetails = &Check{
	ID:    "response-error-details",
	Title: "a failure tells how the server is built",
	Doc: `A stack trace, a statement of SQL or the path of a source file in an answer
tells an attacker which program runs, where it breaks and what to try next.`,
	Fix:  "Write the cause to the log, and answer with a fixed text and a reference to it.",
	Step: StepResponse, Severity: Medium, OWASP: "API8:2023", CWE: 209, Conversation: []int{28},
	Needs: SawResponse, Implies: []string{"response-excessive-data", "response-schema"},

	Inspect: func(p *Pass) {
		if says, bad := details(p); bad {
			p.Find(ResponseBody("", "shows "+says))
		}
	},
	Release: func(p *Pass) {
		if says, bad := details(p); bad {
			p.Repair(Problem(p.Response.Status, ResponseBody("", "shows "+says)))
		} else if p.Response.Status >= 500 && describesContent(p) && !promised(p) {
			p.Repair(Problem(p.Response.Status, ResponseBody("", "is not what the contract promises for a failure")))
		}
	},
	Probe: probeErrorDetails,
}

// traces are texts that programs write about themselves when they break.
var traces = []struct {
	text string
	is   string
}{
	{"goroutine ", "a stack trace"}, {"panic: ", "a stack trace"}, {"runtime error: ", "a stack trace"},
	{"Traceback (most recent call last)", "a stack trace"}, {"\n\tat ", "a stack trace"}, {"\\n\\tat ", "a stack trace"},
	{"\n    at ", "a stack trace"}, {"\\n    at ", "a stack trace"}, {"node_modules/", "a stack trace"},
	{"Exception in thread", "a stack trace"}, {"java.lang.", "a stack trace"}, {"System.NullReferenceException", "a stack trace"},
	{".go:", "a source file"}, {".py\\\", line ", "a source file"}, {".java:", "a source file"}, {".php on line ", "a source file"}, {".rb:", "a source file"},
	{"SQLSTATE", "an error of the database"}, {"SQL logic error", "an error of the database"}, {"SQLITE_", "an error of the database"},
	{"constraint failed", "an error of the database"}, {"syntax error at or near", "an error of the database"}, {"no such column", "an error of the database"},
	{"no such table", "an error of the database"}, {"You have an error in your SQL syntax", "an error of the database"}, {"ORA-0", "an error of the database"},
	{"SELECT * FROM", "a statement of SQL"}, {"INSERT INTO ", "a statement of SQL"},
}

func details(p *Pass) (is string, bad bool) {
	if p.Response.Status < http.StatusBadRequest {
		return "", false
	}
	for _, t := range traces {
		if bytes.Contains(p.Response.Body.Data, []byte(t.text)) {
			return t.is, true
		}
	}
	return "", false
}

// promised reports whether the contract declares this failure's content and
// the content keeps to it.
func promised(p *Pass) bool {
	r := p.Input.Reply
	if r == nil || r.Body == nil || !r.Body.Judged || r.Result.Fault != nil {
		return false
	}
	return len(r.Result.Violations) == 0
}

// breakers are texts that end what they stand in, in the languages that servers
// put texts into: statements, paths, patterns. %00 ends a text of C.
var breakers = []string{"'\"\\[(`", "\x00", `"`, "'"}

// mostTexts bounds the parameters of a query that are tried at one endpoint.
const mostTexts = 3

// probeErrorDetails sends what breaks careless code: texts in the query, IDs of
// another shape, bodies that end in the middle or have other types in them.
func probeErrorDetails(t *Trial) {
	for _, r := range askable(t) {
		a, ok := r.ask(t)
		if !ok {
			continue
		}
		texts := 0
		for _, name := range queries(r.e) {
			if a.inQuery(name, "a'\"[").faultOf(name) != "" || texts == mostTexts {
				continue
			}
			texts++
			for _, b := range breakers {
				if StatusOf(t.Ask(a.inQuery(name, b))) >= 500 {
					break
				}
			}
		}
		if r.e.Role == Read {
			for _, id := range []string{"%27%22%5B", "-1"} {
				if b, ok := a.withLast(func(string) string { return id }); ok {
					t.Ask(b)
				}
			}
		}
	}
	provoke(t, func(e *Endpoint) bool { return e.Role == Create || e.Role == SignUp }, 2, (*Ask).cutOff)
	ws := writes(t)
	for _, w := range ws[:min(len(ws), mostWrites)] {
		if a, ok := w.ask(t); ok {
			b := *a
			for _, name := range members(a.Body) {
				if next := SetMember(b.Body, "/"+pointerEscaper.Replace(name), json.RawMessage(`[{"a":[]}]`)); next != nil {
					b.Body = next
				}
			}
			if broken(bodyOf(&b), b.Body) == "" {
				continue
			}
			x, o := t.Ask(&b), w.on
			if w.by.Role == Create {
				o = newborn(t, o, x)
			}
			if worked(x) && o != nil {
				w.undo(t, a, "", o)
			}
		}
	}
}
