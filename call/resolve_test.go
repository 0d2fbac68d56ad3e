package call_test

import (
	"context"
	"net/http"
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

var _ = http.StatusOK
var _ = dns.TypeA
var _ = strings.Join
