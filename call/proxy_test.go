package call_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/lab"
)

func TestProxy(t *testing.T) {
	s := serve(t, nil)
	p, err := lab.ServeProxy(authority)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	inClear := plain(s, &call.Request{URL: s.URL() + "/get"}).URL
	_, host, _ := strings.Cut(inClear, "://")
	host, _, _ = strings.Cut(host, "/")
	address := strings.Replace(s.Host(), lab.Name, "127.0.0.1", 1)
	for _, kind := range []string{"http", "https", "socks5", "socks5h"} {
		for _, test := range []struct{ url, asked string }{
			{s.URL() + "/get", map[string]string{"http": "CONNECT " + s.Host(), "https": "CONNECT " + s.Host(), "socks5": "SOCKS " + address, "socks5h": "SOCKS " + address}[kind]},
			{inClear, map[string]string{"http": "GET " + inClear, "https": "GET " + inClear, "socks5": "SOCKS " + strings.Replace(host, lab.Name, "127.0.0.1", 1),
				"socks5h": "SOCKS " + strings.Replace(host, lab.Name, "127.0.0.1", 1)}[kind]},
		} {
			c := client(t, s, call.Options{Proxy: p.URL(kind)})
			for i := range 2 {
				x := one(t, c, &call.Request{Method: "GET", URL: test.url})
				if x.Failure != "" || x.Response.Status != 200 {
					t.Fatalf("Do(%s) through %s failed at %v: %q", test.url, kind, x.FailedAt, x.Failure)
				}
				if strings.Contains(x.TCP.Proxy, "sesame") || !strings.HasPrefix(x.TCP.Proxy, kind+"://127.0.0.1:") || x.TCP.Reused != (i == 1) {
					t.Errorf("Do noted %+v", x.TCP)
				}
				if strings.Contains(string(x.Response.Body.Data), "proxy-auth") || x.Request.Header.Has("Proxy-Authorization") {
					t.Errorf("what the proxy wants went on to the server, or into the exchange: %s", x.Response.Body.Data)
				}
				asked := p.Asked()
				if i == 0 && !slices.Equal(asked, []string{test.asked}) {
					t.Errorf("the proxy was asked for %q, want %q", asked, test.asked)
				}
			}
		}
	}
}

func TestProxyFails(t *testing.T) {
	s := serve(t, nil)
	p, err := lab.ServeProxy(authority)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	for _, test := range []struct{ proxy, url, says string }{
		{"http://127.0.0.1:1", s.URL(), "the proxy cannot be reached: no connection to 127.0.0.1:1: refused"},
		{"socks5://127.0.0.1:1", s.URL(), "the proxy cannot be reached"},
		{"http://" + p.Plain.String(), s.URL(), "the proxy refuses to connect to " + s.Host() + ": 407"},
		{p.URL("http"), "https://api.parley.test:1/", "the proxy refuses to connect to api.parley.test:1: 502"},
		{"socks5h://" + p.SOCKS.String(), s.URL(), "the proxy does not connect to"},
		{p.URL("https"), s.URL(), "the proxy did not prove who it is"},
	} {
		o := call.Options{Proxy: test.proxy}
		if test.proxy == p.URL("https") {
			o.Roots = lab.NewAuthority().Pool()
		}
		x := one(t, client(t, s, o), &call.Request{Method: "GET", URL: test.url})
		if x.FailedAt != exchange.StepTCP || !strings.Contains(x.Failure, test.says) {
			t.Errorf("Do through %s failed at %v: %q, want %q", test.proxy, x.FailedAt, x.Failure, test.says)
		}
		if strings.Contains(x.Failure, "sesame") {
			t.Errorf("the failure tells the password: %s", x.Failure)
		}
	}
	for _, o := range []call.Options{{Proxy: "ftp://x"}, {Proxy: "nonsense"}, {Proxy: "http://x", HTTP: "3"}, {HTTP: "9"}, {Timeout: -1}} {
		if _, err := call.New(o); err == nil {
			t.Errorf("New(%+v) found nothing wrong", o)
		}
	}
}
