package check

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// RequestAccept flags answers of a type that the client did not want.
var RequestAccept = &Check{
	ID:    "request-accept",
	Title: "what the client accepts is not looked at",
	Doc: `A client that asks for one type and gets another reads it as what it asked for.
Where that is a page, whatever a user once stored in the JSON is markup.`,
	Fix:  "Compare Accept with what is offered and answer 406 when nothing fits (RFC 9110, 12.5.1).",
	Step: StepRequest, Severity: Low, OWASP: "API8:2023", CWE: 436, Conversation: []int{13},
	Needs: SawContract,

	Inspect: func(p *Pass) {
		if p.Success() && describesContent(p) && notOffered(p) {
			p.Find(Header("Accept", "allows nothing that is offered, and the API answered"))
		}
	},
	Admit: func(p *Pass) {
		if notOffered(p) {
			p.Refuse(http.StatusNotAcceptable, Header("Accept", "allows nothing that is offered"))
		}
	},
}

// notOffered reports whether the contract declares types for success and Accept
// allows none of them.
func notOffered(p *Pass) bool {
	op := p.Operation()
	if op == nil {
		return false
	}
	var accept string
	for _, f := range p.Request.Header {
		if len(f.Name) == len("Accept") && strings.EqualFold(f.Name, "Accept") {
			if accept != "" {
				accept += ","
			}
			accept += f.Value
		}
	}
	if accept == "" || accept == "*/*" {
		return false
	}
	offers := false
	for _, status := range [...]int{200, 201, 202, 203, 206} {
		r := op.Response(status)
		if r == nil {
			continue
		}
		for mt := range r.Bodies {
			offers = true
			if strings.Contains(mt, "*") || allows(accept, mt) {
				return false
			}
		}
	}
	return offers
}

// allows reports whether the most specific range that fits a type has a weight
// above 0 (RFC 9110, 12.4.2).
func allows(accept, mediaType string) bool {
	kind, _, _ := strings.Cut(mediaType, "/")
	best, weight := 0, 0.0
	for r := range strings.SplitSeq(accept, ",") {
		name, params, err := mime.ParseMediaType(r)
		if err != nil {
			continue
		}
		specific := 0
		switch {
		case name == mediaType:
			specific = 3
		case name == kind+"/*":
			specific = 2
		case name == "*/*":
			specific = 1
		}
		if specific == 0 || specific < best {
			continue
		}
		w := 1.0
		if q, ok := params["q"]; ok {
			if w, err = strconv.ParseFloat(q, 64); err != nil {
				w = 1
			}
		}
		if specific > best || w > weight {
			best, weight = specific, w
		}
	}
	return weight > 0
}
