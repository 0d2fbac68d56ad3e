package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/internal/lab"
	"github.com/parley-project/parley/internal/needs"
)

// An everywhere is a proxy behind which every host is the laboratory's echo
// server, over TLS too, so that collections can be run as they are.
type everywhere struct {
	url, ca string
}

func newEverywhere(t *testing.T) *everywhere {
	t.Helper()
	a := lab.NewAuthority()
	e := &everywhere{ca: filepath.Join(t.TempDir(), "ca.pem")}
	if err := os.WriteFile(e.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Root.Certificate.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e.url = "http://" + l.Addr().String()
	inner := make(chan net.Conn)
	done := make(chan struct{})
	echo := &http.Server{Handler: lab.Echo(), ReadHeaderTimeout: 10 * time.Second}
	go echo.Serve(&handed{inner, done, l.Addr()})
	outer := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			r.URL.Scheme, r.URL.Host = "", ""
			r.RequestURI = r.URL.RequestURI()
			echo.Handler.ServeHTTP(w, r)
			return
		}
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\n\r\n")
		// What follows is TLS, or plain HTTP to a port that has none.
		b := bufio.NewReader(c)
		first, err := b.Peek(1)
		if err != nil {
			c.Close()
			return
		}
		c = &peeked{c, b}
		if first[0] == 22 {
			host, _, _ := net.SplitHostPort(r.Host)
			leaf := a.Issue(lab.Leaf{Names: []string{host}})
			c = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{leaf}, NextProtos: []string{"http/1.1"}})
		}
		select {
		case inner <- c:
		case <-done:
			c.Close()
		}
	})}
	go outer.Serve(l)
	t.Cleanup(func() { close(done); outer.Close(); echo.Close() })
	return e
}

type peeked struct {
	net.Conn
	b *bufio.Reader
}

func (p *peeked) Read(b []byte) (int, error) { return p.b.Read(b) }

// handed is a listener of connections that others made.
type handed struct {
	conns <-chan net.Conn
	done  <-chan struct{}
	addr  net.Addr
}

func (h *handed) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}
func (h *handed) Close() error   { return nil }
func (h *handed) Addr() net.Addr { return h.addr }

// A tested is one assertion of a run: where, and what came of it.
type tested struct {
	request, name string
	passed        bool
	message       string
}

// newmanRun runs a collection with newman: the assertions of each request that
// got a response.
func newmanRun(t *testing.T, newman string, e *everywhere, args []string) [][]tested {
	t.Helper()
	out := filepath.Join(t.TempDir(), "run.json")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, newman, append([]string{"run"}, append(args, "-k", "--reporters", "json", "--reporter-json-export", out, "--timeout-request", "10000")...)...)
	c.Env = append(os.Environ(), "HTTP_PROXY="+e.url, "HTTPS_PROXY="+e.url, "http_proxy="+e.url, "https_proxy="+e.url, "NO_PROXY=", "no_proxy=")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	err := c.Run() // 1 when assertions fail
	data, readErr := os.ReadFile(out)
	if readErr != nil {
		t.Fatalf("newman %q: %v: %s", args, err, stderr.Bytes())
	}
	var report struct {
		Run struct {
			Executions []struct {
				Cursor     struct{ Ref string }
				Item       struct{ Name string }
				Response   *struct{ Code int }
				Assertions []struct {
					Assertion string
					Error     *struct{ Message string }
					Skipped   bool
				}
			}
		}
	}
	if err := json.Unmarshal(data, &report); err != nil {
		t.Fatal(err)
	}
	var all [][]tested
	for i, x := range report.Run.Executions {
		if next := i + 1; next < len(report.Run.Executions) && x.Cursor.Ref == report.Run.Executions[next].Cursor.Ref {
			continue // the same, before it answered a challenge
		}
		if x.Response == nil {
			all = append(all, nil)
			continue
		}
		list := []tested{}
		for _, a := range x.Assertions {
			n := tested{request: x.Item.Name, name: a.Assertion, passed: a.Error == nil}
			if a.Error != nil {
				n.message = a.Error.Message
			}
			list = append(list, n)
		}
		all = append(all, list)
	}
	return all
}

// parleyRun is the same with Parley.
func parleyRun(t *testing.T, e *everywhere, args []string) [][]tested {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(append([]string{"call"}, append(args, "--proxy", e.url, "--cacert", e.ca, "--clear", "--format", "json", "--timeout", "10s")...), &stdout, &stderr)
	var report struct {
		Requests []struct {
			Name       string
			Status     int
			Failure    string
			Assertions []struct {
				Name, Step, Message string
				Passed              bool
			}
		}
	}
	if err := json.Unmarshal(stdout.Bytes(), &report); err != nil {
		t.Fatalf("parley %q: exit %d: %v: %s", args, code, err, stderr.Bytes())
	}
	var all [][]tested
	for _, r := range report.Requests {
		if r.Status == 0 {
			all = append(all, nil)
			continue
		}
		list := []tested{}
		for _, a := range r.Assertions {
			if a.Name == "test script" || a.Name == "prerequest script" { // newman counts what scripts throw elsewhere
				continue
			}
			list = append(list, tested{r.Name, a.Name, a.Passed, a.Message})
		}
		all = append(all, list)
	}
	return all
}

// TestLikeNewman runs every Postman collection of the corpus with newman and
// with Parley, each host being the echo server, and compares the assertions.
func TestLikeNewman(t *testing.T) {
	dir := os.Getenv("PARLEY_FIXTURES")
	if dir == "" {
		needs.Missing(t, "the postman corpus", "set PARLEY_FIXTURES")
	}
	newman := needs.Program(t, "newman")
	files, err := filepath.Glob(filepath.Join(dir, "postman", "*.postman_collection.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no collections in %s", dir)
	}
	e := newEverywhere(t)
	same, all := 0, 0
	for _, file := range files {
		base := strings.TrimSuffix(file, ".postman_collection.json")
		var theirs, ours []string
		theirs, ours = []string{file}, []string{file}
		for _, more := range []struct{ ending, newman, parley string }{
			{".postman_environment.json", "-e", "--env"}, {".postman_globals.json", "-g", "--globals"}, {".postman_data.json", "-d", "--data"}, {".postman_data.csv", "-d", "--data"},
		} {
			if _, err := os.Stat(base + more.ending); err == nil {
				theirs, ours = append(theirs, more.newman, base+more.ending), append(ours, more.parley, base+more.ending)
			}
		}
		want, got := newmanRun(t, newman, e, theirs), parleyRun(t, e, ours)
		name := filepath.Base(base)
		if len(want) != len(got) {
			t.Logf("%s: newman sent %d requests, Parley %d", name, len(want), len(got))
		}
		n, n0, at := 0, 0, 0
		for _, list := range want {
			if len(list) == 0 {
				continue // nothing was tested, or no response came
			}
			// The one of ours that belongs to it: newman tells some requests twice.
			mine := slices.IndexFunc(got[at:], func(l []tested) bool { return len(l) > 0 && l[0].request == list[0].request })
			var ours []tested
			if mine >= 0 {
				ours, at = got[at+mine], at+mine+1
			}
			for _, w := range list {
				n0++
				i := slices.IndexFunc(ours, func(g tested) bool { return g.name == w.name })
				switch {
				case i < 0:
					t.Logf("%s: %s: %q was not tested", name, w.request, w.name)
					continue
				case ours[i].passed != w.passed:
					t.Logf("%s: %s: %q passed %v (%s), newman %v (%s)", name, w.request, w.name, ours[i].passed, ours[i].message, w.passed, w.message)
				default:
					n++
				}
				ours = slices.Delete(ours, i, i+1)
			}
			for _, g := range ours {
				t.Logf("%s: %s: %q was tested, newman did not", name, g.request, g.name)
			}
		}
		same, all = same+n, all+n0
		t.Logf("%s: %d of %d", name, n, n0)
	}
	needs.Figure(t, "assertions as newman judges them", "%d of %d (%.1f %%)", same, all, 100*float64(same)/float64(all))
	if all == 0 || float64(same) < 0.95*float64(all) {
		t.Errorf("%d of %d assertions as newman judges them, want 95 %%", same, all)
	}
}
