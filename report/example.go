package report

import (
	"slices"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

// example is a copy of an exchange without secrets and without long bodies.
func (r *Report) example(x *exchange.Exchange) *exchange.Exchange {
	y := *x
	y.Findings, y.Actions = nil, nil
	y.Request.Header = slices.Clone(x.Request.Header)
	if x.Response != nil {
		p := *x.Response
		p.Header, p.Trailer = slices.Clone(p.Header), slices.Clone(p.Trailer)
		y.Response = &p
	}
	if c := x.Server.Caller; c != nil {
		y.Server.Caller = &exchange.Caller{Subject: exchange.Subject(r.line(string(c.Subject))), Name: r.line(c.Name), Roles: slices.Clone(c.Roles)}
	}
	r.masker.Mask(&y)
	cut(&y.Request.Body)
	if y.Response != nil {
		cut(&y.Response.Body)
	}
	if len(y.Request.Target) > maxBody {
		y.Request.Target = y.Request.Target[:maxBody] + "…"
	}
	return &y
}

// cut keeps the beginning, in memory of its own: what it is cut from may be
// large.
func cut(b *exchange.Body) { b.Data = slices.Clone(b.Data[:min(len(b.Data), maxBody)]) }

func sizeOf(x *exchange.Exchange) int {
	n := 512 + len(x.Request.Target) + len(x.Request.Body.Data) + sizeOfHeader(x.Request.Header)
	if p := x.Response; p != nil {
		n += len(p.Body.Data) + sizeOfHeader(p.Header) + sizeOfHeader(p.Trailer)
	}
	return n
}

func sizeOfHeader(h exchange.Header) int {
	n := 0
	for i := range h {
		n += 32 + len(h[i].Name) + len(h[i].Value)
	}
	return n
}

// see remembers which facts were there, so that a check that had them all and
// said nothing counts as passed, and any other as unknown.
func (r *Report) see(op string, x *exchange.Exchange) {
	switch x.Source {
	case exchange.FromImport, exchange.FromSniff:
		return // nobody asked the checks
	}
	for i := range x.Actions {
		if x.Actions[i].Kind == exchange.Refused && x.Actions[i].Enforced {
			return // the API was never asked
		}
	}
	s := r.seen[op]
	if s == nil {
		if len(r.seen) == maxShapes {
			return
		}
		s = &operationSeen{}
		r.seen[op] = s
	}
	s.count++
	if x.TLS != nil {
		s.facts |= check.SawTransport
	}
	if x.Response != nil {
		s.facts |= check.SawResponse
	}
	if x.Server.Caller != nil || x.Server.Credential != nil {
		s.facts |= check.SawCaller
	}
	if x.Server.Operation == "" {
		return
	}
	s.facts |= check.SawContract
	if x.Request.Body.Complete() {
		s.facts |= check.SawBody
	}
	if x.Response != nil && x.Response.Body.Size > 0 && x.Response.Body.Complete() {
		s.facts |= check.SawReply
	}
}
