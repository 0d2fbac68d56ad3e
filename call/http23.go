package call

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/parley-project/parley/exchange"
)

// HTTP/2 and 3 are spoken by libraries, which order fields as they like: such
// messages are Canonical.

// connectionFields have no place in HTTP/2 and 3 (RFC 9113, 8.2.2).
var connectionFields = []string{"Connection", "Proxy-Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade"}

// multiplexed sends a request over a channel of HTTP/2 or 3 and reads what
// comes back into x.
func (c *Client) multiplexed(ctx context.Context, ch *channel, x *exchange.Exchange, reused bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began := time.Now()
	var mu sync.Mutex // the library calls from goroutines of its own
	var begun, sent, first time.Time
	var interim []int
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() {
			mu.Lock()
			begun = time.Now()
			mu.Unlock()
		},
		WroteRequest: func(httptrace.WroteRequestInfo) {
			mu.Lock()
			sent = time.Now()
			mu.Unlock()
		},
		GotFirstResponseByte: func() {
			mu.Lock()
			if first.IsZero() {
				first = time.Now()
			}
			mu.Unlock()
		},
		Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
			mu.Lock()
			defer mu.Unlock()
			if interim = append(interim, code); len(interim) > maxInterim {
				return unreadable("interim answers without end")
			}
			return nil
		},
	})
	resp, err := ch.many.RoundTrip(libraryRequest(ctx, &x.Request))
	now := time.Now()
	mu.Lock()
	if first.IsZero() || first.After(now) {
		first = now
	}
	// The library may speak of the end of the request after the answer began.
	if sent.IsZero() || !sent.Before(first) {
		sent = begun
	}
	if sent.IsZero() || sent.After(first) {
		sent = began
	}
	x.Times.Send, x.Times.Wait = sent.Sub(began), first.Sub(sent)
	mu.Unlock()
	if err != nil {
		var u unreadable
		if says := saysOf(err); says == string(endlessHeader) || errors.As(err, &u) {
			return brokeAt(exchange.StepResponse, "the answer cannot be read: "+says, err)
		}
		if reused && ch.dead() != nil && ctx.Err() == nil {
			return errStale
		}
		return brokeAt(exchange.StepServer, "no answer: "+saysOf(err), err)
	}
	defer resp.Body.Close()
	mu.Lock()
	x.Response = &exchange.Response{Status: resp.StatusCode, Proto: ch.proto, Header: Fields(resp.Header), Fidelity: exchange.Canonical, Interim: interim}
	mu.Unlock()
	err = c.keep(&x.Response.Body, resp.Body, resp.ContentLength)
	x.Response.Trailer = Fields(resp.Trailer)
	x.Times.Receive = time.Since(first)
	if err == nil && resp.ContentLength > x.Response.Body.Size && x.Request.Method != http.MethodHead && resp.StatusCode != http.StatusNotModified {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return brokeAt(exchange.StepResponse, "the body broke off: "+saysOf(err), err)
	}
	return nil
}

// libraryRequest is a request in the library's form.
func libraryRequest(ctx context.Context, r *exchange.Request) *http.Request {
	path, query, asked := strings.Cut(r.Target, "?")
	u := &url.URL{Scheme: r.Scheme, Host: r.Authority, Path: path, RawQuery: query, ForceQuery: asked && query == ""}
	if d, err := url.PathUnescape(path); err == nil {
		u.Path, u.RawPath = d, path
	}
	if u.EscapedPath() != path { // a path that only Opaque leaves alone
		u.Opaque = "//" + r.Authority + path
	}
	h := http.Header{"User-Agent": nil}
	host := r.Authority
	for _, f := range r.Header {
		switch {
		case strings.EqualFold(f.Name, "Host"):
			host = f.Value
		case strings.EqualFold(f.Name, "Content-Length"): // whoever writes the body says it
		case strings.EqualFold(f.Name, "TE") && !strings.EqualFold(f.Value, "trailers"):
		default:
			name := http.CanonicalHeaderKey(f.Name)
			h[name] = append(h[name], f.Value)
		}
	}
	if h["User-Agent"] == nil {
		h["User-Agent"] = []string{""} // the library's own would be said otherwise
	}
	req := &http.Request{Method: r.Method, URL: u, Host: host, Header: h, Proto: r.Proto, ProtoMajor: 2, ContentLength: int64(len(r.Body.Data))}
	if len(r.Body.Data) > 0 {
		data := r.Body.Data
		req.Body = io.NopCloser(bytes.NewReader(data))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	}
	return req.WithContext(ctx)
}

// Fields puts a header of net/http, which has no order, in the order of names.
func Fields(h http.Header) exchange.Header {
	if len(h) == 0 {
		return nil
	}
	names := make([]string, 0, len(h))
	n := 0
	for name, vs := range h {
		names = append(names, name)
		n += len(vs)
	}
	slices.Sort(names)
	out := make(exchange.Header, 0, n)
	for _, name := range names {
		for _, v := range h[name] {
			out = append(out, exchange.Field{Name: name, Value: v})
		}
	}
	return out
}
