package gateway

import (
	"bufio"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/exchange"
)

// rawUpstream answers every request with one fixed response, as cheaply as it
// can, so that what is measured is the client's cost.
func rawUpstream(tb testing.TB, answer string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf := make([]byte, 16<<10)
				for {
					if _, err := c.Read(buf); err != nil { // heads and bodies here fit one read
						return
					}
					if _, err := io.WriteString(c, answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// discard is a response writer that costs nothing.
type discard struct {
	h http.Header
}

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

func newProxy(base string) http.Handler {
	v, _ := url.Parse(base)
	return &httputil.ReverseProxy{
		Rewrite:   func(p *httputil.ProxyRequest) { p.SetURL(v); p.SetXForwarded() },
		Transport: &http.Transport{MaxIdleConnsPerHost: 128, DisableCompression: true},
		ErrorLog:  log.New(io.Discard, "", 0),
	}
}

var benchAnswer = "HTTP/1.1 200 OK\r\nServer: x\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\nContent-Type: application/json\r\nContent-Length: 929\r\nConnection: keep-alive\r\nETag: \"65f\"\r\nAccept-Ranges: bytes\r\n\r\n" + strings.Repeat("x", 929)

const benchRequest = "GET /v1/orders?user_id=101 HTTP/1.1\r\nHost: api.shop.test\r\nUser-Agent: bench\r\nAccept: application/json\r\nAuthorization: Bearer abc.def.ghi\r\nAccept-Encoding: gzip\r\n\r\n"

// run drives a handler with the same request, as the server would.
func run(b *testing.B, h http.Handler) {
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(benchRequest)))
	if err != nil {
		b.Fatal(err)
	}
	r.RemoteAddr = "127.0.0.1:1234"
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	w := &discard{h: http.Header{}}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		clear(w.h)
		h.ServeHTTP(w, r.WithContext(ctx))
	}
}

// BenchmarkUpstream compares Upstream with httputil.ReverseProxy in one run.
func BenchmarkUpstream(b *testing.B) {
	base := rawUpstream(b, benchAnswer)
	up, err := NewUpstream(base, UpstreamOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer up.Close()
	proxy := newProxy(base)
	var ours, theirs time.Duration
	b.Run("Upstream", func(b *testing.B) { run(b, up); ours = b.Elapsed() / time.Duration(b.N) })
	b.Run("ReverseProxy", func(b *testing.B) { run(b, proxy); theirs = b.Elapsed() / time.Duration(b.N) })
	b.Logf("ReverseProxy takes %.2f times as long as Upstream", float64(theirs)/float64(ours))
}

// BenchmarkWhole compares both behind a net/http server with a client.
func BenchmarkWhole(b *testing.B) {
	base := rawUpstream(b, benchAnswer)
	up, _ := NewUpstream(base, UpstreamOptions{})
	defer up.Close()
	for name, h := range map[string]http.Handler{"Upstream": up, "ReverseProxy": newProxy(base)} {
		b.Run(name, func(b *testing.B) {
			s := httptest.NewServer(h)
			defer s.Close()
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				c, err := net.Dial("tcp", s.Listener.Addr().String())
				if err != nil {
					b.Error(err)
					return
				}
				defer c.Close()
				br := bufio.NewReader(c)
				for pb.Next() {
					io.WriteString(c, benchRequest)
					resp, err := http.ReadResponse(br, nil)
					if err != nil {
						b.Error(err)
						return
					}
					io.Copy(io.Discard, resp.Body)
				}
			})
		})
	}
}

// TestAllocations holds the client to few allocations a request.
func TestAllocations(t *testing.T) {
	up, err := NewUpstream(rawUpstream(t, benchAnswer), UpstreamOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer up.Close()
	r, _ := http.ReadRequest(bufio.NewReader(strings.NewReader(benchRequest)))
	ctx, cancel := context.WithCancel(exchange.WithSeen(context.Background(), &exchange.Seen{}))
	defer cancel()
	r = r.WithContext(ctx)
	w := &discard{h: http.Header{}}
	n := testing.AllocsPerRun(200, func() { clear(w.h); up.ServeHTTP(w, r) })
	t.Logf("%.0f allocations a request", n)
	if n > 16 {
		t.Errorf("a request makes %.0f allocations, want at most 16", n)
	}
}
