package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/needs"
)

// counter is a recorder that counts.
type counter struct {
	mu       sync.Mutex
	n, would int
}

func (c *counter) Record(x *exchange.Exchange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	if len(x.Actions) > 0 {
		c.would++
	}
}

// standFor puts a gateway in front of an upstream, and returns a client that
// trusts it.
func standFor(t testing.TB, k *contract.Contract, upstream string, r exchange.Recorder) (*stand, *http.Client) {
	t.Helper()
	s, err := newStand(k, standOptions{dir: t.TempDir(), listen: "127.0.0.1:0", upstream: upstream, recorder: r, log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.serve(ctx) }()
	t.Cleanup(func() { stop(); <-done; s.close() })
	pem, err := os.ReadFile(s.caFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(client.CloseIdleConnections)
	return s, client
}

// Report mode is invisible: in front of an API that answers anything at all,
// the API sees what the client sent and the client what the API answered.
func TestReportModeIsInvisible(t *testing.T) {
	folder := os.Getenv("PARLEY_FIXTURES")
	if folder == "" {
		t.Skip("PARLEY_FIXTURES is not set")
	}
	files, _ := filepath.Glob(filepath.Join(folder, "openapi", "*"))
	started, sent, would := 0, 0, 0
	for _, file := range files {
		base := filepath.Base(file)
		if strings.HasSuffix(base, ".md") || strings.HasPrefix(base, "bad-") {
			continue
		}
		t.Run(base, func(t *testing.T) {
			k, err := contract.FromAPI(file)
			if err != nil {
				t.Fatalf("guard does not start: %v", err)
			}
			n, w := invisible(t, k)
			started, sent, would = started+1, sent+n, would+w
		})
	}
	needs.Figure(t, "report mode, real descriptions", "%d contracts, %d requests passed unchanged, %d of them would have been touched", started, sent, would)
	if started == 0 {
		t.Error("no contract was found")
	}
}

// message is what one end saw.
type message struct {
	line   string
	header http.Header
	body   []byte
}

func (m *message) String() string { return fmt.Sprintf("%s %v %q", m.line, m.header, m.body) }

// hop are the fields that belong to one connection (RFC 9110, 7.6.1), and those
// that the two clients' transports write by themselves.
var hop = []string{"Connection", "Keep-Alive", "Transfer-Encoding", "Te", "Trailer", "Upgrade", "Proxy-Connection", "Alt-Svc"}

func endToEnd(h http.Header) http.Header {
	h = h.Clone()
	for _, name := range hop {
		h.Del(name)
	}
	return h
}

func invisible(t *testing.T, k *contract.Contract) (sent, would int) {
	random := rand.New(rand.NewPCG(1, uint64(len(k.Operations))))
	var mu sync.Mutex
	var saw *message
	var answer *message
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		saw = &message{fmt.Sprintf("%s %s %s", r.Method, r.RequestURI, r.Host), endToEnd(r.Header), body}
		for name, vs := range answer.header {
			w.Header()[name] = vs
		}
		var status int
		fmt.Sscan(answer.line, &status)
		w.WriteHeader(status)
		w.Write(answer.body)
	}))
	defer upstream.Close()
	rec := &counter{}
	s, client := standFor(t, k, upstream.URL, rec)
	direct := &http.Client{Transport: &http.Transport{DisableCompression: true}, CheckRedirect: client.CheckRedirect}
	defer direct.CloseIdleConnections()

	ops := slices.Clone(k.Operations)
	random.Shuffle(len(ops), func(i, j int) { ops[i], ops[j] = ops[j], ops[i] })
	for _, op := range ops[:min(len(ops), 120)] {
		for range 3 {
			mu.Lock()
			answer = randomAnswer(random)
			mu.Unlock()
			method, target, header, body := randomRequest(random, op)
			var seen, got [2]*message
			for i, via := range []struct {
				client *http.Client
				base   string
			}{{direct, upstream.URL}, {client, s.url()}} {
				req, err := http.NewRequest(method, via.base+target, bytes.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				req.Header = header.Clone()
				req.Host = "api.example"
				resp, err := via.client.Do(req)
				if err != nil {
					t.Fatalf("%s %s: %v", method, target, err)
				}
				data, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil {
					t.Fatalf("%s %s: %v", method, target, err)
				}
				mu.Lock()
				seen[i] = saw
				mu.Unlock()
				got[i] = &message{resp.Status, endToEnd(resp.Header), data}
			}
			sent++
			delete(got[0].header, "Date")
			delete(got[1].header, "Date")
			if seen[0].String() != seen[1].String() {
				t.Errorf("the API saw\n%.600s\nwithout guard and\n%.600s\nwith it", seen[0], seen[1])
			}
			if got[0].String() != got[1].String() {
				t.Errorf("%s %s: the client saw\n%.600s\nwithout guard and\n%.600s\nwith it", method, target, got[0], got[1])
			}
		}
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return sent, rec.would
}

func randomAnswer(random *rand.Rand) *message {
	types := []string{"application/json", "application/json", "application/problem+json", "text/html; charset=utf-8", "text/plain", "application/octet-stream", ""}
	m := &message{line: []string{"200", "200", "201", "204", "301", "400", "401", "403", "404", "500", "503"}[random.IntN(11)], header: http.Header{}}
	if ct := types[random.IntN(len(types))]; ct != "" {
		m.header.Set("Content-Type", ct)
	} else {
		m.header["Content-Type"] = nil
	}
	m.header.Set("X-Odd", "a,  b")
	m.header["Set-Cookie"] = []string{"session=abc; Path=/", "theme=dark"}
	if random.IntN(2) == 0 {
		m.header.Set("Access-Control-Allow-Origin", "*")
		m.header.Set("Server", "echo/1")
	}
	m.body = randomBody(random)
	if m.line == "204" || random.IntN(6) == 0 {
		m.body = nil
	}
	return m
}

func randomBody(random *rand.Rand) []byte {
	switch random.IntN(8) {
	case 0:
		return []byte(`{"id":1,"id":2,"password_hash":"x","nested":{"a":[1,2,{"b":null}]}}`)
	case 1:
		return []byte(`{"broken": [`)
	case 2:
		b := make([]byte, random.IntN(5000))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	case 3:
		return []byte(`{"error":"not found","success":false}`)
	case 4:
		return []byte("panic: runtime error\n\ngoroutine 1 [running]:\nmain.go:1")
	case 5:
		return bytes.Repeat([]byte(`{"a":1} `), 1+random.IntN(20000))
	}
	data, _ := json.Marshal(map[string]any{"name": "lamp", "price": random.IntN(100), "tags": []string{"a", "b"}, "deep": map[string]any{"x": 1.5}})
	return append([]byte("  "), data...)
}

func randomRequest(random *rand.Rand, op *contract.Operation) (method, target string, header http.Header, body []byte) {
	method = op.Method
	if random.IntN(10) == 0 {
		method = []string{"PATCH", "DELETE", "OPTIONS", "PUT"}[random.IntN(4)]
	}
	var segments []string
	for seg := range strings.SplitSeq(op.Path, "/") {
		for strings.Contains(seg, "{") {
			a, b := strings.IndexByte(seg, '{'), strings.IndexByte(seg, '}')
			if b < a {
				break
			}
			seg = seg[:a] + []string{"7", "x-y", "%C3%A9", "a%2Fb", "887"}[random.IntN(5)] + seg[b+1:]
		}
		segments = append(segments, seg)
	}
	target = strings.Join(segments, "/")
	if target == "" || target[0] != '/' {
		target = "/" + target
	}
	target += []string{"", "", "?a=1&a=2", "?limit=5&x=%20y&access_token=abc", "?", "?q=;%3B&empty="}[random.IntN(6)]
	header = http.Header{"User-Agent": {"echo-test"}, "X-Custom": {"1", "2"}, "Accept": {"*/*"}}
	if random.IntN(2) == 0 {
		header.Set("Authorization", "Bearer not.a.token")
		header.Set("Cookie", "session=abc; theme=dark")
		header.Set("Accept-Encoding", "gzip, br")
		header.Set("Origin", "https://elsewhere.example")
		header.Set("Range", "bytes=0-3")
		header.Set("If-None-Match", `"x"`)
		header.Set("X-Forwarded-For", "203.0.113.9")
	}
	if method != "GET" && method != "HEAD" && method != "OPTIONS" {
		body = randomBody(random)
		header.Set("Content-Type", []string{"application/json", "application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"}[random.IntN(5)])
		if random.IntN(8) == 0 {
			header.Set("Content-Encoding", "gzip")
		}
	}
	return method, target, header, body
}
