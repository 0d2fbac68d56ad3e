package run

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/ohler55/ojg/jp"
	"github.com/ohler55/ojg/oj"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// seen is a call as facts look at it: the body is decoded and parsed once, and
// only when a fact asks for it.
type seen struct {
	all      []*exchange.Exchange
	x        *exchange.Exchange
	contract *contract.Contract
	now      time.Time

	body    []byte
	decoded bool
	problem error // why the body is not all there
	json    any
	parsed  bool
	jsonErr error
	judged  *judgement
}

func newSeen(all []*exchange.Exchange, k *contract.Contract, now time.Time) *seen {
	return &seen{all: all, x: all[len(all)-1], contract: k, now: now}
}

// content is the response's body with its codings undone.
func (s *seen) content() ([]byte, error) {
	if !s.decoded && s.x.Response != nil {
		s.decoded = true
		s.body, s.problem = decode(s.x.Response)
	}
	return s.body, s.problem
}

func (s *seen) document() (any, error) {
	if s.parsed {
		return s.json, s.jsonErr
	}
	s.parsed = true
	b, err := s.content()
	if err != nil {
		s.jsonErr = err
		return nil, err
	}
	var p oj.Parser
	if s.json, s.jsonErr = parseJSON(&p, b); s.jsonErr != nil {
		s.jsonErr = fmt.Errorf("the body is no JSON: %v", s.jsonErr)
	}
	return s.json, s.jsonErr
}

// maxNesting bounds how deep a body may be nested: whoever walks through it calls
// himself for each level, and a stack that is used up ends the program.
const maxNesting = 1000

// nested reports whether JSON is nested deeper than that.
func nested(b []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			if depth++; depth > maxNesting {
				return true
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return false
}

// parseJSON bounds nothing but the nesting: what is kept of a body is bounded.
func parseJSON(p *oj.Parser, b []byte) (v any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	if len(strings.TrimSpace(string(b[:min(len(b), 64)]))) == 0 && len(b) <= 64 {
		return nil, fmt.Errorf("it is empty")
	}
	if nested(b) {
		return nil, fmt.Errorf("it is nested deeper than %d levels", maxNesting)
	}
	return p.Parse(b)
}

// fact returns the value of a fact. ok is false when the call has none; err
// says that it could not be found out.
func (s *seen) fact(f archive.Fact) (v any, ok bool, err error) {
	x := s.x
	step, _, _ := strings.Cut(f.Name, ".")
	switch step {
	case "dns":
		return s.dns(f)
	case "tcp":
		return s.tcp(f)
	case "tls":
		return s.tls(f)
	case "request":
		return s.request(f)
	case "response":
		return s.response(f)
	case "client":
		return s.client(f)
	case "times":
		t := x.Times
		d := map[string]time.Duration{"times.blocked": t.Blocked, "times.dns": t.DNS, "times.connect": t.Connect, "times.tls": t.TLS,
			"times.send": t.Send, "times.wait": t.Wait, "times.receive": t.Receive, "times.total": s.total()}[f.Name]
		return d, true, nil
	case "server":
		for _, t := range x.Server.Timing {
			if strings.EqualFold(t.Name, f.Argument) {
				return t.Duration, true, nil
			}
		}
		return nil, false, nil
	case "contract":
		j := s.judge()
		switch f.Name {
		case "contract.operation":
			return j.operation, j.operation != "", nil
		case "contract.violations":
			return list(j.violations), true, nil
		}
		if s.contract == nil {
			return nil, false, fmt.Errorf("no description of the API was given: --api openapi.yaml")
		}
		return j.verdict, true, nil
	case "redirects":
		return float64(len(s.all) - 1), true, nil
	case "failure":
		return x.Failure, x.Failure != "", nil
	case "failed_at":
		return x.FailedAt.String(), x.FailedAt != 0, nil
	}
	return nil, false, fmt.Errorf("%s is no fact", f)
}

// total is the time of all of it, redirects included.
func (s *seen) total() time.Duration {
	var d time.Duration
	for _, x := range s.all {
		d += x.Times.Total
	}
	return d
}

func list[T ~string](values []T) []any {
	out := make([]any, 0, len(values))
	for _, v := range values {
		out = append(out, string(v))
	}
	return out
}

func text(v string) (any, bool, error) { return v, v != "", nil }

func (s *seen) dns(f archive.Fact) (any, bool, error) {
	d := s.x.DNS
	if d == nil {
		return nil, false, nil
	}
	switch f.Name {
	case "dns.name":
		return text(d.Name)
	case "dns.resolver":
		return text(d.Resolver)
	case "dns.ttl":
		return float64(d.TTL), d.TTL > 0, nil
	case "dns.failure":
		return text(d.Failure)
	}
	out := []any{}
	for _, a := range d.Addresses {
		out = append(out, a.String())
	}
	return out, true, nil
}

func (s *seen) tcp(f archive.Fact) (any, bool, error) {
	t := s.x.TCP
	if t == nil {
		return nil, false, nil
	}
	switch f.Name {
	case "tcp.address":
		return t.Remote.Addr().String(), t.Remote.IsValid(), nil
	case "tcp.port":
		return float64(t.Remote.Port()), t.Remote.IsValid(), nil
	case "tcp.reused":
		return t.Reused, true, nil
	}
	return text(t.Proxy)
}

func (s *seen) tls(f archive.Fact) (any, bool, error) {
	t := s.x.TLS
	if t == nil {
		return nil, false, nil
	}
	var leaf exchange.Certificate
	if len(t.Chain) > 0 {
		leaf = t.Chain[0]
	}
	switch f.Name {
	case "tls.clear":
		return t.Clear, true, nil
	case "tls.failure":
		return text(t.Failure)
	}
	if t.Clear {
		return nil, false, nil
	}
	switch f.Name {
	case "tls.version":
		return text(t.Version)
	case "tls.suite":
		return text(t.Suite)
	case "tls.group":
		return text(t.Group)
	case "tls.alpn":
		return text(t.ALPN)
	case "tls.verified":
		if t.Trust == nil {
			return nil, false, nil
		}
		return t.Trust.Verified, true, nil
	case "tls.problems":
		if t.Trust == nil {
			return nil, false, nil
		}
		out := []any{}
		for _, p := range t.Trust.Problems {
			out = append(out, p.Kind)
		}
		return out, true, nil
	case "tls.subject":
		return text(leaf.Subject)
	case "tls.issuer":
		return text(leaf.Issuer)
	case "tls.names":
		return list(leaf.Names), len(t.Chain) > 0, nil
	case "tls.key":
		return text(leaf.Key)
	case "tls.expires":
		return leaf.NotAfter.Sub(s.now), !leaf.NotAfter.IsZero(), nil
	case "tls.pin":
		return text(leaf.PinSHA256)
	case "tls.chain":
		out := []any{}
		for _, c := range t.Chain {
			out = append(out, c.Subject)
		}
		return out, true, nil
	case "tls.resumed":
		return t.Resumed, true, nil
	case "tls.stapled":
		return t.Stapled, true, nil
	case "tls.scts":
		return float64(t.SCTs), true, nil
	}
	return nil, false, fmt.Errorf("%s is no fact", f)
}

// httpVersion is "1.1", "2" or "3" of "HTTP/2.0".
func httpVersion(proto string) string {
	v := strings.TrimPrefix(strings.ToUpper(proto), "HTTP/")
	return strings.TrimSuffix(v, ".0")
}

func (s *seen) request(f archive.Fact) (any, bool, error) {
	q := &s.x.Request
	switch f.Name {
	case "request.method":
		return text(q.Method)
	case "request.url":
		return q.URL(), true, nil
	case "request.http":
		return text(httpVersion(q.Proto))
	case "request.header.":
		vs := q.Header.Values(f.Argument)
		return strings.Join(vs, ", "), vs != nil, nil
	case "request.body":
		return string(q.Body.Data), true, nil
	}
	return float64(q.Body.Size), true, nil
}

func (s *seen) response(f archive.Fact) (any, bool, error) {
	r := s.x.Response
	if r == nil {
		return nil, false, nil
	}
	switch f.Name {
	case "response.status":
		return float64(r.Status), true, nil
	case "response.http":
		if r.Proto == "" {
			return text(httpVersion(s.x.Request.Proto))
		}
		return text(httpVersion(r.Proto))
	case "response.interim":
		out := []any{}
		for _, i := range r.Interim {
			out = append(out, fmt.Sprint(i))
		}
		return out, true, nil
	case "response.header.":
		vs := r.Header.Values(f.Argument)
		return strings.Join(vs, ", "), vs != nil, nil
	case "response.headers.":
		vs := r.Header.Values(f.Argument)
		return list(vs), vs != nil, nil
	case "response.trailer.":
		vs := r.Trailer.Values(f.Argument)
		return strings.Join(vs, ", "), vs != nil, nil
	case "response.type":
		return text(r.Header.MediaType())
	case "response.body":
		b, err := s.content()
		return string(b), true, err
	case "response.size":
		return float64(r.Body.Size), true, nil
	case "response.sha256":
		if !r.Body.Complete() {
			return nil, false, fmt.Errorf("only %d of %d bytes were kept", len(r.Body.Data), r.Body.Size)
		}
		sum := sha256.Sum256(r.Body.Data)
		return hex.EncodeToString(sum[:]), true, nil
	case "response.body.$":
		doc, err := s.document()
		if err != nil {
			return nil, false, err
		}
		return find(f.Path, doc)
	}
	return nil, false, fmt.Errorf("%s is no fact", f)
}

// find returns the value at a path that can have one, and the list of all for
// one that can have many.
func find(path jp.Expr, doc any) (v any, ok bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			v, ok, err = nil, false, fmt.Errorf("%v", r)
		}
	}()
	if singular(path) {
		v, ok = path.FirstFound(doc)
		return v, ok, nil
	}
	all := path.Get(doc)
	if all == nil {
		all = []any{}
	}
	return all, true, nil
}

// singular reports whether a path names one place (RFC 9535, 2.3.5.1).
func singular(path jp.Expr) bool {
	for _, f := range path {
		switch f.(type) {
		case jp.Root, jp.At, jp.Child, jp.Nth, jp.Bracket:
		default:
			return false
		}
	}
	return true
}

func (s *seen) client(f archive.Fact) (any, bool, error) {
	c := s.x.Client
	switch f.Name {
	case "client.cookies.":
		return s.cookie(f.Argument)
	case "client.cookies":
		out := []any{}
		if s.x.Response != nil {
			for _, v := range s.x.Response.Header.Values("Set-Cookie") {
				name, _, _ := strings.Cut(v, "=")
				out = append(out, strings.TrimSpace(name))
			}
		}
		return out, true, nil
	}
	if c == nil {
		return nil, false, nil
	}
	switch f.Name {
	case "client.hsts":
		return c.HSTS, c.HSTS > 0, nil
	case "client.alt_svc":
		return list(c.AltSvc), true, nil
	}
	return list(c.Withheld), true, nil
}

// cookie is the value of one that came, or with .kept and .refused what became
// of it.
func (s *seen) cookie(argument string) (any, bool, error) {
	name, asks := argument, ""
	for _, suffix := range []string{".kept", ".refused"} {
		if n, ok := strings.CutSuffix(argument, suffix); ok {
			name, asks = n, suffix
		}
	}
	if asks != "" {
		if s.x.Client != nil {
			for _, k := range s.x.Client.Cookies {
				if k.Name == name {
					if asks == ".kept" {
						return k.Refused == "", true, nil
					}
					return k.Refused, k.Refused != "", nil
				}
			}
		}
		return nil, false, nil
	}
	if s.x.Response == nil {
		return nil, false, nil
	}
	for _, v := range s.x.Response.Header.Values("Set-Cookie") {
		pair, _, _ := strings.Cut(v, ";")
		if n, value, ok := strings.Cut(pair, "="); ok && strings.TrimSpace(n) == name {
			return strings.Trim(strings.TrimSpace(value), `"`), true, nil
		}
	}
	return nil, false, nil
}
