package call

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
)

// headStart is how long an address has before the next one is tried beside it
// (RFC 8305, 5).
const headStart = 250 * time.Millisecond

// maxAddresses is how many addresses of a name are tried.
const maxAddresses = 16

// A broken is an error that says at which step a call broke off.
type broken struct {
	step exchange.Step
	says string
	err  error
}

func (b *broken) Error() string { return b.says }
func (b *broken) Unwrap() error { return b.err }

func brokeAt(step exchange.Step, says string, err error) error { return &broken{step, says, err} }

// lookup returns the addresses of a host. What was learnt is nil for a host
// that is an address already.
func (c *Client) lookup(ctx context.Context, host, port string) (*exchange.DNS, []netip.Addr, error) {
	if as, ok := c.given[strings.ToLower(net.JoinHostPort(host, port))]; ok {
		return &exchange.DNS{Name: host, Resolver: "given", Addresses: as}, as, nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return nil, []netip.Addr{a}, nil
	}
	d := c.o.Resolver.Resolve(ctx, host)
	if d == nil {
		d = &exchange.DNS{Name: host}
	}
	switch {
	case ctx.Err() != nil:
		return d, nil, brokeAt(exchange.StepDNS, ended(ctx, "looking up "+host), ctx.Err())
	case d.Failure != "":
		return d, nil, brokeAt(exchange.StepDNS, "no address for "+host+": "+d.Failure, nil)
	case len(d.Addresses) == 0:
		return d, nil, brokeAt(exchange.StepDNS, "no address for "+host+": the name has none", nil)
	}
	return d, d.Addresses, nil
}

// inTurns orders addresses so that both families come early (RFC 8305, 4). The
// first one stays first.
func inTurns(as []netip.Addr) []netip.Addr {
	var first, other []netip.Addr
	for _, a := range as {
		if a.Is4() == as[0].Is4() {
			first = append(first, a)
		} else {
			other = append(other, a)
		}
	}
	if len(other) == 0 {
		return as[:min(len(as), maxAddresses)]
	}
	out := make([]netip.Addr, 0, len(as))
	for i := 0; len(out) < min(len(as), maxAddresses); i++ {
		if i < len(first) {
			out = append(out, first[i])
		}
		if i < len(other) {
			out = append(out, other[i])
		}
	}
	return out
}

// race connects to the first address that answers. Each has a head start
// before the next one; all that were tried are returned, in that order.
func race[T any](ctx context.Context, as []netip.Addr, port string, dial func(context.Context, netip.AddrPort) (T, error), drop func(T)) (won T, tried []exchange.Attempt, err error) {
	n, _ := strconv.ParseUint(port, 10, 16)
	as = inTurns(as)
	if len(as) == 1 {
		to := netip.AddrPortFrom(as[0], uint16(n))
		began := time.Now()
		won, err = dial(ctx, to)
		return won, []exchange.Attempt{attempt(to, began, err)}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		i    int
		conn T
		err  error
	}
	results := make(chan result, len(as))
	began := make([]time.Time, 0, len(as))
	timer := time.NewTimer(headStart)
	defer timer.Stop()
	failed := 0
	start := func() {
		i := len(began)
		if i == len(as) {
			return
		}
		to := netip.AddrPortFrom(as[i], uint16(n))
		began = append(began, time.Now())
		tried = append(tried, exchange.Attempt{Remote: to, Failure: "another address was faster"})
		go func() {
			conn, err := dial(ctx, to)
			results <- result{i, conn, err}
		}()
		timer.Reset(headStart)
	}
	start()
	for {
		select {
		case <-timer.C:
			start()
			continue
		case r := <-results:
			tried[r.i] = attempt(tried[r.i].Remote, began[r.i], r.err)
			if r.err != nil {
				if failed == 0 {
					err = r.err // of the address that was most wanted, as a rule
				}
				if failed++; failed == len(as) {
					return won, tried, err
				}
				if failed == len(began) {
					start()
				}
				continue
			}
			err = nil
			left := len(began) - failed - 1
			go func() { // those that come too late
				for range left {
					if late := <-results; late.err == nil {
						drop(late.conn)
					}
				}
			}()
			for i := range tried {
				if tried[i].Time == 0 {
					tried[i].Time = time.Since(began[i])
				}
			}
			return r.conn, tried, nil
		}
	}
}

func attempt(to netip.AddrPort, began time.Time, err error) exchange.Attempt {
	a := exchange.Attempt{Remote: to, Time: time.Since(began)}
	if err != nil {
		a.Failure = words(err)
	}
	return a
}

// dialTCP connects to a host by name and notes what was learnt in ch, also
// when it fails.
func (c *Client) dialTCP(ctx context.Context, ch *channel, host, port string) (net.Conn, error) {
	began := time.Now()
	dns, as, err := c.lookup(ctx, host, port)
	ch.lookedUp(dns, time.Since(began))
	if err != nil {
		return nil, err
	}
	began = time.Now()
	nc, tried, err := race(ctx, as, port, func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
		return c.dialer.DialContext(ctx, "tcp", to.String())
	}, func(nc net.Conn) { nc.Close() })
	ch.times.Connect = time.Since(began)
	ch.tcp.Attempts = tried
	if err != nil {
		if len(tried) > 0 {
			ch.tcp.Remote = tried[0].Remote
		}
		if ctx.Err() != nil {
			return nil, brokeAt(exchange.StepTCP, ended(ctx, "connecting to "+net.JoinHostPort(host, port)), err)
		}
		return nil, brokeAt(exchange.StepTCP, "no connection to "+net.JoinHostPort(host, port)+": "+words(err), err)
	}
	ch.tcp.Local, ch.tcp.Remote = addrPort(nc.LocalAddr()), addrPort(nc.RemoteAddr())
	return nc, nil
}

// lookedUp notes what became of a name, and how long that took when somebody
// was asked.
func (ch *channel) lookedUp(d *exchange.DNS, took time.Duration) {
	ch.dns, ch.times.DNS = d, 0
	if d != nil && d.Resolver != "given" && d.Resolver != "local" {
		ch.times.DNS = took
	}
}

func addrPort(a net.Addr) netip.AddrPort {
	var p netip.AddrPort
	switch a := a.(type) {
	case *net.TCPAddr:
		p = a.AddrPort()
	case *net.UDPAddr:
		p = a.AddrPort()
	}
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}
