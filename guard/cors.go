package guard

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// Cross-origin resource sharing, in the terms of the Fetch standard. When the
// policy speaks of it, guard alone answers preflights and grants reading; what
// the API says of it is dropped by check client-cors.

// preflight answers a CORS preflight, or returns nil when the request is none
// or the policy does not speak of CORS.
func (c *Call) preflight() *exchange.Response {
	cors := c.g.contract.CORS
	r := &c.Exchange.Request
	if cors == nil || !c.g.enforce || r.Method != "OPTIONS" || !r.Header.Has("Origin") {
		return nil
	}
	method := r.Header.Get("Access-Control-Request-Method")
	if method == "" {
		return nil
	}
	out := &exchange.Response{Status: 204, Proto: r.Proto, Fidelity: exchange.Canonical,
		Header: exchange.Header{{Name: "Vary", Value: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}}}
	m := c.g.contract.Match(method, r.Path())
	if !slices.Contains(cors.Origins, r.Header.Get("Origin")) || m.Operation == nil || !offers(cors, method) ||
		!allowsHeaders(cors, r.Header.Get("Access-Control-Request-Headers")) {
		c.Exchange.Actions = append(c.Exchange.Actions, exchange.Action{Kind: exchange.Refused, Check: check.ClientCORS.ID,
			Enforced: true, Status: 204, Evidence: check.Header("Origin", "is granted nothing")})
		return out
	}
	out.Header = append(out.Header, c.corsHeader()...)
	out.Header = append(out.Header, exchange.Field{Name: "Access-Control-Allow-Methods", Value: m.Allow})
	if len(cors.Headers) > 0 {
		out.Header = append(out.Header, exchange.Field{Name: "Access-Control-Allow-Headers", Value: strings.Join(cors.Headers, ", ")})
	}
	if cors.MaxAge > 0 {
		out.Header = append(out.Header, exchange.Field{Name: "Access-Control-Max-Age", Value: strconv.Itoa(int(cors.MaxAge / time.Second))})
	}
	return out
}

func offers(cors *contract.CORS, method string) bool {
	return len(cors.Methods) == 0 || slices.Contains(cors.Methods, method)
}

func allowsHeaders(cors *contract.CORS, list string) bool {
	for h := range strings.SplitSeq(list, ",") {
		h = strings.TrimSpace(h)
		if h != "" && !slices.ContainsFunc(cors.Headers, func(a string) bool { return strings.EqualFold(a, h) }) {
			return false
		}
	}
	return true
}

// corsHeader are the fields that let the request's origin read the answer.
func (c *Call) corsHeader() exchange.Header {
	cors := c.g.contract.CORS
	if cors == nil {
		return nil
	}
	origin := c.Exchange.Request.Header.Get("Origin")
	if origin == "" || !slices.Contains(cors.Origins, origin) {
		return nil
	}
	h := exchange.Header{{Name: "Access-Control-Allow-Origin", Value: origin}}
	if cors.Credentials {
		h = append(h, exchange.Field{Name: "Access-Control-Allow-Credentials", Value: "true"})
	}
	if len(cors.Expose) > 0 {
		h = append(h, exchange.Field{Name: "Access-Control-Expose-Headers", Value: strings.Join(cors.Expose, ", ")})
	}
	return h
}

// grantCORS adds what the policy grants to a response that lacks it.
func (c *Call) grantCORS() {
	up := c.Exchange.Response
	for _, f := range c.corsHeader() {
		if up.Header.Get(f.Name) != f.Value {
			e := check.SetHeader(f.Name, f.Value)
			e.Check = check.ClientCORS.ID
			c.pass.Edits = append(c.pass.Edits, e)
		}
	}
	if c.g.contract.CORS != nil && !strings.Contains(up.Header.Get("Vary"), "Origin") && c.Exchange.Request.Header.Has("Origin") {
		vary := "Origin"
		if v := up.Header.Get("Vary"); v != "" {
			vary = v + ", Origin"
		}
		e := check.SetHeader("Vary", vary)
		e.Check = check.ClientCORS.ID
		c.pass.Edits = append(c.pass.Edits, e)
	}
}
