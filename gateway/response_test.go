package gateway

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

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
