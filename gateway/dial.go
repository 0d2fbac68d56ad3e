package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/parley-project/parley/exchange"
)

// dial makes a connection within the time for it. A public name that leads to
// a private address is refused: whoever controls the name would choose a
// machine inside (DNS rebinding).
func (u *Upstream) dial(ctx context.Context) (*conn, error) {
	start := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, u.o.Connect, errConnectTime)
	defer cancel()

	var lookup, answer time.Time
	var addrs []netip.Addr
	if u.name {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			DNSStart: func(httptrace.DNSStartInfo) { lookup = time.Now() },
			DNSDone: func(i httptrace.DNSDoneInfo) {
				answer = time.Now()
				for _, a := range i.Addrs {
					if ip, ok := netip.AddrFromSlice(a.IP); ok {
						addrs = append(addrs, ip.Unmap())
					}
				}
			},
		})
	}
	tcp, err := u.dialer.DialContext(ctx, "tcp", u.address)
	if err != nil {
		return nil, err
	}
	c := newConn(tcp, tcp)
	if u.tls != nil {
		began := time.Now()
		tc := tls.Client(tcp, u.tls)
		if err := tc.HandshakeContext(ctx); err != nil {
			tcp.Close()
			return nil, fmt.Errorf("tls: %w", err)
		}
		c.Conn = tc
		c.times.TLS = time.Since(began)
		c.tls = tlsFacts(tc.ConnectionState())
	} else {
		c.tls = clearText
	}
	c.times.Connect = time.Since(start)
	if !answer.IsZero() {
		c.times.DNS = answer.Sub(lookup)
		c.times.Connect -= c.times.DNS
		c.dns = &exchange.DNS{Name: u.host, Addresses: addrs}
	}
	c.facts[0] = exchange.TCP{Local: addrPort(tcp.LocalAddr()), Remote: addrPort(tcp.RemoteAddr())}
	c.facts[1] = c.facts[0]
	c.facts[1].Reused = true
	return c, nil
}

var (
	errConnectTime = errors.New("gateway: no connection in time")
	clearText      = &exchange.TLS{Clear: true}
)

func addrPort(a net.Addr) netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		p := t.AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	}
	return netip.AddrPort{}
}

func tlsFacts(s tls.ConnectionState) *exchange.TLS {
	f := &exchange.TLS{
		Version: tls.VersionName(s.Version), Suite: tls.CipherSuiteName(s.CipherSuite),
		ALPN: s.NegotiatedProtocol, ServerName: s.ServerName, Resumed: s.DidResume,
	}
	if s.CurveID != 0 {
		f.Group = s.CurveID.String()
	}
	if len(s.PeerCertificates) > 0 {
		f.PeerName = s.PeerCertificates[0].Subject.String()
		f.PeerExpiry = s.PeerCertificates[0].NotAfter
	}
	return f
}

// errPrivate says that a public name led to a private address.
var errPrivate = errors.New("gateway: a public name led to a private address")

// control looks at each address that a name led to, just before it is used.
func control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || private(ap.Addr()) {
		return errPrivate
	}
	return nil
}

// special are the blocks of addresses that no public name should lead to, as
// far as netip has no word for them (IANA's special-purpose registries).
var special = func() (ps []netip.Prefix) {
	for _, p := range []string{"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15",
		"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "100::/64", "2001:db8::/32", "fec0::/10"} {
		ps = append(ps, netip.MustParsePrefix(p))
	}
	return ps
}()

var embeds = []netip.Prefix{netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("::/96")}

func private(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return true // also loopback, link-local, multicast, unspecified
	}
	for _, p := range special {
		if p.Contains(a) {
			return true
		}
	}
	for _, p := range embeds {
		if p.Contains(a) {
			b := a.As16()
			return private(netip.AddrFrom4([4]byte(b[12:])))
		}
	}
	return false
}

// public reports whether a host name is one of the public name space: not a
// single word, and not below a name that is set aside for local use.
func public(name string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if !strings.Contains(name, ".") {
		return false
	}
	for _, local := range []string{".localhost", ".local", ".internal", ".home.arpa", ".lan", ".intranet", ".test", ".svc"} {
		if strings.HasSuffix(name, local) {
			return false
		}
	}
	return true
}
