package call

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/parley-project/parley/exchange"
)

// one sends a request and returns what came of it, and whether its credentials
// were withheld.
func (c *Client) one(ctx context.Context, r *Request) (x *exchange.Exchange, withheld bool) {
	if c.o.Roots == nil && len(r.URL) > 5 && strings.EqualFold(r.URL[:6], "https:") {
		readRoots() // this machine's work, once, and no part of the call
	}
	began := time.Now()
	start := c.now()
	x = &exchange.Exchange{ID: exchange.NewID(start), Source: c.o.Source, Start: start, Links: r.Links,
		Request: exchange.Request{Method: r.Method, Header: r.Header, Fidelity: exchange.OnTheWire,
			Body: exchange.Body{Size: int64(len(r.Body)), Data: r.Body}}}
	p, err := placeOf(r.URL)
	if err == nil {
		x.Request.Scheme, x.Request.Authority, x.Request.Target = p.scheme, p.authority, p.target
		err = c.send(ctx, r, &p, x)
	} else {
		err = brokeAt(exchange.StepRequest, err.Error(), nil)
	}
	if err != nil {
		c.fail(ctx, x, err)
	}
	c.learn(x, &p)
	x.Times.Total = time.Since(began)
	return x, x.Client != nil && len(x.Client.Withheld) > 0
}

// readRoots makes the library read the system's roots, which it keeps.
var readRoots = sync.OnceFunc(func() { x509.SystemCertPool() })

// fail notes why a call broke off.
func (c *Client) fail(ctx context.Context, x *exchange.Exchange, err error) {
	x.Request.Header = slices.Clone(x.Request.Header) // perhaps still the caller's own
	x.Failure = words(err)
	var b *broken
	if errors.As(err, &b) {
		x.FailedAt = b.step
	}
	if x.FailedAt == exchange.StepServer && ctx.Err() == nil && x.TLS != nil && x.TLS.Asked && len(c.o.Certificates) == 0 {
		// In TLS 1.3 a client has finished before the server looks at what it
		// showed (RFC 8446, 4.4.2.4); the alert may be lost with the connection.
		x.FailedAt, x.Failure = exchange.StepTLS, "the server asked for a client certificate, got none, and ended the connection: "+strings.TrimPrefix(x.Failure, "no answer: ")
		x.TLS.Failure = x.Failure
	}
	if ctx.Err() != nil && x.FailedAt >= exchange.StepServer {
		doing := "waiting for the answer"
		if x.FailedAt == exchange.StepResponse {
			doing = "reading the answer"
		}
		x.Failure = ended(ctx, doing)
	}
}

// send finds a channel, decides what may cross it, and sends. When a channel
// that was there already turns out to be closed, and asking twice does no
// harm, it takes another one, once.
func (c *Client) send(ctx context.Context, r *Request, p *place, x *exchange.Exchange) error {
	o := c.pool.at(p.origin())
	defer c.pool.leave(o)
	for fresh := false; ; fresh = true {
		ch, reused, err := c.channel(ctx, o, p, x, fresh)
		if err != nil {
			return err
		}
		if err := c.compose(ctx, r, p, ch, x); err != nil {
			c.release(o, ch, true)
			return err
		}
		again := true
		if ch.many != nil {
			err = c.multiplexed(ctx, ch, x, reused)
			again = ctx.Err() != context.DeadlineExceeded // a peer that hangs may hang as a whole
		} else {
			again, err = c.http1(ctx, ch, x, reused)
		}
		c.release(o, ch, again)
		if says, ok := lateRefusal(ch, err); ok && x.Response == nil {
			x.TLS.Failure = says
			return brokeAt(exchange.StepTLS, says, err)
		}
		if err == errStale {
			if !fresh && idempotent(r.Method) {
				continue
			}
			err = brokeAt(exchange.StepServer, "no answer: the peer closed the connection, and asking twice may do harm", nil)
		}
		return err
	}
}

// channel takes a channel to a place, or makes one, and tells x about it.
func (c *Client) channel(ctx context.Context, o *origin, p *place, x *exchange.Exchange, fresh bool) (ch *channel, reused bool, err error) {
	began := time.Now()
	done := func() {}
	if !fresh {
		if ch, done, err = c.pool.get(ctx, o); err != nil {
			return nil, false, brokeAt(exchange.StepTCP, ended(ctx, "waiting for a connection"), err)
		}
	}
	if x.Times.Blocked = time.Since(began); ch != nil {
		ch.tell(x, true)
		return ch, true, nil
	}
	defer done()
	ch, err = c.open(ctx, p)
	ch.tell(x, false)
	if err != nil {
		if ch.tcp.Attempts == nil && !ch.tcp.Remote.IsValid() {
			x.TCP = nil
		}
		if ch.tls.Version == "" && !ch.tls.Clear && ch.tls.Failure == "" {
			x.TLS = nil
		}
		return nil, false, err
	}
	c.pool.made(o, ch)
	return ch, false, nil
}

// release gives a channel back, or closes it.
func (c *Client) release(o *origin, ch *channel, again bool) {
	switch {
	case ch.many == nil && again:
		c.pool.put(o, ch)
	case ch.many == nil:
		ch.closeNow()
	default:
		c.pool.leaveShared(o, ch, again)
	}
}

// idempotent reports whether a request may be sent twice (RFC 9110, 9.2.2).
func idempotent(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}

// compose puts together what is sent over a channel.
func (c *Client) compose(ctx context.Context, r *Request, p *place, ch *channel, x *exchange.Exchange) error {
	q := &x.Request
	q.Header = make(exchange.Header, 0, len(r.Header)+5)
	q.Target = p.target
	q.Body = exchange.Body{Size: int64(len(r.Body)), Data: r.Body}
	x.Server.Credential = nil
	if q.Fidelity = exchange.OnTheWire; ch.many != nil {
		q.Fidelity = exchange.Canonical
	}
	if ch.many == nil && !r.Header.Has("Host") {
		q.Header = append(q.Header, exchange.Field{Name: "Host", Value: p.authority})
	}
	if !r.Bare && !r.Header.Has("User-Agent") {
		q.Header = append(q.Header, exchange.Field{Name: "User-Agent", Value: "parley"})
	}
	q.Header = append(q.Header, r.Header...)
	if ch.many != nil {
		q.Header = unlike(q.Header, connectionFields...)
	}
	c.addCookies(q, p)
	if p.user != nil && r.Auth == nil && !q.Header.Has("Authorization") {
		password, _ := p.user.Password()
		q.Header = append(q.Header, exchange.Field{Name: "Authorization",
			Value: "Basic " + base64.StdEncoding.EncodeToString([]byte(p.user.Username()+":"+password))})
	}
	auth := r.Auth
	if err := c.verified(ch, p.host); err != nil && c.o.Untrusted != SendAnyway {
		names := c.withhold(ctx, r, q)
		switch {
		case c.o.Untrusted == Stop && !ch.tls.Clear:
			return brokeAt(exchange.StepTLS, "nothing was sent: "+err.Error(), nil)
		case c.o.Untrusted == Stop && len(names) > 0:
			return brokeAt(exchange.StepTLS, "nothing was sent: "+err.Error()+", and the request carries credentials", nil)
		}
		if auth = nil; len(names) > 0 {
			x.Client = &exchange.Client{Withheld: names}
		}
	}
	if auth != nil {
		if err := c.prove(ctx, auth, x); err != nil {
			return err
		}
	}
	if len(q.Body.Data) > 0 || r.Method == "POST" || r.Method == "PUT" || r.Method == "PATCH" {
		if !q.Header.Has("Content-Length") && !q.Header.Has("Transfer-Encoding") {
			q.Header = append(q.Header, exchange.Field{Name: "Content-Length", Value: strconv.Itoa(len(q.Body.Data))})
		}
	}
	if err := sendable(q); err != nil {
		return brokeAt(exchange.StepRequest, "the request cannot be sent: "+err.Error(), nil)
	}
	return nil
}
