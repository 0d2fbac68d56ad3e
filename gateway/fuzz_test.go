package gateway

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// bytesConn is an upstream connection that says what it is given.
type bytesConn struct {
	net.Conn
	r io.Reader
}

func (c bytesConn) Read(p []byte) (int, error)       { return c.r.Read(p) }
func (c bytesConn) Close() error                     { return nil }
func (c bytesConn) SetReadDeadline(time.Time) error  { return nil }
func (c bytesConn) SetWriteDeadline(time.Time) error { return nil }

// readAnswer lets the client read a response, and says what it made of it.
func readAnswer(data []byte, method string) (status int, body []byte, err error) {
	t := trips.Get().(*trip)
	defer t.release()
	t.u = &Upstream{}
	t.u.o.MaxHeader = 64 << 10
	t.u.o.Idle = time.Minute
	t.r = httptest.NewRequest(method, "/", nil)
	w := httptest.NewRecorder()
	t.w = w
	t.c = newConn(bytesConn{r: bytes.NewReader(data)}, nil)
	t.stop = noStop
	t.br.Reset(t)
	if err := t.readHead(); err != nil {
		return 0, nil, err
	}
	t.passHeader()
	switch r := &t.resp; {
	case r.none:
	case r.chunked:
		err = t.copyChunks()
	case r.length >= 0:
		err = t.copyN(r.length)
	default:
		err = t.copyAll()
	}
	return t.resp.status, w.Body.Bytes(), err
}

// FuzzResponse compares the client's reading with net/http's: what it takes
// for a whole response, net/http must take for the same one.
func FuzzResponse(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.0 200\r\n\r\nhello",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 200 OK\nA: b\n\n",
		"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
	} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, head bool) {
		method := "GET"
		if head {
			method = "HEAD"
		}
		status, body, err := readAnswer(data, method)
		if err != nil {
			return
		}
		br := bufio.NewReader(bytes.NewReader(data))
		for {
			resp, err := http.ReadResponse(br, &http.Request{Method: method})
			if err != nil {
				t.Fatalf("%q: read as %d, net/http says %v", data, status, err)
			}
			if resp.StatusCode < 200 {
				continue
			}
			want, err := io.ReadAll(resp.Body)
			if resp.StatusCode != status || err != nil || !bytes.Equal(want, body) {
				t.Fatalf("%q: read as %d %q, net/http as %d %q %v", data, status, body, resp.StatusCode, want, err)
			}
			return
		}
	})
}

// FuzzRequestHead checks that whatever a request holds, what is written is one
// unambiguous message.
func FuzzRequestHead(f *testing.F) {
	f.Add("GET", "/a?b", "shop.test", "X-A", "b", "body")
	f.Add("POST", "/a\r\nX: y", "a\r\nb", "A: b", "\n", "")
	f.Add("G T", "", "", "Connection", "X-A", "")
	up, err := NewUpstream("http://127.0.0.1:1/base/", UpstreamOptions{Forwarded: "append"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, target, host, name, value, body string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Method, r.RequestURI, r.Host = method, target, host
		r.Header[name] = []string{value}
		tr := trips.Get().(*trip)
		defer tr.release()
		tr.u, tr.r = up, r
		if tr.takeBody() != 0 || tr.writeHead() != 0 {
			return
		}
		if strings.Contains(strings.ToLower(name), "content_length") || strings.Contains(strings.ToLower(name), "transfer_encoding") {
			return // refused before
		}
		m, n, more := readStrictly(tr.out)
		// A name that only differs in case or by a dash is for serve.Hygiene.
		if more || n != len(tr.out) || m.fault != "" && !strings.HasPrefix(m.fault, "look-alike") && http.CanonicalHeaderKey(name) == name {
			t.Errorf("wrote %q: %+v, %d of %d, more %v", tr.out, m, n, len(tr.out), more)
		}
	})
}

func TestReadStrictly(t *testing.T) {
	const head = "POST / HTTP/1.1\r\nHost: x\r\n"
	for text, want := range map[string]string{
		head + "Content-Length: 2\r\n\r\nhi":                               "",
		head + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n":    "",
		head + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi":          "lengths",
		head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nhi": "lengths",
		head + "Content_Length: 2\r\n\r\n":                                 "look-alike Content_Length",
		head + "X : y\r\n\r\n":                                             "field name \"X : y\"",
		head + "X: a\x01\r\n\r\n":                                          "control byte in a value",
		head + " Transfer-Encoding: chunked\r\n\r\n":                       "field name \" Transfer-Encoding: chunked\"",
		head + "X: a\nb\r\n\r\n":                                           "bare CR, LF or NUL",
		head + "Host: y\r\n\r\n":                                           "hosts",
		"GET / x HTTP/1.1\r\nHost: x\r\n\r\n":                              "request line",
		head + "Transfer-Encoding: xchunked\r\n\r\n":                       "coding xchunked",
		head + "Transfer-Encoding: chunked\r\n\r\n2 \r\nhi\r\n0\r\n\r\n":   "chunk size \"2 \"",
		head + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n":       "",
	} {
		m, n, more := readStrictly([]byte(text))
		if m.fault != want || more || want == "" && n != len(text) {
			t.Errorf("readStrictly(%q) = %q, %d of %d, more %v, want %q", text, m.fault, n, len(text), more, want)
		}
	}
}
