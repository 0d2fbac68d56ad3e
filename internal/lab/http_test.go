package lab_test

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/parley-project/parley/internal/lab"
)

// TestEcho asks the echo server as its clients will.
func TestEcho(t *testing.T) {
	h := lab.Echo()
	for _, test := range []struct {
		method, target, kind, body string
		status                     int
		want                       string
	}{
		{"GET", "/get?a=1&b=2&b=3", "", "", 200, `"args":{"a":"1","b":["2","3"]}`},
		{"GET", "/get", "", "", 200, `"url":"http://example.com/get"`},
		{"POST", "/post", "application/json", `{"n":7}`, 200, `"json":{"n":7}`},
		{"POST", "/post", "application/x-www-form-urlencoded", "a=1&b=%20", 200, `"form":{"a":"1","b":" "}`},
		{"POST", "/post", "text/plain", "hello", 200, `"data":"hello"`},
		{"POST", "/post", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.txt\"\r\n\r\nhi\r\n--x--\r\n", 200, `"files":{"f.txt":"data:application/octet-stream;base64,aGk="}`},
		{"POST", "/post", "multipart/form-data; boundary=x", "nonsense", 400, "multipart"},
		{"POST", "/post", "text/plain", strings.Repeat("a", 5<<20), 413, "too large"},
		{"PATCH", "/patch", "", "", 200, `"method":"PATCH"`},
		{"GET", "/status/418", "", "", 418, "418"},
		{"GET", "/status/9", "", "", 400, "400"},
		{"GET", "/basic-auth", "", "", 401, "false"},
		{"GET", "/digest-auth", "", "", 401, "false"},
		{"GET", "/redirect/3", "", "", 302, ""},
		{"GET", "/stream/2", "", "", 200, `{"id":1,`},
		{"GET", "/response-headers?x-a=1", "", "", 200, `{"x-a":"1"}`},
		{"GET", "/nowhere", "", "", 200, `"args":{}`},
	} {
		r := httptest.NewRequest(test.method, test.target, strings.NewReader(test.body))
		if test.kind != "" {
			r.Header.Set("Content-Type", test.kind)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.want) {
			t.Errorf("%s %s answered %d %.200s, want %d %s", test.method, test.target, w.Code, w.Body, test.status, test.want)
		}
	}
}

// TestServers starts each kind and asks it once.
func TestServers(t *testing.T) {
	a := lab.NewAuthority()
	s, err := lab.ServeHTTP(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.QUIC.Port() != s.Secure.Port() {
		t.Errorf("HTTP/3 is on port %d, want %d", s.QUIC.Port(), s.Secure.Port())
	}
	h := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: a.Pool(), ServerName: lab.Name}, ForceAttemptHTTP2: true}}
	defer h.CloseIdleConnections()
	resp, err := h.Get("https://" + s.Secure.String() + "/get")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var v map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil || resp.Proto != "HTTP/2.0" || v["method"] != "GET" {
		t.Errorf("the server answered %s %v: %v", resp.Proto, v, err)
	}
	raw, err := lab.ServeRaw(a)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	resp, err = h.Get(raw.URL() + "/ok")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); string(b) != "fine" || len(raw.Requests()) != 1 {
		t.Errorf("the raw server answered %q", b)
	}
}
