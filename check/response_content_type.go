package check

import "github.com/parley-project/parley/contract"

// ResponseContentType flags answers that do not say what they are.
var ResponseContentType = &Check{
	ID:    "response-content-type",
	Title: "response does not say what it is",
	Doc: `A body without Content-Type, or JSON sent as a page, is for the client to
guess. A guess that ends in HTML runs whatever a user once stored.`,
	Fix:  "Send the Content-Type that the body has: application/json for JSON.",
	Step: StepResponse, Severity: Medium, OWASP: "API8:2023", CWE: 436, Conversation: []int{31},
	Needs: SawResponse,

	Inspect: func(p *Pass) {
		if says, bad := mislabelled(p); bad {
			p.Find(Header("Content-Type", says))
		}
	},
	Release: func(p *Pass) {
		if _, bad := mislabelled(p); bad && LooksJSON(p.Response.Body.Data) {
			p.Repair(SetHeader("Content-Type", "application/json"))
		}
	},
}

// mislabelled reports content without a type, and JSON under the name of
// something that browsers render or run.
func mislabelled(p *Pass) (says string, bad bool) {
	if !describesContent(p) {
		return "", false
	}
	mt := p.Response.Header.MediaType()
	switch {
	case mt == "":
		return "missing", true
	case IsJSON(mt) || !LooksJSON(p.Response.Body.Data):
		return "", false
	case rendered(p) || mt == "text/javascript" || mt == "application/javascript":
		return "is " + mt + ", and the body is JSON", true
	}
	if r := declared(p); r && mt == "text/plain" {
		return "is text/plain, and the body is JSON", true
	}
	return "", false
}

// declared reports whether the contract promises JSON and nothing else here.
func declared(p *Pass) bool {
	op := p.Operation()
	if op == nil {
		return false
	}
	r := op.Response(p.Response.Status)
	if r == nil || len(r.Bodies) == 0 {
		return false
	}
	for mt := range r.Bodies {
		if !IsJSON(mt) {
			return false
		}
	}
	return true
}

// IsJSON reports whether a media type is JSON (RFC 8259) or built on it
// (RFC 6839, 3.1), as the contract has it.
func IsJSON(mediaType string) bool { return contract.IsJSON(mediaType) }

// LooksJSON reports whether a body begins like a JSON object or array.
func LooksJSON(body []byte) bool {
	for _, c := range body {
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		}
		return c == '{' || c == '['
	}
	return false
}
