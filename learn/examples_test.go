package learn_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/example/ledger"
	"github.com/parley-project/parley/example/play"
	"github.com/parley-project/parley/example/shop"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/learn"
)

// tape records what an API is asked and what it answers.
type tape struct {
	next http.Handler
	mu   sync.Mutex
	xs   []*exchange.Exchange
}

func (t *tape) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	x := &exchange.Exchange{ID: exchange.NewID(time.Now()), Source: exchange.FromProxy, Start: time.Now()}
	x.Request = exchange.Request{Method: r.Method, Scheme: "http", Authority: "api.example", Target: r.URL.RequestURI(), Proto: r.Proto,
		Header: header(r.Header), Body: exchange.Body{Size: int64(len(body)), Data: body}}
	rec := httptest.NewRecorder()
	t.next.ServeHTTP(rec, r)
	for k, vs := range rec.Header() {
		w.Header()[k] = vs
	}
	w.WriteHeader(rec.Code)
	data := rec.Body.Bytes()
	if r.Method != "HEAD" {
		w.Write(data)
	}
	x.Response = &exchange.Response{Status: rec.Code, Header: header(rec.Header()), Body: exchange.Body{Size: int64(len(data)), Data: data}}
	t.mu.Lock()
	t.xs = append(t.xs, x)
	t.mu.Unlock()
}

func header(h http.Header) (out exchange.Header) {
	for k, vs := range h {
		for _, v := range vs {
			out = append(out, exchange.Field{Name: k, Value: v})
		}
	}
	return out
}

// example is one of the example APIs, as these tests need it.
type example struct {
	name    string
	openAPI []byte
	steps   []play.Step
	open    func(t *testing.T, flaws ...string) (http.Handler, play.Keys)
}

var examples = []example{
	{"shop", shop.OpenAPI, shop.Legitimate(), func(t *testing.T, flaws ...string) (http.Handler, play.Keys) {
		s, err := shop.New(shop.Options{Flaws: flaws})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		keys, err := s.Keys()
		if err != nil {
			t.Fatal(err)
		}
		return s.Handler(), keys
	}},
	{"ledger", ledger.OpenAPI, ledger.Legitimate(), func(t *testing.T, flaws ...string) (http.Handler, play.Keys) {
		l, err := ledger.New(ledger.Options{Flaws: flaws})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		keys, err := l.Keys()
		if err != nil {
			t.Fatal(err)
		}
		return l.Handler(), keys
	}},
}

// recorded plays the honest script on the sound API and returns what passed.
func (e example) recorded(t *testing.T) []*exchange.Exchange {
	t.Helper()
	h, keys := e.open(t)
	tp := &tape{next: h}
	server := httptest.NewServer(tp)
	defer server.Close()
	if _, err := play.Play(context.Background(), server.Client(), server.URL, keys, e.steps, nil); err != nil {
		t.Fatal(err)
	}
	return tp.xs
}

func learnt(xs []*exchange.Exchange, o learn.Options) *learn.Learner {
	l := learn.New(o)
	for _, x := range xs {
		l.Add(x)
	}
	return l
}

// files writes the description and the policy, and loads them.
func files(t *testing.T, l *learn.Learner) (*contract.Contract, string) {
	t.Helper()
	dir := t.TempDir()
	api, err := l.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"openapi.yaml": api, "parley.yaml": l.Policy(), "jwks.json": l.KeySet()} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if to := os.Getenv("LEARN_OUT"); to != "" {
		os.WriteFile(filepath.Join(to, strings.ReplaceAll(t.Name(), "/", "-")+".openapi.yaml"), api, 0o600)
		os.WriteFile(filepath.Join(to, strings.ReplaceAll(t.Name(), "/", "-")+".parley.yaml"), l.Policy(), 0o600)
	}
	c, err := contract.FromAPI(filepath.Join(dir, "openapi.yaml"))
	if err != nil {
		t.Fatalf("%v\n%s", err, api)
	}
	if len(c.NotJudged) > 0 {
		t.Errorf("not judged: %q", c.NotJudged)
	}
	c, err = contract.Load(filepath.Join(dir, "parley.yaml"))
	if err != nil {
		t.Fatalf("%v\n%s", err, l.Policy())
	}
	return c, dir
}

func TestExamplesLoad(t *testing.T) {
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			files(t, learnt(e.recorded(t), learn.Options{}))
		})
	}
}

func TestOrderDoesNotMatter(t *testing.T) {
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			xs := e.recorded(t)
			first := learnt(xs, learn.Options{Examples: true})
			api, err := first.OpenAPI()
			if err != nil {
				t.Fatal(err)
			}
			for range 5 {
				rand.Shuffle(len(xs), func(i, j int) { xs[i], xs[j] = xs[j], xs[i] })
				l := learnt(xs, learn.Options{Examples: true})
				again, err := l.OpenAPI()
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(api, again) {
					t.Fatalf("another order gave another description:\n%s\n%s", api, again)
				}
				if !bytes.Equal(first.Policy(), l.Policy()) {
					t.Fatalf("another order gave another policy:\n%s\n%s", first.Policy(), l.Policy())
				}
			}
		})
	}
}
