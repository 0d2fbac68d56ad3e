package call

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/parley-project/parley/exchange"
)

// open makes a channel to a place. What was learnt on the way is in the
// channel, also when it fails.
func (c *Client) open(ctx context.Context, p *place) (*channel, error) {
	if c.o.HTTP == "3" {
		ch := &channel{}
		return ch, c.openQUIC(ctx, ch, p)
	}
	if p.scheme == "http" {
		ch := &channel{proto: "HTTP/1.1"}
		nc, tcp, err := c.reach(ctx, ch, p)
		if err != nil {
			return ch, err
		}
		ch.tls.Clear = true
		ch.openHTTP1(nc, tcp)
		return ch, nil
	}
	ch, err := c.openTLS(ctx, p, c.protocols())
	if err == errOldTLS && c.o.HTTP == "" {
		return c.openTLS(ctx, p, []string{"http/1.1"})
	}
	return ch, err
}

// errOldTLS says that HTTP/2 was agreed on over a version of TLS that it must
// not be spoken over (RFC 9113, 9.2).
var errOldTLS = brokeAt(exchange.StepTLS, "HTTP/2 was agreed on over a version of TLS that is too old for it", nil)

// openTLS makes a channel over TLS.
func (c *Client) openTLS(ctx context.Context, p *place, protocols []string) (*channel, error) {
	ch := &channel{proto: "HTTP/1.1"}
	nc, tcp, err := c.reach(ctx, ch, p)
	if err != nil {
		return ch, err
	}
	tc, err := c.secure(ctx, ch, nc, p.host, protocols)
	switch {
	case err != nil:
	case ch.tls.ALPN == "h2" && tc.ConnectionState().Version < tls.VersionTLS12:
		err = errOldTLS
	case ch.tls.ALPN == "h2":
		err = c.openHTTP2(ctx, ch, tc, tcp, p)
	case c.o.HTTP == "2":
		err = brokeAt(exchange.StepTLS, p.host+" does not take HTTP/2", nil)
	default:
		ch.openHTTP1(tc, tcp)
	}
	if err != nil {
		nc.Close()
	}
	return ch, err
}

// openHTTP1 speaks HTTP/1.1 over a connection.
func (ch *channel) openHTTP1(nc, tcp net.Conn) {
	ch.overTCP(nc, tcp)
	ch.br = bufio.NewReaderSize(nc, 16<<10)
}

// reach connects to a place, or to what stands between. The second connection
// is the one of the system below the first.
func (c *Client) reach(ctx context.Context, ch *channel, p *place) (nc, tcp net.Conn, err error) {
	if c.proxy != nil {
		return c.proxy.reach(ctx, c, ch, p)
	}
	nc, err = c.dialTCP(ctx, ch, p.host, p.port)
	return nc, nc, err
}

// openHTTP2 speaks HTTP/2 over a connection that has agreed on it.
func (c *Client) openHTTP2(ctx context.Context, ch *channel, tc *tls.Conn, tcp net.Conn, p *place) error {
	ch.overTCP(tc, tcp)
	ch.proto = "HTTP/2.0"
	t := &http.Transport{
		DialTLSContext:         func(context.Context, string, string) (net.Conn, error) { return tc, nil },
		Protocols:              new(http.Protocols),
		DisableCompression:     true,
		MaxResponseHeaderBytes: int64(c.o.MaxHeader),
		HTTP2:                  &http.HTTP2Config{WriteByteTimeout: 30 * time.Second},
	}
	t.Protocols.SetHTTP2(true)
	cc, err := t.NewClientConn(ctx, "https", p.address())
	if err != nil {
		return brokeAt(exchange.StepTLS, "no HTTP/2 with "+p.host+": "+words(err), err)
	}
	ch.many, ch.dead = cc, cc.Err
	ch.shut = func() { cc.Close(); tc.Close() }
	return nil
}
