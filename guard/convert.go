package guard

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
)

// exchangeOf writes down what net/http knows of a request.
func exchangeOf(r *http.Request, now time.Time) *exchange.Exchange {
	x := &exchange.Exchange{
		ID: exchange.NewID(now), Source: exchange.FromGuard, Side: exchange.ClientSide, Start: now,
		Request: exchange.Request{
			Method: r.Method, Scheme: "http", Authority: r.Host, Target: targetOf(r), Proto: r.Proto,
			Header: headerOf(r.Header), Fidelity: exchange.Canonical,
			Body: exchange.Body{Size: r.ContentLength},
		},
	}
	if remote, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		x.TCP = &exchange.TCP{Remote: remote}
	}
	if r.TLS == nil {
		x.TLS = &exchange.TLS{Clear: true}
		return x
	}
	x.Request.Scheme = "https"
	x.TLS = &exchange.TLS{
		Version: tls.VersionName(r.TLS.Version), Suite: suiteName(r.TLS.CipherSuite), Group: r.TLS.CurveID.String(),
		ALPN: r.TLS.NegotiatedProtocol, ServerName: r.TLS.ServerName, Resumed: r.TLS.DidResume,
	}
	return x
}

// suites are the names of cipher suites: crypto/tls makes its list anew each
// time it is asked for one.
var suites = func() map[uint16]string {
	m := map[uint16]string{}
	for _, s := range tls.CipherSuites() {
		m[s.ID] = s.Name
	}
	return m
}()

func suiteName(id uint16) string {
	if name, ok := suites[id]; ok {
		return name
	}
	return tls.CipherSuiteName(id)
}

// targetOf is the request's path and query as they were sent. Middleware in
// front may have rewritten the URL; what is served is then what is judged.
func targetOf(r *http.Request) string {
	path := r.URL.EscapedPath()
	raw := r.RequestURI
	if i := strings.IndexByte(raw, '?'); i >= 0 {
		raw = raw[:i]
	}
	if raw != "" && raw[0] == '/' && raw == path && len(r.RequestURI)-len(raw) <= 1+len(r.URL.RawQuery) {
		return r.RequestURI
	}
	if r.URL.RawQuery == "" && !r.URL.ForceQuery {
		return path
	}
	return path + "?" + r.URL.RawQuery
}

// headerOf makes ordered field lines of a map. The order on the wire is lost;
// by name is as good as any, and the same each time.
func headerOf(h http.Header) exchange.Header {
	n := 0
	for _, vs := range h {
		n += len(vs)
	}
	out := make(exchange.Header, 0, n)
	for name, vs := range h {
		for _, v := range vs {
			out = append(out, exchange.Field{Name: name, Value: v})
		}
	}
	slices.SortStableFunc(out, func(a, b exchange.Field) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// headerNow is what the map says, when before is what it said: the same field
// lines if nothing was taken from it meanwhile.
func headerNow(before exchange.Header, h http.Header) exchange.Header {
	n := 0
	for _, vs := range h {
		n += len(vs)
	}
	if n != len(before) {
		return headerOf(h)
	}
	for i := 0; i < len(before); {
		name := before[i].Name
		vs := h[name]
		if len(vs) == 0 {
			return headerOf(h)
		}
		for _, v := range vs {
			if i == len(before) || before[i].Name != name || before[i].Value != v {
				return headerOf(h)
			}
			i++
		}
	}
	return before
}

// putHeader makes the map say what the field lines say.
func putHeader(h http.Header, fields exchange.Header) {
	clear(h)
	for _, f := range fields {
		name := http.CanonicalHeaderKey(f.Name)
		h[name] = append(h[name], f.Value)
	}
	undisturbed(h)
}

// changeHeader makes the map, which says what before says, say what after says.
// Only names with a difference are touched: most of a response is left alone.
func changeHeader(h http.Header, before, after exchange.Header) {
	for i := range max(len(before), len(after)) {
		if i < len(before) && i < len(after) && before[i] == after[i] {
			continue
		}
		if i < len(before) {
			delete(h, http.CanonicalHeaderKey(before[i].Name))
		}
		if i < len(after) {
			delete(h, http.CanonicalHeaderKey(after[i].Name))
		}
	}
	values := make([]string, 0, len(after))
	for i, f := range after {
		name := http.CanonicalHeaderKey(f.Name)
		if len(h[name]) > 0 {
			continue
		}
		from := len(values)
		for _, g := range after[i:] { // whole, with its first line
			if len(g.Name) == len(f.Name) && strings.EqualFold(g.Name, f.Name) {
				values = append(values, g.Value)
			}
		}
		h[name] = values[from:len(values):len(values)]
	}
	undisturbed(h)
}

// undisturbed keeps net/http from adding what the API did not send: a type
// that it would guess and a date of its own.
func undisturbed(h http.Header) {
	for _, name := range []string{"Content-Type", "Date"} {
		if _, ok := h[name]; !ok {
			h[name] = nil
		}
	}
}
