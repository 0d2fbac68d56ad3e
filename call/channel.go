package call

import (
	"bufio"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/parley-project/parley/exchange"
)

// A channel is a connection and what was learnt while it was made. With
// HTTP/1.1 one request at a time uses it, with 2 and 3 many do.
type channel struct {
	nc   net.Conn      // HTTP/1.1 and 2
	br   *bufio.Reader // HTTP/1.1
	many http.RoundTripper
	dead func() error // for many: why no further request can be sent, or nil
	shut func()       // closes all of it

	raw   syscall.RawConn // of the TCP connection below, if there is one
	quiet bool            // set by look
	look  func(fd uintptr) bool
	abort func() // ends what waits on nc; made once

	proto string // "HTTP/1.1", "HTTP/2.0", "HTTP/3.0"
	via   *proxy // set when requests go to a proxy in the absolute form
	dns   *exchange.DNS
	tcp   exchange.TCP
	tls   exchange.TLS
	times exchange.Times // of making it

	// Of many, under the pool's lock: the requests under way, when the last one
	// ended, and whether the pool has given it up, so that its last user closes it.
	users   int
	lastUse time.Time
	left    bool
	idleAt  time.Time
	head    []byte // of the request, then of the response: kept for the next one
}

// closeNow closes the channel. It may be called more than once.
func (ch *channel) closeNow() {
	if ch.shut != nil {
		ch.shut()
	}
}

// overTCP prepares a connection for being looked at and being cut off.
func (ch *channel) overTCP(nc, tcp net.Conn) {
	ch.nc = nc
	ch.shut = func() { nc.Close() }
	ch.abort = func() { nc.SetDeadline(time.Unix(1, 0)) }
	if sc, ok := tcp.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			ch.raw = raw
			ch.look = func(fd uintptr) bool {
				ch.quiet = nothingToRead(fd)
				return true
			}
		}
	}
}

// alive reports whether an idle channel can carry another request, as far as
// one can see: the peer has neither closed it nor said anything unasked.
func (ch *channel) alive() bool {
	if ch.many != nil {
		return ch.dead() == nil
	}
	if ch.br.Buffered() > 0 {
		return false
	}
	if ch.raw == nil {
		return true
	}
	ch.quiet = false
	return ch.raw.Read(ch.look) == nil && ch.quiet
}

// tell puts what is known of the channel into an exchange, in copies: who looks
// further may add to them. Times are those of
// making it, so there are none when it was there already.
func (ch *channel) tell(x *exchange.Exchange, reused bool) {
	if x.DNS = nil; ch.dns != nil {
		dns := *ch.dns
		x.DNS = &dns
	}
	tcp, tls := ch.tcp, ch.tls
	x.TCP, x.TLS = &tcp, &tls
	x.Request.Proto = ch.proto
	if reused {
		tcp.Reused, tcp.Attempts = true, nil
		return
	}
	x.Times.DNS, x.Times.Connect, x.Times.TLS = ch.times.DNS, ch.times.Connect, ch.times.TLS
}
