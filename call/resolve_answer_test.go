package call

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/parley-project/parley/exchange"
)

// Whatever a name server sends is read in bounded memory, and nothing of it is
// believed that was not asked for.
func FuzzAnswer(f *testing.F) {
	for _, text := range []string{
		"www.shop.example. 300 IN A 203.0.113.45",
		"www.shop.example. 300 IN CNAME www.shop.example.",
		"www.shop.example. 300 IN CNAME a.example.\na.example. 5 IN A 203.0.113.45\nother.example. 5 IN A 192.0.2.1",
		`www.shop.example. 300 IN HTTPS 1 . alpn="h3,h2" ech="AAAA"`,
	} {
		m := dnsQuestion("www.shop.example.", dns.TypeA, true)
		m.Response = true
		for line := range strings.Lines(text) {
			rr, err := dns.NewRR(line)
			if err != nil {
				f.Fatal(err)
			}
			m.Answer = append(m.Answer, rr)
		}
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(bytes.Repeat([]byte{0xc0, 0x0c}, 300))
	question, err := dnsQuestion("wWw.sHop.Example.", dns.TypeA, true).Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		belongs(b, question)
		m, err := unpackDNS(b)
		if err != nil {
			return
		}
		for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeHTTPS, dns.TypeCAA, dns.TypeCNAME} {
			var a exchange.Answer
			next := readAnswer(&a, m, "wWw.sHop.Example.", qtype)
			size := 0
			for _, s := range append(a.Records, a.Aliases...) {
				size += len(s)
			}
			if len(a.Records) > maxRecords || len(a.Aliases) > maxAliases+1 || size > (maxRecords+maxAliases)*(maxData+8) {
				t.Errorf("readAnswer kept %d records, %d aliases, %d bytes", len(a.Records), len(a.Aliases), size)
			}
			if next != "" && (len(a.Aliases) == 0 || len(a.Records) > 0) {
				t.Errorf("readAnswer goes on to %q with aliases %q and records %q", next, a.Aliases, a.Records)
			}
			if len(a.Aliases) == 0 && len(a.Records) > 0 && !slices.ContainsFunc(m.Answer, func(rr dns.RR) bool {
				return rr.Header().Rrtype == qtype && dns.CanonicalName(rr.Header().Name) == "www.shop.example."
			}) {
				t.Errorf("readAnswer believed %q, which was not asked for", a.Records)
			}
		}
	})
}

func TestBelongs(t *testing.T) {
	asked, err := dnsQuestion("aPi.Shop.example.", dns.TypeA, true).Pack()
	if err != nil {
		t.Fatal(err)
	}
	reply := func(edit func(*dns.Msg)) []byte {
		m := new(dns.Msg)
		if err := m.Unpack(asked); err != nil {
			t.Fatal(err)
		}
		m.Response = true
		edit(m)
		b, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	none := func(rcode int) []byte {
		return reply(func(m *dns.Msg) { m.Question, m.Rcode = nil, rcode })
	}
	for name, c := range map[string]struct {
		reply []byte
		want  belonging
	}{
		"right":                 {reply(func(*dns.Msg) {}), exactly},
		"empty":                 {nil, strange},
		"short":                 {asked[:11], strange},
		"our own question":      {asked, strange},
		"another id":            {reply(func(m *dns.Msg) { m.Id++ }), strange},
		"another name":          {reply(func(m *dns.Msg) { m.Question[0].Name = "aPi.Shop.exampla." }), strange},
		"a longer name":         {reply(func(m *dns.Msg) { m.Question[0].Name = "x.aPi.Shop.example." }), strange},
		"another type":          {reply(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAAAA }), strange},
		"another class":         {reply(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }), strange},
		"two questions":         {reply(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }), strange},
		"another case":          {reply(func(m *dns.Msg) { m.Question[0].Name = "api.shop.example." }), otherCase},
		"no question, refused":  {none(dns.RcodeRefused), exactly},
		"no question, no name":  {none(dns.RcodeNameError), strange},
		"no question, no error": {none(dns.RcodeSuccess), strange},
		"the question cut off":  {reply(func(*dns.Msg) {})[:20], strange},
	} {
		if got := belongs(c.reply, asked); got != c.want {
			t.Errorf("belongs(%s) is %v, want %v", name, got, c.want)
		}
	}
}

// The largest message, with the longest names in the shortest form, is read
// without much more memory than its text has.
func TestAnswerIsBounded(t *testing.T) {
	label := append([]byte{62}, bytes.Repeat([]byte{0xff}, 62)...) // written as \255, four times as long
	name := append(bytes.Repeat(label, 4), 0)
	for what, record := range map[string][]byte{
		"addresses": {0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 0, 0, 4, 203, 0, 113, 45},
		"aliases":   {0xc0, 12, 0, 5, 0, 1, 0, 0, 1, 0, 0, 2, 0xc0, 12},
		"texts":     append([]byte{0xc0, 12, 0, 16, 0, 1, 0, 0, 1, 0, 1, 0, 255}, bytes.Repeat([]byte{0xff}, 255)...),
	} {
		n := (dns.MaxMsgSize - 300) / len(record)
		b := []byte{0, 0, 0x84, 0, 0, 1, byte(n >> 8), byte(n), 0, 0, 0, 0}
		b = append(append(b, name...), 0, 1, 0, 1)
		b = append(b, bytes.Repeat(record, n)...)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := unpackDNS(b)
		if err != nil || len(m.Answer) != n {
			t.Fatalf("%s: %d records cannot be read: %v", what, n, err)
		}
		var a exchange.Answer
		readAnswer(&a, m, m.Question[0].Name, dns.TypeA)
		readAnswer(&a, m, m.Question[0].Name, dns.TypeTXT)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 32<<20 {
			t.Errorf("%d %s in %d bytes took %d bytes of memory, want at most 32 MiB", n, what, len(b), got)
		} else {
			t.Logf("%d %s in %d bytes took %d bytes", n, what, len(b), got)
		}
		for _, s := range a.Records {
			if len(s) > maxData+3 {
				t.Errorf("%s: a record of %d bytes was kept", what, len(s))
			}
		}
	}
}

func TestMixCase(t *testing.T) {
	const name = "api.long-name-with-1-digit.shop.example."
	seen := map[string]bool{}
	for range 50 {
		mixed := mixCase(name)
		if !strings.EqualFold(mixed, name) {
			t.Fatalf("mixCase(%s) is %s", name, mixed)
		}
		seen[mixed] = true
	}
	if len(seen) < 45 {
		t.Errorf("mixCase(%s) gave %d different names of 50", name, len(seen))
	}
}

func TestSystemResolver(t *testing.T) {
	dir := t.TempDir()
	hosts, config := filepath.Join(dir, "hosts"), filepath.Join(dir, "resolv.conf")
	write := func(file, text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(hosts, "# 192.0.2.9 api.shop.example\n127.0.0.1 localhost\n192.0.2.7\tbox API.Own.Example # mine\nnonsense api.shop.example\n192.0.2.8")
	write(config, "search shop.example\nnameserver 192.0.2.53\nnameserver 192.0.2.54\n")
	addrs := func(list ...string) (as []netip.Addr) {
		for _, s := range list {
			as = append(as, netip.MustParseAddr(s))
		}
		return as
	}
	r := &SystemResolver{hosts: hosts, config: config}
	r.lookup = func(ctx context.Context, network, host string) ([]netip.Addr, error) {
		switch host + "/" + network {
		case "api.shop.example./ip4":
			return addrs("203.0.113.45", "::ffff:203.0.113.46"), nil
		case "api.shop.example./ip6":
			return addrs("2001:db8::45"), nil
		case "api.own.example./ip4":
			return addrs("192.0.2.7"), nil
		case "slow.example./ip4", "slow.example./ip6":
			return nil, &net.DNSError{Err: "i/o timeout", IsTimeout: true}
		case "ill.example./ip4", "ill.example./ip6":
			return nil, &net.DNSError{Err: "server misbehaving"}
		case "xn--bcher-kva.example./ip4":
			return addrs("203.0.113.47"), nil
		}
		return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
	}
	for _, c := range []struct {
		name, resolver string
		addrs          []netip.Addr
		failure        string
		answers        int
	}{
		{"api.shop.example", "system", addrs("2001:db8::45", "203.0.113.45", "203.0.113.46"), "", 2},
		{"api.own.example", "hosts", addrs("192.0.2.7"), "", 0},
		{"192.0.2.1", "given", addrs("192.0.2.1"), "", 0},
		{"[2001:db8::1]", "given", addrs("2001:db8::1"), "", 0},
		{"api.localhost", "local", addrs("::1", "127.0.0.1"), "", 0},
		{"bücher.example", "system", addrs("203.0.113.47"), "", 2},
		{"nobody.example", "system", nil, "nobody.example has no address", 2},
		{"slow.example", "system", nil, "system did not answer: no answer in time", 2},
		{"ill.example", "system", nil, "system did not answer: server misbehaving", 2},
		{"..", "system", nil, "system did not answer: this is no domain name", 2},
	} {
		d := r.Resolve(t.Context(), c.name)
		if d.Resolver != c.resolver || !slices.Equal(d.Addresses, c.addrs) || d.Failure != c.failure || len(d.Answers) != c.answers {
			t.Errorf("Resolve(%s) found %s %v %q and %d answers, want %s %v %q and %d", c.name,
				d.Resolver, d.Addresses, d.Failure, len(d.Answers), c.resolver, c.addrs, c.failure, c.answers)
		}
		for _, a := range d.Answers {
			if a.Server != "192.0.2.53:53" || a.Protocol != "system" || a.Time <= 0 {
				t.Errorf("Resolve(%s) asked %s over %s in %v, want 192.0.2.53:53 over system", c.name, a.Server, a.Protocol, a.Time)
			}
		}
	}
	if a := r.Ask(t.Context(), "api.shop.example", "HTTPS"); a.Failure != "the system is asked for addresses only" {
		t.Errorf("Ask(HTTPS) failed with %q", a.Failure)
	}

	ended, end := context.WithTimeout(t.Context(), time.Nanosecond)
	defer end()
	<-ended.Done()
	r.lookup = func(ctx context.Context, _, _ string) ([]netip.Addr, error) { return nil, ctx.Err() }
	if a := r.Ask(ended, "api.shop.example", "A"); a.Failure != "no answer in time" {
		t.Errorf("Ask after the end failed with %q, want no answer in time", a.Failure)
	}
}
