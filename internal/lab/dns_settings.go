package lab

import (
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// A DNSSetting is one row of the laboratory's table for step 1: a resolver in
// use, others beside it, and a name to ask them for.
type DNSSetting struct {
	Name string
	Says string // what is wrong, in one line; empty when nothing is
	Ask  string
	// InUse is what programs ask; Others are asked beside it.
	InUse  DNSSeat
	Others []DNSSeat
}

// A DNSSeat is a resolver in a setting.
type DNSSeat struct {
	Name     string
	Protocol string // as Spec has it
	DNSOptions
	// Held makes it wait until the setting is released.
	Held bool
	// Silent says that it never answers: a client is not to wait long.
	Silent bool
}

// Running is a setting that was started.
type Running struct {
	DNSSetting
	// Servers are those of the seats, the resolver in use first, and Specs what
	// a client is told of them.
	Servers []*DNSServer
	Specs   []string
	Roots   *x509.CertPool

	once    sync.Once
	release chan struct{}
}

// Seats are all resolvers of the setting, the one in use first.
func (s *DNSSetting) Seats() []DNSSeat { return append([]DNSSeat{s.InUse}, s.Others...) }

// Start starts the setting's servers. They run until Close.
func (s DNSSetting) Start() (*Running, error) {
	a, zone := NewAuthority(), NewDNSZone(DNSZones)
	r := &Running{DNSSetting: s, Roots: a.Pool(), release: make(chan struct{})}
	for _, seat := range s.Seats() {
		o := seat.DNSOptions
		o.Zone, o.Authority = zone, a
		if seat.Held {
			o.Behave = Slow(r.release)
		}
		server, err := ServeDNS(o)
		if err != nil {
			r.Close()
			return nil, fmt.Errorf("lab: %s: %w", s.Name, err)
		}
		r.Servers = append(r.Servers, server)
		r.Specs = append(r.Specs, seat.Name+"="+server.Spec(seat.Protocol))
	}
	return r, nil
}

// Release lets resolvers that are held answer.
func (r *Running) Release() { r.once.Do(func() { close(r.release) }) }

// Close ends all servers.
func (r *Running) Close() {
	for _, s := range r.Servers {
		s.Close()
	}
}

// Seats that settings share. The resolver in use asks over UDP, as most do.
func inUse(b DNSBehaviour) DNSSeat {
	return DNSSeat{Name: "system", Protocol: "udp", DNSOptions: DNSOptions{Behave: b}}
}

func silent(b DNSBehaviour) DNSSeat {
	s := inUse(b)
	s.Silent = true
	return s
}

var (
	byTLS   = DNSSeat{Name: "by-tls", Protocol: "tls"}
	byHTTPS = DNSSeat{Name: "by-https", Protocol: "https"}
	honest  = []DNSSeat{byTLS, byHTTPS}
)

func with(seat DNSSeat, o DNSOptions) DNSSeat {
	seat.DNSOptions = o
	return seat
}

// web is a server for HTTPS whose answers are h's.
func web(h http.HandlerFunc) DNSSeat {
	return with(byHTTPS, DNSOptions{HTTP: func(http.Handler) http.Handler { return h }})
}

func delivering(seat DNSSeat, to string) DNSSeat {
	return with(seat, DNSOptions{Behave: Delivering(to)})
}

const shopName = "api.shop.example"

// DNSSettings are the laboratory's rows for step 1.
var DNSSettings = []DNSSetting{
	{Name: "honest", Ask: shopName, InUse: inUse(nil), Others: honest},
	{Name: "honest-alias", Ask: "www.shop.example", InUse: inUse(nil), Others: honest},
	{Name: "honest-wildcard", Ask: "any.wild.shop.example", InUse: inUse(nil), Others: honest},
	{Name: "honest-no-name", Ask: "nobody.shop.example", InUse: inUse(nil), Others: honest},
	{Name: "honest-no-address", Ask: "text.shop.example", InUse: inUse(nil), Others: honest},
	{Name: "local-name", Ask: Name, InUse: inUse(nil), Others: honest},
	{Name: "truncating", Ask: shopName, InUse: inUse(Truncating), Others: honest},
	{Name: "lower-case", Ask: shopName, InUse: inUse(LowerCase), Others: honest},
	{Name: "slow", Ask: shopName, InUse: DNSSeat{Name: "system", Protocol: "udp", Held: true}, Others: honest},
	{Name: "huge", Ask: shopName, InUse: inUse(Huge), Others: honest},
	{Name: "rotating", Ask: shopName, InUse: inUse(Rotating), Others: honest},
	{Name: "delivering", Ask: "away.shop.example", InUse: delivering(inUse(nil), "198.51.100.99"),
		Others: []DNSSeat{delivering(byTLS, "203.0.113.200"), delivering(byHTTPS, "203.0.113.200")}},

	{Name: "forging", Says: "another address, said to be validated, without a signature", Ask: shopName,
		InUse: inUse(Forging("198.51.100.99")), Others: honest},
	{Name: "altering", Says: "another address beside the right one's signature", Ask: shopName,
		InUse: inUse(Altering("198.51.100.99")), Others: honest},
	{Name: "forging-inside", Says: "this machine's address, by one resolver only", Ask: shopName,
		InUse: inUse(Forging("127.0.0.1")), Others: honest},
	{Name: "injecting", Says: "answers to other questions before the right one", Ask: shopName,
		InUse: inUse(Injecting("198.51.100.99")), Others: honest},
	{Name: "denying", Says: "no such name, where there is one", Ask: shopName,
		InUse: inUse(Failing(dns.RcodeNameError)), Others: honest},
	{Name: "inventing", Says: "an address for a name that there is not", Ask: "nobody.shop.example",
		InUse: inUse(Forging("198.51.100.99")), Others: honest},
	{Name: "flipping", Says: "an address that turns inside the second time", Ask: shopName,
		InUse: inUse(Flipping("192.168.0.1")), Others: honest},
	{Name: "this-machine", Says: "a public name for loopback", Ask: "machine.shop.example", InUse: inUse(nil), Others: honest},
	{Name: "cloud", Says: "a public name for 169.254.169.254", Ask: "cloud.shop.example", InUse: inUse(nil), Others: honest},
	{Name: "unique-local", Says: "a public name for fd00::1", Ask: "unique.shop.example", InUse: inUse(nil), Others: honest},
	{Name: "provider", Says: "a public name for 100.64.0.1", Ask: "provider.shop.example", InUse: inUse(nil), Others: honest},
	{Name: "beside", Says: "a private address beside a public one", Ask: "beside.shop.example", InUse: inUse(nil), Others: honest},

	{Name: "dead", Says: "no answer", Ask: shopName, InUse: silent(Dead), Others: honest},
	{Name: "servfail", Says: "SERVFAIL", Ask: shopName, InUse: inUse(Failing(dns.RcodeServerFailure)), Others: honest},
	{Name: "refused", Says: "REFUSED", Ask: shopName, InUse: inUse(Failing(dns.RcodeRefused)), Others: honest},
	{Name: "garbage", Says: "bytes that are no message", Ask: shopName,
		InUse: DNSSeat{Name: "system", Protocol: "tcp", DNSOptions: DNSOptions{Behave: Garbage}}, Others: honest},
	{Name: "looping", Says: "a name compressed to itself", Ask: shopName, InUse: inUse(Looping), Others: honest},
	{Name: "other-name", Says: "DoT with a certificate for another name", Ask: shopName, InUse: inUse(nil),
		Others: []DNSSeat{with(byTLS, DNSOptions{Leaf: &Leaf{Names: []string{"dns.other.test"}}}), byHTTPS}},
	{Name: "own-certificate", Says: "DoT with a certificate that signs itself", Ask: shopName, InUse: inUse(nil),
		Others: []DNSSeat{with(byTLS, DNSOptions{Leaf: &Leaf{Names: []string{"127.0.0.1"}, Self: true}}), byHTTPS}},
	{Name: "old-certificate", Says: "DoT with a certificate that is over", Ask: shopName, InUse: inUse(nil),
		Others: []DNSSeat{with(byTLS, DNSOptions{Leaf: &Leaf{Names: []string{"127.0.0.1"},
			NotBefore: time.Now().AddDate(0, -2, 0), NotAfter: time.Now().AddDate(0, -1, 0)}}), byHTTPS}},
	{Name: "web-500", Says: "DoH with status 500", Ask: shopName, InUse: inUse(nil),
		Others: []DNSSeat{byTLS, web(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })}},
	{Name: "web-page", Says: "DoH with a page", Ask: shopName, InUse: inUse(nil),
		Others: []DNSSeat{byTLS, web(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Write([]byte("<p>Please log in</p>"))
		})}},
	{Name: "web-elsewhere", Says: "DoH that sends elsewhere", Ask: shopName, InUse: inUse(nil),
		Others: []DNSSeat{byTLS, web(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://"+net.JoinHostPort("dns.other.test", "443"), http.StatusTemporaryRedirect)
		})}},
	{Name: "web-endless", Says: "DoH with a body that does not end", Ask: shopName, InUse: inUse(nil),
		Others: []DNSSeat{byTLS, web(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", dnsMessage)
			for b := make([]byte, 4096); r.Context().Err() == nil; {
				if _, err := w.Write(b); err != nil {
					return
				}
			}
		})}},
}
