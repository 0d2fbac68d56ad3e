package check

import (
	"net/http"

	"github.com/parley-project/parley/internal/jsonscan"
)

// RequestSchema flags a body that breaks the contract and is accepted.
var RequestSchema = &Check{
	ID:    "request-schema",
	Title: "a body that breaks the schema is accepted",
	Doc: `The contract says what a body looks like, and the API takes something else:
wrong types, missing members, numbers out of range, text that is not JSON. What
the code did not expect is where it breaks.`,
	Fix:  "Validate each body against its schema before it is used, and answer 400.",
	Step: StepRequest, Severity: Medium, OWASP: "API8:2023", CWE: 20, Conversation: []int{19, 23},
	Needs: SawContract | SawBody,

	Inspect: func(p *Pass) {
		if pointer, says, bad := schemaFault(p); bad && p.Success() {
			p.Find(RequestBody(pointer, says+", and the API answered"))
		}
	},
	Admit: func(p *Pass) {
		if pointer, says, bad := schemaFault(p); bad {
			p.Refuse(http.StatusBadRequest, RequestBody(pointer, says))
		}
	},
}

func schemaFault(p *Pass) (pointer, says string, bad bool) {
	b, op := p.Input.Body, p.Operation()
	if op != nil && op.Requests == nil && len(p.Request.Body.Data) > 0 {
		return "", "is not declared for this operation", true
	}
	if b == nil {
		if op != nil && op.BodyRequired && p.Request.Body.Size == 0 {
			return "", "is missing", true
		}
		return "", "", false
	}
	if f := b.Result.Fault; f != nil {
		return f.Pointer, string(f.Kind), f.Kind != jsonscan.Duplicate
	}
	for i := range b.Result.Violations {
		if v := &b.Result.Violations[i]; v.Kind == jsonscan.Invalid {
			return v.Pointer, v.Keyword + " " + v.Detail, true
		}
	}
	return "", "", false
}
