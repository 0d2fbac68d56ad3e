package call

import (
	"bufio"
	"bytes"
	"io"
	"testing"

	"github.com/parley-project/parley/exchange"
)

// FuzzReader holds that no answer makes the reader panic, grow, or say that a
// body that broke off is whole.
func FuzzReader(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nX: 1\r\n\r\n",
		"HTTP/1.0 200\r\n\r\nrest", "HTTP/1.1 200 OK\nA: b\n c\n\n", "HTTP/1.1 204 \r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\nffffffffffffffffff\r\n", "SSH-2.0\r\n", "HTTP/1.1 200 OK\r\n:\r\n\r\n",
	} {
		f.Add([]byte(s), "GET")
	}
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"), "HEAD")
	c, err := New(Options{MaxBody: 1 << 10, MaxTransfer: 1 << 12, MaxHeader: 1 << 12})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte, method string) {
		ch := &channel{br: bufio.NewReaderSize(bytes.NewReader(data), 16)}
		x := &exchange.Exchange{Request: exchange.Request{Method: method}}
		h, err := c.readAnswer(ch, x)
		if err != nil {
			return
		}
		if x.Response.Status < 100 || len(x.Response.Header) > maxFields {
			t.Fatalf("readAnswer(%q) read %+v", data, x.Response)
		}
		err = c.readBody(ch, x, &h)
		b := x.Response.Body
		if int64(len(b.Data)) > c.o.MaxBody || b.Size < int64(len(b.Data)) || b.Size > c.o.MaxTransfer && err == nil {
			t.Fatalf("readBody(%q) kept %d of %d: %v", data, len(b.Data), b.Size, err)
		}
		if err == nil && h.length >= 0 && !h.none && b.Size != h.length {
			t.Fatalf("readBody(%q) read %d, want %d", data, b.Size, h.length)
		}
		if rest, _ := io.ReadAll(ch.br); err == nil && !h.none && !h.chunked && h.length < 0 && len(rest) > 0 {
			t.Fatalf("readBody(%q) left %q", data, rest)
		}
	})
}

// FuzzPlace holds that what is not refused can stand in a request line.
func FuzzPlace(f *testing.F) {
	for _, s := range []string{"https://api.test/a?b=c#d", "http://u:p@[::1]:8080", "https://bücher.test/ä b", "http://a:1/%zz?", "https://a@b@c/", "http://[fe80::1%25eth0]/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := placeOf(raw)
		if err != nil {
			return
		}
		for _, s := range []string{p.target, p.authority} {
			for _, c := range []byte(s) {
				if c <= ' ' || c >= 0x7f {
					t.Fatalf("placeOf(%q) gives %q", raw, s)
				}
			}
		}
		if p.target[0] != '/' || p.host == "" || p.port == "" || p.url() == nil {
			t.Fatalf("placeOf(%q) gives %+v", raw, p)
		}
	})
}

// FuzzLearn holds that no field of an answer makes the client panic or keep
// without bound.
func FuzzLearn(f *testing.F) {
	for _, s := range []string{"max-age=1; x", `max-age="9"`, `h3=":443"; ma=1, x`, `a;dur=1.5;desc="x, y", b`, "a=1; Domain=test", ";=,", `"\`, "dur=;;"} {
		f.Add(s)
	}
	c, err := New(Options{Jar: NewJar()})
	if err != nil {
		f.Fatal(err)
	}
	p, err := placeOf("https://api.parley.test/a/b?c=d")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, v string) {
		x := &exchange.Exchange{TLS: &exchange.TLS{Trust: &exchange.Trust{Verified: true}}, Response: &exchange.Response{Status: 302, Header: exchange.Header{
			{Name: "Strict-Transport-Security", Value: v}, {Name: "Alt-Svc", Value: v}, {Name: "Server-Timing", Value: v}, {Name: "Set-Cookie", Value: v}, {Name: "Location", Value: v}}}}
		c.learn(x, &p)
		if x.Client.HSTS < 0 || len(x.Client.AltSvc) > 32 || len(x.Server.Timing) > 64 || len(x.Client.Cookies) != 1 {
			t.Fatalf("learn(%q) noted %+v %+v", v, x.Client, x.Server)
		}
		for _, timing := range x.Server.Timing {
			if timing.Duration < 0 {
				t.Fatalf("learn(%q) noted %+v", v, timing)
			}
		}
		x.Request = exchange.Request{Scheme: "https", Authority: p.authority, Target: p.target}
		r := &Request{Method: "POST", URL: "https://api.parley.test/a/b?c=d", Body: []byte("x"), Header: exchange.Header{{Name: "Authorization", Value: "Bearer abc"}}}
		if on, err := redirect(r, x); err == nil && on {
			to, err := placeOf(r.URL)
			if err != nil || to.origin() != p.origin() && len(r.Header) > 0 {
				t.Fatalf("redirect to %q leads to %q with %v: %v", v, r.URL, r.Header, err)
			}
		}
	})
}
