package guard_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/guard"
)

// products answers with a whole row and accepts whatever it is sent.
func product(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `{"id":5,"name":"lamp","cost_price":3}`)
}

// The guard is middleware for any router that takes net/http handlers.
func Example() {
	c, err := contract.Load("testdata/parley.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	g, err := guard.New(c, guard.Options{TLSInFront: true})
	if err != nil {
		fmt.Println(err)
		return
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/products/{id}", product)

	router := chi.NewRouter()
	router.Use(g.Middleware)
	router.Get("/v1/products/{id}", product)
	router.Delete("/v1/products/{id}", product)

	for name, h := range map[string]http.Handler{"mux": g.Middleware(mux), "chi": router} {
		get := httptest.NewRecorder()
		h.ServeHTTP(get, httptest.NewRequest("GET", "/v1/products/5", nil))
		body, _ := io.ReadAll(get.Body)

		put := httptest.NewRecorder()
		h.ServeHTTP(put, httptest.NewRequest("PUT", "/v1/products/5", strings.NewReader(`{}`)))

		fmt.Println(name, get.Code, string(body), get.Header().Get("X-Content-Type-Options"), put.Code, put.Header().Get("Allow"))
	}
	// Unordered output:
	// mux 200 {"id":5,"name":"lamp"} nosniff 405 DELETE, GET, HEAD, OPTIONS
	// chi 200 {"id":5,"name":"lamp"} nosniff 405 DELETE, GET, HEAD, OPTIONS
}
