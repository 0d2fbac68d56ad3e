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
	"strings"
	"sync/atomic"
	"testing"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/serve"
)

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
			http.Error(w, "no", http.StatusForbidden)
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

func TestSlowBodyIsTimeout(t *testing.T) {
	if got := bodyError(serve.ErrSlow).status; got != http.StatusRequestTimeout {
		t.Errorf("a slow body is %d", got)
	}
}
