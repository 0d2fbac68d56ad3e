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
		Version: tls.VersionName(r.TLS.Version), Suite: tls.CipherSuiteName(r.TLS.CipherSuite), Group: r.TLS.CurveID.String(),
		ALPN: r.TLS.NegotiatedProtocol, ServerName: r.TLS.ServerName, Resumed: r.TLS.DidResume,
	}
	return x
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
	for _, f := range after {
		if name := http.CanonicalHeaderKey(f.Name); len(h[name]) == 0 {
			h[name] = after.Values(name) // whole, with its first line
		}
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
