package guard_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/parley-project/parley/contract"
)

// An answer of another type than the contract declares has members that no
// schema speaks of: none could be filtered, so it does not leave.
func TestAnotherKind(t *testing.T) {
	for body, want := range map[string]int{
		`{"id":5}`:                       200,
		`[{"id":5,"cost":1}]`:            502,
		" \r\n[[{\"password_hash\":1}]]": 502,
		`"sold out"`:                     200, // holds no member
		`{"id":5,"name":{"cost":1}}`:     502,
		`{"id":[{"cost":1}]}`:            502,
		`{"id":5,"name":7}`:              200, // wrong, and hides nothing
	} {
		g, _ := newGuard(t, contract.Enforce)
		w := httptest.NewRecorder()
		g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, body)
		})).ServeHTTP(w, httptest.NewRequest("GET", "/v1/products/5", nil))
		if w.Code != want {
			t.Errorf("%s was answered %d %s, want %d", body, w.Code, w.Body, want)
		}
	}
}
