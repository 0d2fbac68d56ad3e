package check

import (
	"mime"
	"net/http"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// RequestContentType flags a body of a kind that the contract does not name.
var RequestContentType = &Check{
	ID:    "request-content-type",
	Title: "a body of an undeclared kind is accepted",
	Doc: `A body that is read as something else than it was judged as slips past every
check on its members: JSON under text/plain, a form where JSON was promised, a
compressed body.`,
	Fix:  "Answer 415 to every media type and content coding that the operation does not declare.",
	Step: StepRequest, Severity: Medium, OWASP: "API8:2023", CWE: 436, Conversation: []int{12},
	Needs: SawContract,

	Admit: func(p *Pass) {
		op := p.Operation()
		if op == nil || !carriesBody(p) {
			return
		}
		ct := p.Request.Header.MediaType()
		switch {
		case op.Requests == nil && ct == "" && p.Request.Body.Size < 0:
			// There may be nothing; see check request-schema.
		case op.RequestBody(ct) == nil:
			p.Refuse(http.StatusUnsupportedMediaType, Header("Content-Type", "is not declared for this operation"))
		case len(p.Request.Header.Values("Content-Type")) > 1:
			p.Refuse(http.StatusBadRequest, Header("Content-Type", "is given twice"))
		case otherCharset(p.Request.Header.Get("Content-Type"), ct):
			p.Refuse(http.StatusUnsupportedMediaType, Header("Content-Type", "names a charset, and JSON is UTF-8"))
		case coded(p):
			p.Refuse(http.StatusUnsupportedMediaType, Header("Content-Encoding", "hides the body from judgement"),
				exchange.Field{Name: "Accept-Encoding", Value: "identity"})
		}
	},
	Probe: probeContentType,
}

// otherCharset reports whether a Content-Type asks for JSON to be read as
// something else than UTF-8 (RFC 8259, 8.1). Who obeys it reads other members
// than were judged: {"a":"+ACI-"} ends its text early in UTF-7.
func otherCharset(contentType, mediaType string) bool {
	if len(contentType) == len(mediaType) || !IsJSON(mediaType) {
		return false
	}
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return strings.Contains(strings.ToLower(contentType), "charset")
	}
	switch strings.ToLower(parameters["charset"]) {
	case "", "utf-8", "utf8", "us-ascii":
		return false
	}
	return true
}

// coded reports whether the content is said to be compressed or the like.
func coded(p *Pass) bool {
	for _, f := range p.Request.Header {
		if len(f.Name) == len("Content-Encoding") && strings.EqualFold(f.Name, "Content-Encoding") && !strings.EqualFold(f.Value, "identity") {
			return true
		}
	}
	return false
}

// carriesBody reports whether the request announces content.
func carriesBody(p *Pass) bool {
	return p.Request.Body.Size != 0
}

// mostWrites bounds the endpoints that are asked what all endpoints of a
// framework do alike.
const mostWrites = 3

// probeContentType sends JSON under another name, and looks whether it was read
// as JSON all the same. That no JSON is refused under that name shows that it is
// not taken as a mere text.
func probeContentType(t *Trial) {
	ws := writes(t)
	for _, w := range ws[:min(len(ws), mostWrites)] {
		e := w.marked(t)
		if e == nil || w.by.RequestBody("text/plain") != nil {
			continue
		}
		x := t.Ask(e.Set("Content-Type", "text/plain"))
		if !worked(x) {
			continue
		}
		written, look := w.took(t, x, func(x *exchange.Exchange) bool { return Contains(x, e.mark) })
		if look == nil {
			continue
		}
		garbage := e.Set("Content-Type", "text/plain")
		garbage.Body, garbage.Control = []byte("no JSON: "+t.Mark()), true
		if no := t.Ask(garbage); refused(no) {
			t.Report(&Flaw{
				Endpoint: w.by, Parameter: "header Content-Type", By: e.As, Of: e.As,
				Evidence: []exchange.Evidence{Header("Content-Type", "says text/plain, and the body is read as JSON")},
				Proof:    []*exchange.Exchange{no, x, look}, Marks: []string{e.mark},
			})
			w.undo(t, e.honest, e.pointer, written)
			return
		}
		w.undo(t, e.honest, e.pointer, written)
	}
}
