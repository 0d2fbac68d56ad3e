package shop_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/parley-project/parley/example/shop"
)

// The attack on another's order works on a shop with that flaw, and only there.
func Example() {
	for _, flaws := range [][]string{nil, {"authz-object"}} {
		s, err := shop.New(shop.Options{Flaws: flaws})
		if err != nil {
			panic(err)
		}
		server := httptest.NewServer(s.Handler())
		keys, err := s.Keys()
		if err != nil {
			panic(err)
		}
		for _, a := range shop.Attacks() {
			if a.Flaw != "authz-object" {
				continue
			}
			o, err := shop.Run(context.Background(), http.DefaultClient, server.URL, keys, a, nil)
			if err != nil {
				panic(err)
			}
			fmt.Println(o.Title, " ", o.Summary)
		}
		server.Close()
		s.Close()
	}
	// Output:
	// GET /v1/orders/887 as rajan   404 refused
	// GET /v1/orders/887 as rajan   200 read
}
