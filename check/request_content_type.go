package check

import (
	"net/http"

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
		case op.Requests == nil && ct == "":
		case op.RequestBody(ct) == nil:
			p.Refuse(http.StatusUnsupportedMediaType, Header("Content-Type", "is not declared for this operation"))
		case len(p.Request.Header.Values("Content-Type")) > 1:
			p.Refuse(http.StatusBadRequest, Header("Content-Type", "is given twice"))
		case p.Request.Header.Has("Content-Encoding") && p.Request.Header.Get("Content-Encoding") != "identity":
			p.Refuse(http.StatusUnsupportedMediaType, Header("Content-Encoding", "hides the body from judgement"),
				exchange.Field{Name: "Accept-Encoding", Value: "identity"})
		}
	},
}

// carriesBody reports whether the request announces content.
func carriesBody(p *Pass) bool {
	return p.Request.Body.Size != 0
}
