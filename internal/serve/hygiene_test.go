package serve

import (
	"bufio"
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// parse reads a request as net/http's server would, and puts 2 or 3 as its
// version if the text says so.
func parse(t *testing.T, text string) *http.Request {
	t.Helper()
	major := 1
	for v, n := range map[string]int{"HTTP/2": 2, "HTTP/3": 3} {
		if strings.Contains(text, v) {
			text, major = strings.Replace(text, v, "HTTP/1.1", 1), n
		}
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.ReplaceAll(text, "\n", "\r\n") + "\r\n\r\n")))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if major > 1 {
		r.ProtoMajor, r.ProtoMinor = major, 0
	}
	return r
}

func TestAmbiguity(t *testing.T) {
	for text, want := range map[string]string{
		"GET / HTTP/1.1\nHost: shop.test":                                                "",
		"GET /a%20b;c?d=e&f=%00 HTTP/1.1\nHost: shop.test:8443":                          "",
		"GET /ü HTTP/1.1\nHost: [::1]:80":                                                "",
		"OPTIONS * HTTP/1.1\nHost: x":                                                    "",
		"GET / HTTP/1.0":                                                                 "",
		"POST / HTTP/1.1\nHost: x\nContent-Length: 2\n\nhi":                              "",
		"POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n0\n":                    "",
		"GET / HTTP/1.1\nHost: x\nConnection: keep-alive, X-Mine, Upgrade\nUpgrade: foo": "",
		"GET / HTTP/1.1\nHost: x\nX-Api-Key: a\nSec-Ch-Ua: \"x\"\nDnt: 1":                "",
		"GET / HTTP/1.1\nHost: x\nExpect: 100-Continue":                                  "",
		"GET / HTTP/2\nHost: x\nTe: trailers":                                            "",

		"CONNECT x:443 HTTP/1.1\nHost: x:443":                                 "CONNECT",
		"TRACE / HTTP/1.1\nHost: x":                                           "TRACE",
		"GET http://x/ HTTP/1.1\nHost: x":                                     "target is not a path",
		"GET http://evil/ HTTP/1.1\nHost: x":                                  "target is not a path",
		"GET * HTTP/1.1\nHost: x":                                             "target is not a path",
		"GET //evil/ HTTP/1.1\nHost: x":                                       "two slashes",
		"GET /#a HTTP/1.1\nHost: x":                                           "byte",
		"GET / HTTP/1.1\nHost: x, y":                                          "Host",
		"GET / HTTP/1.1\nHost: x/y":                                           "Host",
		"GET / HTTP/1.1\nHost: u@x":                                           "Host",
		"GET / HTTP/1.1\nHost: x:80a":                                         "Host",
		"GET / HTTP/1.1\nHost: :80":                                           "Host",
		"GET / HTTP/1.1\nHost: [::1":                                          "Host",
		"GET / HTTP/1.1\nHost: x\nTransfer_Encoding: chunked":                 "underscore",
		"GET / HTTP/1.1\nHost: x\nFoo_Bar: 1":                                 "underscore",
		"GET / HTTP/1.1\nHost: x\nContentLength: 1":                           "resembles",
		"GET / HTTP/1.1\nHost: x\nContent--Length: 1":                         "resembles",
		"GET / HTTP/1.1\nHost: x\nTransfer.Encoding: 1":                       "resembles",
		"GET / HTTP/1.1\nHost: x\nX-ForwardedFor: 1":                          "resembles",
		"GET / HTTP/1.1\nHost: x\nExpect: 200-ok":                             "Expect",
		"GET / HTTP/1.1\nHost: x\nExpect: 100-continue\nExpect: 100-continue": "Expect",
		"GET / HTTP/1.1\nHost: x\nConnection: close, Authorization":           "Connection names Authorization",
		"GET / HTTP/1.1\nHost: x\nConnection: X_Forwarded-For":                "Connection names",
		"GET / HTTP/1.1\nHost: x\nAuthorization: a\nAuthorization: b":         "several Authorization",
		"GET / HTTP/1.1\nHost: x\nContent-Type: a\nContent-Type: b":           "several Content-Type",
		"GET / HTTP/1.2\nHost: x":                                             "HTTP version",
		"GET / HTTP/2\nHost: x\nConnection: close":                            "Connection over HTTP/2",
		"GET / HTTP/3\nHost: x\nKeep-Alive: 1":                                "Keep-Alive over HTTP/3",
		"GET / HTTP/2\nHost: x\nProxy-Connection: 1":                          "Proxy-Connection over",
		"GET / HTTP/2\nHost: x\nUpgrade: h2c":                                 "Upgrade over",
		"GET / HTTP/2\nHost: x\nTe: gzip":                                     "TE over HTTP/2",
	} {
		r := parse(t, text)
		reason, bad := Ambiguity(r)
		if bad != (want != "") || !strings.Contains(reason, want) {
			t.Errorf("Ambiguity(%q) = %q, %v, want %q", text, reason, bad, want)
		}
	}
}

func TestAmbiguityOfWhatServersPass(t *testing.T) {
	for name, spoil := range map[string]func(*http.Request){
		"space in target":     func(r *http.Request) { r.RequestURI = "/a b" },
		"line end in target":  func(r *http.Request) { r.RequestURI = "/a\r\nX: y" },
		"control in value":    func(r *http.Request) { r.Header["X"] = []string{"a\x01"} },
		"length of no body":   func(r *http.Request) { r.Header["Content-Length"] = []string{"5"} },
		"two lengths":         func(r *http.Request) { r.Header["Content-Length"] = []string{"0", "0"} },
		"another authority":   func(r *http.Request) { r.Header["Host"] = []string{"evil"} },
		"second coding":       func(r *http.Request) { r.TransferEncoding = []string{"gzip", "chunked"} },
		"trailer that frames": func(r *http.Request) { r.Trailer = http.Header{"Content-Length": nil} },
		"space in method":     func(r *http.Request) { r.Method = "GET /x" },
		"no host":             func(r *http.Request) { r.Host = "" },
	} {
		r := parse(t, "GET / HTTP/1.1\nHost: x")
		spoil(r)
		if reason, bad := Ambiguity(r); !bad {
			t.Errorf("%s passes (%q)", name, reason)
		}
	}
}

func TestHygieneAnswers(t *testing.T) {
	var told []string
	h := Hygiene(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }), HygieneOptions{
		AllowUnderscores: true,
		Refused:          func(_ *http.Request, _ int, reason string) { told = append(told, reason) },
	})
	for text, want := range map[string]int{
		"GET / HTTP/1.1\nHost: x\nFoo_Bar: 1":           204,
		"GET / HTTP/1.1\nHost: x\nTransfer_Encoding: 1": 400,
		"GET / HTTP/1.1\nHost: x\nExpect: x":            417,
		"TRACE / HTTP/1.1\nHost: x":                     405,
		"GET / HTTP/1.1\nHost: x y":                     400,
	} {
		if strings.Contains(text, "x y") {
			continue // net/http refuses it itself
		}
		w := httptest.NewRecorder()
		told = nil
		h.ServeHTTP(w, parse(t, text))
		if w.Code != want || (want != 204) != (len(told) == 1) {
			t.Errorf("%q: %d, told %v, want %d", text, w.Code, told, want)
		}
		if want != 204 && (w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("Connection") != "close" || bytes.Contains(w.Body.Bytes(), []byte("resembles"))) {
			t.Errorf("%q: answered %v %s", text, w.Header(), w.Body)
		}
	}
}

func FuzzAmbiguity(f *testing.F) {
	f.Add("/", "x", "Content-Length", "1")
	f.Add("//", "[::1]:", "Connection", ",close,")
	f.Add("*", ":", "_", "\x00")
	f.Fuzz(func(t *testing.T, target, host, name, value string) {
		r := &http.Request{Method: "GET", RequestURI: target, Host: host, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{name: {value}}}
		_, bad := Ambiguity(r)
		if !bad && strings.ContainsAny(target+host+value, "\r\n\x00") {
			t.Errorf("%q %q %q %q passes", target, host, name, value)
		}
	})
}

func BenchmarkAmbiguity(b *testing.B) {
	r, _ := http.ReadRequest(bufio.NewReader(strings.NewReader("GET /v1/orders?user_id=101 HTTP/1.1\r\nHost: api.shop.test\r\nUser-Agent: bench\r\nAccept: application/json\r\nAuthorization: Bearer abc.def.ghi\r\nAccept-Encoding: gzip\r\nX-Request-Id: 0123456789\r\nContent-Type: application/json\r\n\r\n")))
	b.ReportAllocs()
	for range b.N {
		if _, bad := Ambiguity(r); bad {
			b.Fatal("bad")
		}
	}
}
