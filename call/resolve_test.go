package call_test

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/lab"
)

// serveDNS starts a laboratory name server and returns it with a resolver that
// asks it.
func serveDNS(t *testing.T, protocol string, o lab.DNSOptions) (*lab.DNSServer, call.Asker) {
	t.Helper()
	s, err := lab.ServeDNS(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, askerOf(t, s, s.Spec(protocol), 20*time.Second)
}

func askerOf(t *testing.T, s *lab.DNSServer, spec string, timeout time.Duration) call.Asker {
	t.Helper()
	r, err := call.ResolverOptions{Roots: s.Authority.Pool(), Timeout: timeout}.Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return r.(call.Asker)
}

var protocols = map[string]string{"udp": "udp", "tcp": "tcp", "tls": "dot", "https": "doh"}

func TestAsk(t *testing.T) {
	for _, c := range []struct {
		name, typ string
		want      exchange.Answer
	}{
		{"api.shop.example", "A", exchange.Answer{RCode: "NOERROR", Records: []string{"203.0.113.45", "203.0.113.46"}, TTL: 300, Authenticated: true, Signed: true}},
		{"API.shop.Example.", "AAAA", exchange.Answer{RCode: "NOERROR", Records: []string{"2001:db8:1::45"}, TTL: 300, Authenticated: true, Signed: true}},
		{"api.shop.example", "HTTPS", exchange.Answer{RCode: "NOERROR", Records: []string{`1 . alpn="h3,h2"`}, TTL: 300, Authenticated: true, Signed: true}},
		{"api.shop.example", "CAA", exchange.Answer{RCode: "NOERROR", Records: []string{`0 issue "ca.example"`}, TTL: 300, Authenticated: true, Signed: true}},
		{"api.shop.example", "TXT", exchange.Answer{RCode: "NOERROR", Records: []string{`"the API of the shop"`}, TTL: 300, Authenticated: true, Signed: true}},
		{"www.shop.example", "A", exchange.Answer{RCode: "NOERROR", Records: []string{"203.0.113.45", "203.0.113.46"}, Aliases: []string{"edge.shop.example", "api.shop.example"}, TTL: 300, Authenticated: true, Signed: true}},
		{"any.wild.shop.example", "A", exchange.Answer{RCode: "NOERROR", Records: []string{"203.0.113.47"}, TTL: 300, Authenticated: true, Signed: true}},
		{"text.shop.example", "A", exchange.Answer{RCode: "NOERROR", Authenticated: true, Signed: true}},
		{"nobody.shop.example", "A", exchange.Answer{RCode: "NXDOMAIN", Authenticated: true, Signed: true}},
		{"elsewhere.invalid", "A", exchange.Answer{RCode: "REFUSED"}},
		{"loop.shop.example", "A", exchange.Answer{Failure: "aliases lead in a circle, or too far"}},
		{"api..example", "A", exchange.Answer{Failure: "this is no domain name"}},
		{"api.shop.example", "NONE", exchange.Answer{Failure: "there is no record type NONE to ask for"}},
	} {
		for scheme, protocol := range protocols {
			s, r := serveDNS(t, scheme, lab.DNSOptions{})
			got := r.Ask(context.Background(), c.name, c.typ)
			c.want.Name, c.want.Type, c.want.Protocol = c.name, c.typ, protocol
			if got.Resolver == "" || got.Server == "" || got.Time <= 0 {
				t.Errorf("Ask(%s, %s) over %s: says too little about itself: %+v", c.name, c.typ, scheme, got)
			}
			got.Resolver, got.Server, got.Time = "", "", 0
			if c.want.Failure != "" && got.Failure == c.want.Failure {
				continue
			}
			if !same(got, c.want) {
				t.Errorf("Ask(%s, %s) over %s found %+v, want %+v", c.name, c.typ, scheme, got, c.want)
			}
			s.Close()
		}
	}
}

func same(a, b exchange.Answer) bool {
	ok := slices.Equal(a.Records, b.Records) && slices.Equal(a.Aliases, b.Aliases)
	a.Records, b.Records, a.Aliases, b.Aliases = nil, nil, nil, nil
	return ok && a.Name == b.Name && a.Type == b.Type && a.Protocol == b.Protocol && a.RCode == b.RCode && a.TTL == b.TTL &&
		a.Authenticated == b.Authenticated && a.Signed == b.Signed && a.Stray == b.Stray && a.Failure == b.Failure
}

// A second try is made where the first one's answer cannot be read, and none
// where it would be the same.
func TestAskAgain(t *testing.T) {
	refuseEDNS := func(q *lab.DNSQuery) [][]byte {
		if q.Message.IsEdns0() != nil {
			return lab.Failing(dns.RcodeFormatError)(q)
		}
		return lab.Honest(q)
	}
	first := func(b lab.DNSBehaviour) lab.DNSBehaviour {
		return func(q *lab.DNSQuery) [][]byte {
			if q.Before == 0 {
				return b(q)
			}
			return lab.Honest(q)
		}
	}
	for _, c := range []struct {
		name, protocol string
		behave         lab.DNSBehaviour
		failure        string
		asked          []string // transports, in order
	}{
		{"truncated", "udp", lab.Truncating, "", []string{"udp", "tcp"}},
		{"case not kept", "udp", lab.LowerCase, "", []string{"udp", "tcp"}},
		{"no EDNS", "udp", refuseEDNS, "", []string{"udp", "udp"}},
		{"no EDNS over TLS", "tls", refuseEDNS, "", []string{"dot", "dot"}},
		{"looping once", "udp", first(lab.Looping), "", []string{"udp", "udp"}},
		{"garbage once", "tcp", first(lab.Garbage), "", []string{"tcp", "tcp"}},
		{"garbage once over HTTPS", "https", first(lab.Garbage), "", []string{"doh", "doh"}},
		{"looping", "udp", lab.Looping, "the answer cannot be read: too many compression pointers", []string{"udp", "udp"}},
		{"garbage", "tls", lab.Garbage, "the answer is to another question", []string{"dot", "dot"}},
		{"FORMERR", "udp", lab.Failing(dns.RcodeFormatError), "", []string{"udp", "udp"}},
		{"huge", "udp", lab.Huge, "", []string{"udp", "tcp"}},
		{"injected", "udp", lab.Injecting("198.51.100.99"), "", []string{"udp"}},
	} {
		s, r := serveDNS(t, c.protocol, lab.DNSOptions{Behave: c.behave})
		a := r.Ask(t.Context(), "api.shop.example", "A")
		if a.Failure != c.failure {
			t.Errorf("Ask(%s) failed with %q, want %q", c.name, a.Failure, c.failure)
		}
		var asked []string
		for _, q := range s.Asked() {
			transport, _, _ := strings.Cut(q, " ")
			asked = append(asked, transport)
		}
		if !slices.Equal(asked, c.asked) {
			t.Errorf("Ask(%s) asked over %v, want %v", c.name, asked, c.asked)
		}
		if strings.Contains(strings.Join(a.Records, " "), "198.51.100.99") || len(a.Records) > 256 {
			t.Errorf("Ask(%s) found %d records: %v", c.name, len(a.Records), a.Records[:1])
		}
		if want := map[string]int{"injected": 2}[c.name]; a.Stray != want {
			t.Errorf("Ask(%s) counted %d stray datagrams, want %d", c.name, a.Stray, want)
		}
	}
}

// Servers over TLS and HTTPS that do not keep to it.
func TestAskRefuses(t *testing.T) {
	serve := func(h http.HandlerFunc) func(http.Handler) http.Handler {
		return func(http.Handler) http.Handler { return h }
	}
	content := func(mediaType string, size int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", mediaType)
			w.Write(make([]byte, size))
		}
	}
	for _, c := range []struct {
		name, protocol string
		o              lab.DNSOptions
		want           string
	}{
		{"another name", "tls", lab.DNSOptions{Leaf: &lab.Leaf{Names: []string{"dns.other.test"}}}, "the certificate does not hold: it is not for 127.0.0.1"},
		{"another name", "https", lab.DNSOptions{Leaf: &lab.Leaf{Names: []string{"dns.other.test"}}}, "the certificate does not hold: it is not for 127.0.0.1"},
		{"own", "tls", lab.DNSOptions{Leaf: &lab.Leaf{Names: []string{"127.0.0.1"}, Self: true}}, "the certificate does not hold: nobody we trust signed it"},
		{"over", "tls", lab.DNSOptions{Leaf: &lab.Leaf{Names: []string{"127.0.0.1"}, NotBefore: time.Unix(1, 0), NotAfter: time.Unix(2, 0)}}, "the certificate does not hold: it is out of date"},
		{"404", "https", lab.DNSOptions{HTTP: serve(http.NotFound)}, "HTTP status 404"},
		{"redirect", "https", lab.DNSOptions{HTTP: serve(http.RedirectHandler("/other", http.StatusTemporaryRedirect).ServeHTTP)}, "HTTP status 307"},
		{"page", "https", lab.DNSOptions{HTTP: serve(content("text/html; charset=utf-8", 10))}, "the content is text/html, want application/dns-message"},
		{"no type", "https", lab.DNSOptions{HTTP: serve(content("", 10))}, "the content is of no type, want application/dns-message"},
		{"long", "https", lab.DNSOptions{HTTP: serve(content("application/dns-message", 1<<20))}, "the answer is longer than a message can be"},
		{"empty", "https", lab.DNSOptions{HTTP: serve(content("application/dns-message", 0))}, "the answer is to another question"},
	} {
		_, r := serveDNS(t, c.protocol, c.o)
		if a := r.Ask(t.Context(), "api.shop.example", "A"); a.Failure != c.want || a.RCode != "" || len(a.Records) > 0 {
			t.Errorf("Ask(%s over %s) failed with %q, want %q", c.name, c.protocol, a.Failure, c.want)
		}
	}

	s, _ := serveDNS(t, "udp", lab.DNSOptions{})
	for spec, want := range map[string]string{
		"tls://" + serveText(t, "HTTP/1.1 400 Bad Request\r\n\r\n"): "the peer does not speak TLS",
		"tls://" + s.TLS.String() + "#dns.other.test":               "the certificate does not hold: it is not for dns.other.test",
		"tls://" + s.TLS.String() + "#dns.parley.test":              "",
		"tcp://" + serveText(t, ""):                                 "the peer closed the connection",
	} {
		if a := askerOf(t, s, spec, 20*time.Second).Ask(t.Context(), "api.shop.example", "A"); a.Failure != want {
			t.Errorf("Ask(%s) failed with %q, want %q", spec, a.Failure, want)
		}
	}
	for name, o := range map[string]call.ResolverOptions{
		"":                       {More: []*x509.Certificate{s.Authority.Root.Certificate}},
		"nobody we trust signed": {Roots: x509.NewCertPool()},
		"nobody we trust":        {Roots: x509.NewCertPool(), More: []*x509.Certificate{lab.NewAuthority().Root.Certificate}},
	} {
		r, err := o.Parse(s.Spec("tls"))
		if err != nil {
			t.Fatal(err)
		}
		if a := r.(call.Asker).Ask(t.Context(), "api.shop.example", "A"); !strings.Contains(a.Failure, name) || name == "" && a.Failure != "" {
			t.Errorf("Ask with roots of its own failed with %q, want %q", a.Failure, name)
		}
	}
	s.Close()
	for _, protocol := range []string{"udp", "tcp", "tls", "https"} {
		if a := askerOf(t, s, s.Spec(protocol), 20*time.Second).Ask(t.Context(), "api.shop.example", "A"); !strings.HasPrefix(a.Failure, "refused") {
			t.Errorf("Ask over %s with nobody there failed with %q, want refused", protocol, a.Failure)
		}
	}
}

// serveText answers the first bytes of every connection with a text and ends
// it.
func serveText(t *testing.T, text string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 4096))
			conn.Write([]byte(text))
			conn.Close()
		}
	}()
	return l.Addr().String()
}

// A question ends with its context, whatever the server does.
func TestAskEnds(t *testing.T) {
	for _, protocol := range []string{"udp", "tcp", "tls", "https"} {
		s, r := serveDNS(t, protocol, lab.DNSOptions{Behave: lab.Dead})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for len(s.Asked()) == 0 {
				time.Sleep(time.Millisecond)
			}
			cancel()
		}()
		if a := r.Ask(ctx, "api.shop.example", "A"); a.Failure != "cancelled" {
			t.Errorf("Ask over %s failed with %q, want cancelled", protocol, a.Failure)
		}
		if a := askerOf(t, s, s.Spec(protocol), 30*time.Millisecond).Ask(t.Context(), "api.shop.example", "A"); !strings.HasPrefix(a.Failure, "no answer within ") {
			t.Errorf("Ask over %s failed with %q, want no answer within 30ms", protocol, a.Failure)
		}
	}
}

func TestCompare(t *testing.T) {
	s, first := serveDNS(t, "udp", lab.DNSOptions{Behave: lab.Flipping("10.0.0.1")})
	_, second := serveDNS(t, "https", lab.DNSOptions{})
	d := call.Compare(t.Context(), "www.shop.example", first, []call.Resolver{second})
	if got := len(d.Addresses); got != 3 || d.Failure != "" {
		t.Errorf("Compare found %v and failed with %q, want 3 addresses", d.Addresses, d.Failure)
	}
	var got []string
	for _, a := range d.Answers {
		got = append(got, a.Protocol+" "+a.Type+" "+strings.Join(a.Records, ","))
	}
	want := []string{
		"udp AAAA 2001:db8:1::45", "udp A 203.0.113.45,203.0.113.46", "udp AAAA ", "udp A 10.0.0.1",
		"doh A 203.0.113.45,203.0.113.46", "doh AAAA 2001:db8:1::45", `doh HTTPS 1 . alpn="h3,h2"`, `doh CAA 0 issue "ca.example"`,
		"doh A 203.0.113.45,203.0.113.46", "doh AAAA 2001:db8:1::45",
	}
	if !slices.Equal(got, want) {
		t.Errorf("Compare(www.shop.example) found\n%q, want\n%q", got, want)
	}

	asked := len(s.Asked())
	for _, name := range []string{"192.0.2.1", "::1", "localhost"} {
		if d := call.Compare(t.Context(), name, first, []call.Resolver{second}); !slices.Contains([]string{"given", "local"}, d.Resolver) || len(d.Answers) > 0 || len(s.Asked()) != asked {
			t.Errorf("Compare(%s) asked, and found %+v", name, d)
		}
	}
}

// The standard library's own resolver gets the same addresses from the same
// server.
func TestAgreesWithNet(t *testing.T) {
	s, r := serveDNS(t, "udp", lab.DNSOptions{})
	other := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.Plain.String())
	}}
	for _, name := range []string{"api.shop.example.", "www.shop.example.", "any.wild.shop.example.", "away.shop.example.",
		"unique.shop.example.", "two.parley.test.", "text.shop.example.", "nobody.shop.example."} {
		want, err := other.LookupNetIP(t.Context(), "ip", name)
		d := r.Resolve(t.Context(), name)
		for i := range want {
			want[i] = want[i].Unmap()
		}
		got := slices.Clone(d.Addresses)
		slices.SortFunc(want, netip.Addr.Compare)
		slices.SortFunc(got, netip.Addr.Compare)
		if !slices.Equal(got, want) || (err == nil) != (d.Failure == "") {
			t.Errorf("Resolve(%s) found %v and failed with %q, want %v (%v)", name, got, d.Failure, want, err)
		}
	}
}
