package gateway

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
	"github.com/parley-project/parley/internal/serve"
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

// problem checks that an answer is problem details without foreign text.
func problem(t *testing.T, resp *http.Response, status int) {
	t.Helper()
	b, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	var p struct {
		Status    int
		Title     string
		Reference string
	}
	if resp.StatusCode != status || resp.Header.Get("Content-Type") != "application/problem+json" ||
		json.Unmarshal(b, &p) != nil || p.Status != status || p.Reference == "" || strings.Contains(string(b), "secret") {
		t.Errorf("answer is %s %v %q, want problem details with %d", resp.Status, resp.Header, b, status)
	}
	if (status == 503) != (resp.Header.Get("Retry-After") != "") {
		t.Errorf("%d with Retry-After %q", status, resp.Header.Get("Retry-After"))
	}
}

func TestHostileResponses(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, answer := range map[string]string{
		"nothing":             "",
		"bare LF":             "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
		"one bare LF":         ok + "X: secret\nContent-Length: 2\r\n\r\nhi",
		"bare CR":             ok + "X: sec\rret\r\nContent-Length: 2\r\n\r\nhi",
		"folded":              ok + "X: a\r\n b\r\nContent-Length: 2\r\n\r\nhi",
		"two lengths":         ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
		"same length twice":   ok + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
		"list of lengths":     ok + "Content-Length: 2, 2\r\n\r\nhi",
		"plus length":         ok + "Content-Length: +2\r\n\r\nhi",
		"negative length":     ok + "Content-Length: -2\r\n\r\nhi",
		"hex length":          ok + "Content-Length: 0x2\r\n\r\nhi",
		"huge length":         ok + "Content-Length: 99999999999999999999\r\n\r\nhi",
		"length and chunked":  ok + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
		"two codings":         ok + "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
		"chunked twice":       ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
		"unknown coding":      ok + "Transfer-Encoding: xchunked\r\n\r\nhi",
		"chunked in 1.0":      "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
		"space before colon":  ok + "Content-Length : 2\r\n\r\nhi",
		"no colon":            ok + "secret\r\n\r\n",
		"empty name":          ok + ": secret\r\n\r\n",
		"NUL in value":        ok + "X: a\x00b\r\n\r\n",
		"control in reason":   "HTTP/1.1 200 O\x01K\r\n\r\n",
		"odd version":         "HTTP/1.2 200 OK\r\n\r\n",
		"HTTP/2":              "HTTP/2.0 200 OK\r\n\r\n",
		"not HTTP":            "SSH-2.0-secret\r\n\r\n",
		"two digit status":    "HTTP/1.1 20 OK\r\n\r\n",
		"status 999":          "HTTP/1.1 999 OK\r\n\r\n",
		"status 000":          "HTTP/1.1 000 OK\r\n\r\n",
		"204 with body":       "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi",
		"uninvited 101":       "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
		"101 to something":    "HTTP/1.1 101 Switching Protocols\r\n\r\n",
		"endless 1xx":         strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 100_000),
		"1xx with body":       "HTTP/1.1 102 Processing\r\nContent-Length: 5\r\n\r\nhello",
		"huge field":          ok + "X: " + strings.Repeat("x", 1<<20) + "\r\n\r\n",
		"huge head":           ok + strings.Repeat("X: "+strings.Repeat("x", 1000)+"\r\n", 1000) + "\r\n",
		"endless fields":      ok + strings.Repeat("X: 1\r\n", 10_000),
		"many fields":         ok + strings.Repeat("X: 1\r\n", 300) + "\r\n",
		"head that ends":      ok + "Content-Le",
		"endless status line": "HTTP/1.1 200 " + strings.Repeat("x", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			base, _ := scripted(t, func(c net.Conn, br *bufio.Reader, _ int) {
				if request(br) != nil {
					io.WriteString(c, answer)
				}
			})
			s, _ := front(t, base, UpstreamOptions{})
			resp, err := http.Post(s.URL+"/x", "text/plain", strings.NewReader("body"))
			if err != nil {
				t.Fatal(err)
			}
			problem(t, resp, http.StatusBadGateway)
		})
	}
}

// A body that breaks off must not look whole.
func TestBrokenBodies(t *testing.T) {
	chunked := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	answers := map[string]string{
		"short":            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
		"no last chunk":    chunked + "5\r\nhello\r\n",
		"half a chunk":     chunked + "5\r\nhel",
		"half a size":      chunked + "5\r\nhello\r\n5",
		"chunk too long":   chunked + "4\r\nhello\r\n0\r\n\r\n",
		"bare LF size":     chunked + "5\nhello\r\n0\r\n\r\n",
		"space in size":    chunked + "5 \r\nhello\r\n0\r\n\r\n",
		"signed size":      chunked + "+5\r\nhello\r\n0\r\n\r\n",
		"0x size":          chunked + "0x5\r\nhello\r\n0\r\n\r\n",
		"empty size":       chunked + "\r\nhello\r\n0\r\n\r\n",
		"overflowing size": chunked + "10000000000000005\r\nhello\r\n0\r\n\r\n",
		"half a trailer":   chunked + "5\r\nhello\r\n0\r\nX-Sum: 1",
		"bad trailer":      chunked + "5\r\nhello\r\n0\r\nX Sum: 1\r\n\r\n",
		"endless trailer":  chunked + "5\r\nhello\r\n0\r\n" + strings.Repeat("X: 1\r\n", 20_000) + "\r\n",
		"long extension":   chunked + "5;" + strings.Repeat("x", 4000) + "\r\nhello\r\n0\r\n\r\n",
	}
	for name, answer := range answers {
		base, _ := scripted(t, func(c net.Conn, br *bufio.Reader, _ int) {
			if request(br) != nil {
				io.WriteString(c, answer)
			}
		})
		s := startAt(t, base, nil, UpstreamOptions{})
		for _, v := range versions {
			resp, err := s.clients[v].Get(s.base)
			if err != nil {
				continue // aborted before the header left: the client sees it
			}
			b, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err == nil {
				t.Errorf("%s over %s: %s and a whole-looking body %q", name, v, resp.Status, b)
			}
		}
	}
}

func TestGoodResponses(t *testing.T) {
	for name, x := range map[string]struct {
		answer, method, want string
		keeps                bool
	}{
		"length":            {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "GET", "200 hello", true},
		"no reason":         {"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", "GET", "200 hello", true},
		"chunks":            {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;a=b\r\nhe\r\n03\r\nllo\r\n0\r\n\r\n", "GET", "200 hello", true},
		"until close":       {"HTTP/1.1 200 OK\r\n\r\nhello", "GET", "200 hello", false},
		"1.0":               {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "GET", "200 hello", false},
		"1.0 kept":          {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello", "GET", "200 hello", true},
		"head":              {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD", "200 ", true},
		"head chunked":      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HEAD", "200 ", true},
		"204":               {"HTTP/1.1 204 No Content\r\n\r\n", "GET", "204 ", true},
		"204 length 0":      {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "GET", "204 ", true},
		"304 with length":   {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "GET", "304 ", true},
		"empty":             {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "GET", "200 ", true},
		"100 first":         {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "GET", "200 hello", true},
		"early hints":       {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "GET", "200 hello", true},
		"more than asked":   {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\r\n", "GET", "200 hello", false},
		"asked to close":    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: x, close\r\n\r\nhello", "GET", "200 hello", false},
		"many small chunks": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1\r\nx\r\n", 5000) + "0\r\n\r\n", "GET", "200 " + strings.Repeat("x", 5000), true},
	} {
		t.Run(name, func(t *testing.T) {
			base, conns := scripted(t, func(c net.Conn, br *bufio.Reader, _ int) {
				for request(br) != nil {
					io.WriteString(c, x.answer)
					if name == "until close" {
						return
					}
				}
			})
			s, _ := front(t, base, UpstreamOptions{})
			for range 2 {
				r, _ := http.NewRequest(x.method, s.URL, nil)
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				b, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if got := fmt.Sprintf("%d %s", resp.StatusCode, b); got != x.want || err != nil {
					t.Errorf("got %.60s, %v, want %.60s", got, err, x.want)
				}
				if resp.Header.Get("Content-Type") != "" {
					t.Errorf("a Content-Type was made up: %v", resp.Header)
				}
			}
			if got := conns.Load() == 1; got != x.keeps {
				t.Errorf("%d connections for two requests, want kept %v", conns.Load(), x.keeps)
			}
		})
	}
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

func TestUnaskedBytesAreNotAnAnswer(t *testing.T) {
	sent := make(chan struct{}, 4)
	base, conns := scripted(t, func(c net.Conn, br *bufio.Reader, nth int) {
		for request(br) != nil {
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d", nth)
			<-sent // the first answer has been read
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
			sent <- struct{}{}
		}
	})
	s, _ := front(t, base, UpstreamOptions{})
	for want := 1; want <= 2; want++ {
		resp, err := http.Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(b) != fmt.Sprint(want) {
			t.Errorf("answer %d is %q", want, b)
		}
		if want == 1 {
			sent <- struct{}{}
			<-sent
		}
	}
	if conns.Load() != 2 {
		t.Errorf("%d connections", conns.Load())
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

func TestHeadersPassed(t *testing.T) {
	heads := make(chan http.Header, 1)
	hosts := make(chan string, 1)
	base, _ := scripted(t, func(c net.Conn, br *bufio.Reader, _ int) {
		for r := request(br); r != nil; r = request(br) {
			heads <- r.Header
			hosts <- r.Host
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-End: 1\r\nX-Hop: 1\r\nConnection: X-Hop\r\nKeep-Alive: timeout=5\r\nAlt-Svc: h3=\":1\"\r\nServer: up\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n")
		}
	})
	ask := func(o UpstreamOptions) (http.Header, string, http.Header) {
		s, _ := front(t, base, o)
		c, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "GET /x HTTP/1.1\r\nHost: shop.test\r\nConnection: x-mine, te\r\nX-Mine: 1\r\nX-End: 2\r\nTE: trailers\r\nKeep-Alive: 1\r\nProxy-Connection: 1\r\nProxy-Authorization: 1\r\nUpgrade: h2c\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Host: evil\r\nX-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		return <-heads, <-hosts, resp.Header
	}
	h, host, back := ask(UpstreamOptions{})
	if host != "shop.test" {
		t.Errorf("Host %q", host)
	}
	for k, want := range map[string]string{"X-Mine": "", "X-End": "2", "Keep-Alive": "", "Proxy-Connection": "", "Proxy-Authorization": "", "Upgrade": "",
		"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "shop.test", "X-Forwarded-Proto": "http", "X-Real-Ip": "",
		"Forwarded": `for=127.0.0.1;host="shop.test";proto=http`, "User-Agent": "", "Accept-Encoding": "", "Te": "trailers"} {
		if got := strings.Join(h[k], ", "); got != want {
			t.Errorf("upstream saw %s: %q, want %q", k, got, want)
		}
	}
	for k, want := range map[string]string{"X-End": "1", "X-Hop": "", "Keep-Alive": "", "Alt-Svc": "", "Server": "up", "Set-Cookie": "a|b"} {
		if got := strings.Join(back[k], "|"); got != want {
			t.Errorf("client saw %s: %q, want %q", k, got, want)
		}
	}
	h, host, _ = ask(UpstreamOptions{Forwarded: "append", Host: "upstream"})
	if "http://"+host != base || h.Get("X-Forwarded-For") != "6.6.6.6, 127.0.0.1" || !strings.HasPrefix(h.Get("Forwarded"), "for=6.6.6.6, for=127.0.0.1;") {
		t.Errorf("append: host %q, %v", host, h)
	}
	h, host, _ = ask(UpstreamOptions{Forwarded: "off", Host: "other.test:81"})
	if host != "other.test:81" || h.Get("X-Forwarded-For") != "6.6.6.6" || h.Get("Forwarded") != "for=6.6.6.6" || h.Get("X-Real-Ip") != "6.6.6.6" {
		t.Errorf("off: host %q, %v", host, h)
	}
}

type inMemory struct {
	io.ReadCloser
	b []byte
}

func (m inMemory) InMemory() []byte { return m.b }

func TestInMemoryBody(t *testing.T) {
	for _, size := range []int{0, 5, readAhead + 1, inline + 1, 1 << 20} {
		want := bytes.Repeat([]byte("x"), size)
		base, _ := scripted(t, func(c net.Conn, br *bufio.Reader, nth int) {
			for i := 1; ; i++ {
				r := request(br)
				if r == nil || i == 2 {
					return
				}
				b, _ := io.ReadAll(r.Body)
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n%5v", bytes.Equal(b, want) && r.ContentLength == int64(size))
			}
		})
		up, _ := NewUpstream(base, UpstreamOptions{})
		for range 2 {
			r := httptest.NewRequest("GET", "/", nil)
			r.Body = inMemory{r.Body, want}
			r.Header.Set("Content-Length", fmt.Sprint(size))
			w := httptest.NewRecorder()
			var seen exchange.Seen
			up.ServeHTTP(w, r.WithContext(exchange.WithSeen(context.Background(), &seen)))
			// Small bodies can be sent again, so the second request survives.
			if got := strings.TrimSpace(w.Body.String()); got != "true" && (size <= inline || w.Code != 502) {
				t.Errorf("%d bytes: %d %s", size, w.Code, got)
			}
			if seen.TCP == nil || !seen.TCP.Remote.IsValid() || seen.TLS == nil || !seen.TLS.Clear {
				t.Errorf("facts %+v", seen)
			}
		}
		up.Close()
	}
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

func TestTornRequests(t *testing.T) {
	// What a client sends in pieces and does not finish must not look whole to
	// the upstream, and small bodies must not reach it at all.
	type got struct {
		err error
		n   int
	}
	reached := make(chan got, 8)
	base, _ := scripted(t, func(c net.Conn, br *bufio.Reader, _ int) {
		r, err := http.ReadRequest(br)
		if err != nil {
			return // the connection was dropped before a head came
		}
		b, err := io.ReadAll(r.Body)
		reached <- got{err, len(b)}
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	s, _ := front(t, base, UpstreamOptions{})
	send := func(text string) string {
		c, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, text)
		c.(*net.TCPConn).CloseWrite()
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return "nothing"
		}
		return resp.Status
	}
	head := "POST / HTTP/1.1\r\nHost: x\r\n"
	for name, text := range map[string]string{
		"short":     head + "Content-Length: 10\r\n\r\nhello",
		"bad chunk": head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nz\r\n\r\n",
	} {
		if got := send(text); got == "200 OK" {
			t.Errorf("%s: %s", name, got)
		}
		if len(reached) > 0 {
			t.Errorf("%s reached the upstream: %+v", name, <-reached)
		}
	}
	big := strings.Repeat("x", 100_000)
	for name, text := range map[string]string{
		"long short":     head + "Content-Length: 200000\r\n\r\n" + big,
		"long bad chunk": head + "Transfer-Encoding: chunked\r\n\r\n186a0\r\n" + big + "\r\nz\r\n",
	} {
		if got := send(text); got == "200 OK" {
			t.Errorf("%s: %s", name, got)
		}
		if g := <-reached; g.err == nil {
			t.Errorf("%s looked whole to the upstream: %d bytes", name, g.n)
		}
	}
}

func TestEarlyAnswer(t *testing.T) {
	// An upstream that answers 413 without reading, and one that answers
	// without reading and keeps the connection open.
	for _, closes := range []bool{true, false} {
		base, _ := scripted(t, func(c net.Conn, br *bufio.Reader, _ int) {
			if _, err := http.ReadRequest(br); err != nil {
				return
			}
			io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
			if !closes {
				<-t.Context().Done()
			} else {
				c.(*net.TCPConn).CloseWrite()
				io.Copy(io.Discard, br)
			}
		})
		s := startAt(t, base, nil, UpstreamOptions{})
		for _, v := range versions {
			body := io.LimitReader(letters{}, 20<<20)
			r, _ := http.NewRequest("POST", s.base, struct{ io.Reader }{body})
			r.ContentLength = 20 << 20
			resp, err := s.clients[v].Do(r)
			if err != nil {
				// HTTP/1.1 clients may meet a closed connection while they
				// still write; that they are not told more is their transport's.
				if v != "HTTP/1.1" {
					t.Errorf("%s, closes %v: %v", v, closes, err)
				}
				continue
			}
			b, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != 413 || string(b) != "no" || err != nil {
				t.Errorf("%s, closes %v: %s %q %v", v, closes, resp.Status, b, err)
			}
		}
	}
}

func TestExpectContinue(t *testing.T) {
	var asked atomic.Int32
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path == "/no" {
			http.Error(w, "no", 403)
			return
		}
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, err)
	}))
	defer back.Close()
	s, _ := front(t, back.URL, UpstreamOptions{})
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	br := bufio.NewReader(c)
	io.WriteString(c, "POST /yes HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n")
	if l, _ := br.ReadString('\n'); !strings.Contains(l, "100") {
		t.Fatalf("not asked to go on: %q", l)
	}
	br.ReadString('\n')
	io.WriteString(c, strings.Repeat("x", 100_000))
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(resp.Body); string(b) != "100000<nil>" && string(b) != "100000 <nil>" {
		t.Errorf("answer %q", b)
	}
	// One that is refused without the body is never asked for it.
	io.WriteString(c, "POST /no HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n")
	resp, err = http.ReadResponse(br, nil)
	if err != nil || resp.StatusCode != 403 {
		t.Errorf("refused one: %v %v", resp, err)
	}
}

func TestClientGoes(t *testing.T) {
	gone := make(chan struct{})
	in := make(chan struct{})
	base, _ := scripted(t, func(c net.Conn, br *bufio.Reader, _ int) {
		request(br)
		close(in)
		io.Copy(io.Discard, br) // until the gateway closes
		close(gone)
	})
	s, _ := front(t, base, UpstreamOptions{})
	ctx, cancel := context.WithCancel(context.Background())
	r, _ := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
	go func() { <-in; cancel() }()
	if _, err := http.DefaultClient.Do(r); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	select {
	case <-gone:
	case <-time.After(10 * time.Second):
		t.Error("the upstream was not told that the client has gone")
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

func TestSlowBodyIsTimeout(t *testing.T) {
	if got := bodyError(serve.ErrSlow).status; got != http.StatusRequestTimeout {
		t.Errorf("a slow body is %d", got)
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
