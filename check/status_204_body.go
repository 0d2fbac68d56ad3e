package check

import (
	"net/http"
)

// Status204Body flags a 204 that has content all the same.
var Status204Body = &Check{
	ID:    "status-204-body",
	Title: "204 has content",
	Doc: `204 says that nothing follows. A client that believes it reads what follows as
the beginning of the next answer, which on a shared connection is somebody
else's.`,
	Fix:  "Send neither body nor Content-Length with 204, or answer 200 (RFC 9110, 15.3.5).",
	Step: StepResponse, Severity: Medium, OWASP: "API8:2023", CWE: 444, Conversation: []int{7, 21},
	Needs: SawResponse,

	Inspect: func(p *Pass) {
		if name, says := contentOf204(p); says != "" {
			p.Find(Header(name, says))
		}
	},
	Release: func(p *Pass) {
		if p.Response.Status != http.StatusNoContent {
			return
		}
		for _, name := range [...]string{"Content-Length", "Transfer-Encoding", "Content-Type"} {
			if p.Response.Header.Has(name) {
				p.Repair(DropHeader(name, "announces content that a 204 does not have"))
			}
		}
	},
	Probe: probe204,
}

func contentOf204(p *Pass) (name, says string) {
	if p.Response.Status != http.StatusNoContent {
		return "", ""
	}
	if n := p.Response.Header.Get("Content-Length"); n != "" && n != "0" {
		return "Content-Length", "announces content that a 204 does not have"
	}
	if p.Response.Header.Has("Transfer-Encoding") {
		return "Transfer-Encoding", "announces content that a 204 does not have"
	}
	if p.Response.Body.Size > 0 {
		return "Content-Length", "is missing, and content follows a 204"
	}
	return "", ""
}

// probe204 deletes what was made for it.
func probe204(t *Trial) {
	deleted := 0
	for _, r := range t.Resources {
		known := changeable(t, r)
		if known == nil || r.Remove == nil || r.Create == nil || aboutPeople(r) || deleted == 3 {
			continue
		}
		o := t.Make(r, known.Owner)
		if o == nil {
			continue
		}
		if a, ok := t.Request(r.Remove, o, o.Owner); ok {
			t.Ask(a)
			deleted++
		}
	}
}
