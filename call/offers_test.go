package call_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/lab"
)

// offersOf serves a setting and asks for all that it takes.
func offersOf(t *testing.T, s *lab.ProtocolSetting) *exchange.Offers {
	t.Helper()
	server, err := s.Serve(lab.NewAuthority())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	c, err := call.New(call.Options{Resolve: server.Resolve()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	o, err := c.Offers(t.Context(), server.URL())
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	return o
}

// pairs are "version suite" of all that is taken.
func pairs(o *exchange.Offers) (all []string) {
	for _, v := range o.Versions {
		for _, s := range v.Suites {
			all = append(all, v.Version+" "+s)
		}
	}
	slices.Sort(all)
	return all
}

// allowed are the pairs that a setting should take, by its own words.
func allowed(s *lab.ProtocolSetting) (all []string) {
	if p := s.Peer; p != nil {
		for v, suites := range p.Suites {
			for _, n := range suites {
				all = append(all, tls.VersionName(v)+" "+nameOf(n))
			}
		}
		for i, want := range all {
			all[i] = strings.Replace(want, "SSLv3", "SSL 3.0", 1)
		}
		for _, k := range p.Kinds {
			all = append(all, "SSL 2.0 "+map[uint32]string{0x010080: "SSL_CK_RC4_128_WITH_MD5",
				0x020080: "SSL_CK_RC4_128_EXPORT40_WITH_MD5", 0x0700C0: "SSL_CK_DES_192_EDE3_CBC_WITH_MD5"}[k])
		}
	} else {
		for v := s.Config.MinVersion; v <= s.Config.MaxVersion; v++ {
			for _, c := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
				kind := s.RSA && strings.Contains(c.Name, "RSA_WITH") || (s.ECDSA || !s.RSA) && strings.Contains(c.Name, "ECDSA_WITH")
				if slices.Contains(c.SupportedVersions, v) && (v == tls.VersionTLS13 || kind && slices.Contains(s.Config.CipherSuites, c.ID)) {
					all = append(all, tls.VersionName(v)+" "+c.Name)
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

func nameOf(n uint16) string {
	if n := tls.CipherSuiteName(n); !strings.HasPrefix(n, "0x") {
		return n
	}
	return map[uint16]string{
		0x41: "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA", 0x01: "TLS_RSA_WITH_NULL_MD5", 0x02: "TLS_RSA_WITH_NULL_SHA", 0x3B: "TLS_RSA_WITH_NULL_SHA256", 0xC010: "TLS_ECDHE_RSA_WITH_NULL_SHA",
		0x03: "TLS_RSA_EXPORT_WITH_RC4_40_MD5", 0x04: "TLS_RSA_WITH_RC4_128_MD5", 0x06: "TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5",
		0x08: "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA", 0x14: "TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA", 0x15: "TLS_DHE_RSA_WITH_DES_CBC_SHA",
		0x33: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", 0x34: "TLS_DH_anon_WITH_AES_128_CBC_SHA", 0x39: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
		0x60: "TLS_RSA_EXPORT1024_WITH_RC4_56_MD5", 0xA6: "TLS_DH_anon_WITH_AES_128_GCM_SHA256", 0xC018: "TLS_ECDH_anon_WITH_AES_128_CBC_SHA",
	}[n]
}

// TestOffers asks every setting of the laboratory; what it finds is what the
// setting says, no more and no less.
func TestOffers(t *testing.T) {
	for i := range lab.ProtocolSettings {
		s := &lab.ProtocolSettings[i]
		if s.Behave != nil || s.Name == "greedy" {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel() // some make us wait
			o := offersOf(t, s)
			if got, want := pairs(o), allowed(s); !slices.Equal(got, want) {
				t.Errorf("Offers found %v, want %v", got, want)
			}
			if o.Incomplete != "" || o.Connections < 6 || o.Connections > 120 || o.Time <= 0 {
				t.Errorf("Offers took %d connections, %v, incomplete: %q", o.Connections, o.Time, o.Incomplete)
			}
			if !slices.IsSortedFunc(o.Versions, func(a, b exchange.Offer) int { return -versionOrder(a.Version, b.Version) }) {
				t.Errorf("versions %v are not newest first", o.Versions)
			}
			if s.Config != nil && !slices.Equal(o.ALPN, s.Config.NextProtos) {
				t.Errorf("ALPN found %v, want %v", o.ALPN, s.Config.NextProtos)
			}
		})
	}
}

func versionOrder(a, b string) int {
	all := []string{"SSL 2.0", "SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"}
	return slices.Index(all, a) - slices.Index(all, b)
}

func offerIn(o *exchange.Offers, version string) exchange.Offer {
	for _, v := range o.Versions {
		if v.Version == version {
			return v
		}
	}
	return exchange.Offer{}
}

func TestOffersGroups(t *testing.T) {
	for _, test := range []struct{ setting, version, want string }{
		{"wide", "TLS 1.3", "X25519MLKEM768 x25519 secp256r1 secp384r1 secp521r1"},
		{"wide", "TLS 1.2", "x25519 secp256r1 secp384r1 secp521r1"},
		{"modern", "TLS 1.2", "x25519 secp256r1"},
		{"no-hybrid-group", "TLS 1.3", "x25519 secp256r1 secp384r1"},
		{"hybrid-group-only", "TLS 1.3", "X25519MLKEM768 SecP256r1MLKEM768 SecP384r1MLKEM1024"},
		{"anonymous", "TLS 1.2", "x25519 secp256r1 DH 2048"},
		{"export", "TLS 1.2", "x25519 secp256r1 DH 512"},
		{"static-rsa-only", "TLS 1.2", ""},
	} {
		o := offersOf(t, lab.ProtocolSettingByName(test.setting))
		if got := strings.Join(offerIn(o, test.version).Groups, " "); got != test.want {
			t.Errorf("Offers(%s) found groups %q in %s, want %q", test.setting, got, test.version, test.want)
		}
	}
}

func TestOffersFeatures(t *testing.T) {
	for _, test := range []struct{ setting, want string }{
		{"modern", "extended-master-secret secure-renegotiation fallback-scsv"},
		{"tls-1.2-only", "extended-master-secret secure-renegotiation"}, // no fallback to stop
		{"tls-1.3-only", ""},
		{"compression", "extended-master-secret secure-renegotiation compression"},
		{"no-renegotiation-info", "extended-master-secret"},
		{"no-extended-master-secret", "secure-renegotiation"},
		{"fallback", "extended-master-secret secure-renegotiation"},
		{"no-fallback", "extended-master-secret secure-renegotiation fallback-scsv"},
	} {
		o := offersOf(t, lab.ProtocolSettingByName(test.setting))
		if got := strings.Join(o.Features, " "); got != test.want {
			t.Errorf("Offers(%s) found features %q, want %q", test.setting, got, test.want)
		}
	}
}

func TestOffersOrder(t *testing.T) {
	for _, test := range []struct {
		setting, version string
		server           bool
		first            string
	}{
		{"wide", "TLS 1.3", true, "TLS_AES_128_GCM_SHA256"},
		{"wide", "TLS 1.2", true, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
		{"wide-ecdsa", "TLS 1.0", true, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"},
		{"client-order", "TLS 1.2", false, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
		{"server-order", "TLS 1.2", true, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
	} {
		got := offerIn(offersOf(t, lab.ProtocolSettingByName(test.setting)), test.version)
		if got.ServerOrder != test.server || !strings.HasPrefix(strings.Join(got.Suites, " "), test.first) {
			t.Errorf("Offers(%s) found order of the server %v and %v in %s, want %v and %s first", test.setting, got.ServerOrder, got.Suites, test.version, test.server, test.first)
		}
	}
}

// TestOffersOfOddServers: whatever a server does, there is a word for it.
func TestOffersOfOddServers(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for servers that say nothing")
	}
	t.Parallel()
	for name, want := range map[string]string{
		"stall":          "the server took a hello and said nothing for 5s",
		"stall-in-hello": "the server took a hello and said nothing for 5s",
		"close":          "the server closed the connection instead of answering a hello",
		"alert":          "the server refused every hello",
		"plain-http":     "what the server sent is not TLS but plain HTTP",
		"broken-record":  "what the server sent is not TLS: a record of 65535 bytes",
		"broken-hello":   "what the server sent is not TLS: hello: the lengths do not fit",
		"endless":        "what the server sent is not TLS: an endless answer",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := offersOf(t, lab.ProtocolSettingByName(name))
			if len(o.Versions) > 0 || o.Incomplete != want || o.Connections > 30 {
				t.Errorf("Offers(%s) found %d versions with %d connections and said %q, want %q", name, len(o.Versions), o.Connections, o.Incomplete, want)
			}
		})
	}
}

// TestOffersThroughProxy: every question goes where the call would go.
func TestOffersThroughProxy(t *testing.T) {
	s := lab.ProtocolSettingByName("peer-sound")
	server, err := s.Serve(authority)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	p, err := lab.ServeProxy(authority)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, kind := range []string{"http", "https", "socks5h"} {
		c, err := call.New(call.Options{Proxy: p.URL(kind), Roots: authority.Pool()})
		if err != nil {
			t.Fatal(err)
		}
		before := len(p.Asked())
		o, err := c.Offers(t.Context(), server.URL())
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if got, want := pairs(o), allowed(s); !slices.Equal(got, want) || len(p.Asked())-before != o.Connections {
			t.Errorf("Offers by %s found %v with %d connections, %d of them by the proxy, want %v", kind, got, o.Connections, len(p.Asked())-before, want)
		}
		c.Close()
	}
}

// TestOffersStops: nobody is asked without end.
func TestOffersStops(t *testing.T) {
	o := offersOf(t, lab.ProtocolSettingByName("greedy"))
	if o.Connections != 200 || o.Incomplete != "stopped after 200 connections" || len(offerIn(o, "TLS 1.2").Suites) < 100 {
		t.Errorf("Offers took %d connections for %d suites, incomplete: %q, want 200 and to say so", o.Connections, len(pairs(o)), o.Incomplete)
	}
}

func TestOffersRefuses(t *testing.T) {
	c, err := call.New(call.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"http://127.0.0.1/":                     "only https",
		"api.shop.test":                         "scheme",
		fmt.Sprintf("https://127.0.0.1:%d/", 1): "refused",
	} {
		if _, err := c.Offers(context.Background(), url); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Offers(%s) = %v, want %q", url, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	server, err := lab.ProtocolSettingByName("modern").Serve(lab.NewAuthority())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	o, err := c.Offers(ctx, "https://"+server.Address.String()+"/")
	if err != nil || o.Incomplete != "the time was up" {
		t.Errorf("Offers after its time = %+v, %v", o, err)
	}
}
