package identity

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/parley-project/parley/exchange"
)

func BenchmarkIdentifyHit(b *testing.B) {
	s := newSigner(b, "k1")
	v := verifier(b, shop(write(b, "jwks.json", jwks(b, s))), Options{})
	var rs []*exchange.Request
	for i := range 1000 {
		r := request("/v1/orders?user_id=101", "Host", "api.shop.test", "User-Agent", "bench", "Accept", "application/json",
			"Authorization", "Bearer "+s.sign(b, nil, claims(map[string]any{"jti": fmt.Sprint(i)})))
		rs = append(rs, r)
		if c, _, _ := v.Identify(context.Background(), r, now); c == nil {
			b.Fatal("refused")
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if c, _, _ := v.Identify(context.Background(), rs[i%len(rs)], now); c == nil {
			b.Fatal("refused")
		}
	}
}

func BenchmarkIdentifyMiss(b *testing.B) {
	s := newSigner(b, "k1")
	v := verifier(b, shop(write(b, "jwks.json", jwks(b, s))), Options{})
	token := s.sign(b, nil, claims(nil))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.prove(context.Background(), token, now); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIdentifyNothing(b *testing.B) {
	v := verifier(b, &Config{}, Options{})
	r := request("/v1/products?limit=10", "Host", "api.shop.test", "User-Agent", "bench", "Accept", "application/json")
	b.ReportAllocs()
	for b.Loop() {
		v.Identify(context.Background(), r, now)
	}
}

// plainJSON is about 1 KB without a secret.
var plainJSON = []byte(`{"orders":[` + strings.TrimSuffix(strings.Repeat(
	`{"id":887,"user_id":101,"status":"pending","items":[{"product_id":7,"quantity":2,"price":"19.90"}],"currency":"INR","note":"leave at the door","created_at":"2026-11-20T10:00:00Z"},`, 6), ",") + `]}`)

func BenchmarkMaskJSON(b *testing.B) {
	b.SetBytes(int64(len(plainJSON)))
	b.ReportAllocs()
	for b.Loop() {
		m := masker{key: maskKey}
		if _, ok := m.document(plainJSON, "application/json", false); ok {
			b.Fatal("changed")
		}
	}
}

func BenchmarkMaskExchange(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		x := &exchange.Exchange{
			Request: exchange.Request{Target: "/v1/orders?user_id=101&limit=10", Header: exchange.Header{
				{Name: "Host", Value: "api.shop.test"}, {Name: "User-Agent", Value: "bench"}, {Name: "Accept", Value: "application/json"},
				{Name: "Authorization", Value: "Bearer " + aJWT}}},
			Response: &exchange.Response{Status: 200, Header: exchange.Header{{Name: "Content-Type", Value: "application/json"},
				{Name: "Cache-Control", Value: "no-store"}, {Name: "X-Content-Type-Options", Value: "nosniff"}},
				Body: exchange.Body{Size: int64(len(plainJSON)), Data: plainJSON}},
		}
		Mask(x, maskKey)
	}
}
