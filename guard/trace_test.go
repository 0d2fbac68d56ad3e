package guard_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/guard"
)

const traceKey = "0123456789abcdef0123456789abcdef"

// tracedGuard is a guard with identities and a trace key.
func tracedGuard(t *testing.T, mode contract.Mode) (*guard.Guard, *memory) {
	t.Helper()
	sum := sha256.Sum256([]byte(traceKey))
	m := &memory{}
	g, err := guard.New(load(t, mode), guard.Options{TLSInFront: true, Recorder: m, TraceKey: &sum})
	if err != nil {
		t.Fatal(err)
	}
	return g, m
}

// Whoever has the key is told what was decided, on answers and on refusals, in
// both modes; nobody else is, and nobody upstream sees the field.
func TestTraceKey(t *testing.T) {
	const answer = `{"id":5,"name":"lamp","cost":1}`
	tests := []struct {
		name, method, target, key string
		enforce, report           string // the entries of Server-Timing, without times
	}{
		{"good", "GET", "/v1/products/5", traceKey,
			`authz "public", app, filter "stripped 1, repaired 3"`, `authz "public", app, filter "report mode: nothing is changed"`},
		{"refused", "PATCH", "/v1/products/5", traceKey,
			`authz "refused: request-method"`, `authz "would refuse: request-method", app, filter "report mode: nothing is changed"`},
		{"no operation", "GET", "/v2/nothing", traceKey,
			`authz "refused: request-undeclared-endpoint"`, `authz "would refuse: request-undeclared-endpoint", app, filter "report mode: nothing is changed"`},
		{"refused by a rule", "DELETE", "/v1/products/5", traceKey, `authz "refused: authz-method by parley.yaml:15"`,
			`authz "would refuse: authz-method by parley.yaml:15", app, filter "report mode: nothing is changed"`},
		{"no key", "GET", "/v1/products/5", "", "", ""},
		{"wrong key", "GET", "/v1/products/5", traceKey + "0", "", ""},
		{"the hash itself", "GET", "/v1/products/5", fmt.Sprintf("%x", sha256.Sum256([]byte(traceKey))), "", ""},
		{"endless key", "GET", "/v1/products/5", strings.Repeat("k", 4000), "", ""},
		{"two keys", "GET", "/v1/products/5", traceKey + "|" + traceKey, "", ""},
	}
	times := regexp.MustCompile(`;dur=[0-9.]+(;desc=)?`)
	for _, mode := range []contract.Mode{contract.Enforce, contract.Report} {
		for _, tt := range tests {
			t.Run(string(mode)+"/"+tt.name, func(t *testing.T) {
				g, m := tracedGuard(t, mode)
				h := g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Header.Get(guard.TraceField) != "" {
						t.Errorf("the API was told %s: %s", guard.TraceField, r.Header.Get(guard.TraceField))
					}
					w.Header().Set("Content-Type", "application/json")
					io.WriteString(w, answer)
				}))
				r := httptest.NewRequest(tt.method, tt.target, nil)
				for v := range strings.SplitSeq(tt.key, "|") {
					if v != "" {
						r.Header.Add(guard.TraceField, v)
					}
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				want := tt.enforce
				if mode == contract.Report {
					want = tt.report
				}
				got := times.ReplaceAllStringFunc(w.Header().Get("Server-Timing"), func(s string) string {
					if strings.HasSuffix(s, "desc=") {
						return " "
					}
					return ""
				})
				if got != want {
					t.Errorf("Server-Timing %q, want %q", got, want)
				}
				x := m.client(t)
				if x.Request.Header.Has(guard.TraceField) {
					t.Errorf("the field was recorded: %v", x.Request.Header)
				}
				if (want != "") != (len(x.Server.Timing) > 0) {
					t.Errorf("recorded %v, want what the client was told: %q", x.Server.Timing, want)
				}
			})
		}
	}
}

// What the API tells of its own work stays.
func TestTraceKeepsTheRest(t *testing.T) {
	g, _ := tracedGuard(t, contract.Enforce)
	h := g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server-Timing", "db;dur=12")
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"id":5}`)
	}))
	r := httptest.NewRequest("GET", "/v1/products/5", nil)
	r.Header.Set(guard.TraceField, traceKey)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	lines := w.Header().Values("Server-Timing")
	if len(lines) != 2 || lines[0] != "db;dur=12" || !strings.HasPrefix(lines[1], "authz;dur=") {
		t.Errorf("Server-Timing %q, want the API's own and guard's", lines)
	}
}

// Without a key in the configuration the field is one like any other.
func TestNoTraceKey(t *testing.T) {
	g, _ := newGuard(t, contract.Enforce)
	h := g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "x") }))
	r := httptest.NewRequest("GET", "/v1/products/5", nil)
	r.Header.Set(guard.TraceField, traceKey)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if v := w.Header().Get("Server-Timing"); v != "" {
		t.Errorf("Server-Timing %q, want none", v)
	}
}
