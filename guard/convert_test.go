package guard

import (
	"net/http"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-project/parley/exchange"
)

// Changing a map by the difference gives what writing it anew would.
func TestChangeHeader(t *testing.T) {
	field := rapid.Custom(func(t *rapid.T) exchange.Field {
		return exchange.Field{Name: rapid.SampledFrom([]string{"A", "B", "Content-Type", "Date", "Set-Cookie"}).Draw(t, "name"),
			Value: rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "value")}
	})
	rapid.Check(t, func(t *rapid.T) {
		before := exchange.Header(rapid.SliceOfN(field, 0, 6).Draw(t, "before"))
		after := exchange.Header(rapid.SliceOfN(field, 0, 6).Draw(t, "after"))
		if rapid.Bool().Draw(t, "similar") {
			after = append(append(exchange.Header(nil), before...), after...)
		}
		got, want := http.Header{}, http.Header{}
		putHeader(got, before)
		changeHeader(got, before, after)
		putHeader(want, after)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("changeHeader(%v -> %v) = %v, want %v", before, after, got, want)
		}
	})
}
