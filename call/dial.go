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
	ch := &channel{proto: "HTTP/1.1"}
	if c.o.HTTP == "3" {
		return ch, c.openQUIC(ctx, ch, p)
	}
	nc, tcp, err := c.reach(ctx, ch, p)
	if err != nil {
		return ch, err
	}
	if p.scheme == "https" {
		tc, err := c.secure(ctx, ch, nc, p.host, c.protocols())
		if err != nil {
			nc.Close()
			return ch, err
		}
		nc = tc
		switch {
		case ch.tls.ALPN == "h2":
			return ch, c.openHTTP2(ctx, ch, tc, tcp, p)
		case c.o.HTTP == "2":
			nc.Close()
			return ch, brokeAt(exchange.StepTLS, p.host+" does not take HTTP/2", nil)
		}
	} else {
		ch.tls.Clear = true
	}
	ch.overTCP(nc, tcp)
	ch.br = bufio.NewReaderSize(nc, 16<<10)
	return ch, nil
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
		tc.Close()
		return brokeAt(exchange.StepTLS, "no HTTP/2 with "+p.host+": "+words(err), err)
	}
	ch.many, ch.dead = cc, cc.Err
	ch.shut = func() { cc.Close(); tc.Close() }
	return nil
}
