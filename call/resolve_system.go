package call

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/parley-project/parley/exchange"
)

// A SystemResolver is what programs on this machine ask: the operating
// system's way, with its hosts file. The zero value is ready.
type SystemResolver struct {
	name string
	o    ResolverOptions
	// hosts and config are the files that tell who answers; empty means those
	// of the system.
	hosts, config string
	lookup        func(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// System is the resolver of this machine.
func System() *SystemResolver { return new(SystemResolver) }

// Name is "system", unless the person called it something else.
func (r *SystemResolver) Name() string {
	if r.name == "" {
		return "system"
	}
	return r.name
}

// Resolve asks the system for both kinds of addresses. In the result the
// resolver is "hosts" for a name that the machine's own file has, "given"
// for an address, and "local" for localhost.
func (r *SystemResolver) Resolve(ctx context.Context, name string) *exchange.DNS {
	if d := givenName(name); d != nil {
		return d
	}
	d := &exchange.DNS{Name: name, Resolver: r.Name(), Answers: askAll(ctx, r, name, "AAAA", "A")}
	concludeDNS(d, d.Answers)
	if own := r.inHosts(name); len(own) > 0 && len(d.Addresses) > 0 &&
		!slices.ContainsFunc(d.Addresses, func(a netip.Addr) bool { return !slices.Contains(own, a) }) {
		// Nobody was asked: what other resolvers say is no judgement on it.
		d.Resolver, d.Answers = "hosts", nil
	}
	return d
}

// Ask asks the system for A or AAAA records; it tells no others. It knows
// neither TTL nor signatures nor why there is no address: those stay behind in
// the system.
func (r *SystemResolver) Ask(ctx context.Context, name, typ string) (a exchange.Answer) {
	a = exchange.Answer{Resolver: r.Name(), Server: r.server(), Protocol: "system", Name: name, Type: typ}
	start := time.Now()
	defer func() { a.Time = time.Since(start) }()
	network := map[string]string{"A": "ip4", "AAAA": "ip6"}[typ]
	if network == "" {
		a.Failure = "the system is asked for addresses only"
		return a
	}
	ascii, err := toASCII(name)
	if err != nil {
		a.Failure = err.Error()
		return a
	}
	timeout := r.timeout()
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, &tooSlowError{timeout.String()})
	defer cancel()
	lookup := r.lookup
	if lookup == nil {
		lookup = net.DefaultResolver.LookupNetIP
	}
	addrs, err := lookup(ctx, network, ascii)
	var de *net.DNSError
	switch {
	case err == nil:
		a.RCode = "NOERROR"
	case errors.As(err, &de) && de.IsNotFound:
		// There is no address. Whether there is the name it does not tell.
	case ctx.Err() != nil:
		a.Failure = whyNoAnswer(context.Cause(ctx))
	case errors.As(err, &de) && de.IsTimeout:
		a.Failure = "no answer in time"
	case errors.As(err, &de):
		a.Failure = de.Err
	default:
		a.Failure = whyNoAnswer(err)
	}
	for _, addr := range addrs {
		if addr = addr.Unmap().WithZone(""); addr.Is4() == (typ == "A") && len(a.Records) < maxResolved {
			a.Records = append(a.Records, addr.String())
		}
	}
	return a
}

// timeout bounds a question with all the tries that the system makes.
func (r *SystemResolver) timeout() time.Duration {
	if r.o.Timeout <= 0 {
		return 10 * time.Second
	}
	return 3 * r.o.Timeout
}

// server is the first name server of the system's configuration, when that can
// be read.
func (r *SystemResolver) server() string {
	file := r.config
	if file == "" {
		file = "/etc/resolv.conf"
	}
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	c, err := dns.ClientConfigFromReader(io.LimitReader(f, 64<<10))
	if err != nil || len(c.Servers) == 0 {
		return ""
	}
	return net.JoinHostPort(c.Servers[0], c.Port)
}

// inHosts is what the machine's hosts file says of a name.
func (r *SystemResolver) inHosts(name string) (addrs []netip.Addr) {
	file := r.hosts
	if file == "" {
		file = "/etc/hosts"
	}
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	name = strings.TrimSuffix(name, ".")
	s := bufio.NewScanner(io.LimitReader(f, 8<<20))
	for s.Scan() && len(addrs) < maxResolved {
		line, _, _ := strings.Cut(s.Text(), "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		a, err := netip.ParseAddr(fields[0])
		if err == nil && slices.ContainsFunc(fields[1:], func(n string) bool { return strings.EqualFold(strings.TrimSuffix(n, "."), name) }) {
			addrs = append(addrs, a.Unmap().WithZone(""))
		}
	}
	return addrs
}
