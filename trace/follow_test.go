package trace_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/internal/lab"
	"github.com/parley-project/parley/trace"
)

var authority = lab.NewAuthority()

// recorder keeps what it is given.
type recorder struct {
	mu sync.Mutex
	xs []*exchange.Exchange
}

func (r *recorder) Record(x *exchange.Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.xs = append(r.xs, x)
}

// sound is an API that does all as it should.
func sound(requests *atomic.Int32) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		for name, v := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
			"X-Frame-Options": "DENY", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Strict-Transport-Security": "max-age=31536000"} {
			w.Header().Set(name, v)
		}
		switch r.Header.Get("Authorization") {
		case "Bearer priya-token-1":
			io.WriteString(w, `{"id":887}`)
		case "Bearer rajan-token-1":
			w.WriteHeader(404)
		default:
			w.Header().Set("WWW-Authenticate", `Bearer realm="api"`)
			w.WriteHeader(401)
		}
	})
}

func serve(t *testing.T, h http.Handler) *lab.HTTP {
	t.Helper()
	s, err := lab.ServeHTTP(authority, h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func follow(t *testing.T, r *call.Request, o trace.Options) *trace.Result {
	t.Helper()
	res, err := trace.Follow(context.Background(), r, o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func verdicts(x *exchange.Exchange) string {
	var vs []string
	for _, v := range trace.Steps(x) {
		vs = append(vs, string(v.Verdict))
	}
	return strings.Join(vs, " ")
}

// A sound API is a good day in every version of HTTP: one request, nine lines,
// nothing found.
func TestFollow(t *testing.T) {
	for _, version := range []string{"1.1", "2", "3"} {
		t.Run("HTTP/"+version, func(t *testing.T) {
			var requests atomic.Int32
			s := serve(t, sound(&requests))
			var got recorder
			res := follow(t, &call.Request{Method: "GET", URL: s.URL() + "/v1/orders/887", Auth: identity.NewBearer("priya-token-1")},
				trace.Options{As: "priya", Client: call.Options{HTTP: version, Roots: authority.Pool(), Resolve: s.Resolve(), Recorder: &got}})
			if n := requests.Load(); n != 1 {
				t.Errorf("the server got %d requests, want 1", n)
			}
			x := res.Exchange
			if v := verdicts(x); v != "ok ok ok ok ok ok ok" {
				t.Errorf("Follow found %s, want ok for each: %v %s", v, x.Findings, x.Failure)
			}
			if x.Source != exchange.FromTrace || len(got.xs) != 1 || got.xs[0].ID != x.ID {
				t.Errorf("Follow recorded %d exchanges from %s, want its own one", len(got.xs), x.Source)
			}
			var b bytes.Buffer
			if err := trace.Write(&b, x, trace.View{As: "priya"}); err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(b.String(), "\n"); n != 9 || strings.Contains(b.String(), "priya-token-1") {
				t.Errorf("the drawing has %d lines, want 9 without the token:\n%s", n, b.String())
			}
		})
	}
}

// Over a channel that does not verify the call is made all the same, and
// nothing secret crosses it, unless it is to be sent anyway.
func TestFollowWithholds(t *testing.T) {
	for _, anyway := range []bool{false, true} {
		var requests atomic.Int32
		var secrets atomic.Int32
		h := sound(&requests)
		s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "" || r.Header.Get("Parley-Trace") != "" {
				secrets.Add(1)
			}
			h.ServeHTTP(w, r)
		}))
		o := trace.Options{Client: call.Options{Roots: lab.NewAuthority().Pool(), Resolve: s.Resolve()}}
		if anyway {
			o.Client.Untrusted = call.SendAnyway
		}
		res := follow(t, &call.Request{Method: "GET", URL: s.URL() + "/v1/orders/887", Auth: identity.NewBearer("priya-token-1"),
			Header: exchange.Header{{Name: "Parley-Trace", Value: "0123456789abcdef"}}}, o)
		vs := trace.Steps(res.Exchange)
		if vs[2].Verdict != trace.Fail || requests.Load() != 1 {
			t.Errorf("anyway %v: step tls is %s after %d requests, want FAIL after 1", anyway, vs[2].Verdict, requests.Load())
		}
		if sent := secrets.Load() > 0; sent != anyway {
			t.Errorf("anyway %v: secrets were sent: %v", anyway, sent)
		}
		if withheld := res.Exchange.Client != nil && slices.Contains(res.Exchange.Client.Withheld, "Authorization"); withheld == anyway {
			t.Errorf("anyway %v: withheld is %v", anyway, withheld)
		}
	}
}

// A call that breaks off is a result: the step where it ended fails, and those
// after it say why they were not reached.
func TestFollowEnds(t *testing.T) {
	tests := []struct {
		name, url, resolve string
		want               string
	}{
		{"no name", "https://api.parley.test/", "", "FAIL skipped skipped skipped skipped skipped skipped"},
		{"no listener", "https://api.parley.test:1/", "api.parley.test:1", "ok FAIL skipped skipped skipped skipped skipped"},
	}
	for _, tt := range tests {
		o := trace.Options{Client: call.Options{Resolver: nobody{}}}
		if tt.resolve != "" {
			o.Client.Resolve = map[string][]netip.Addr{tt.resolve: {netip.MustParseAddr("127.0.0.1")}}
		}
		res := follow(t, &call.Request{Method: "GET", URL: tt.url}, o)
		if got := verdicts(res.Exchange); got != tt.want {
			t.Errorf("Follow(%s) found %s, want %s (%s)", tt.name, got, tt.want, res.Exchange.Failure)
		}
	}
	s := serve(t, lab.Faults())
	plain := strings.Replace(s.PlainURL(), "http://", "https://", 1)
	res := follow(t, &call.Request{Method: "GET", URL: plain}, trace.Options{})
	if got := verdicts(res.Exchange); got != "skipped ok FAIL skipped skipped skipped skipped" {
		t.Errorf("Follow(TLS to a plain port) found %s: %s", got, res.Exchange.Failure)
	}
}

// A server that never answers: the time is that of the step which waited.
func TestFollowWaits(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	const patience = 200 * time.Millisecond
	res := follow(t, &call.Request{Method: "GET", URL: s.URL()},
		trace.Options{Client: call.Options{Roots: authority.Pool(), Resolve: s.Resolve(), Timeout: patience}})
	vs := trace.Steps(res.Exchange)
	if got := verdicts(res.Exchange); got != "ok ok ok ok FAIL skipped skipped" {
		t.Errorf("Follow found %s: %s", got, res.Exchange.Failure)
	}
	if vs[4].Time < patience/2 {
		t.Errorf("step server took %v, want most of %v", vs[4].Time, patience)
	}
}

// nobody is a resolver that knows no name.
type nobody struct{}

func (nobody) Resolve(_ context.Context, name string) *exchange.DNS {
	return &exchange.DNS{Name: name, Resolver: "nobody", Failure: "nobody says NXDOMAIN: there is no such name"}
}

// Other resolvers are asked beside the one in use, and their answers are shown.
func TestFollowCompares(t *testing.T) {
	forging, err := lab.ServeDNS(lab.DNSOptions{Behave: lab.Forging("127.0.0.9")})
	if err != nil {
		t.Fatal(err)
	}
	defer forging.Close()
	honest, err := lab.ServeDNS(lab.DNSOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer honest.Close()
	inUse, err1 := call.ParseResolver("forging=" + forging.Plain.String())
	other, err2 := call.ParseResolver("honest=" + honest.Plain.String())
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	res := follow(t, &call.Request{Method: "GET", URL: "https://api.parley.test:1/"},
		trace.Options{Client: call.Options{Resolver: inUse, Timeout: 2e9}, Compare: []call.Resolver{other}})
	seen := map[string]bool{}
	for _, a := range res.Exchange.DNS.Answers {
		seen[a.Resolver] = true
	}
	if !seen["forging"] || !seen["honest"] {
		t.Errorf("Follow compared %v, want both resolvers", seen)
	}
	var b bytes.Buffer
	trace.Write(&b, res.Exchange, trace.View{Width: 120})
	if !strings.Contains(b.String(), "127.0.0.9") || !strings.Contains(b.String(), "honest") {
		t.Errorf("the answers are not drawn:\n%s", b.String())
	}
}

// Deep asks the same server for its offers.
func TestFollowDeep(t *testing.T) {
	var requests atomic.Int32
	s := serve(t, sound(&requests))
	res := follow(t, &call.Request{Method: "GET", URL: s.URL()}, trace.Options{Deep: true, Client: call.Options{Roots: authority.Pool(), Resolve: s.Resolve()}})
	o := res.Exchange.TLS.Offers
	if o == nil || len(o.Versions) != 2 || requests.Load() != 1 {
		t.Errorf("Follow(deep) found the offers %+v with %d requests, want TLS 1.3 and 1.2 with one", o, requests.Load())
	}
}

// Probes ask what the server decides by: a sound one refuses each, and one
// that looks at nothing is found out.
func TestProbes(t *testing.T) {
	var requests atomic.Int32
	everybody := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"id":887}`)
	})
	unsigned := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			w.WriteHeader(401)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"id":887}`)
	})
	tests := []struct {
		name string
		h    http.Handler
		want map[string]exchange.Verdict
	}{
		{"sound", sound(&requests), map[string]exchange.Verdict{}},
		{"everybody", everybody, map[string]exchange.Verdict{"authn-missing": exchange.Confirmed, "authn-invalid": exchange.Confirmed}},
		{"any token", unsigned, map[string]exchange.Verdict{"authn-invalid": exchange.Confirmed}},
	}
	for _, tt := range tests {
		s := serve(t, tt.h)
		r := &call.Request{Method: "GET", URL: s.URL() + "/v1/orders/887", Auth: identity.NewBearer("priya-token-1")}
		probes, err := trace.AuthProbes(context.Background(), r, identity.NewBearer("rajan-token-1"), "rajan")
		if err != nil || len(probes) != 3 {
			t.Fatalf("AuthProbes made %d, %v, want 3", len(probes), err)
		}
		res := follow(t, r, trace.Options{As: "priya", Probes: probes, Client: call.Options{Roots: authority.Pool(), Resolve: s.Resolve()}})
		if len(res.Probed) != 3 {
			t.Fatalf("%s: %d probes were sent, want 3", tt.name, len(res.Probed))
		}
		got := map[string]exchange.Verdict{}
		for _, f := range res.Exchange.Findings {
			if strings.HasPrefix(f.Check, "auth") {
				got[f.Check] = f.Verdict
			}
		}
		for id, v := range tt.want {
			if got[id] != v {
				t.Errorf("%s: probes found %v, want %s %s", tt.name, got, id, v)
			}
			delete(got, id)
		}
		if len(got) > 0 {
			t.Errorf("%s: probes found %v, want nothing more than %v", tt.name, got, tt.want)
		}
		for _, p := range res.Probed {
			if !slices.Contains(p.Exchange.Links, exchange.Link{Kind: exchange.Probe, ID: res.Exchange.ID}) {
				t.Errorf("%s: %s is not linked to the call", tt.name, p.Name)
			}
		}
	}
	// An object that only people with a token get, and each of them.
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a := r.Header.Get("Authorization"); a != "Bearer priya-token-1" && a != "Bearer rajan-token-1" {
			w.WriteHeader(401)
			return
		}
		io.WriteString(w, `{"id":887}`)
	}))
	r := &call.Request{Method: "GET", URL: s.URL(), Auth: identity.NewBearer("priya-token-1")}
	probes, _ := trace.AuthProbes(context.Background(), r, identity.NewBearer("rajan-token-1"), "rajan")
	res := follow(t, r, trace.Options{Probes: probes, Client: call.Options{Roots: authority.Pool(), Resolve: s.Resolve()}})
	if !slices.ContainsFunc(res.Exchange.Findings, func(f exchange.Finding) bool { return f.Check == "authz-object" && f.Verdict == exchange.Confirmed }) {
		t.Errorf("rajan got priya's order, and it was not found: %v", res.Exchange.Findings)
	}
	for _, bad := range []*call.Request{{Method: "POST", URL: s.URL(), Auth: r.Auth}, {Method: "GET", URL: s.URL()}} {
		if _, err := trace.AuthProbes(context.Background(), bad, nil, ""); err == nil {
			t.Errorf("AuthProbes(%s) made probes, want a refusal", bad.Method)
		}
	}
}

// The contract judges the answer, and rules about callers are not judged while
// nobody proves who asked.
func TestFollowContract(t *testing.T) {
	dir := t.TempDir()
	const api = `openapi: 3.1.0
info: {title: t, version: "1"}
security: [{token: []}]
paths:
  /v1/orders/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get: {responses: {"200": {description: an order, content: {application/json: {schema: {type: object, properties: {id: {type: integer}}}}}}}}
components: {securitySchemes: {token: {type: http, scheme: bearer}}}
`
	if err := os.WriteFile(filepath.Join(dir, "openapi.yaml"), []byte(api), 0o600); err != nil {
		t.Fatal(err)
	}
	policy := filepath.Join(dir, "parley.yaml")
	if err := os.WriteFile(policy, []byte("api: openapi.yaml\nidentity: {subject: {claim: sub, type: integer}}\nupstream: http://127.0.0.1:1\nrules:\n  - {operation: 'GET /v1/orders/{id}', owner: response.id}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := contract.Load(policy)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"id":887,"card":"x"}`)
	}))
	res := follow(t, &call.Request{Method: "GET", URL: s.URL() + "/v1/orders/887", Auth: identity.NewBearer("priya-token-1")},
		trace.Options{Contract: k, Client: call.Options{Roots: authority.Pool(), Resolve: s.Resolve()}})
	var ids []string
	for _, f := range res.Exchange.Findings {
		ids = append(ids, f.Check)
	}
	if !slices.Contains(ids, "response-excessive-data") || slices.ContainsFunc(ids, func(id string) bool { return strings.HasPrefix(id, "auth") }) {
		t.Errorf("Follow found %v, want the member that is not declared, and nothing about callers", ids)
	}
	if res.Exchange.Server.Operation != "GET /v1/orders/{id}" {
		t.Errorf("the operation is %q", res.Exchange.Server.Operation)
	}
}
