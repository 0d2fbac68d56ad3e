package check

import (
	"bytes"
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
	Needs: SawResponse,

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
