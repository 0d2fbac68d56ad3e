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

// options answers what guard answers itself: a CORS preflight, and an OPTIONS
// that the contract does not declare. It returns nil for all else, and in
// report mode. The API is not asked: nobody judged what it might answer.
func (c *Call) options() *exchange.Response {
	r := &c.Exchange.Request
	if !c.g.enforce || r.Method != "OPTIONS" {
		return nil
	}
	if a := c.preflight(); a != nil {
		return a
	}
	if !c.pass.Match.Known || c.pass.Match.Operation != nil {
		return nil
	}
	return &exchange.Response{Status: 204, Proto: r.Proto, Fidelity: exchange.Canonical,
		Header: append(c.protection(), exchange.Field{Name: "Allow", Value: c.pass.Match.Allow})}
}

// preflight answers a CORS preflight, or returns nil when the request is none
// or the policy does not speak of CORS.
func (c *Call) preflight() *exchange.Response {
	cors := c.g.contract.CORS
	r := &c.Exchange.Request
	if cors == nil || !r.Header.Has("Origin") {
		return nil
	}
	method := r.Header.Get("Access-Control-Request-Method")
	if method == "" {
		return nil
	}
	out := &exchange.Response{Status: 204, Proto: r.Proto, Fidelity: exchange.Canonical,
		Header: exchange.Header{{Name: "Vary", Value: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}}}
	m := c.g.contract.Match(method, r.Path())
	if granted(cors, r.Header.Get("Origin")) == "" || m.Operation == nil || !offers(cors, method) ||
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

// granted is what an origin is told of who may read: its own name, "*" where
// the policy lets everybody read (which is never with credentials), or "".
func granted(cors *contract.CORS, origin string) string {
	switch {
	case origin == "":
		return ""
	case slices.Contains(cors.Origins, origin):
		return origin
	case slices.Contains(cors.Origins, "*"):
		return "*"
	}
	return ""
}

// corsHeader are the fields that let the request's origin read the answer.
func (c *Call) corsHeader() exchange.Header {
	cors := c.g.contract.CORS
	if cors == nil {
		return nil
	}
	origin := granted(cors, c.Exchange.Request.Header.Get("Origin"))
	if origin == "" {
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

// grantCORS makes the response say what the policy grants, and nothing else.
func (c *Call) grantCORS() {
	if c.g.contract.CORS == nil {
		return // check client-cors judges what the API grants by itself
	}
	up, ours := c.Exchange.Response, c.corsHeader()
	dropped := func(name string) bool {
		return slices.ContainsFunc(c.pass.Edits, func(e check.Edit) bool { return e.Kind == check.EditDropHeader && e.Name == name })
	}
	propose := func(e check.Edit) {
		e.Check = check.ClientCORS.ID
		c.pass.Edits = append(c.pass.Edits, e)
	}
	for _, f := range up.Header {
		if len(f.Name) > 15 && strings.EqualFold(f.Name[:15], "Access-Control-") && !ours.Has(f.Name) && !dropped(f.Name) {
			propose(check.DropHeader(f.Name, "grants what the policy does not"))
		}
	}
	for _, f := range ours {
		if up.Header.Get(f.Name) != f.Value {
			propose(check.SetHeader(f.Name, f.Value))
		}
	}
	if vary := up.Header.Get("Vary"); c.Exchange.Request.Header.Has("Origin") && !strings.Contains(vary, "Origin") {
		if vary != "" {
			vary += ", "
		}
		propose(check.SetHeader("Vary", vary+"Origin"))
	}
}
