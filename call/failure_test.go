package call_test

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/lab"
	"github.com/parley-project/parley/internal/needs"
)

func serveRaw(t testing.TB) *lab.Raw {
	t.Helper()
	s, err := lab.ServeRaw(authority)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// TestAnswers is what the client makes of HTTP/1.1 that is odd or broken.
func TestAnswers(t *testing.T) {
	s := serveRaw(t)
	patient := client(t, nil, call.Options{MaxTransfer: 8 << 20, MaxBody: 1 << 20})
	hasty := client(t, nil, call.Options{Timeout: 300 * time.Millisecond})
	for _, test := range []struct {
		path, method string
		status       int
		body         string
		step         exchange.Step
		says         string
	}{
		{path: "/ok", status: 200, body: "fine"},
		{path: "/bare-lf", status: 200, body: "ok"},
		{path: "/folded", status: 200},
		{path: "/old", status: 200, body: "until the end"},
		{path: "/interim", status: 200, body: "fine"},
		{path: "/trailers", status: 200, body: "abc"},
		{path: "/same-lengths", status: 200, body: "ok"},
		{path: "/both-lengths", status: 200, body: "ok"},
		{path: "/unasked", status: 200, body: "fine"},
		{path: "/then-close", status: 200, body: "last"},
		{path: "/slow-header", status: 200, body: "slow"},
		{path: "/none", status: 204},
		{path: "/not-modified", status: 304},
		{path: "/ok", method: "HEAD", status: 200},
		{path: "/switch", status: 101},

		{path: "/endless-interim", step: exchange.StepResponse, says: "interim answers without end"},
		{path: "/endless-header", step: exchange.StepResponse, says: "the header has no end"},
		{path: "/endless-line", step: exchange.StepResponse, says: "the header has no end"},
		{path: "/endless-status", step: exchange.StepResponse, says: "the header has no end"},
		{path: "/many-fields", step: exchange.StepResponse, says: "more than 1024 fields"},
		{path: "/endless-chunks", status: 200, step: exchange.StepResponse, says: "longer than 8388608 bytes"},
		{path: "/endless-chunk", status: 200, step: exchange.StepResponse, says: "chunks are broken"},
		{path: "/endless-trailer", status: 200, step: exchange.StepResponse, says: "chunks are broken"},
		{path: "/broken-chunk", status: 200, body: "abc", step: exchange.StepResponse, says: "chunks are broken"},
		{path: "/long-chunk", status: 200, step: exchange.StepResponse, says: "chunks are broken"},
		{path: "/short-chunk", status: 200, body: "abc", step: exchange.StepResponse, says: "closed the connection"},
		{path: "/short-body", status: 200, body: "only this", step: exchange.StepResponse, says: "closed the connection"},
		{path: "/two-lengths", status: 200, step: exchange.StepResponse, says: "two lengths: 2 and 3"},
		{path: "/no-field", step: exchange.StepResponse, says: `"this is no field"`},
		{path: "/rubbish", step: exchange.StepResponse, says: "does not speak HTTP/1.1"},
		{path: "/empty", step: exchange.StepServer, says: "closed the connection"},
		{path: "/hang", step: exchange.StepServer, says: "waiting for the answer took too long"},
		{path: "/hang-in-header", step: exchange.StepResponse, says: "reading the answer took too long"},
		{path: "/hang-in-body", status: 200, body: "half", step: exchange.StepResponse, says: "reading the answer took too long"},
		{path: "/reset", step: exchange.StepServer, says: "reset the connection"},
		{path: "/reset-in-body", status: 200, body: "half", step: exchange.StepResponse, says: "reset the connection"},
	} {
		method := test.method
		if method == "" {
			method = "GET"
		}
		c := patient
		if strings.HasPrefix(test.path, "/hang") {
			c = hasty
		}
		x := one(t, c, &call.Request{Method: method, URL: s.URL() + test.path})
		if x.FailedAt != test.step || !strings.Contains(x.Failure, test.says) || (x.Failure == "") != (test.says == "") {
			t.Errorf("Do(%s) failed at %v: %q, want at %v: %q", test.path, x.FailedAt, x.Failure, test.step, test.says)
		}
		status, body := 0, ""
		if x.Response != nil {
			status, body = x.Response.Status, string(x.Response.Body.Data)
			if x.Response.Fidelity != exchange.OnTheWire {
				t.Errorf("Do(%s) has fidelity %q", test.path, x.Response.Fidelity)
			}
		}
		if status != test.status || (test.body != "" || test.says == "") && body != test.body {
			t.Errorf("Do(%s) got %d %q, want %d %q", test.path, status, body, test.status, test.body)
		}
	}
}

// TestWireOrder wants names, case and order as they were sent.
func TestWireOrder(t *testing.T) {
	s := serveRaw(t)
	x := one(t, client(t, nil, call.Options{}), &call.Request{Method: "GET", URL: s.URL() + "/case"})
	want := exchange.Header{{Name: "x-LOWER", Value: "1"}, {Name: "Set-Cookie", Value: "a=1"}, {Name: "X-Two", Value: "spaced"},
		{Name: "set-cookie", Value: "b=2"}, {Name: "Content-Length", Value: "0"}}
	if got := x.Response.Header; len(got) != len(want) || got[0] != want[0] || got[2] != want[2] || got[3] != want[3] {
		t.Errorf("Do read %v, want %v", got, want)
	}
}

// TestUnreachable is about calls that come to no server.
func TestUnreachable(t *testing.T) {
	s := serve(t, nil)
	raw := serveRaw(t)
	dead := func(ctx context.Context) *exchange.DNS {
		<-ctx.Done()
		return &exchange.DNS{Failure: "no answer"}
	}
	for _, test := range []struct {
		name, url string
		o         call.Options
		step      exchange.Step
		says      string
	}{
		{"no scheme", "api.parley.test/", call.Options{}, exchange.StepRequest, "no scheme"},
		{"scheme", "ftp://api.parley.test/", call.Options{}, exchange.StepRequest, `"ftp" is not spoken`},
		{"no host", "http:///x", call.Options{}, exchange.StepRequest, "names no host"},
		{"port", "http://h:99999/x", call.Options{}, exchange.StepRequest, "is no port"},
		{"refused", "http://127.0.0.1:1/", call.Options{}, exchange.StepTCP, "nothing listens there"},
		{"no name", "http://nowhere.parley.test/", call.Options{Resolver: resolver(func(context.Context) *exchange.DNS { return &exchange.DNS{Failure: "NXDOMAIN"} })},
			exchange.StepDNS, "no address for nowhere.parley.test: NXDOMAIN"},
		{"dead resolver", "http://nowhere.parley.test/", call.Options{Resolver: resolver(dead), Timeout: 50 * time.Millisecond}, exchange.StepDNS, "took too long"},
		{"no TLS", "https://" + s.Plain.String() + "/", call.Options{}, exchange.StepTLS, "no TLS with 127.0.0.1: the peer does not speak TLS"},
		{"refused QUIC", "https://127.0.0.1:1/", call.Options{HTTP: "3", Timeout: 100 * time.Millisecond}, exchange.StepTCP, "by QUIC"},
		{"HTTP/3 in clear", s.PlainURL(), call.Options{HTTP: "3"}, exchange.StepRequest, "never spoken in clear"},
		{"no HTTP/2", "https://" + raw.Secure.String() + "/", call.Options{HTTP: "2", Untrusted: call.SendAnyway}, exchange.StepTLS, "HTTP/2"},
		{"line end", s.PlainURL() + "/", call.Options{}, exchange.StepRequest, "control character"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &call.Request{Method: "GET", URL: test.url}
			if test.name == "line end" {
				r.Header = exchange.Header{{Name: "X-A", Value: "1\r\nX-B: 2"}}
			}
			x := one(t, client(t, nil, test.o), r)
			if x.FailedAt != test.step || !strings.Contains(x.Failure, test.says) || x.Response != nil {
				t.Errorf("Do(%s) failed at %v: %q, want at %v: %q", test.url, x.FailedAt, x.Failure, test.step, test.says)
			}
		})
	}
}

type resolver func(context.Context) *exchange.DNS

func (r resolver) Resolve(ctx context.Context, name string) *exchange.DNS { return r(ctx) }

// TestRace tries the next address beside one that refuses.
func TestRace(t *testing.T) {
	s := serve(t, nil)
	inVersions(t, func(t *testing.T, version string) {
		c := client(t, s, call.Options{HTTP: version, Untrusted: call.SendAnyway, Timeout: 5 * time.Second,
			Resolve: map[string][]netip.Addr{s.Host(): {netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.1")}}})
		x := one(t, c, &call.Request{Method: "GET", URL: s.URL() + "/get"})
		if x.Failure != "" || len(x.TCP.Attempts) != 2 || x.TCP.Attempts[0].Failure == "" || x.TCP.Attempts[1].Failure != "" || x.TCP.Remote != s.Secure {
			t.Errorf("Do: %q, connected to %v after %+v", x.Failure, x.TCP.Remote, x.TCP.Attempts)
		}
		if x.DNS == nil || x.DNS.Resolver != "given" || len(x.DNS.Addresses) != 2 {
			t.Errorf("Do noted %+v", x.DNS)
		}
	})
}

// TestCancel wants a call to end with its context, whatever it waits for.
func TestCancel(t *testing.T) {
	s := serve(t, lab.Faults())
	inVersions(t, func(t *testing.T, version string) {
		c := client(t, s, call.Options{HTTP: version, Untrusted: call.SendAnyway})
		one(t, c, &call.Request{Method: "GET", URL: s.URL() + "/"})
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(20*time.Millisecond, cancel)
		began := time.Now()
		xs := c.Do(ctx, &call.Request{Method: "GET", URL: s.URL() + "/hang"})
		if x := xs[len(xs)-1]; x.Failure != "waiting for the answer was cancelled" || x.FailedAt != exchange.StepServer || time.Since(began) > 5*time.Second {
			t.Errorf("Do ended after %v at %v: %q", time.Since(began), x.FailedAt, x.Failure)
		}
	})
}

// TestMemory reads bodies and heads without end and looks at what is held.
func TestMemory(t *testing.T) {
	s := serve(t, lab.Faults())
	most := int64(64 << 20)
	if needs.Full() {
		most = 1 << 30
	}
	inVersions(t, func(t *testing.T, version string) {
		c := client(t, s, call.Options{HTTP: version, Untrusted: call.SendAnyway, MaxBody: 1 << 20, MaxTransfer: most, Timeout: time.Minute})
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		x := one(t, c, &call.Request{Method: "GET", URL: s.URL() + "/endless-body"})
		runtime.GC()
		runtime.ReadMemStats(&after)
		if !strings.Contains(x.Failure, fmt.Sprintf("longer than %d bytes", most)) || x.FailedAt != exchange.StepResponse {
			t.Errorf("Do failed at %v: %q", x.FailedAt, x.Failure)
		}
		if got := len(x.Response.Body.Data); got != 1<<20 {
			t.Errorf("Do kept %d bytes, want 1 MiB", got)
		}
		if grown := int64(after.Sys) - int64(before.Sys); grown > 32<<20 {
			t.Errorf("Do took %d MiB from the system for %d MiB of body", grown>>20, most>>20)
		} else {
			needs.Figure(t, "call-memory-"+version, "%d MiB for a body of %d MiB, of which 1 is kept", grown>>20, most>>20)
		}
		runtime.KeepAlive(x)
	})
}
