package call_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/call"
)

// TestPins wants a pin that no key can have to be refused before a call.
func TestPins(t *testing.T) {
	const pin = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	for given, want := range map[string]bool{
		pin: true, "sha256//" + pin: true, "sha256/" + pin: true,
		"": false, "abc": false, "sha256//": false, pin + "A": false, strings.TrimSuffix(pin, "="): false, "sha1//" + pin: false, strings.Repeat("00", 32): false,
	} {
		if _, err := call.New(call.Options{Pins: []string{pin, given}}); (err == nil) != want || err != nil && !errors.As(err, new(*call.OptionError)) {
			t.Errorf("New(pin %q) says %v, want it taken: %v", given, err, want)
		}
	}
}

// TestCheckURL wants URLs at which nothing can be called to be told from others.
func TestCheckURL(t *testing.T) {
	for url, want := range map[string]string{
		"https://api.shop.test/v1?q=a b": "", "HTTP://[::1]:8080": "", "http://bücher.test:65535/": "", "https://me:secret@shop.test/": "",
		"shop.test/":              "no scheme",
		"ftp://shop.test/":        "not spoken here",
		"http://localhost:99999/": "is no port",
		"http://localhost:http/":  "is no port",
		"http:///v1":              "names no host",
		"https://:8443/":          "names no host",
		"http://[::1/":            "no IPv6 address",
		"http://a b/":             "no host name",
	} {
		if err := call.CheckURL(url); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("CheckURL(%s) says %v, want %q", url, err, want)
		}
	}
}

// TestLocalName wants HTTP/3 with this machine not to wait for the address at
// which, over UDP, nobody says that nothing listens.
func TestLocalName(t *testing.T) {
	s := serve(t, nil)
	for version, first := range map[string]string{"1.1": "::1", "3": "127.0.0.1"} {
		c := client(t, nil, call.Options{HTTP: version, Untrusted: call.SendAnyway, Timeout: 5 * time.Second})
		_, port, _ := strings.Cut(s.Secure.String(), ":")
		x := one(t, c, &call.Request{Method: "GET", URL: "https://localhost:" + port + "/get"})
		if x.Failure != "" || x.DNS.Resolver != "local" || x.Times.DNS != 0 {
			t.Errorf("HTTP/%s: %q, %+v", version, x.Failure, x.DNS)
			continue
		}
		if got := x.TCP.Attempts[0].Remote.Addr(); got != netip.MustParseAddr(first) {
			t.Errorf("HTTP/%s tried %v first, want %s", version, got, first)
		}
	}
}
