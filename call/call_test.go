package call_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/lab"
)

// versions are those that each test of the client runs in.
var versions = []string{"1.1", "2", "3"}

var authority = lab.NewAuthority()

// serve starts a laboratory server in all versions.
func serve(t testing.TB, h http.Handler) *lab.HTTP {
	t.Helper()
	s, err := lab.ServeHTTP(authority, h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// client returns a client that trusts the laboratory.
func client(t testing.TB, s *lab.HTTP, o call.Options) *call.Client {
	t.Helper()
	if o.Roots == nil {
		o.Roots = authority.Pool()
	}
	if s != nil && o.Resolve == nil {
		o.Resolve = s.Resolve()
	}
	c, err := call.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// one makes a call that must have one exchange.
func one(t testing.TB, c *call.Client, r *call.Request) *exchange.Exchange {
	t.Helper()
	xs := c.Do(context.Background(), r)
	if len(xs) != 1 {
		t.Fatalf("Do(%s %s) returned %d exchanges, want 1", r.Method, r.URL, len(xs))
	}
	return xs[0]
}

// inVersions runs a test over HTTP/1.1, 2 and 3.
func inVersions(t *testing.T, f func(t *testing.T, version string)) {
	for _, v := range versions {
		t.Run("HTTP/"+v, func(t *testing.T) { f(t, v) })
	}
}

func decode(t testing.TB, x *exchange.Exchange) map[string]any {
	t.Helper()
	var v map[string]any
	if x.Response == nil {
		t.Fatalf("no response: %s at %s", x.Failure, x.FailedAt)
	}
	if err := json.Unmarshal(x.Response.Body.Data, &v); err != nil {
		t.Fatalf("body %q: %v", x.Response.Body.Data, err)
	}
	return v
}

func TestDo(t *testing.T) {
	s := serve(t, nil)
	proto := map[string]string{"1.1": "HTTP/1.1", "2": "HTTP/2.0", "3": "HTTP/3.0"}
	inVersions(t, func(t *testing.T, version string) {
		c := client(t, s, call.Options{HTTP: version, Untrusted: call.SendAnyway})
		r := &call.Request{Method: "POST", URL: s.URL() + "/post?a=1&b=%20x", Body: []byte(`{"n":7}`),
			Header: exchange.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "X-Order", Value: "42"}}}
		for i := range 3 {
			x := one(t, c, r)
			if x.Failure != "" || x.Response == nil || x.Response.Status != 200 {
				t.Fatalf("Do failed at %s: %s", x.FailedAt, x.Failure)
			}
			got := decode(t, x)
			if got["json"].(map[string]any)["n"] != 7.0 || got["args"].(map[string]any)["b"] != " x" || got["headers"].(map[string]any)["x-order"] != "42" {
				t.Errorf("Do sent %v", got)
			}
			if x.Request.Proto != proto[version] || x.TLS == nil || x.TLS.Version != "TLS 1.3" || x.TLS.Group == "" || len(x.TLS.ServerName) == 0 {
				t.Errorf("Do noted %s and %+v", x.Request.Proto, x.TLS)
			}
			if reused := i > 0; x.TCP.Reused != reused || (x.Times.Connect == 0) != reused || x.Times.Wait <= 0 || x.Times.Total < x.Times.Wait {
				t.Errorf("call %d: reused %v, times %+v", i, x.TCP.Reused, x.Times)
			}
		}
	})
}
