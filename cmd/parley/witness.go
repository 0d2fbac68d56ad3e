package main

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

func startOf() time.Time { return time.Now() }

// witness writes down what passes through a client, judged by the checks: the
// open side of the table, where no guard stands.
type witness struct {
	next http.RoundTripper
	up   *up
}

// maxWitnessed is how much of a response is kept.
const maxWitnessed = 1 << 20

func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	now := startOf()
	x := &exchange.Exchange{ID: exchange.NewID(now), Source: exchange.FromCall, Side: exchange.ClientSide, Start: now,
		Request: exchange.Request{Method: r.Method, Scheme: r.URL.Scheme, Authority: r.URL.Host, Target: r.URL.RequestURI(), Proto: "HTTP/1.1",
			Header: fields(r.Header), Fidelity: exchange.Canonical}}
	if r.Host != "" {
		x.Request.Authority = r.Host
	}
	if r.Body != nil && r.Body != http.NoBody {
		data, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(data))
		x.Request.Body = exchange.Body{Size: int64(len(data)), Data: data}
	}
	var first time.Time
	trace := &httptrace.ClientTrace{
		GotFirstResponseByte: func() { first = startOf() },
		GotConn: func(i httptrace.GotConnInfo) {
			if remote, err := netip.ParseAddrPort(i.Conn.RemoteAddr().String()); err == nil {
				x.TCP = &exchange.TCP{Remote: remote, Reused: i.Reused}
			}
		},
	}
	resp, err := w.next.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if err != nil {
		x.Failure = err.Error()
		w.up.recorder.Record(x)
		return nil, err
	}
	data, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	x.Request.Proto = resp.Proto
	x.TLS = tlsOf(resp.TLS)
	x.Response = &exchange.Response{Status: resp.StatusCode, Proto: resp.Proto, Header: fields(resp.Header), Fidelity: exchange.Canonical,
		Body: exchange.Body{Size: int64(len(data)), Data: data[:min(len(data), maxWitnessed)]}}
	x.Times.Wait = first.Sub(now)
	x.Times.Total = startOf().Sub(now)
	x.Times.Receive = x.Times.Total - x.Times.Wait
	w.judge(x, r)
	w.up.recorder.Record(x)
	return resp, nil
}

// judge adds who asked and what the checks find.
func (w *witness) judge(x *exchange.Exchange, r *http.Request) {
	asked := false
	if v := w.up.stand.verifier; v != nil {
		caller, credential, err := v.Identify(r.Context(), &x.Request, x.Start)
		if asked = err == nil; asked {
			x.Server.Caller, x.Server.Credential = caller, credential
		}
	}
	k := w.up.contract
	if m := k.Match(x.Request.Method, x.Request.Path()); m.Operation != nil {
		x.Server.Operation = m.Operation.Name
	}
	x.Findings = check.Inspect(x, k, asked, x.Start)
}

func tlsOf(s *tls.ConnectionState) *exchange.TLS {
	if s == nil {
		return &exchange.TLS{Clear: true}
	}
	return &exchange.TLS{Version: tls.VersionName(s.Version), Suite: tls.CipherSuiteName(s.CipherSuite), Group: s.CurveID.String(),
		ALPN: s.NegotiatedProtocol, ServerName: s.ServerName, Resumed: s.DidResume}
}

func fields(h http.Header) exchange.Header {
	var out exchange.Header
	for name, vs := range h {
		for _, v := range vs {
			out = append(out, exchange.Field{Name: name, Value: v})
		}
	}
	slices.SortStableFunc(out, func(a, b exchange.Field) int { return strings.Compare(a.Name, b.Name) })
	return out
}
