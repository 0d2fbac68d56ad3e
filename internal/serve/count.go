package serve

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
)

// A counter knows every connection, so that one client or all of them together
// cannot take more than their share, and so that none outlives the server.
type counter struct {
	total, each int
	write       time.Duration

	mu     sync.Mutex
	n      int
	from   map[netip.Addr]int
	open   map[*conn]struct{}
	wakeup chan struct{} // closed when n falls to 0; nil unless somebody waits
}

func newCounter(l Limits) *counter {
	return &counter{total: l.Connections, each: l.PerAddress, write: l.Write,
		from: map[netip.Addr]int{}, open: map[*conn]struct{}{}}
}

// enter counts a connection in, or refuses it.
func (k *counter) enter(a netip.Addr, c *conn) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.total > 0 && k.n >= k.total || k.each > 0 && k.from[a] >= k.each {
		return false
	}
	k.n++
	k.from[a]++
	if c != nil {
		k.open[c] = struct{}{}
	}
	return true
}

func (k *counter) leave(a netip.Addr, c *conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.n--
	if k.from[a]--; k.from[a] <= 0 {
		delete(k.from, a)
	}
	if c != nil {
		delete(k.open, c)
	}
	if k.n == 0 && k.wakeup != nil {
		close(k.wakeup)
		k.wakeup = nil
	}
}

// crowded reports whether a quarter of all places is taken.
func (k *counter) crowded() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.total > 0 && k.n > k.total/4
}

// empty waits until there is no connection.
func (k *counter) empty(ctx context.Context) error {
	for {
		k.mu.Lock()
		if k.n == 0 {
			k.mu.Unlock()
			return nil
		}
		if k.wakeup == nil {
			k.wakeup = make(chan struct{})
		}
		wakeup := k.wakeup
		k.mu.Unlock()
		select {
		case <-wakeup:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (k *counter) closeAll() {
	k.mu.Lock()
	all := make([]*conn, 0, len(k.open))
	for c := range k.open {
		all = append(all, c)
	}
	k.mu.Unlock()
	for _, c := range all {
		c.Close()
	}
}

func addrOf(a net.Addr) netip.Addr {
	p, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	// One IPv6 customer commonly has a /64 of addresses.
	ip := p.Addr().Unmap().WithZone("")
	if ip.Is6() {
		if pre, err := ip.Prefix(64); err == nil {
			return pre.Addr()
		}
	}
	return ip
}

func (k *counter) listener(l net.Listener) net.Listener { return &listener{l, k} }

type listener struct {
	net.Listener
	count *counter
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		nc, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: nc, count: l.count, addr: addrOf(nc.RemoteAddr())}
		if l.count.enter(c.addr, c) {
			return c, nil
		}
		// Refused without a word: a word would cost more than it is worth.
		if t, ok := nc.(*net.TCPConn); ok {
			t.SetLinger(0)
		}
		nc.Close()
	}
}

// A conn is one of a client. It cuts off a client that takes nothing of what
// is written to it: net/http has no such limit that spares long downloads.
type conn struct {
	net.Conn
	count  *counter
	addr   netip.Addr
	closed atomic.Bool
	armed  atomic.Int64 // when the write deadline was last set, Unix seconds
}

func (c *conn) Write(p []byte) (int, error) {
	if c.count.write <= 0 {
		return c.Conn.Write(p)
	}
	// A second's accuracy spares most writes the cost of a new deadline.
	if now := time.Now(); now.Unix() != c.armed.Load() {
		c.armed.Store(now.Unix())
		c.Conn.SetWriteDeadline(now.Add(c.count.write))
	}
	n := 0
	// In pieces, so that a big write to a slow client that does take
	// something is not cut off.
	for {
		piece := p[n:]
		if len(piece) > 64<<10 {
			piece = piece[:64<<10]
		}
		m, err := c.Conn.Write(piece)
		n += m
		if err != nil || n == len(p) {
			return n, err
		}
		now := time.Now()
		c.armed.Store(now.Unix())
		c.Conn.SetWriteDeadline(now.Add(c.count.write))
	}
}

func (c *conn) SetDeadline(t time.Time) error {
	c.armed.Store(0)
	return c.Conn.SetDeadline(t)
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.armed.Store(0)
	return c.Conn.SetWriteDeadline(t)
}

// CloseWrite lets crypto/tls and handlers that took the connection over end
// one direction.
func (c *conn) CloseWrite() error {
	if t, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return t.CloseWrite()
	}
	return nil
}

func (c *conn) Close() error {
	if !c.closed.CompareAndSwap(false, true) {
		return net.ErrClosed
	}
	err := c.Conn.Close()
	c.count.leave(c.addr, c)
	return err
}

// quicListener counts QUIC connections with the others.
type quicListener struct {
	*quic.Listener
	count *counter
}

func (l *quicListener) Accept(ctx context.Context) (*quic.Conn, error) {
	for {
		c, err := l.Listener.Accept(ctx)
		if err != nil {
			return nil, err
		}
		a := addrOf(c.RemoteAddr())
		if l.count.enter(a, nil) {
			context.AfterFunc(c.Context(), func() { l.count.leave(a, nil) })
			return c, nil
		}
		c.CloseWithError(0x107, "") // H3_EXCESSIVE_LOAD
	}
}
