package check

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Status201Location flags a 201 that does not say where the new object is.
var Status201Location = &Check{
	ID:    "status-201-location",
	Title: "201 does not say where the new object is",
	Doc: `POST creates, and Location says what (RFC 9110, 15.3.2). Without it clients put
the address together themselves, each in its own way.`,
	Fix:  "Send Location with the path of the new object in every 201.",
	Step: StepResponse, Severity: Low, OWASP: "API8:2023", CWE: 684, Conversation: []int{4, 21},
	Needs: SawResponse,

	Inspect: func(p *Pass) {
		if lacksLocation(p) && (newObject(p) != "" || promisesLocation(p)) {
			p.Find(Header("Location", "missing"))
		}
	},
	Release: func(p *Pass) {
		if !lacksLocation(p) {
			return
		}
		if at := newObject(p); at != "" {
			p.Repair(SetHeader("Location", at))
		} else if promisesLocation(p) {
			p.Find(Header("Location", "missing"))
		}
	},
}

func lacksLocation(p *Pass) bool {
	return p.Response.Status == http.StatusCreated && p.Request.Method == "POST" && p.Response.Header.Get("Location") == ""
}

// newObject is the path of the object that was made: that of the request and
// the ID in the answer, when the contract has a GET there.
func newObject(p *Pass) string {
	if p.Contract == nil || p.Saw&SawReply == 0 {
		return ""
	}
	var made struct{ ID json.RawMessage }
	if json.Unmarshal(p.Response.Body.Data, &made) != nil {
		return ""
	}
	id := strings.Trim(string(made.ID), `"`)
	if id == "" || len(id) > 100 || strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_") != "" {
		return ""
	}
	at := strings.TrimSuffix(p.Request.Path(), "/") + "/" + id
	if m := p.Contract.Match("GET", at); m.Operation == nil || len(m.Params) == 0 {
		return ""
	}
	return at
}

func promisesLocation(p *Pass) bool {
	op := p.Operation()
	if op == nil {
		return false
	}
	r := op.Response(http.StatusCreated)
	if r == nil {
		return false
	}
	for _, h := range r.Header {
		if strings.EqualFold(h.Name, "Location") {
			return true
		}
	}
	return false
}
