package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/example/play"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/needs"
	"github.com/parley-project/parley/learn"
)

// overheard is a handler that shows a Learner all that passes.
type overheard struct {
	http.Handler
	mu sync.Mutex
	l  *learn.Learner
	xs []*exchange.Exchange
}

func (h *overheard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	rec := httptest.NewRecorder()
	h.Handler.ServeHTTP(rec, r)
	for k, vs := range rec.Header() {
		w.Header()[k] = vs
	}
	w.WriteHeader(rec.Code)
	data := rec.Body.Bytes()
	if r.Method != "HEAD" {
		w.Write(data)
	}
	fields := func(h http.Header) (out exchange.Header) {
		for k, vs := range h {
			for _, v := range vs {
				out = append(out, exchange.Field{Name: k, Value: v})
			}
		}
		return out
	}
	x := &exchange.Exchange{ID: exchange.NewID(time.Now()), Source: exchange.FromProxy, Start: time.Now(),
		Request: exchange.Request{Method: r.Method, Scheme: "http", Authority: r.Host, Target: r.URL.RequestURI(),
			Header: fields(r.Header), Body: exchange.Body{Size: int64(len(body)), Data: body}},
		Response: &exchange.Response{Status: rec.Code, Header: fields(rec.Header()), Body: exchange.Body{Size: int64(len(data)), Data: data}}}
	h.l.Add(x)
	h.mu.Lock()
	h.xs = append(h.xs, x)
	h.mu.Unlock()
}

// learntFrom plays the honest script on the sound API.
func learntFrom(t *testing.T, a api) *learn.Learner {
	t.Helper()
	h := &overheard{l: learn.New(learn.Options{})}
	h.playedBy(t, a)
	return h.l
}

func (h *overheard) playedBy(t *testing.T, a api) {
	t.Helper()
	s, err := a.open(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	keys, err := s.Keys()
	if err != nil {
		t.Fatal(err)
	}
	h.Handler = s.Handler()
	server := httptest.NewServer(h)
	defer server.Close()
	if _, err := play.Play(context.Background(), server.Client(), server.URL, keys, a.legitimate, nil); err != nil {
		t.Fatal(err)
	}
}

// keysLine is what a person fills in: whose the API's keys are is in no
// request.
var keysLine = regexp.MustCompile(`(?m)^#(  api_keys: .*file: api-keys.yaml\}).*$`)

// behindLearnt puts guard with the learnt description and the proposed policy,
// enforced, in front of an API with flaws.
func behindLearnt(t *testing.T, a api, l *learn.Learner, flaws ...string) (open, guarded string, keys play.Keys, direct, through *http.Client) {
	t.Helper()
	s, err := a.open(flaws)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if keys, err = s.Keys(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	dir := t.TempDir()
	if err := s.WriteConfiguration(dir, server.URL); err != nil { // for jwks.json and api-keys.yaml
		t.Fatal(err)
	}
	api, err := l.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	policy := strings.Replace(string(l.Policy()), "mode: report", "mode: enforce\nupstream: "+server.URL, 1)
	policy = keysLine.ReplaceAllString(policy, "$1")
	for name, text := range map[string]string{"openapi.yaml": string(api), "parley.yaml": policy} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k, err := contract.Load(filepath.Join(dir, "parley.yaml"))
	if err != nil {
		t.Fatalf("%v\n%s", err, policy)
	}
	if len(k.NotJudged) > 0 {
		t.Errorf("not judged: %q", k.NotJudged)
	}
	st, client := standFor(t, k, "", &counter{})
	return server.URL, st.url(), keys, server.Client(), client
}

// Guard with what was learnt of honest clients refuses none of them, and stops
// what sound answers and requests never had.
func TestGuardWithWhatWasLearnt(t *testing.T) {
	for name, a := range apis {
		l := learntFrom(t, a)
		t.Run(name+"/honest", func(t *testing.T) {
			open, guarded, keys, direct, through := behindLearnt(t, a, l)
			want, err := play.Play(context.Background(), direct, open, keys, a.legitimate, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := play.Play(context.Background(), through, guarded, keys, a.legitimate, nil)
			if err != nil {
				t.Fatal(err)
			}
			ds := play.Differences(want, got)
			for _, d := range ds {
				t.Error(d)
			}
			needs.Figure(t, "guard with the learnt contract of the "+name, "%d honest requests, %d answers differ", len(got), len(ds))
		})
		for _, flaw := range []string{"request-mass-assignment", "response-excessive-data"} {
			t.Run(name+"/"+flaw, func(t *testing.T) {
				open, guarded, keys, direct, through := behindLearnt(t, a, l, flaw)
				attacks, stopped := 0, 0
				for _, attack := range a.attacks {
					if attack.Flaw != flaw {
						continue
					}
					attacks++
					o, err := play.Run(context.Background(), direct, open, keys, attack, nil)
					if err != nil {
						t.Fatal(err)
					}
					if !o.Worked {
						t.Errorf("%s: on the open address: %s, want it to work", o.Title, o.Summary)
					}
					g, err := play.Run(context.Background(), through, guarded, keys, attack, nil)
					if err != nil {
						t.Fatal(err)
					}
					if g.Worked || !g.Stopped {
						t.Errorf("%s: on the guarded address: %s, want it stopped", g.Title, g.Summary)
					} else {
						stopped++
					}
				}
				needs.Figure(t, "guard with the learnt contract of the "+name+", "+flaw, "%d attacks, %d stopped", attacks, stopped)
			})
		}
	}
}

// A recording without credentials does not make an open API without a word.
func TestLearnWithoutCredentials(t *testing.T) {
	har := filepath.Join(t.TempDir(), "x.har")
	text := `{"log":{"version":"1.2","creator":{"name":"x","version":"1"},"entries":[{"startedDateTime":"2026-01-02T03:04:05Z","time":1,"request":{"method":"GET","url":"http://api.example/v1/me","httpVersion":"HTTP/1.1","headers":[%s],"cookies":[],"queryString":[],"headersSize":-1,"bodySize":0},"response":{"status":200,"statusText":"","httpVersion":"HTTP/1.1","headers":[],"cookies":[],"content":{"size":2,"mimeType":"application/json","text":"{}"},"redirectURL":"","headersSize":-1,"bodySize":2},"cache":{},"timings":{"send":0,"wait":0,"receive":0}}]}}`
	for field, warned := range map[string]bool{"": true, `{"name":"Authorization","value":"Bearer abcdefgh"}`: false} {
		if err := os.WriteFile(har, fmt.Appendf(nil, text, field), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		if code := run([]string{"learn", har}, &out, &errs); code != 0 || strings.Contains(errs.String(), "open to everybody") != warned {
			t.Errorf("with %q: code %d, %s", field, code, &errs)
		}
	}
}
