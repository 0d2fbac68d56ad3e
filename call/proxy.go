package call

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	socks "golang.org/x/net/proxy"

	"github.com/parley-project/parley/exchange"
)

// A proxy stands between us and servers.
type proxy struct {
	place
	kind string // "http", "https", "socks5", "socks5h"
	name string // its URL without credentials
}

func proxyOf(raw string) (*proxy, error) {
	if raw == "" {
		return nil, nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return nil, errors.New("call: the proxy is not a URL such as http://proxy.example:3128")
	}
	p := &proxy{kind: u.Scheme, name: u.Scheme + "://" + u.Host}
	p.user, p.host, p.port = u.User, u.Hostname(), u.Port()
	usual := map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	if usual == "" {
		return nil, fmt.Errorf("call: a proxy of the kind %q is not spoken to: only http, https, socks5 and socks5h are", clip(u.Scheme))
	}
	if p.port == "" {
		p.port = usual
	}
	return p, nil
}

// credentials are what the proxy itself wants to see, and nobody else may.
func (p *proxy) credentials() []exchange.Field {
	if p.user == nil {
		return nil
	}
	password, _ := p.user.Password()
	return []exchange.Field{{Name: "Proxy-Authorization",
		Value: "Basic " + base64.StdEncoding.EncodeToString([]byte(p.user.Username()+":"+password))}}
}

// reach connects to a place through the proxy. The name of the place is left
// to the proxy, so there is nothing to tell of its lookup.
func (p *proxy) reach(ctx context.Context, c *Client, ch *channel, to *place) (nc, tcp net.Conn, err error) {
	ch.tcp.Proxy = p.name
	if p.kind == "socks5" || p.kind == "socks5h" {
		return p.socks(ctx, c, ch, to)
	}
	tcp, err = c.dialTCP(ctx, ch, p.host, p.port)
	ch.dns = nil
	if err != nil {
		return nil, nil, viaProxy(err)
	}
	nc = tcp
	if p.kind == "https" {
		if nc, err = c.secureProxy(ctx, ch, tcp, p); err != nil {
			tcp.Close()
			return nil, nil, err
		}
	}
	if to.scheme == "http" {
		ch.via = p
		return nc, tcp, nil
	}
	began := time.Now()
	err = p.tunnel(ctx, nc, to)
	ch.times.Connect += time.Since(began)
	if err != nil {
		nc.Close()
		return nil, nil, err
	}
	return nc, tcp, nil
}

func viaProxy(err error) error {
	var b *broken
	if errors.As(err, &b) {
		return brokeAt(exchange.StepTCP, "the proxy cannot be reached: "+b.says, b.err)
	}
	return err
}

// secureProxy shakes hands with the proxy itself. It gets our credentials and
// sees every name that is asked for, so it must prove who it is.
func (c *Client) secureProxy(ctx context.Context, ch *channel, tcp net.Conn, p *proxy) (net.Conn, error) {
	own := &Client{o: c.o, now: c.now}
	own.o.ServerName, own.o.Pins, own.o.Certificates = "", nil, nil
	with := &channel{}
	nc, err := own.secure(ctx, with, tcp, p.host, []string{"http/1.1"})
	ch.times.Connect += with.times.Connect
	if err != nil {
		return nil, viaProxy(err)
	}
	if err := c.verified(with, p.host); err != nil && c.o.Untrusted != SendAnyway {
		nc.Close()
		return nil, brokeAt(exchange.StepTCP, "the proxy did not prove who it is: "+err.Error(), nil)
	}
	return nc, nil
}

// tunnel asks a proxy for a way to a place (RFC 9110, 9.3.6).
func (p *proxy) tunnel(ctx context.Context, nc net.Conn, to *place) error {
	stop := context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	ask := exchange.Request{Method: "CONNECT", Target: to.address(), Header: exchange.Header{{Name: "Host", Value: to.address()}}}
	if _, err := nc.Write(appendHead(nil, &ask, "", p.credentials()...)); err != nil {
		return brokeAt(exchange.StepTCP, "the proxy broke off: "+words(err), err)
	}
	// The server behind speaks only when it is spoken to, so that nothing after
	// the head can be lost in this buffer.
	h, _, err := readHead(bufio.NewReader(nc), nil, 64<<10, "CONNECT")
	switch {
	case ctx.Err() != nil:
		return brokeAt(exchange.StepTCP, ended(ctx, "waiting for the proxy"), ctx.Err())
	case err != nil:
		return brokeAt(exchange.StepTCP, "the proxy's answer cannot be read: "+saysOf(err), err)
	case h.status/100 != 2:
		return brokeAt(exchange.StepTCP, fmt.Sprintf("the proxy refuses to connect to %s: %d", to.address(), h.status), nil)
	}
	return nil
}

// socks reaches a place through a SOCKS5 proxy. Of the two kinds, socks5 looks
// the name up here and socks5h leaves it to the proxy.
func (p *proxy) socks(ctx context.Context, c *Client, ch *channel, to *place) (nc, tcp net.Conn, err error) {
	goal := to.address()
	dns, as, err := (*exchange.DNS)(nil), c.given[strings.ToLower(goal)], error(nil)
	began := time.Now()
	if p.kind == "socks5" {
		if dns, as, err = c.lookup(ctx, to.host, to.port); err != nil {
			ch.dns = dns
			return nil, nil, err
		}
	}
	lookup := time.Since(began)
	if len(as) > 0 {
		goal = net.JoinHostPort(as[0].String(), to.port)
	}
	var auth *socks.Auth
	if p.user != nil {
		password, _ := p.user.Password()
		auth = &socks.Auth{User: p.user.Username(), Password: password}
	}
	var failed error
	d, err := socks.SOCKS5("tcp", net.JoinHostPort(p.host, p.port), auth, forward(func(ctx context.Context) (net.Conn, error) {
		tcp, failed = c.dialTCP(ctx, ch, p.host, p.port)
		return tcp, failed
	}))
	if err != nil {
		return nil, nil, brokeAt(exchange.StepTCP, "the proxy cannot be used: "+words(err), err)
	}
	began = time.Now()
	nc, err = d.(socks.ContextDialer).DialContext(ctx, "tcp", goal)
	ch.lookedUp(dns, lookup)
	switch {
	case failed != nil:
		return nil, nil, viaProxy(failed)
	case err != nil && ctx.Err() != nil:
		return nil, nil, brokeAt(exchange.StepTCP, ended(ctx, "waiting for the proxy"), err)
	case err != nil:
		return nil, nil, brokeAt(exchange.StepTCP, "the proxy does not connect to "+goal+": "+words(err), err)
	}
	ch.times.Connect = time.Since(began)
	return nc, tcp, nil
}

// forward is a dialer that knows where to go.
type forward func(context.Context) (net.Conn, error)

func (f forward) Dial(_, _ string) (net.Conn, error) { return f(context.Background()) }
func (f forward) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	return f(ctx)
}
