package scan_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/example/ledger"
	"github.com/parley-project/parley/example/play"
	"github.com/parley-project/parley/example/shop"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/needs"
	"github.com/parley-project/parley/learn"
	"github.com/parley-project/parley/scan"
)

// needDescription are checks that hold an API against what it promises: from
// traffic alone nobody knows that.
var needDescription = map[string]string{
	"request-schema":     "which values a member may have",
	"request-parameters": "which values a parameter may have",
	"request-method":     "which methods are offered",
	"request-accept":     "whether Accept is honoured",
	"status-retry-after": "which operations are limited",
	"request-page-size":  "how many a page may have, where there are fewer",
}

// A recorder writes down what an API is asked and what it answers.
type recorder struct {
	next http.Handler
	mu   sync.Mutex
	xs   []*exchange.Exchange
}

func (t *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	x := &exchange.Exchange{ID: exchange.NewID(time.Now()), Source: exchange.FromProxy, Start: time.Now()}
	x.Request = exchange.Request{Method: r.Method, Scheme: "https", Authority: "api.example", Target: r.URL.RequestURI(), Proto: "HTTP/1.1",
		Header: fieldsOf(r.Header), Body: exchange.Body{Size: int64(len(body)), Data: body}}
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
	x.Response = &exchange.Response{Status: rec.Code, Header: fieldsOf(rec.Header()), Body: exchange.Body{Size: int64(len(data)), Data: data}}
	t.mu.Lock()
	t.xs = append(t.xs, x)
	t.mu.Unlock()
}

func fieldsOf(h http.Header) (out exchange.Header) {
	for k, vs := range h {
		for _, v := range vs {
			out = append(out, exchange.Field{Name: k, Value: v})
		}
	}
	return out
}

// honestTraffic is what honest clients send to an API with flaws.
func honestTraffic(t testing.TB, api string, flaws ...string) []*exchange.Exchange {
	t.Helper()
	var h http.Handler
	var keys play.Keys
	var script []play.Step
	switch api {
	case "shop":
		s, err := shop.New(shop.Options{Flaws: flaws})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		if keys, err = s.Keys(); err != nil {
			t.Fatal(err)
		}
		h, script = s.Handler(), shop.Legitimate()
	case "ledger":
		l, err := ledger.New(ledger.Options{Flaws: flaws})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		if keys, err = l.Keys(); err != nil {
			t.Fatal(err)
		}
		h, script = l.Handler(), ledger.Legitimate()
	}
	r := &recorder{next: h}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	if _, err := play.Play(context.Background(), server.Client(), server.URL, keys, script, nil); err != nil {
		t.Fatal(err)
	}
	return r.xs
}

// asHAR writes exchanges and reads them again.
func asHAR(t testing.TB, xs []*exchange.Exchange) []*exchange.Exchange {
	t.Helper()
	var b bytes.Buffer
	if err := archive.WriteHAR(&b, xs); err != nil {
		t.Fatal(err)
	}
	c, err := archive.Read("traffic.har", b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return recordedIn(c.Items, false)
}

// asPostman writes requests without their answers as a collection, and reads it
// again.
func asPostman(t testing.TB, xs []*exchange.Exchange) []*exchange.Exchange {
	t.Helper()
	c := archive.FromExchanges("traffic", xs)
	written(c.Items)
	var b bytes.Buffer
	if err := archive.FormatNamed("postman").Write(&b, c); err != nil {
		t.Fatal(err)
	}
	c, err := archive.Read("traffic.postman_collection.json", b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return recordedIn(c.Items, true)
}

// written makes requests of a recording as a person keeps them: without answers,
// and with variables for whose and which.
func written(items []*archive.Item) {
	for _, it := range items {
		it.Recorded = nil
		if it.Request != nil {
			for _, v := range [][2]string{{"/tenants/acme", "/tenants/{{tenant}}"}, {"/tenants/bluebird", "/tenants/{{tenant}}"}, {"/books/main", "/books/{{book}}"}} {
				it.Request.URL = strings.Replace(it.Request.URL, v[0], v[1], 1)
			}
		}
		written(it.Items)
	}
}

func recordedIn(items []*archive.Item, requests bool) (out []*exchange.Exchange) {
	for _, it := range items {
		out = append(out, it.Recorded...)
		if r := it.Request; requests && r != nil {
			x := &exchange.Exchange{Source: exchange.FromImport, Request: exchange.Request{Method: r.Method}}
			x.Request.Scheme, x.Request.Authority, x.Request.Target = "https", "api.example", strings.TrimPrefix(r.URL, "https://api.example")
			for _, f := range r.Header {
				x.Request.Header = append(x.Request.Header, exchange.Field{Name: f.Name, Value: f.Value})
			}
			if r.Body != nil && r.Body.Text != "" {
				x.Request.Body = exchange.Body{Size: int64(len(r.Body.Text)), Data: []byte(r.Body.Text)}
			}
			out = append(out, x)
		}
		out = append(out, recordedIn(it.Items, requests)...)
	}
	return out
}

// learnt makes scan's options of traffic instead of a description.
func learnt(t testing.TB, o scan.Options, xs []*exchange.Exchange) scan.Options {
	t.Helper()
	l := learn.New(learn.Options{Examples: true})
	for _, x := range xs {
		l.Add(x)
	}
	text, err := l.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "learnt.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := contract.FromAPI(file)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	o.Contract, o.File, o.Learnt, o.Used = c, file, true, map[string][]string{}
	for _, e := range l.Inventory().Operations {
		for _, c := range e.Callers {
			for _, role := range c.Roles {
				if c.Succeeded > 0 && !slices.Contains(o.Used[e.Operation], role) {
					o.Used[e.Operation] = append(o.Used[e.Operation], role)
				}
			}
		}
	}
	return o
}

// fromTraffic are the forms that an API is learnt from.
var fromTraffic = []struct {
	name string
	read func(testing.TB, []*exchange.Exchange) []*exchange.Exchange
}{{"har", asHAR}, {"postman", asPostman}}

// seenAsHonest are flaws that honest clients were seen to make use of, since the
// traffic is of the flawed API: the recording says that they may.
var seenAsHonest = map[string]string{"ledger authz-function": "clerks were answered with the list of members"}

// untold reports whether a flaw cannot be known from traffic.
func untold(api, flaw string) bool {
	return needDescription[flaw] != "" || seenAsHonest[api+" "+flaw] != ""
}

// TestTrafficOfFlawedAPIs finds in APIs with all flaws what needs no description,
// and nothing in sound ones, from a HAR and from a collection of requests.
func TestTrafficOfFlawedAPIs(t *testing.T) {
	for _, form := range fromTraffic {
		for _, api := range []string{"shop", "ledger"} {
			flaws, options := shop.Flaws, shopOptions
			if api == "ledger" {
				flaws, options = ledger.Flaws, ledgerOptions
			}
			t.Run(form.name+"/"+api+"/none", func(t *testing.T) {
				t.Parallel()
				if r := scanWith(t, learnt(t, options(t), form.read(t, honestTraffic(t, api)))); len(r.Findings) > 0 {
					t.Errorf("the sound %s has findings:%s", api, tell(r))
				}
			})
			t.Run(form.name+"/"+api+"/all", func(t *testing.T) {
				t.Parallel()
				// What honest clients use, and an API that makes every mistake.
				r := scanWith(t, learnt(t, options(t, "all"), form.read(t, honestTraffic(t, api))))
				got := confirmed(r)
				for _, f := range flaws {
					if !slices.Contains(got, f.ID) && !untold(api, f.ID) {
						t.Errorf("%s is not confirmed", f.ID)
					}
				}
			})
		}
	}
}

// TestFlawsFromTraffic turns on each of them alone.
func TestFlawsFromTraffic(t *testing.T) {
	if !needs.Full() {
		t.Skip("each flaw alone from traffic is a matter of make accept: TestTrafficOfFlawedAPIs has all at once")
	}
	for _, form := range fromTraffic {
		for _, api := range []string{"shop", "ledger"} {
			flaws, options := shop.Flaws, shopOptions
			if api == "ledger" {
				flaws, options = ledger.Flaws, ledgerOptions
			}
			for _, f := range flaws {
				if untold(api, f.ID) {
					continue
				}
				t.Run(form.name+"/"+api+"/"+f.ID, func(t *testing.T) {
					t.Parallel()
					r := scanWith(t, learnt(t, options(t, f.ID), form.read(t, honestTraffic(t, api, f.ID))))
					if got := confirmed(r); !slices.Contains(got, f.ID) {
						t.Errorf("%s is not confirmed:%s", f.ID, tell(r))
					}
					for _, id := range confirmed(r) {
						if id != f.ID && !slices.Contains(check.ByID(f.ID).Implies, id) {
							t.Errorf("%s is reported too:%s", id, tell(r))
						}
					}
				})
			}
		}
	}
}
