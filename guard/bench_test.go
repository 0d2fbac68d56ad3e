package guard_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/guard"
)

// nowhere takes exchanges and drops them.
type nowhere struct{}

func (nowhere) Record(*exchange.Exchange) {}

// discard is a response writer that costs nothing.
type discard struct{ h http.Header }

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

// What guard adds to a handler that answers at once, without network.
func BenchmarkMiddleware(b *testing.B) {
	reply := []byte(`{"id":5,"name":"` + strings.Repeat("lamp ", 190) + `","cost_price":3,"supplier":{"id":7,"name":"x"}}`)
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["Content-Type"] = []string{"application/json"}
		h["Content-Length"] = []string{"1021"}
		h["Date"] = []string{"Mon, 23 Nov 2026 16:00:00 GMT"}
		h["Server"] = []string{"nginx"}
		w.Write(reply)
	})
	for _, mode := range []contract.Mode{contract.Report, contract.Enforce} {
		b.Run(string(mode), func(b *testing.B) {
			g, err := guard.New(load(b, mode), guard.Options{TLSInFront: true, Recorder: nowhere{}})
			if err != nil {
				b.Fatal(err)
			}
			h := g.Middleware(next)
			get := httptest.NewRequest("GET", "/v1/products/5", nil)
			get.Header = http.Header{"User-Agent": {"bench"}, "Accept": {"*/*"}, "Authorization": {"Bearer x"}}
			b.ReportAllocs()
			for b.Loop() {
				w := &discard{h: http.Header{}}
				h.ServeHTTP(w, get)
			}
		})
	}
}
