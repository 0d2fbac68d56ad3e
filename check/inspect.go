package check

import (
	"time"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/jsonscan"
)

// Inspect judges a finished exchange by every check that can, and returns what
// they found. The contract may be nil; checks that need one then say nothing.
// asked says that it is known who speaks: the exchange's Server is right.
func Inspect(x *exchange.Exchange, c *contract.Contract, asked bool, now time.Time) []exchange.Finding {
	p := PassOf(x, c, now)
	if asked {
		p.Saw |= SawCaller
	}
	for _, ck := range All {
		p.Run(ck, ck.Inspect)
	}
	return p.Findings()
}

// PassOf makes a pass of a finished exchange: its bodies are read with the
// contract's eyes if it has them whole.
func PassOf(x *exchange.Exchange, c *contract.Contract, now time.Time) *Pass {
	x = decoded(x)
	p := &Pass{Exchange: x, Now: now, Contract: c}
	p.Saw |= sawOf(x)
	p.Input = contract.Input{Caller: x.Server.Caller, Request: &x.Request}
	if x.TCP != nil {
		p.Input.Address = x.TCP.Remote.Addr().String()
	}
	if c := x.Server.Credential; c != nil {
		p.Presented = []exchange.Credential{*c}
		if c.Carrier == "cookie" {
			p.SessionCookie = c.Field
		}
	}
	if c == nil {
		return p
	}
	p.Saw |= SawContract
	p.Match = c.Match(x.Request.Method, x.Request.Path())
	p.Input.Params = p.Match.Params
	op := p.Match.Operation
	if op == nil {
		return p
	}
	p.Parameters = op.CheckParameters(&x.Request, p.Match.Params)
	if x.Request.Body.Complete() {
		p.Saw |= SawBody
		if x.Request.Body.Size > 0 {
			if mt := x.Request.Header.MediaType(); IsJSON(mt) {
				p.Input.Body = op.RequestBody(mt).Scan(x.Request.Body.Data, jsonscan.Limits{})
			}
		}
	}
	if r := x.Response; r != nil && r.Body.Complete() && r.Body.Size > 0 {
		if b := ReplyBody(op, r); IsJSON(r.Header.MediaType()) || b != nil && b.JSON() {
			p.Input.Reply = b.Scan(r.Body.Data, jsonscan.Limits{})
			p.Saw |= SawReply
		}
	}
	return p
}

// sawOf is what an exchange shows by itself.
func sawOf(x *exchange.Exchange) (saw Needs) {
	if x.DNS != nil && len(x.DNS.Answers) > 0 {
		saw |= SawAnswers
	}
	if t := x.TLS; t != nil {
		saw |= SawTransport
		if t.Trust != nil {
			saw |= SawTrust
		}
		if t.Offers != nil {
			saw |= SawOffers
		}
	}
	if x.Response != nil {
		saw |= SawResponse
	}
	if x.Client != nil {
		saw |= SawClient
	}
	return saw
}

// Promised is what the contract declares for a status. An undeclared success
// shows no more than a declared one.
func Promised(op *contract.Operation, status int) *contract.Response {
	declared := op.Response(status)
	for _, other := range []int{200, 201, 202} {
		if declared != nil || status < 200 || status > 299 {
			break
		}
		declared = op.Response(other)
	}
	return declared
}

// ReplyBody is the declared content that a response is judged by. JSON is
// judged as JSON under whatever name it comes; nil means that none is declared.
func ReplyBody(op *contract.Operation, r *exchange.Response) *contract.Body {
	declared := Promised(op, r.Status)
	if declared == nil {
		return nil
	}
	b := declared.Body(r.Header.MediaType())
	if b == nil && LooksJSON(r.Body.Data) {
		b = declared.Body("application/json")
	}
	return b
}
