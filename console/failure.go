package console

import (
	"strings"

	"github.com/parley-project/parley/exchange"
)

// failureWords tell the step at which a call failed by the text of its failure.
// The exchange holds no more: those who write it are many (the system's
// resolver, net, crypto/tls, guard, clients). The first that fits decides;
// what fits none failed at the server.
var failureWords = []struct {
	step  exchange.Step
	words []string
}{
	{exchange.StepRequest, []string{"request's body"}},
	{exchange.StepResponse, []string{"answer broke off", "unusable response", "body broke off", "unexpected EOF"}},
	{exchange.StepDNS, []string{"no such host", "lookup "}},
	{exchange.StepTLS, []string{"tls:", "x509:", "certificate", "handshake"}},
	{exchange.StepTCP, []string{"connection refused", "no connection in time", "private address", "dial tcp", "no route", "unreachable"}},
}

func failedAt(x *exchange.Exchange) exchange.Step {
	for _, f := range failureWords {
		for _, w := range f.words {
			if strings.Contains(x.Failure, w) {
				return f.step
			}
		}
	}
	return exchange.StepServer
}

// ownAnswer tells whether the response is guard's, sent because the API gave
// none: what can be said of it says nothing of the API.
func ownAnswer(x *exchange.Exchange) bool {
	return x.Source == exchange.FromGuard && x.Failure != "" && x.Response != nil && x.Response.Status >= 502 && x.Response.Status <= 504 &&
		failedAt(x) != exchange.StepResponse
}

// fail draws the failure at its step. Of guard's client side the steps before
// the request are those between the client and guard, which went well: there
// the failure lies between guard and the API, and says so.
func fail(vs []stepView, x *exchange.Exchange) {
	if x.Failure == "" {
		return
	}
	v := at(vs, failedAt(x))
	says := x.Failure
	if ownAnswer(x) && v.Step < exchange.StepRequest {
		says = "guard to API: " + strings.TrimPrefix(says, "no answer from the API: ")
	}
	v.Verdict, v.Says = failed, says
	r := at(vs, exchange.StepResponse)
	switch {
	case r == v:
	case x.Response == nil:
		r.Verdict, r.Says = unknown, "none came"
	case ownAnswer(x):
		r.Verdict = noted
		r.Says = strings.Replace(r.Says, ",", " from guard,", 1)
		at(vs, exchange.StepClient).Verdict = unknown
		at(vs, exchange.StepClient).Says = "nothing of the API's to keep"
	}
}
