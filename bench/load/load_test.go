package load

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func server(t *testing.T, h http.HandlerFunc) Options {
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return Options{Address: s.Listener.Addr().String(), ServerName: "example.com", Roots: roots, Connections: 4, Requests: 200}
}

func TestRunCountsEveryAnswer(t *testing.T) {
	var asked atomic.Int64
	o := server(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/chunked":
			fmt.Fprint(w, "one ")
			w.(http.Flusher).Flush()
			fmt.Fprint(w, "two")
		case "/close":
			w.Header().Set("Connection", "close")
			fmt.Fprint(w, "one two")
		default:
			fmt.Fprint(w, "one two")
		}
	})
	for _, path := range []string{"/", "/chunked", "/close"} {
		o.Messages = append(o.Messages, Message{
			Request: []byte("GET " + path + " HTTP/1.1\r\nHost: example.com\r\n\r\n"), Status: 200, Has: []byte("one two"),
		})
	}
	res := Run(o)
	if res.Errors != 0 || res.Requests != 200 || asked.Load() != 200 {
		t.Errorf("Run: %d requests, %d errors (%v), the server saw %d; want 200, 0, 200", res.Requests, res.Errors, res.FirstError, asked.Load())
	}
	if res.Reconnects == 0 {
		t.Error("Run counted no reconnects, though the server closed every third connection")
	}
}

func TestRunSeesWrongAnswers(t *testing.T) {
	o := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/teapot" {
			w.WriteHeader(http.StatusTeapot)
		}
		fmt.Fprint(w, `{"id":1,"secret":2}`)
	})
	request := func(path string) []byte { return []byte("GET " + path + " HTTP/1.1\r\nHost: example.com\r\n\r\n") }
	for _, test := range []struct {
		m    Message
		want string
	}{
		{Message{Request: request("/teapot"), Status: 200}, "status 418"},
		{Message{Request: request("/"), Status: 200, Has: []byte(`"id":2`)}, "lacks"},
		{Message{Request: request("/"), Status: 200, HasNot: [][]byte{[]byte("secret")}}, "filtered"},
	} {
		o.Messages = []Message{test.m}
		res := Run(o)
		if res.Errors != res.Requests || res.FirstError == nil || !strings.Contains(res.FirstError.Error(), test.want) {
			t.Errorf("Run: %d of %d wrong, first %v; want all, with %q", res.Errors, res.Requests, res.FirstError, test.want)
		}
	}
}
