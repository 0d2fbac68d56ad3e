package check

import (
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-project/parley/exchange"
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
	Probe: probeAccept,
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

// probeAccept asks for a page where there is only JSON. An API that never
// promised to say 406 and never says it is not held to it.
func probeAccept(t *Trial) {
	var no *exchange.Exchange
	var yes []reader
	var answers []*exchange.Exchange
	rs := askable(t)
	slices.SortStableFunc(rs, func(a, b reader) int { return promises(b.e, "406") - promises(a.e, "406") })
	asked := 0
	for _, r := range rs {
		honest := r.e.Honest[r.as]
		if !IsJSON(honest.Response.Header.MediaType()) || !LooksJSON(Text(honest)) {
			continue
		}
		a, ok := r.ask(t)
		if !ok {
			continue
		}
		x := t.Ask(a.Set("Accept", "text/html"))
		switch {
		case StatusOf(x) == 406:
			no = x
		case worked(x) && LooksJSON(Text(x)):
			yes, answers = append(yes, r), append(answers, x)
		}
		if asked++; asked == 3 {
			break
		}
	}
	for i, r := range yes {
		proof := []*exchange.Exchange{answers[i]}
		switch {
		case no != nil:
			proof = []*exchange.Exchange{no, answers[i]}
		case !t.Declared || promises(r.e, "406") == 0:
			continue
		}
		t.Report(&Flaw{
			Endpoint: r.e, Parameter: "header Accept", By: r.as,
			Evidence: []exchange.Evidence{Header("Accept", "wants text/html alone, and the API answers JSON")},
			Proof:    proof,
		})
	}
}

// promises is 1 when an endpoint declares exactly a status.
func promises(e *Endpoint, status string) int {
	if slices.Contains(e.Statuses(), status) {
		return 1
	}
	return 0
}
