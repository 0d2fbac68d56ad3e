package call

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/parley-project/parley/exchange"
)

// Transport lets libraries that speak net/http make their calls through c, with
// its trust, its limits and its records. Redirects are left to the
// library. Bodies are read into memory.
func Transport(c *Client) http.RoundTripper { return transport{c} }

type transport struct{ c *Client }

// RoundTrip sends a request and reads the whole answer.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ask := &Request{Method: r.Method, URL: r.URL.String(), Header: Fields(r.Header)}
	if ask.Method == "" {
		ask.Method = http.MethodGet
	}
	if r.Host != "" && r.Host != r.URL.Host {
		ask.Header = append(exchange.Header{{Name: "Host", Value: r.Host}}, ask.Header...)
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			return nil, err
		}
		ask.Body = body
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), t.c.o.Timeout, errTime)
	defer cancel()
	x, withheld := t.c.one(ctx, ask)
	t.c.record(x)
	switch {
	case x.Failure != "" && ctx.Err() != nil:
		return nil, fmt.Errorf("call: %s: %w", x.Failure, ctx.Err())
	case x.Failure != "":
		return nil, errors.New("call: " + x.Failure)
	case withheld:
		return nil, errors.New("call: the channel was not verified, so that what proves who asks was withheld")
	case !x.Response.Body.Complete():
		return nil, fmt.Errorf("call: the answer is longer than %d bytes", t.c.o.MaxBody)
	}
	return libraryResponse(x, r), nil
}

// libraryResponse is a response in the library's form.
func libraryResponse(x *exchange.Exchange, r *http.Request) *http.Response {
	p := x.Response
	resp := &http.Response{StatusCode: p.Status, Status: strconv.Itoa(p.Status) + " " + http.StatusText(p.Status), Proto: p.Proto,
		Header: http.Header{}, ContentLength: p.Body.Size, Body: io.NopCloser(bytes.NewReader(p.Body.Data)), Request: r}
	resp.ProtoMajor, resp.ProtoMinor, _ = http.ParseHTTPVersion(p.Proto)
	for _, f := range p.Header {
		resp.Header.Add(f.Name, f.Value)
	}
	for _, f := range p.Trailer {
		if resp.Trailer == nil {
			resp.Trailer = http.Header{}
		}
		resp.Trailer.Add(f.Name, f.Value)
	}
	return resp
}
