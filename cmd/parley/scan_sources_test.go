package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/example/shop"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// gathered keeps exchanges.
type gathered struct {
	mu sync.Mutex
	xs []*exchange.Exchange
}

func (g *gathered) Record(x *exchange.Exchange) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.xs = append(g.xs, x)
}

// flawedShop opens a shop in which anyone reads anyone's order, in a folder
// with its people's tokens, and returns its URL. It describes itself when it is
// told to.
func flawedShop(t *testing.T, describes bool) (*shop.Shop, string) {
	t.Helper()
	s, err := shop.New(shop.Options{Flaws: []string{"authz-object"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if describes && r.URL.Path == "/openapi.yaml" {
			w.Write(shop.OpenAPI)
			return
		}
		s.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	t.Chdir(t.TempDir())
	for _, name := range shopPeople {
		token, err := s.Token(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name+".txt", []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s, server.URL
}

// traffic records what two customers do, as HAR.
func traffic(t *testing.T, s *shop.Shop, url string) {
	t.Helper()
	g := &gathered{}
	c, err := call.New(call.Options{Recorder: g})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, name := range []string{"priya", "rajan"} {
		token, err := s.Token(name)
		if err != nil {
			t.Fatal(err)
		}
		auth := identity.NewBearer(identity.Secret(token))
		do := func(method, path, body string) *exchange.Exchange {
			r := &call.Request{Method: method, URL: url + path, Auth: auth, Body: []byte(body), Header: exchange.Header{{Name: "Accept", Value: "application/json"}}}
			if body != "" {
				r.Header = append(r.Header, exchange.Field{Name: "Content-Type", Value: "application/json"})
			}
			return c.Do(t.Context(), r)[0]
		}
		do("GET", "/v1/me", "")
		for _, note := range []string{"ring twice, please", "leave it with the neighbours"} {
			x := do("POST", "/v1/orders", `{"items":[{"product_id":1,"quantity":1}],"note":"`+note+`","shipping_address":"12 MG Road, Pune"}`)
			if x.Response == nil || x.Response.Status != 201 {
				t.Fatalf("an order is answered with %v", x.Response)
			}
			do("GET", x.Response.Header.Get("Location"), "")
		}
		do("GET", "/v1/orders", "")
	}
	var b bytes.Buffer
	if err := archive.WriteHAR(&b, g.xs); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("traffic.har", b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func scannedAs(t *testing.T, want int, args ...string) (out, talk string) {
	t.Helper()
	var o, e bytes.Buffer
	args = append([]string{"scan", "--as", "priya=@priya.txt", "--as", "rajan=@rajan.txt", "--only", "authz-object", "--no-sign-up"}, args...)
	if got := run(args, &o, &e); got != want {
		t.Errorf("parley %v ended with %d, want %d\n%s%s", args, got, want, o.String(), e.String())
	}
	return o.String(), e.String()
}

var ordersRead = regexp.MustCompile(`(?m)^authz-object  GET /v1/orders/\{\w+\}   rajan read priya's order \(200\)$`)

// Traffic alone says what an API has, and what it was used for.
func TestScanFromTraffic(t *testing.T) {
	s, url := flawedShop(t, false)
	traffic(t, s, url)
	out, _ := scannedAs(t, exitFound, "--from", "traffic.har", url)
	if !ordersRead.MatchString(out) {
		t.Errorf("what traffic shows is not asked about:\n%s", out)
	}
	// Again by its ID, with the same traffic.
	d, err := readResult(".parley/scan.json")
	if err != nil {
		t.Fatal(err)
	}
	var o, e bytes.Buffer
	if got := run([]string{"scan", "--replay", d.Findings[0].ID}, &o, &e); got != exitFound || !strings.Contains(o.String(), "proof: GET /v1/orders/") {
		t.Errorf("--replay ended with %d\n%s%s", got, o.String(), e.String())
	}
}

// What traffic shows beyond a description is asked about too, and said.
func TestScanShadow(t *testing.T) {
	s, url := flawedShop(t, false)
	traffic(t, s, url)
	half := `openapi: 3.1.0
info: {title: half of it, version: "1"}
security: [{token: []}]
paths:
  /v1/me: {get: {responses: {"200": {description: ok, content: {application/json: {schema: {type: object}}}}}}}
components: {securitySchemes: {token: {type: http, scheme: bearer}}}
`
	if err := os.WriteFile("half.yaml", []byte(half), 0o600); err != nil {
		t.Fatal(err)
	}
	out, talk := scannedAs(t, exitFound, "--api", "half.yaml", "--from", "traffic.har", url)
	if !ordersRead.MatchString(out) {
		t.Errorf("what the description lacks is not asked about:\n%s", out)
	}
	if !strings.Contains(talk, "traffic shows 3 operations that the description does not have") {
		t.Errorf("nobody says what the description lacks:\n%s", talk)
	}
	if now, err := os.ReadFile("half.yaml"); err != nil || string(now) != half {
		t.Errorf("the description was changed")
	}
}

// An API that describes itself needs no file.
func TestScanDiscovers(t *testing.T) {
	_, url := flawedShop(t, true)
	out, talk := scannedAs(t, exitFound, url)
	if !ordersRead.MatchString(out) || !strings.Contains(talk, "the API describes itself at /openapi.yaml") {
		t.Errorf("the API's own description is not taken:\n%s%s", out, talk)
	}
}
