package call_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/lab"
)

// TestStale calls over connections that the server closed in between.
func TestStale(t *testing.T) {
	s := serveRaw(t)
	c := client(t, nil, call.Options{})
	for range 20 {
		// The server closes after it, without saying so, and perhaps not before
		// the next request is on its way.
		one(t, c, &call.Request{Method: "GET", URL: s.URL() + "/then-close"})
		if x := one(t, c, &call.Request{Method: "GET", URL: s.URL() + "/ok"}); x.Failure != "" || x.Response.Status != 200 {
			t.Errorf("GET after a close failed at %v: %q", x.FailedAt, x.Failure)
		}
	}
	// A connection that dies under the request is made again for what may be
	// asked twice.
	for method, fails := range map[string]bool{"GET": false, "POST": true} {
		var n atomic.Int32
		d := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1) == 2 {
				panic(http.ErrAbortHandler)
			}
		}))
		c := client(t, d, call.Options{HTTP: "1.1"})
		one(t, c, &call.Request{Method: "GET", URL: d.URL()})
		x := one(t, c, &call.Request{Method: method, URL: d.URL()})
		if (x.Failure != "") != fails || fails && x.FailedAt != exchange.StepServer {
			t.Errorf("%s over a connection that died failed at %v: %q", method, x.FailedAt, x.Failure)
		}
		if !fails && (x.TCP.Reused || x.Times.Connect == 0) {
			t.Errorf("%s noted %+v, %+v of a connection that was made again", method, x.TCP, x.Times)
		}
	}
}

// TestAtOnce makes many calls at the same time.
func TestAtOnce(t *testing.T) {
	s := serve(t, nil)
	inVersions(t, func(t *testing.T, version string) {
		c := client(t, s, call.Options{HTTP: version, Recorder: &recorder{}})
		var made atomic.Int32
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				x := c.Do(context.Background(), &call.Request{Method: "GET", URL: fmt.Sprintf("%s/get?n=%d", s.URL(), i)})[0]
				if x.Failure != "" || !strings.Contains(string(x.Response.Body.Data), fmt.Sprintf(`"n":"%d"`, i)) {
					t.Errorf("call %d failed at %v: %q", i, x.FailedAt, x.Failure)
					return
				}
				if !x.TCP.Reused {
					made.Add(1)
				}
			})
		}
		wg.Wait()
		if n := made.Load(); version != "1.1" && n != 1 {
			t.Errorf("64 calls at once made %d connections, want 1", n)
		}
	})
}

// TestHungShared wants a connection that many use to be left when a call over it
// took too long.
func TestHungShared(t *testing.T) {
	s := serve(t, lab.Faults())
	for _, version := range []string{"2", "3"} {
		c := client(t, s, call.Options{HTTP: version})
		for i, want := range []bool{false, true, false} {
			path, ctx := "/", context.Background()
			if i == 1 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 50*time.Millisecond)
				defer cancel()
				path = "/hang"
			}
			if x := c.Do(ctx, &call.Request{Method: "GET", URL: s.URL() + path})[0]; x.TCP.Reused != want || (x.Failure != "") != (i == 1) {
				t.Errorf("HTTP/%s: call %d reused %v, failed at %v: %q", version, i, x.TCP.Reused, x.FailedAt, x.Failure)
			}
		}
	}
}

// TestClosed calls after Close: nothing is kept, and it works.
func TestClosed(t *testing.T) {
	s := serve(t, nil)
	inVersions(t, func(t *testing.T, version string) {
		c := client(t, s, call.Options{HTTP: version})
		for range 2 {
			if x := one(t, c, &call.Request{Method: "GET", URL: s.URL() + "/get"}); x.Failure != "" || x.TCP.Reused {
				t.Errorf("Do: %q, noted %+v", x.Failure, x.TCP)
			}
			c.Close()
		}
	})
}

// TestLargeHeader wants a header beyond the limit to be refused in all versions.
func TestLargeHeader(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Large", strings.Repeat("a", 40<<10))
	}))
	inVersions(t, func(t *testing.T, version string) {
		if x := one(t, client(t, s, call.Options{HTTP: version}), &call.Request{Method: "GET", URL: s.URL()}); x.Failure != "" || len(x.Response.Header.Get("X-Large")) != 40<<10 {
			t.Errorf("Do failed at %v: %q", x.FailedAt, x.Failure)
		}
		if x := one(t, client(t, s, call.Options{HTTP: version, MaxHeader: 16 << 10}), &call.Request{Method: "GET", URL: s.URL()}); x.Failure == "" || x.Response != nil {
			t.Errorf("Do took a header of 40 KiB, want at most 16")
		} else {
			t.Logf("%v: %s", x.FailedAt, x.Failure)
		}
	})
}

// TestLargeRequest sends a body to a server that reads it, and to one that
// answers at once and does not.
func TestLargeRequest(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refuse" {
			w.Header().Set("Connection", "close")
			w.WriteHeader(413)
			return
		}
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	}))
	body := bytes.Repeat([]byte("x"), 8<<20)
	inVersions(t, func(t *testing.T, version string) {
		c := client(t, s, call.Options{HTTP: version, Timeout: 20 * time.Second})
		if x := one(t, c, &call.Request{Method: "POST", URL: s.URL() + "/take", Body: body}); x.Failure != "" || string(x.Response.Body.Data) != "8388608" || x.Times.Send == 0 {
			t.Errorf("Do failed at %v: %q, %+v", x.FailedAt, x.Failure, x.Response)
		}
		x := one(t, c, &call.Request{Method: "POST", URL: s.URL() + "/refuse", Body: body})
		// The reset of what was not read may overtake the answer.
		if x.Response == nil && x.Failure == "" || x.Response != nil && x.Response.Status != 413 {
			t.Errorf("Do failed at %v: %q, %+v", x.FailedAt, x.Failure, x.Response)
		}
	})
}

func TestTransport(t *testing.T) {
	s := serve(t, nil)
	var rec recorder
	h := &http.Client{Transport: call.Transport(client(t, s, call.Options{Recorder: &rec}))}
	resp, err := h.Post(s.URL()+"/redirect-to?status=307&url=/post", "text/plain", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 || !strings.Contains(string(body), `"data":"hello"`) || resp.Header.Get("Content-Type") == "" || resp.Proto != "HTTP/2.0" || resp.ProtoMajor != 2 {
		t.Errorf("RoundTrip got %+v %s: %v", resp, body, err)
	}
	if len(rec.xs) != 2 {
		t.Errorf("RoundTrip recorded %d exchanges, want 2", len(rec.xs))
	}
	if _, err := h.Get("https://other.parley.test:1/"); err == nil {
		t.Error("RoundTrip to nowhere did not fail")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r, _ := http.NewRequestWithContext(ctx, "GET", s.URL(), nil)
	if _, err := h.Do(r); err == nil || !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("RoundTrip that was cancelled: %v", err)
	}
}

// TestTarget wants the target to be sent as it was written.
func TestTarget(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RequestURI) }))
	inVersions(t, func(t *testing.T, version string) {
		c := client(t, s, call.Options{HTTP: version})
		for in, want := range map[string]string{
			"": "/", "/a//b": "/a//b", "/a%2fb": "/a%2fb", "/a/../b": "/a/../b", "?x=1": "/?x=1", "/a b": "/a%20b", "/é?q=ü": "/%C3%A9?q=%C3%BC",
			"/a?x=%zz&y='()": "/a?x=%zz&y='()", "/a#frag": "/a", "/a?": "/a?", "/;a=1/:b@c": "/;a=1/:b@c", "/a?b?c=/d": "/a?b?c=/d", "/a'(b)*!": "/a'(b)*!",
		} {
			x := one(t, c, &call.Request{Method: "GET", URL: s.URL() + in})
			if x.Failure != "" || string(x.Response.Body.Data) != want || x.Request.Target != want {
				t.Errorf("Do(%q) sent %q and noted %q, want %q: %s", in, x.Response.Body.Data, x.Request.Target, want, x.Failure)
			}
		}
	})
}
