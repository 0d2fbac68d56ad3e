package call

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/parley-project/parley/exchange"
)

// An Asker is a resolver that can be asked for one type of record.
type Asker interface {
	Resolver
	// Ask asks one question; the failure is in the answer.
	Ask(ctx context.Context, name, typ string) exchange.Answer
}

// ResolverOptions say how resolvers are asked.
type ResolverOptions struct {
	// Roots are trusted for DoT and DoH. Nil means the system's. More adds to
	// them.
	Roots *x509.CertPool
	More  []*x509.Certificate
	// Timeout bounds one try of one question, of which there are two. Zero
	// means 3s.
	Timeout time.Duration
	// Dial connects. Nil means the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// A DNSResolver asks one name server in the terms of RFC 1035: over UDP and
// TCP, TLS (RFC 7858) or HTTPS (RFC 8484). It is safe for concurrent use.
type DNSResolver struct {
	name       string
	protocol   string // "udp", "tcp", "dot", "doh"
	address    string // host and port
	server     string // as answers call it
	serverName string // what a certificate must be for
	o          ResolverOptions

	once sync.Once
	web  *http.Client // DoH
}

// ParseResolver reads what a person calls a resolver: "system", or
//
//	192.0.2.53, 192.0.2.53:5353, udp://192.0.2.53   UDP, and TCP where that is too small
//	tcp://192.0.2.53                                TCP
//	tls://dns.example, tls://192.0.2.53#dns.example TLS; the name behind # is verified
//	https://dns.example/dns-query                   HTTPS
//
// each with an optional name before it, as in "office=192.0.2.53".
func ParseResolver(spec string) (Resolver, error) { return ResolverOptions{}.Parse(spec) }

// Parse is ParseResolver with these options.
func (o ResolverOptions) Parse(spec string) (Resolver, error) {
	bad := func(format string, args ...any) (Resolver, error) {
		return nil, fmt.Errorf("call: resolver %q: %s", maskSpec(spec), fmt.Sprintf(format, args...))
	}
	if o.Timeout <= 0 {
		o.Timeout = 3 * time.Second
	}
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	if len(o.More) > 0 {
		if o.Roots == nil {
			o.Roots, _ = x509.SystemCertPool()
		} else {
			o.Roots = o.Roots.Clone()
		}
		if o.Roots == nil {
			o.Roots = x509.NewCertPool()
		}
		for _, c := range o.More {
			o.Roots.AddCert(c)
		}
	}
	name, rest := "", strings.TrimSpace(spec)
	if before, after, ok := strings.Cut(rest, "="); ok && !strings.ContainsAny(before, ":/?#") {
		name, rest = strings.TrimSpace(before), strings.TrimSpace(after)
		if name == "" {
			return bad("there is no name before the equals sign")
		}
		if name == "hosts" || name == "given" || name == "local" {
			return bad("the name %q means something else; choose another", name)
		}
	}
	switch {
	case rest == "":
		return bad("is empty; want an address, such as 192.0.2.53 or https://dns.example/dns-query")
	case rest == "system":
		return &SystemResolver{name: name, o: o}, nil
	case strings.ContainsFunc(rest, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return bad("has a blank in it")
	}
	scheme, _, ok := strings.Cut(rest, "://")
	if !ok {
		if strings.Count(rest, ":") > 1 && rest[0] != '[' { // a bare IPv6 address
			if _, err := netip.ParseAddr(rest); err != nil {
				return bad("%q is no address; an IPv6 address with a port is written [2001:db8::53]:5353", rest)
			}
			rest = "[" + rest + "]"
		}
		scheme, rest = "udp", "udp://"+rest
	}
	u, err := url.Parse(rest)
	if err != nil {
		return bad("cannot be read as a URL; want such as 192.0.2.53, tls://dns.example, https://dns.example/dns-query")
	}
	r := &DNSResolver{name: name, o: o, serverName: u.Hostname()}
	port := map[string]string{"udp": "53", "tcp": "53", "tls": "853", "https": "443"}[u.Scheme]
	r.protocol = map[string]string{"udp": "udp", "tcp": "tcp", "tls": "dot", "https": "doh"}[u.Scheme]
	_, err = netip.ParseAddr(u.Hostname())
	literal := err == nil
	switch {
	case u.Scheme == "http":
		return bad("plain HTTP proves nothing about who answers; want https")
	case u.Scheme == "quic" || u.Scheme == "h3" || u.Scheme == "sdns":
		return bad("%s is not spoken here; known are udp, tcp, tls, https", scheme)
	case port == "":
		return bad("%q is no way to ask; known are udp, tcp, tls, https", scheme)
	case u.User != nil:
		return bad("a resolver takes no user name")
	case u.Hostname() == "":
		return bad("there is no host")
	case !literal && (u.Scheme == "udp" || u.Scheme == "tcp"):
		return bad("%q is no address: whoever answers for that name could answer for all others", u.Hostname())
	case u.Fragment != "" && u.Scheme != "tls":
		return bad("a name behind # is verified for tls only")
	case u.Scheme != "https" && (strings.Trim(u.Path, "/") != "" || u.RawQuery != ""):
		return bad("%s takes an address only, no path", scheme)
	case u.Scheme == "https" && strings.Contains(u.RawQuery+u.Path, "{"):
		return bad("a URI template is not known; leave out the part in braces")
	}
	if p := u.Port(); p != "" {
		if n, err := net.LookupPort("tcp", p); err != nil || n == 0 {
			return bad("%q is no port", p)
		}
		port = p
	}
	r.address = net.JoinHostPort(u.Hostname(), port)
	r.server = r.address
	if u.Fragment != "" {
		r.serverName = u.Fragment
	}
	if u.Scheme == "https" {
		if u.Path == "" {
			u.Path = "/dns-query" // what nearly all use
		}
		r.server = u.String()
	}
	if r.name == "" {
		r.name = rest
		if scheme == "udp" {
			r.name = strings.TrimPrefix(rest, "udp://")
		}
	}
	return r, nil
}

// maskSpec takes user names and passwords out of what is put into an error.
func maskSpec(spec string) string {
	if at := strings.LastIndexByte(spec, '@'); at >= 0 {
		if i := strings.Index(spec, "://"); i >= 0 && i < at {
			return spec[:i+3] + "***" + spec[at:]
		}
		return "***" + spec[at:]
	}
	return spec
}

// Name is what the person calls the resolver.
func (r *DNSResolver) Name() string { return r.name }

// Close lets go of connections.
func (r *DNSResolver) Close() {
	if r.protocol == "doh" {
		r.client().CloseIdleConnections()
	}
}

// Resolve asks for both kinds of addresses at once. An address that is given
// as one, and localhost (RFC 6761, 6.3), are nobody's to answer.
func (r *DNSResolver) Resolve(ctx context.Context, name string) *exchange.DNS {
	if d := givenName(name); d != nil {
		return d
	}
	d := &exchange.DNS{Name: name, Resolver: r.name, Answers: askAll(ctx, r, name, "AAAA", "A")}
	concludeDNS(d, d.Answers)
	return d
}

// askAll asks several questions at once.
func askAll(ctx context.Context, r Asker, name string, types ...string) []exchange.Answer {
	answers := make([]exchange.Answer, len(types))
	var wg sync.WaitGroup
	for i, typ := range types {
		wg.Go(func() { answers[i] = r.Ask(ctx, name, typ) })
	}
	wg.Wait()
	return answers
}

// maxResolved bounds what is kept of an answer: nobody tries more.
const maxResolved = 64

// concludeDNS makes addresses, or the failure, of answers.
func concludeDNS(d *exchange.DNS, answers []exchange.Answer) {
	var failures, codes []string
	for _, a := range answers {
		switch {
		case a.Failure != "":
			failures = append(failures, a.Failure)
		case a.RCode != "NOERROR" && a.RCode != "":
			codes = append(codes, a.RCode)
		case len(a.Records) > 0 && (d.TTL == 0 || a.TTL < d.TTL):
			d.TTL = a.TTL
		}
		for _, s := range a.Records {
			if addr, err := netip.ParseAddr(s); err == nil && len(d.Addresses) < maxResolved {
				d.Addresses = append(d.Addresses, addr)
			}
		}
	}
	switch {
	case len(d.Addresses) > 0:
	case len(failures) > 0:
		d.Failure = fmt.Sprintf("%s did not answer: %s", d.Resolver, failures[0])
	case len(codes) > 0:
		d.Failure = fmt.Sprintf("%s says %s", d.Resolver, codeInWords(codes[0]))
	default:
		d.Failure = d.Name + " has no address"
	}
}

// givenName knows the names that need no asking.
func givenName(name string) *exchange.DNS {
	bare := strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if a, err := netip.ParseAddr(bare); err == nil {
		return &exchange.DNS{Name: name, Resolver: "given", Addresses: []netip.Addr{a}}
	}
	if low := strings.ToLower(strings.TrimSuffix(name, ".")); low == "localhost" || strings.HasSuffix(low, ".localhost") {
		return &exchange.DNS{Name: name, Resolver: "local",
			Addresses: []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}}
	}
	return nil
}
