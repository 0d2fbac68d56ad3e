package gateway

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-project/parley/exchange"
)

// scripted is an upstream that does with each connection what a test says. It
// returns its URL and a count of connections.
func scripted(t testing.TB, on func(c net.Conn, br *bufio.Reader, nth int)) (string, *atomic.Int32) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	n := new(atomic.Int32)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			nth := int(n.Add(1))
			go func() {
				defer c.Close()
				on(c, bufio.NewReader(c), nth)
			}()
		}
	}()
	return "http://" + l.Addr().String(), n
}

// request reads one request with its body, or returns nil.
func request(br *bufio.Reader) *http.Request {
	r, err := http.ReadRequest(br)
	if err != nil {
		return nil
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil
	}
	r.Body = io.NopCloser(bytes.NewReader(b))
	return r
}

// front serves an upstream without TLS or a gateway, for tests of the client.
func front(t testing.TB, base string, o UpstreamOptions) (*httptest.Server, *Upstream) {
	t.Helper()
	up, err := NewUpstream(base, o)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(up)
	s.Config.ErrorLog = nil
	t.Cleanup(func() { s.Close(); up.Close() })
	return s, up
}

func TestStaleConnection(t *testing.T) {
	// The upstream closes each connection after its first answer, or when the
	// second request comes, without a word.
	for _, closes := range []string{"at once", "on the next"} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			var mu sync.Mutex
			seen := 0
			closed := make(chan struct{}, 10)
			base, _ := scripted(t, func(c net.Conn, br *bufio.Reader, nth int) {
				for i := 1; request(br) != nil; i++ {
					mu.Lock()
					seen++
					mu.Unlock()
					if i == 2 {
						return // has read it, says nothing
					}
					io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
					if closes == "at once" {
						c.Close()
						closed <- struct{}{}
						return
					}
				}
			})
			s, up := front(t, base, UpstreamOptions{})
			get := func() int {
				r, _ := http.NewRequest(method, s.URL, nil)
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				return resp.StatusCode
			}
			get()
			if closes == "at once" {
				<-closed
				// Loopback: the end of stream is there when close returned.
			}
			status := get()
			mu.Lock()
			total := seen
			mu.Unlock()
			// A connection that is seen to be closed costs nobody anything.
			// One that dies with a request on it: only a safe one is sent again.
			want, sent := 200, 2
			if closes == "on the next" {
				if want, sent = 502, 2; method == "GET" {
					want, sent = 200, 3
				}
			}
			if status != want || total != sent {
				t.Errorf("%s, upstream closes %s: status %d, seen %d times, want %d, %d", method, closes, status, total, want, sent)
			}
			up.Close()
		}
	}
}

func TestUpstreamFailures(t *testing.T) {
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	gone := "http://" + l.Addr().String()
	l.Close()
	t.Run("refused", func(t *testing.T) {
		s, _ := front(t, gone, UpstreamOptions{})
		resp, err := http.Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		problem(t, resp, 502)
	})
	t.Run("silent", func(t *testing.T) {
		base, _ := scripted(t, func(c net.Conn, br *bufio.Reader, _ int) { request(br); io.Copy(io.Discard, br) })
		s, _ := front(t, base, UpstreamOptions{Header: 50 * time.Millisecond})
		resp, err := http.Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		problem(t, resp, 504)
	})
	t.Run("half a head", func(t *testing.T) {
		base, _ := scripted(t, func(c net.Conn, br *bufio.Reader, _ int) {
			request(br)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nX-A: ")
			io.Copy(io.Discard, br)
		})
		s, _ := front(t, base, UpstreamOptions{Header: 50 * time.Millisecond})
		resp, err := http.Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		problem(t, resp, 504)
	})
	t.Run("stops in the body", func(t *testing.T) {
		base, _ := scripted(t, func(c net.Conn, br *bufio.Reader, _ int) {
			request(br)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
			io.Copy(io.Discard, br)
		})
		s, _ := front(t, base, UpstreamOptions{Idle: 50 * time.Millisecond})
		resp, err := http.Get(s.URL)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		if err == nil {
			t.Error("half a body looked whole")
		}
	})
	t.Run("no TLS there", func(t *testing.T) {
		base, _ := scripted(t, func(c net.Conn, br *bufio.Reader, _ int) { io.WriteString(c, "HTTP/1.1 400 secret\r\n\r\n") })
		s, _ := front(t, "https"+strings.TrimPrefix(base, "http"), UpstreamOptions{})
		resp, err := http.Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		problem(t, resp, 502)
	})
	t.Run("overload", func(t *testing.T) {
		hold := make(chan struct{})
		in := make(chan struct{})
		base, _ := scripted(t, func(c net.Conn, br *bufio.Reader, _ int) {
			if request(br) != nil {
				in <- struct{}{}
				<-hold
				io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
			}
		})
		s, up := front(t, base, UpstreamOptions{MaxActive: 1})
		done := make(chan int)
		go func() { resp, _ := http.Get(s.URL); done <- resp.StatusCode }()
		<-in
		resp, err := http.Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		problem(t, resp, 503)
		close(hold)
		if n := <-done; n != 204 {
			t.Errorf("the first got %d", n)
		}
		up.Close()
		resp, err = http.Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		problem(t, resp, 503)
	})
}

func TestUpstreamCertificates(t *testing.T) {
	back := httptest.NewTLSServer(http.HandlerFunc(echo))
	defer back.Close()
	back.Config.ErrorLog = nil
	s, _ := front(t, back.URL, UpstreamOptions{})
	resp, err := http.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	problem(t, resp, 502) // nobody vouches for it
	file := writePEM(t, back.Certificate())
	s, _ = front(t, back.URL, UpstreamOptions{CAFile: file})
	if got := do(http.DefaultClient, "GET", s.URL, nil, nil, 0); !strings.HasPrefix(got, "200") {
		t.Errorf("with its authority: %s", got)
	}
	// The name must fit as well: it is for example.com and 127.0.0.1.
	s, _ = front(t, strings.Replace(back.URL, "127.0.0.1", "localhost", 1), UpstreamOptions{CAFile: file})
	resp, err = http.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	problem(t, resp, 502)
}

func TestFacts(t *testing.T) {
	back := httptest.NewTLSServer(http.HandlerFunc(echo))
	defer back.Close()
	up, err := NewUpstream(back.URL, UpstreamOptions{CAFile: writePEM(t, back.Certificate())})
	if err != nil {
		t.Fatal(err)
	}
	defer up.Close()
	for i := range 2 {
		var seen exchange.Seen
		w := httptest.NewRecorder()
		up.ServeHTTP(w, httptest.NewRequest("GET", "/", nil).WithContext(exchange.WithSeen(context.Background(), &seen)))
		if w.Code != 200 || seen.TLS == nil || seen.TLS.Version != "TLS 1.3" || seen.TLS.PeerName == "" || seen.TCP.Reused != (i == 1) ||
			(seen.Times.Connect > 0) != (i == 0) || (seen.Times.TLS > 0) != (i == 0) || seen.Times.Wait <= 0 || seen.Times.Send <= 0 {
			t.Errorf("request %d: %d, %+v %+v %+v", i, w.Code, seen, seen.TLS, seen.TCP)
		}
	}
}

func TestClientGoes(t *testing.T) {
	// Before the response, in the middle of one, and in the middle of an upload.
	for _, when := range []string{"waiting", "streaming", "uploading"} {
		for _, v := range versions {
			gone, in := make(chan struct{}), make(chan struct{})
			base, _ := scripted(t, func(c net.Conn, br *bufio.Reader, _ int) {
				http.ReadRequest(br)
				if when == "streaming" {
					io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
				}
				close(in)
				io.Copy(io.Discard, br) // until the gateway closes
				close(gone)
			})
			s := startAt(t, base, nil, UpstreamOptions{})
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			var body io.Reader
			pr, pw := io.Pipe()
			if when == "uploading" {
				body = pr
				go pw.Write(make([]byte, 100_000))
			}
			r, _ := http.NewRequestWithContext(ctx, "POST", s.base, body)
			left := make(chan struct{})
			go func() {
				defer close(left)
				resp, err := s.clients[v].Do(r)
				if err == nil {
					io.ReadFull(resp.Body, make([]byte, 5))
					cancel()
					resp.Body.Close()
				}
			}()
			<-in
			if when != "streaming" {
				cancel()
				pw.CloseWithError(context.Canceled)
			}
			<-left
			select {
			case <-gone:
			case <-time.After(20 * time.Second):
				t.Errorf("%s over %s: the upstream was not told that the client has gone", when, v)
			}
		}
	}
}

func TestNothingIsLeftRunning(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("traffic", func(t *testing.T) {
		s := start(t, http.HandlerFunc(echo), nil, UpstreamOptions{})
		for _, v := range versions {
			for range 10 {
				do(s.clients[v], "POST", s.base, nil, struct{ io.Reader }{strings.NewReader(strings.Repeat("x", 50_000))}, -1)
				do(s.clients[v], "GET", s.base+"/?size=100000", nil, nil, 0)
			}
		}
	})
	deadline := time.Now().Add(20 * time.Second)
	for runtime.NumGoroutine() > before+2 {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, %d after\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
		}
		http.DefaultClient.CloseIdleConnections()
		runtime.Gosched()
	}
}

func TestMemoryStaysBounded(t *testing.T) {
	const size = 100 << 20
	s := start(t, http.HandlerFunc(echo), nil, UpstreamOptions{})
	for _, v := range versions {
		resp, err := s.clients[v].Get(fmt.Sprintf("%s/?size=%d&length=1", s.base, size))
		if err != nil {
			t.Fatal(v, err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		n, err := io.Copy(io.Discard, resp.Body)
		runtime.ReadMemStats(&after)
		resp.Body.Close()
		if n != size || err != nil {
			t.Errorf("%s: %d bytes, %v", v, n, err)
		}
		// Upstream, gateway and client together.
		if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 48<<20 {
			t.Errorf("%s: the heap grew by %d MiB in a download of 100", v, grown>>20)
		}
		// A client that does not read makes the upstream wait, not us keep.
		runtime.ReadMemStats(&before)
		r, _ := http.NewRequest("PUT", s.base, struct{ io.Reader }{io.LimitReader(letters{}, 10<<20)})
		if resp, err = s.clients[v].Do(r); err != nil || resp.StatusCode != 200 {
			t.Errorf("%s: upload: %v %v", v, resp, err)
			continue
		}
		resp.Body.Close()
	}
}

func TestPrivateAddresses(t *testing.T) {
	for a, want := range map[string]bool{"127.0.0.1": true, "10.1.2.3": true, "192.168.0.1": true, "172.16.0.1": true, "169.254.169.254": true,
		"100.64.0.1": true, "0.0.0.0": true, "::1": true, "fd00::1": true, "fe80::1": true, "::ffff:10.0.0.1": true, "64:ff9b::a00:1": true, "224.0.0.1": true,
		"::": true, "240.0.0.1": true, "::7f00:1": true,
		"8.8.8.8": false, "2606:4700::1111": false, "64:ff9b::808:808": false} {
		if got := private(netip.MustParseAddr(a)); got != want {
			t.Errorf("private(%s) = %v", a, got)
		}
	}
	for n, want := range map[string]bool{"api": false, "localhost": false, "a.localhost": false, "db.internal": false, "x.svc.cluster.local": false, "api.example.com": true, "example.com.": true} {
		if got := public(n); got != want {
			t.Errorf("public(%s) = %v", n, got)
		}
	}
	if control("tcp", "127.0.0.1:80", nil) == nil || control("tcp", "93.184.216.34:80", nil) != nil {
		t.Error("control judges wrongly")
	}
	for base, want := range map[string]bool{"http://api.example.com": true, "http://127.0.0.1": false, "http://localhost:1": false, "http://api": false} {
		u, err := NewUpstream(base, UpstreamOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := u.dialer.Control != nil; got != want {
			t.Errorf("%s is checked: %v", base, got)
		}
	}
}

func TestPoolForgets(t *testing.T) {
	base, _ := scripted(t, func(c net.Conn, br *bufio.Reader, _ int) {
		for request(br) != nil {
			io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
		}
	})
	s, up := front(t, base, UpstreamOptions{KeepAlive: 20 * time.Millisecond, MaxIdle: 2})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if resp, err := http.Get(s.URL); err == nil {
				resp.Body.Close()
			}
		})
	}
	wg.Wait()
	deadline := time.Now().Add(10 * time.Second)
	for n := 1; n > 0; {
		up.pool.mu.Lock()
		if n = len(up.pool.idle); n > 2 {
			t.Fatalf("%d idle connections, want at most 2", n)
		}
		up.pool.mu.Unlock()
		if time.Now().After(deadline) {
			t.Fatal("idle connections are never closed")
		}
		runtime.Gosched()
	}
}

func TestFailuresAreTold(t *testing.T) {
	for name, x := range map[string]struct {
		answer string
		status int
		wait   bool
	}{
		"nonsense":   {"nonsense\r\n\r\n", 502, false},
		"breaks off": {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", 0, false},
		"deadline":   {"", 504, true},
	} {
		base, _ := scripted(t, func(c net.Conn, br *bufio.Reader, _ int) {
			request(br)
			io.WriteString(c, x.answer)
			if x.wait {
				io.Copy(io.Discard, br)
			}
		})
		var told []int
		up, _ := NewUpstream(base, UpstreamOptions{Failed: func(_ *http.Request, status int, err error) { told = append(told, status) }})
		var seen exchange.Seen
		ctx := exchange.WithSeen(context.Background(), &seen)
		if x.wait {
			c, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
			defer cancel()
			ctx = c
		}
		w := httptest.NewRecorder()
		func() {
			defer func() {
				if p := recover(); (p == http.ErrAbortHandler) != (x.status == 0) {
					t.Errorf("%s: panic %v", name, p)
				}
			}()
			up.ServeHTTP(w, httptest.NewRequest("GET", "/", nil).WithContext(ctx))
		}()
		if len(told) != 1 || told[0] != x.status || seen.Failure == "" || x.status != 0 && w.Code != x.status {
			t.Errorf("%s: told %v, failure %q, answered %d, want %d", name, told, seen.Failure, w.Code, x.status)
		}
		up.Close()
	}
}
