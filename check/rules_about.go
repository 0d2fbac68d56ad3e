package check

import (
	"strings"

	"github.com/parley-project/parley/contract"
)

// A tie is what a rule ties to the caller, which decides the flaw that it
// stops. Each rule has one, so that each is asked by one check.
type tie int

const (
	toFunction tie = iota // nothing: may the caller do this at all?
	toAddress             // nothing: may the API go where the request sends it?
	toQuery               // the user named in the query
	toBody                // the user named in the request's body
	toHeader              // the user named in a field of the request
	toItems               // every item of the answer
	toObject              // the one object asked for
)

func tieOf(r *contract.Rule) tie {
	switch {
	case !aboutObject(r) && strings.Contains(r.Source, "request.") && strings.Contains(r.Source, "://"):
		return toAddress
	case !aboutObject(r):
		return toFunction
	case byQuery(r):
		return toQuery
	case strings.Contains(r.Source, "request.body"):
		return toBody
	case strings.Contains(r.Source, "request.header") && r.Phase == contract.OnRequest:
		return toHeader
	case strings.Contains(r.Source, ".all(") && r.Phase == contract.OnResponse:
		return toItems
	}
	return toObject
}
