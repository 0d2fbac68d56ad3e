package guard_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/guard"
)

// All bodies that are held together have a bound: beyond it enforce mode
// refuses, report mode judges less, and what was taken is given back.
func TestRoom(t *testing.T) {
	large := `{"id":5,"name":"` + strings.Repeat("x", 200<<10) + `"}`
	login := `{"email":"` + strings.Repeat("x", 200<<10) + `","password":"b"}`
	tests := []struct {
		name string
		hold int64
		mode contract.Mode
		want string // statuses of a large answer, a large request and a small one, five times
	}{
		{"enough", 1 << 20, contract.Enforce, "200 204 200"},
		{"too little", 100 << 10, contract.Enforce, "503 503 200"},
		{"too little, report", 100 << 10, contract.Report, "200 204 200"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := load(t, tt.mode)
			for _, o := range c.Operations {
				o.Limits = nil
			}
			g, err := guard.New(c, guard.Options{TLSInFront: true, Hold: tt.hold})
			if err != nil {
				t.Fatal(err)
			}
			h := g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "POST" {
					if got, err := io.ReadAll(r.Body); err != nil || string(got) != login {
						t.Errorf("the API read %d bytes, %v", len(got), err)
					}
					w.WriteHeader(204)
					return
				}
				w.Header().Set("Content-Type", "application/json")
				if strings.HasSuffix(r.URL.Path, "5") {
					io.WriteString(w, large)
					return
				}
				io.WriteString(w, `{"id":6}`)
			}))
			for range 10 {
				a := ask(h, "GET", "/v1/products/5", "", "")
				if a.Code == 200 && a.Body.String() != large {
					t.Errorf("a body of %d bytes, want %d", a.Body.Len(), len(large))
				}
				b := ask(h, "POST", "/v1/login", "Content-Type: application/json", login)
				d := ask(h, "GET", "/v1/products/6", "", "")
				if got := fmt.Sprint(a.Code, b.Code, d.Code); got != tt.want {
					t.Fatalf("statuses %s, want %s", got, tt.want)
				}
			}
		})
	}
}

// A list of a megabyte is an honest answer.
func TestLongList(t *testing.T) {
	g, _ := hostile(t)
	list := "[" + strings.Repeat(`{"id":5,"name":"lamp"},`, 40_000) + `{"id":5,"name":"lamp"}]`
	w := ask(g.Middleware(answering(200, "Content-Type: application/json", list)), "GET", "/v1/catalogue", "", "")
	if w.Code != 200 || w.Body.String() != list {
		t.Errorf("status %d, %d bytes of %d", w.Code, w.Body.Len(), len(list))
	}
}
