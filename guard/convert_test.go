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

// A header that was not touched is not written down again; one that was is.
func TestHeaderNow(t *testing.T) {
	h := http.Header{"A": {"1", "2"}, "B": {"3"}}
	before := headerOf(h)
	if got := headerNow(before, h); &got[0] != &before[0] {
		t.Error("headerNow wrote an untouched header down again")
	}
	h["A"] = []string{"1"}
	if got := headerNow(before, h); !reflect.DeepEqual(got, exchange.Header{{Name: "A", Value: "1"}, {Name: "B", Value: "3"}}) {
		t.Errorf("headerNow = %v after a line was taken", got)
	}
	h["A"] = []string{"1", "9"}
	if got := headerNow(before, h); got[1].Value != "9" {
		t.Errorf("headerNow = %v after a line was changed", got)
	}
	delete(h, "B")
	h["A"] = []string{"1", "2", "3"}
	if got := headerNow(before, h); len(got) != 3 || got[2].Name != "A" {
		t.Errorf("headerNow = %v after one name took another's place", got)
	}
}
