package call

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/parley-project/parley/exchange"
)

// dialled is a QUIC connection and the socket below it.
type dialled struct {
	conn  *quic.Conn
	t     *quic.Transport
	wants demand
}

func (d *dialled) close() {
	if d.conn != nil {
		d.conn.CloseWithError(0, "")
	}
	d.t.Close()
	d.t.Conn.Close()
}

// openQUIC makes a channel of HTTP/3. Transport and TLS handshake are one
// there, so both phases are as long.
func (c *Client) openQUIC(ctx context.Context, ch *channel, p *place) error {
	ch.proto = "HTTP/3.0"
	if p.scheme == "http" {
		return brokeAt(exchange.StepRequest, "HTTP/3 is never spoken in clear: the URL must begin with https://", nil)
	}
	began := time.Now()
	dns, as, err := c.lookup(ctx, p.host, p.port)
	ch.lookedUp(dns, time.Since(began))
	if err != nil {
		return err
	}
	if dns != nil && dns.Resolver == "local" {
		// Over UDP nobody says that nothing listens: what is served on this
		// machine's IPv4 alone would be found one head start later.
		as = slices.SortedStableFunc(slices.Values(as), func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
	}
	began = time.Now()
	name := c.tlsConfig(p.host, new(demand)).ServerName
	d, tried, err := race(ctx, as, p.port, func(ctx context.Context, to netip.AddrPort) (*dialled, error) { return c.dialQUIC(ctx, p.host, to) }, (*dialled).close)
	ch.times.Connect = time.Since(began)
	ch.tcp.Attempts = tried
	if err != nil {
		ch.tcp.Remote = tried[0].Remote
		var refused *quic.TransportError
		switch {
		case ctx.Err() != nil:
			return brokeAt(exchange.StepTCP, ended(ctx, "connecting to "+p.address()+" by QUIC"), err)
		case errors.As(err, &refused) && (refused.Remote || refused.ErrorCode.IsCryptoError()):
			ch.times.TLS = ch.times.Connect
			ch.tls = exchange.TLS{ServerName: sentName(name), Failure: "no HTTP/3 with " + p.host + ": " + words(err)}
			return brokeAt(exchange.StepTLS, ch.tls.Failure, err)
		}
		return brokeAt(exchange.StepTCP, "no connection to "+p.address()+" by QUIC: "+words(err), err)
	}
	ch.times.TLS = ch.times.Connect
	ch.tcp.Local, ch.tcp.Remote = addrPort(d.conn.LocalAddr()), addrPort(d.conn.RemoteAddr())
	state := d.conn.ConnectionState().TLS
	ch.tls = TLSFacts(&state)
	ch.tls.Asked, ch.tls.Shown, ch.tls.ServerName = d.wants.asked, d.wants.met, sentName(name)
	c.judge(ctx, ch, &state, name)
	h3 := &http3.Transport{DisableCompression: true, MaxResponseHeaderBytes: c.o.MaxHeader}
	ch.many = h3.NewClientConn(d.conn)
	ch.dead = func() error { return context.Cause(d.conn.Context()) }
	ch.shut = d.close
	return nil
}

// dialQUIC shakes hands with one address.
func (c *Client) dialQUIC(ctx context.Context, host string, to netip.AddrPort) (*dialled, error) {
	local := ":0"
	if to.Addr().IsLoopback() {
		local = net.JoinHostPort(to.Addr().String(), "0")
	}
	pc, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp", local)
	if err != nil {
		return nil, err
	}
	d := &dialled{t: &quic.Transport{Conn: pc}}
	conf := c.tlsConfig(host, &d.wants)
	conf.NextProtos = []string{http3.NextProtoH3}
	d.conn, err = d.t.Dial(ctx, net.UDPAddrFromAddrPort(to), conf, &quic.Config{
		MaxIdleTimeout:             idleTime,
		MaxIncomingStreams:         -1, // servers open none of these in HTTP/3
		MaxStreamReceiveWindow:     1 << 20,
		MaxConnectionReceiveWindow: 4 << 20,
	})
	if err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}
