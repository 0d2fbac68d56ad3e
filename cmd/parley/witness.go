package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"time"

	"github.com/parley-project/parley/call"
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
			Header: call.Fields(r.Header), Fidelity: exchange.Canonical}}
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
	facts := call.TLSFacts(resp.TLS)
	x.TLS = &facts
	x.Response = &exchange.Response{Status: resp.StatusCode, Proto: resp.Proto, Header: call.Fields(resp.Header), Fidelity: exchange.Canonical,
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
