package call_test

import (
	"strings"
	"testing"

	"github.com/parley-project/parley/call"
)

func TestParseResolver(t *testing.T) {
	for _, c := range []struct{ spec, name, protocol, server string }{
		{"192.0.2.53", "192.0.2.53", "udp", "192.0.2.53:53"},
		{" 192.0.2.53:5353 ", "192.0.2.53:5353", "udp", "192.0.2.53:5353"},
		{"udp://192.0.2.53", "192.0.2.53", "udp", "192.0.2.53:53"},
		{"2001:db8::53", "[2001:db8::53]", "udp", "[2001:db8::53]:53"},
		{"[2001:db8::53]:5353", "[2001:db8::53]:5353", "udp", "[2001:db8::53]:5353"},
		{"tcp://192.0.2.53", "tcp://192.0.2.53", "tcp", "192.0.2.53:53"},
		{"office=tcp://192.0.2.53:54", "office", "tcp", "192.0.2.53:54"},
		{"tls://dns.example", "tls://dns.example", "dot", "dns.example:853"},
		{"tls://192.0.2.53#dns.example", "tls://192.0.2.53#dns.example", "dot", "192.0.2.53:853"},
		{"tls://[2001:db8::53]:8853", "tls://[2001:db8::53]:8853", "dot", "[2001:db8::53]:8853"},
		{"https://dns.example/dns-query", "https://dns.example/dns-query", "doh", "https://dns.example/dns-query"},
		{"https://dns.example", "https://dns.example", "doh", "https://dns.example/dns-query"},
		{"mine=https://192.0.2.53:8443/q?key=1", "mine", "doh", "https://192.0.2.53:8443/q?key=1"},
		{"system", "system", "system", ""},
		{"here=system", "here", "system", ""},
	} {
		r, err := call.ParseResolver(c.spec)
		if err != nil {
			t.Errorf("ParseResolver(%q) failed: %v", c.spec, err)
			continue
		}
		// A name that cannot be asked for shows what is known of the resolver
		// without asking anybody.
		a := r.(call.Asker).Ask(t.Context(), "", "A")
		if a.Resolver != c.name || a.Protocol != c.protocol || c.server != "" && a.Server != c.server || a.Failure == "" {
			t.Errorf("ParseResolver(%q) is %q, over %s to %s, want %q, over %s to %s", c.spec, a.Resolver, a.Protocol, a.Server, c.name, c.protocol, c.server)
		}
	}
}

func TestParseResolverRefuses(t *testing.T) {
	for spec, want := range map[string]string{
		"":                                    "is empty",
		"office=":                             "is empty",
		"=192.0.2.53":                         "no name before",
		"hosts=192.0.2.53":                    "something else",
		"dns.example":                         "is no address",
		"udp://dns.example":                   "is no address",
		"2001:db8::53:99999":                  "is no address",
		"192.0.2.53:0":                        "is no port",
		"192.0.2.53:99999":                    "is no port",
		"192.0.2.53/path":                     "no path",
		"192.0.2.53 192.0.2.54":               "a blank",
		"192.0.2.53\r\nX: y":                  "a blank",
		"http://dns.example/dns-query":        "want https",
		"quic://dns.example":                  "not spoken here",
		"sdns://AgcAAAAAAAAA":                 "not spoken here",
		"ftp://dns.example":                   "is no way to ask",
		"tls://":                              "no host",
		"https:///dns-query":                  "no host",
		"tls://dns.example/path":              "no path",
		"https://dns.example/q#name":          "for tls only",
		"https://dns.example/dns-query{?dns}": "template",
		"https://me:marked@dns.example/q":     "no user name",
		"https://me:mar ked@dns.example/q":    "a blank",
		"https://me:%zz@dns.example/q":        "cannot be read",
	} {
		r, err := call.ParseResolver(spec)
		if err == nil {
			t.Errorf("ParseResolver(%q) is %v, want an error", spec, r)
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "marked") || strings.Contains(err.Error(), "mar ked") {
			t.Errorf("ParseResolver(%q) failed with %q, want %q", spec, err, want)
		}
	}
}

func FuzzParseResolver(f *testing.F) {
	for _, s := range []string{"192.0.2.53", "a=tls://[::1]:1#b", "https://h/p?q", "system", "=", "[", "://"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		r, err := call.ParseResolver(spec)
		if (r == nil) == (err == nil) {
			t.Errorf("ParseResolver(%q) is %v and %v", spec, r, err)
		}
	})
}
