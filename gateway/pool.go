package gateway

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/parley-project/parley/exchange"
)

// A conn is a connection to the upstream. One request at a time uses it.
type conn struct {
	net.Conn
	raw   syscall.RawConn // of the TCP connection below; nil if there is none
	quiet bool            // set by look
	look  func(fd uintptr) bool
	abort func() // closes it; made once, so that each request need not

	facts  [2]exchange.TCP // of its first use, of the others
	tls    *exchange.TLS
	dns    *exchange.DNS
	times  exchange.Times // of making it
	used   bool
	idleAt time.Time
	until  atomic.Int64 // the deadline of both directions, Unix nanoseconds; 0 when they differ
}

// SetDeadline, and the two below, keep count of what until says.
func (c *conn) SetDeadline(t time.Time) error {
	c.until.Store(t.UnixNano())
	return c.Conn.SetDeadline(t)
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.until.Store(0)
	return c.Conn.SetReadDeadline(t)
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.until.Store(0)
	return c.Conn.SetWriteDeadline(t)
}

func newConn(nc net.Conn, tcp net.Conn) *conn {
	c := &conn{Conn: nc}
	c.abort = func() { c.Close() }
	if sc, ok := tcp.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			c.raw = raw
			c.look = func(fd uintptr) bool {
				c.quiet = nothingToRead(fd)
				return true
			}
		}
	}
	return c
}

// alive reports whether the upstream has neither closed the connection nor
// sent anything since its last answer.
func (c *conn) alive() bool {
	if c.raw == nil {
		return true
	}
	c.quiet = false
	if err := c.raw.Read(c.look); err != nil {
		return false
	}
	return c.quiet
}

// A pool keeps connections that have nothing to do, the last one used on top:
// those at the bottom grow old and are closed.
type pool struct {
	max int
	age time.Duration

	mu     sync.Mutex
	idle   []*conn
	sweep  *time.Timer
	closed bool
}

// get returns a connection that is good as far as one can see, or nil. Its
// deadline is wait from now, or up to an eighth of it sooner: a deadline that
// is nearly as late already is not worth the cost of another.
func (p *pool) get(wait time.Duration) *conn {
	for {
		p.mu.Lock()
		n := len(p.idle)
		if n == 0 {
			p.mu.Unlock()
			return nil
		}
		c := p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		// The deadline first: the look fails on one that has passed.
		if deadline := time.Now().Add(wait); c.until.Load() < deadline.Add(-wait/8).UnixNano() {
			c.SetDeadline(deadline)
		}
		if c.alive() {
			c.used = true
			return c
		}
		c.Close()
	}
}

// put takes a connection back.
func (p *pool) put(c *conn) {
	c.idleAt = time.Now()
	p.mu.Lock()
	if p.closed || len(p.idle) >= p.max {
		p.mu.Unlock()
		c.Close()
		return
	}
	p.idle = append(p.idle, c)
	if p.sweep == nil {
		p.sweep = time.AfterFunc(p.age, p.expire)
	}
	p.mu.Unlock()
}

// expire closes connections that were idle too long and comes again while
// there are others.
func (p *pool) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, n := time.Now(), 0
	for n < len(p.idle) && now.Sub(p.idle[n].idleAt) >= p.age {
		p.idle[n].Close()
		n++
	}
	rest := copy(p.idle, p.idle[n:])
	clear(p.idle[rest:])
	p.idle = p.idle[:rest]
	if rest == 0 {
		p.sweep = nil
		return
	}
	p.sweep.Reset(max(p.age-now.Sub(p.idle[0].idleAt), time.Millisecond))
}

// close closes what is idle and keeps nothing from now on.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.idle {
		c.Close()
	}
	p.idle = nil
	if p.sweep != nil {
		p.sweep.Stop()
	}
}
