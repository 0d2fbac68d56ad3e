package guard_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/parley-project/parley/contract"
)

// Guard alone answers preflights and grants reading, and takes away what the
// API grants to others.
func TestCORS(t *testing.T) {
	const ours, foreign = "https://www.shop.test", "https://evil.test"
	tests := []struct {
		name, method, origin, ask, headers string
		status                             int
		reached                            bool
		allow, methods                     string
	}{
		{"preflight", "OPTIONS", ours, "GET", "", 204, false, ours, "DELETE, GET, HEAD, OPTIONS"},
		{"preflight of another site", "OPTIONS", foreign, "GET", "", 204, false, "", ""},
		{"preflight for a method that is not offered", "OPTIONS", ours, "PUT", "", 204, false, "", ""},
		{"preflight for a header that is not named", "OPTIONS", ours, "GET", "X-Evil", 204, false, "", ""},
		{"answer", "GET", ours, "", "", 200, true, ours, ""},
		{"answer to another site", "GET", foreign, "", "", 200, true, "", ""},
		{"answer to a suffix of our host", "GET", "https://www.shop.test.evil.test", "", "", 200, true, "", ""},
		{"answer to null", "GET", "null", "", "", 200, true, "", ""},
		{"answer to nobody", "GET", "", "", "", 200, true, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, _ := newGuard(t, contract.Enforce)
			reached := false
			h := g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				reached = true
				w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin")) // whoever asks
				w.Header().Set("Access-Control-Allow-Credentials", "true")
				w.Header().Set("Content-Type", "application/json")
				io.WriteString(w, `{"id":5}`)
			}))
			r := httptest.NewRequest(tt.method, "/v1/products/5", nil)
			for name, value := range map[string]string{"Origin": tt.origin, "Access-Control-Request-Method": tt.ask, "Access-Control-Request-Headers": tt.headers} {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.status || reached != tt.reached {
				t.Errorf("status %d, handler reached %v; want %d, %v", w.Code, reached, tt.status, tt.reached)
			}
			if got := w.Header().Get("Access-Control-Allow-Origin"); got != tt.allow {
				t.Errorf("Access-Control-Allow-Origin %q, want %q", got, tt.allow)
			}
			if got := w.Header().Get("Access-Control-Allow-Methods"); got != tt.methods {
				t.Errorf("Access-Control-Allow-Methods %q, want %q", got, tt.methods)
			}
			if w.Header().Get("Access-Control-Allow-Credentials") != "" {
				t.Error("credentials are granted, which the policy does not say")
			}
			if tt.origin != "" && !strings.Contains(w.Header().Get("Vary"), "Origin") {
				t.Errorf("Vary is %q: a cache would give one origin's answer to another", w.Header().Get("Vary"))
			}
		})
	}
}

// Where the policy lets every origin read, answers and preflights say so, and
// never together with credentials.
func TestCORSForEverybody(t *testing.T) {
	g, _ := newGuard(t, contract.Enforce)
	g.Contract().CORS = &contract.CORS{Origins: []string{"*"}}
	h := g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		w.Header().Set("Access-Control-Allow-Credentials", "true")
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"id":5}`)
	}))
	for _, method := range []string{"GET", "OPTIONS"} {
		r := httptest.NewRequest(method, "/v1/products/5", nil)
		r.Header.Set("Origin", "https://anybody.test")
		r.Header.Set("Access-Control-Request-Method", "GET")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != "*" {
			t.Errorf("%s: Access-Control-Allow-Origin %q, want *", method, got)
		}
		if w.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: credentials are granted to everybody", method)
		}
	}
}
