package call

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/diagnose"
)

// A Client makes calls. It keeps connections and is safe for concurrent use.
type Client struct {
	o        Options
	now      func() time.Time
	given    map[string][]netip.Addr // Options.Resolve, names in lower case
	proxy    *proxy
	dialer   net.Dialer
	sessions tls.ClientSessionCache
	pool     pool
}

// An OptionError is an option that cannot be meant.
type OptionError struct{ Says string }

func (e *OptionError) Error() string { return "call: " + e.Says }

// New returns a Client, or an OptionError.
func New(o Options) (*Client, error) {
	c, err := newClient(o)
	if err != nil {
		return nil, &OptionError{strings.TrimPrefix(err.Error(), "call: ")}
	}
	return c, nil
}

func newClient(o Options) (*Client, error) {
	c := &Client{now: o.Now, given: map[string][]netip.Addr{}, sessions: tls.NewLRUClientSessionCache(64)}
	switch o.HTTP {
	case "", "1.1", "2", "3":
	default:
		return nil, fmt.Errorf("call: HTTP %q is not spoken here: 1.1, 2 and 3 are", clip(o.HTTP))
	}
	for at, as := range o.Resolve {
		if _, _, err := net.SplitHostPort(at); err != nil || len(as) == 0 {
			return nil, fmt.Errorf("call: %q cannot be resolved that way: give host:port and at least one address", clip(at))
		}
		c.given[strings.ToLower(at)] = as
	}
	for _, pin := range o.Pins {
		if !diagnose.IsPin(pin) {
			return nil, fmt.Errorf("call: the pin %q is not the SHA-256 of a public key: that is 32 bytes in base64, as sha256//…", clip(pin))
		}
	}
	if o.Timeout < 0 || o.Redirects < 0 || o.MaxBody < 0 || o.MaxTransfer < 0 || o.MaxHeader < 0 {
		return nil, errors.New("call: a limit is below zero")
	}
	var err error
	if c.proxy, err = proxyOf(o.Proxy); err != nil {
		return nil, err
	}
	if c.proxy != nil && o.HTTP == "3" {
		return nil, errors.New("call: HTTP/3 does not go through a proxy")
	}
	or(&o.Timeout, 30*time.Second)
	or(&o.MaxBody, 8<<20)
	or(&o.MaxTransfer, 1<<30)
	or(&o.MaxHeader, 256<<10)
	or(&o.Source, exchange.FromCall)
	if o.Resolver == nil {
		o.Resolver = System()
	}
	if c.now == nil {
		c.now = time.Now
	}
	c.o = o
	return c, nil
}

func or[T comparable](p *T, d T) {
	var zero T
	if *p == zero {
		*p = d
	}
}

// Close lets go of all connections.
func (c *Client) Close() { c.pool.close() }

// Do makes one call, following redirects, and returns the exchange of each
// request it sent, the last one last. There is always at least one; a call that
// broke off has Failure and FailedAt.
func (c *Client) Do(ctx context.Context, r *Request) []*exchange.Exchange {
	ctx, cancel := context.WithTimeoutCause(ctx, c.o.Timeout, errTime)
	defer cancel()
	next := *r
	var done []*exchange.Exchange
	answered := false // a challenge, or with a new token
	for hops := 0; ; {
		x, withheld := c.one(ctx, &next)
		done = append(done, x)
		if x.Response == nil || x.Failure != "" {
			c.record(x)
			return done
		}
		if next.Auth != nil && !withheld && (!answered || x.Response.Status != 401) { // it learns also that it was taken
			again, err := next.Auth.Answer(ctx, &x.Request, x.Response)
			if err != nil {
				x.Failure, x.FailedAt = "the server's demand could not be met: "+clip(err.Error()), exchange.StepServer
			}
			if again && err == nil && !answered {
				answered = true
				next.Links = link(r.Links, exchange.Retry, x.ID)
				c.record(x)
				continue
			}
		}
		if c.o.Redirects > 0 && x.Failure == "" {
			on, err := redirect(&next, x)
			switch {
			case err != nil:
				x.Failure, x.FailedAt = "the redirect cannot be followed: "+err.Error(), exchange.StepResponse
			case on && hops == c.o.Redirects:
				x.Failure, x.FailedAt = fmt.Sprintf("it was redirected more than %d times", c.o.Redirects), exchange.StepResponse
			case on:
				hops++
				answered = false
				next.Links = link(r.Links, exchange.Redirect, x.ID)
				c.record(x)
				continue
			}
		}
		c.record(x)
		return done
	}
}

func link(ls []exchange.Link, kind exchange.LinkKind, id exchange.ID) []exchange.Link {
	return append(ls[:len(ls):len(ls)], exchange.Link{Kind: kind, ID: id})
}

// record hands an exchange over. The recorder may change what it gets, and the
// caller keeps the one that Do returns, so that each has header lines of its
// own.
func (c *Client) record(x *exchange.Exchange) {
	if c.o.Recorder == nil {
		return
	}
	own := *x
	own.Request.Header = append(exchange.Header(nil), x.Request.Header...)
	if x.Response != nil {
		r := *x.Response
		r.Header = append(exchange.Header(nil), r.Header...)
		r.Trailer = append(exchange.Header(nil), r.Trailer...)
		own.Response = &r
	}
	c.o.Recorder.Record(&own)
}
