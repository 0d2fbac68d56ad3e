package filter

// The words of the language. A word is a line in fields and nothing else: the
// parser, the printer, hints, help and the predicate all read this table. (The
// store answers a few of them from its columns, and asks the predicate for
// all others.)

import (
	"strconv"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// X is short for what every word looks at.
type x = *exchange.Exchange

var fields = []*field{
	{Name: "", Doc: "anywhere in the exchange", bodies: true, make: text(anywhere)},
	{Name: "host", Aliases: []string{"domain"}, Doc: "the authority that the request names",
		make: text(func(x x, ok test) bool { return ok(x.Request.Authority) })},
	{Name: "path", Aliases: []string{"url"}, Doc: "path and query as sent",
		make: text(func(x x, ok test) bool { return ok(x.Request.Target) })},
	{Name: "method", Doc: "the request's method",
		make: name(nil, func(x x, ok test) bool { return ok(x.Request.Method) })},
	{Name: "status", Aliases: []string{"status-code", "code"}, Doc: "the response's status; 4xx is all of a class",
		make: number(statusRange, func(x x) (int64, bool) {
			if x.Response == nil {
				return 0, false
			}
			return int64(x.Response.Status), true
		})},
	{Name: "type", Aliases: []string{"mime-type"}, Doc: "the response's media type, or the request's when there is none",
		make: text(func(x x, ok test) bool { return ok(MediaType(x)) })},
	{Name: "header", Arg: "NAME", Doc: "a header field's value, on either side",
		makeArg: func(arg string) maker {
			return text(func(x x, ok test) bool {
				if headerValue(x.Request.Header, arg, ok) {
					return true
				}
				return x.Response != nil && (headerValue(x.Response.Header, arg, ok) || headerValue(x.Response.Trailer, arg, ok))
			})
		}},
	{Name: "has-request-header", Doc: "the request has the header field",
		make: name(nil, func(x x, ok test) bool { return headerName(x.Request.Header, ok) })},
	{Name: "has-response-header", Doc: "the response has the header field",
		make: name(nil, func(x x, ok test) bool { return x.Response != nil && headerName(x.Response.Header, ok) })},
	{Name: "req.body", Doc: "the request's content", bodies: true,
		make: text(func(x x, ok test) bool { return ok(view(x.Request.Body.Data)) })},
	{Name: "resp.body", Doc: "the response's content", bodies: true,
		make: text(func(x x, ok test) bool { return x.Response != nil && ok(view(x.Response.Body.Data)) })},
	{Name: "size", Doc: "bytes of the response's content: 500, 10k, 2m",
		make: number(parseSize, responseSize)},
	{Name: "larger-than", Doc: "the response's content has more bytes",
		make: func(op Op, v string) (pred, error) {
			if op == Has {
				op = Greater
			}
			return number(parseSize, responseSize)(op, v)
		}},
	{Name: "time", Doc: "how long it took in all: 200ms, 1.5s",
		make: number(parseTime, func(x x) (int64, bool) { return int64(x.Times.Total), x.Times.Total != 0 })},
	{Name: "identity", Aliases: []string{"caller"}, Doc: "the caller's subject or name",
		make: text(func(x x, ok test) bool {
			c := x.Server.Caller
			return c != nil && (ok(string(c.Subject)) || ok(c.Name))
		})},
	{Name: "source", Doc: "the part that saw it",
		make: name([]string{"guard", "proxy", "scan", "trace", "call", "sniff", "import"},
			func(x x, ok test) bool { return ok(string(x.Source)) })},
	{Name: "side", Doc: "which of an intermediary's two conversations",
		make: name([]string{"client", "upstream"}, func(x x, ok test) bool { return ok(string(x.Side)) })},
	{Name: "tls", Doc: "yes, no, unknown; or a version, suite, group or server name",
		make: func(op Op, v string) (pred, error) {
			switch strings.ToLower(v) {
			case "yes":
				return equality(op, func(x x) bool { return x.TLS != nil && !x.TLS.Clear })
			case "no", "clear":
				return equality(op, func(x x) bool { return x.TLS != nil && x.TLS.Clear })
			case "unknown":
				return equality(op, func(x x) bool { return x.TLS == nil })
			}
			return text(func(x x, ok test) bool {
				t := x.TLS
				return t != nil && !t.Clear && (ok(t.Version) || ok(t.Suite) || ok(t.Group) || ok(t.ALPN) || ok(t.ServerName))
			})(op, v)
		}},
	{Name: "proto", Doc: "the version of HTTP: h1, h2, h3 or 1.1",
		make: func(op Op, v string) (pred, error) {
			switch strings.ToLower(v) {
			case "h1", "http/1":
				v = "HTTP/1"
			case "h2", "http/2", "2":
				v = "HTTP/2"
			case "h3", "http/3", "3":
				v = "HTTP/3"
			}
			return text(func(x x, ok test) bool { return ok(x.Request.Proto) })(op, v)
		}},
	{Name: "is", Doc: "what was done to it or said of it", make: name(conditionNames(),
		func(x x, ok test) bool {
			for _, c := range conditions {
				if ok(c.name) && c.holds(x) {
					return true
				}
			}
			return false
		})},
	{Name: "finding", Doc: "a finding of this check",
		make: text(func(x x, ok test) bool {
			for i := range x.Findings {
				if ok(x.Findings[i].Check) {
					return true
				}
			}
			return false
		})},
	{Name: "check", Doc: "a finding or an action of this check",
		make: text(anyCheck)},
	{Name: "operation", Doc: "the contract's name of what was asked for",
		make: text(func(x x, ok test) bool { return ok(x.Server.Operation) })},
	{Name: "rule", Doc: "the line of the policy that decided",
		make: text(func(x x, ok test) bool {
			for i := range x.Actions {
				if ok(x.Actions[i].Rule) {
					return true
				}
			}
			return false
		})},
	{Name: "id", Doc: "the exchange's ID, or how it begins", make: prefix(func(x x) string { return string(x.ID) })},
	{Name: "step", Doc: "a finding at this step of the call",
		make: name([]string{"dns", "tcp", "tls", "request", "server", "response", "client"},
			func(x x, ok test) bool {
				for i := range x.Findings {
					if ok(x.Findings[i].Step.String()) {
						return true
					}
				}
				return false
			})},
}

// conditions are the values of is:.
var conditions = []struct {
	name  string
	holds pred
}{
	{"refused", acted(exchange.Refused)},
	{"stripped", acted(exchange.Stripped)},
	{"repaired", acted(exchange.Repaired)},
	{"would", func(x x) bool {
		for i := range x.Actions {
			if !x.Actions[i].Enforced {
				return true
			}
		}
		return false
	}},
	{"error", func(x x) bool { return x.Failure != "" || x.Response != nil && x.Response.Status >= 500 }},
	{"finding", func(x x) bool { return len(x.Findings) > 0 }},
	{"unauthenticated", func(x x) bool { return x.Server.Caller == nil }},
}

func conditionNames() []string {
	var ns []string
	for _, c := range conditions {
		ns = append(ns, c.name)
	}
	return ns
}

func acted(k exchange.ActionKind) pred {
	return func(x x) bool {
		for i := range x.Actions {
			if x.Actions[i].Kind == k {
				return true
			}
		}
		return false
	}
}

// MediaType is what the list shows as an exchange's type and type: looks at:
// the response's, or the request's when the response has none.
func MediaType(x *exchange.Exchange) string {
	if x.Response != nil {
		if t := x.Response.Header.MediaType(); t != "" {
			return t
		}
	}
	return x.Request.Header.MediaType()
}

func responseSize(x x) (int64, bool) {
	if x.Response == nil {
		return 0, false
	}
	return x.Response.Body.Size, true
}

func headerValue(h exchange.Header, name string, ok test) bool {
	for i := range h {
		if len(h[i].Name) == len(name) && strings.EqualFold(h[i].Name, name) && ok(h[i].Value) {
			return true
		}
	}
	return false
}

func headerName(h exchange.Header, ok test) bool {
	for i := range h {
		if ok(h[i].Name) {
			return true
		}
	}
	return false
}

func headerLine(h exchange.Header, ok test) bool {
	for i := range h {
		if ok(h[i].Name) || ok(h[i].Value) {
			return true
		}
	}
	return false
}

func anyCheck(x x, ok test) bool {
	for i := range x.Findings {
		if ok(x.Findings[i].Check) {
			return true
		}
	}
	for i := range x.Actions {
		if ok(x.Actions[i].Check) {
			return true
		}
	}
	return false
}

// anywhere is what a word without a key looks at, cheap places first.
func anywhere(x x, ok test) bool {
	if ok(x.Request.Target) || ok(x.Request.Authority) || ok(x.Request.Method) || ok(x.Server.Operation) || ok(string(x.ID)) {
		return true
	}
	if c := x.Server.Caller; c != nil && (ok(string(c.Subject)) || ok(c.Name)) {
		return true
	}
	if ok(x.Failure) || anyCheck(x, ok) || headerLine(x.Request.Header, ok) || ok(view(x.Request.Body.Data)) {
		return true
	}
	if r := x.Response; r != nil {
		return ok(strconv.Itoa(r.Status)) || headerLine(r.Header, ok) || headerLine(r.Trailer, ok) || ok(view(r.Body.Data))
	}
	return false
}
