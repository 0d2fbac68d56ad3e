package call_test

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/lab"
)

// A recorder keeps what it is given, and spoils it as it may.
type recorder struct {
	mu sync.Mutex
	xs []*exchange.Exchange
}

func (r *recorder) Record(x *exchange.Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.xs = append(r.xs, x)
	for i := range x.Request.Header {
		x.Request.Header[i].Value = "spoilt"
	}
}

func TestRedirects(t *testing.T) {
	s, other := serve(t, nil), serve(t, nil)
	resolve := s.Resolve()
	for at, as := range other.Resolve() {
		resolve[at] = as
	}
	secret := exchange.Header{{Name: "Authorization", Value: "Bearer topsecret"}, {Name: "Cookie", Value: "a=topsecret"}, {Name: "X-Order", Value: "42"}, {Name: "Content-Type", Value: "text/plain"}}
	to := func(status, where string) string {
		return s.URL() + "/redirect-to?status=" + status + "&url=" + url.QueryEscape(where)
	}
	clear := plain(s, &call.Request{URL: s.URL() + "/anything"}).URL
	inVersions(t, func(t *testing.T, version string) {
		for _, test := range []struct {
			name, method, url string
			gets              string // method, and body when it is kept
			secret            bool
		}{
			{"303", "POST", to("303", "/anything"), "GET", true},
			{"302", "POST", to("302", "/anything"), "GET", true},
			{"301 of PUT", "PUT", to("301", "anything"), "PUT hello", true},
			{"307", "POST", to("307", "/anything"), "POST hello", true},
			{"308 elsewhere", "POST", to("308", other.URL()+"/anything"), "POST hello", false},
			{"302 to clear", "POST", to("302", clear), "GET", false},
		} {
			if version == "3" && strings.Contains(test.name, "clear") {
				continue // no HTTP/3 without TLS
			}
			t.Run(test.name, func(t *testing.T) {
				var rec recorder
				c := client(t, s, call.Options{HTTP: version, Redirects: 5, Recorder: &rec, Resolve: resolve})
				xs := c.Do(context.Background(), &call.Request{Method: test.method, URL: test.url, Header: secret, Body: []byte("hello")})
				if len(xs) != 2 || len(rec.xs) != 2 || rec.xs[1].ID != xs[1].ID {
					t.Fatalf("Do returned %d exchanges and recorded %d, want 2: %q", len(xs), len(rec.xs), xs[0].Failure)
				}
				x := xs[1]
				if len(x.Links) != 1 || x.Links[0] != (exchange.Link{Kind: exchange.Redirect, ID: xs[0].ID}) {
					t.Errorf("Do linked %v", x.Links)
				}
				got := decode(t, x)
				sent := got["method"].(string)
				if data, _ := got["data"].(string); data != "" {
					sent += " " + data
				}
				if h := got["headers"].(map[string]any); sent != test.gets || h["x-order"] != "42" {
					t.Errorf("Do sent %q with %v, want %q", sent, h, test.gets)
				}
				if has := strings.Contains(string(x.Response.Body.Data), "topsecret"); has != test.secret {
					t.Errorf("the secret arrived: %v, want %v", has, test.secret)
				}
				if xs[0].Request.Header.Get("X-Order") != "42" {
					t.Error("what Do returned was changed by the recorder")
				}
			})
		}
	})
}

// TestKeepMethod sends again what was sent, but not what proves who asks to
// somebody else.
func TestKeepMethod(t *testing.T) {
	s, other := serve(t, nil), serve(t, nil)
	resolve := s.Resolve()
	for at, as := range other.Resolve() {
		resolve[at] = as
	}
	c := client(t, s, call.Options{Redirects: 5, Resolve: resolve})
	for _, status := range []string{"301", "302", "303", "307"} {
		for _, to := range []string{"/anything", other.URL() + "/anything"} {
			xs := c.Do(context.Background(), &call.Request{Method: "POST", URL: s.URL() + "/redirect-to?status=" + status + "&url=" + url.QueryEscape(to),
				Body: []byte("hello"), KeepMethod: true, Header: exchange.Header{{Name: "Authorization", Value: "Bearer topsecret"}}})
			got := decode(t, xs[len(xs)-1])
			_, has := got["headers"].(map[string]any)["authorization"]
			if got["method"] != "POST" || got["data"] != "hello" || has != (to == "/anything") {
				t.Errorf("%s to %s: Do sent %v", status, to, got)
			}
		}
	}
}

func TestEndlessRedirects(t *testing.T) {
	s := serve(t, lab.Faults())
	c := client(t, s, call.Options{Redirects: 4})
	xs := c.Do(context.Background(), &call.Request{Method: "GET", URL: s.URL() + "/endless-redirects"})
	if x := xs[len(xs)-1]; len(xs) != 5 || x.Failure != "it was redirected more than 4 times" || x.FailedAt != exchange.StepResponse || x.Response.Status != 302 {
		t.Errorf("Do returned %d exchanges, the last failed at %v: %q", len(xs), x.FailedAt, x.Failure)
	}
	xs = client(t, s, call.Options{}).Do(context.Background(), &call.Request{Method: "GET", URL: s.URL() + "/endless-redirects"})
	if len(xs) != 1 || xs[0].Failure != "" {
		t.Errorf("Do followed a redirect that it was not to follow")
	}
}

func TestCookies(t *testing.T) {
	s := serve(t, lab.Faults())
	inVersions(t, func(t *testing.T, version string) {
		c := client(t, s, call.Options{HTTP: version, Jar: call.NewJar()})
		x := one(t, c, &call.Request{Method: "GET", URL: s.URL() + "/cookies"})
		refused := map[string]string{}
		for _, k := range x.Client.Cookies {
			refused[k.Name] = k.Refused
		}
		if len(refused) != 4 || refused["sid"] != "" || refused["lang"] != "" || refused["wide"] != "domain belongs to everybody" || !strings.HasPrefix(refused["__Host-x"], "prefix __Host-") {
			t.Errorf("Do kept %v", refused)
		}
		x = one(t, c, &call.Request{Method: "GET", URL: s.URL() + "/cookies", Header: exchange.Header{{Name: "Cookie", Value: "lang=de"}}})
		got := decode(t, x)["cookies"].(map[string]any)
		if len(got) != 2 || got["sid"] != "s1" || got["lang"] != "de" {
			t.Errorf("Do sent %v", got)
		}
	})
}

// TestCookiesUnverified wants nothing kept from a server that did not prove who
// it is.
func TestCookiesUnverified(t *testing.T) {
	s := serve(t, lab.Faults())
	c := client(t, s, call.Options{Jar: call.NewJar(), Roots: x509.NewCertPool(), Untrusted: call.Withhold})
	for range 2 {
		x := one(t, c, &call.Request{Method: "GET", URL: s.URL() + "/cookies"})
		if k := x.Client.Cookies; len(k) != 4 || k[0].Refused != "the channel was not verified" || x.Request.Header.Has("Cookie") {
			t.Errorf("Do kept %+v and sent %v", k, x.Request.Header)
		}
	}
}

func TestKept(t *testing.T) {
	s := serve(t, lab.Faults())
	inVersions(t, func(t *testing.T, version string) {
		x := one(t, client(t, s, call.Options{HTTP: version}), &call.Request{Method: "GET", URL: s.URL() + "/hsts"})
		if x.Client.HSTS.Hours() != 8760 || len(x.Client.AltSvc) != 2 || x.Client.AltSvc[0] != `h3=":443"; ma=86400` {
			t.Errorf("Do noted %+v", x.Client)
		}
		if ts := x.Server.Timing; len(ts) != 2 || ts[1].Name != "app" || ts[1].Says != "the, app" || ts[1].Duration.Microseconds() != 46900 {
			t.Errorf("Do noted %+v", ts)
		}
		x = one(t, client(t, s, call.Options{HTTP: version}), &call.Request{Method: "GET", URL: s.URL() + "/trailers"})
		if string(x.Response.Body.Data) != "checked" || x.Response.Trailer.Get("X-Checksum") != "7" {
			t.Errorf("Do read %q and the trailer %v", x.Response.Body.Data, x.Response.Trailer)
		}
		x = one(t, client(t, s, call.Options{HTTP: version}), &call.Request{Method: "GET", URL: s.URL() + "/interim"})
		if len(x.Response.Interim) != 1 || x.Response.Interim[0] != 103 {
			t.Errorf("Do read interim answers %v", x.Response.Interim)
		}
	})
}

// A once is a credential that is asked for first.
type once struct{ asked bool }

func (o *once) Scheme() string { return "digest" }
func (o *once) Apply(_ context.Context, r *exchange.Request) error {
	if o.asked {
		r.Header = append(r.Header, exchange.Field{Name: "Authorization", Value: "Basic cG9zdG1hbjpwYXNzd29yZA=="})
	}
	return nil
}
func (o *once) Answer(_ context.Context, _ *exchange.Request, got *exchange.Response) (bool, error) {
	o.asked = got.Status == http.StatusUnauthorized
	return o.asked, nil
}

func TestAnswer(t *testing.T) {
	s := serve(t, nil)
	inVersions(t, func(t *testing.T, version string) {
		c := client(t, s, call.Options{HTTP: version})
		xs := c.Do(context.Background(), &call.Request{Method: "GET", URL: s.URL() + "/basic-auth", Auth: &once{}})
		if len(xs) != 2 || xs[0].Response.Status != 401 || xs[1].Response.Status != 200 || xs[1].Links[0] != (exchange.Link{Kind: exchange.Retry, ID: xs[0].ID}) {
			t.Fatalf("Do returned %d exchanges, the first with %+v", len(xs), xs[0].Response)
		}
		if k := xs[1].Server.Credential; k == nil || k.Field != "Authorization" || k.Scheme != "digest" {
			t.Errorf("Do noted %+v", k)
		}
		// A challenge that comes again and again is answered once.
		xs = c.Do(context.Background(), &call.Request{Method: "GET", URL: s.URL() + "/status/401", Auth: &once{}})
		if len(xs) != 2 {
			t.Errorf("Do asked %d times, want 2", len(xs))
		}
	})
}
