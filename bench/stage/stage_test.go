package stage

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestSizes(t *testing.T) {
	for _, i := range []int{0, 7, People - 1} {
		if b := Body(i, ""); len(b) != BodySize || !json.Valid(b) {
			t.Errorf("Body(%d) has %d bytes, valid %v; want %d, valid", i, len(b), json.Valid(b), BodySize)
		}
	}
	if o := object("123456"); len(o) != ObjectSize || !json.Valid([]byte(o)) {
		t.Errorf("object has %d bytes, valid %v; want %d, valid", len(o), json.Valid([]byte(o)), ObjectSize)
	}
	// The upstream's configuration has a variable where the number goes.
	if o := strings.ReplaceAll(object("$1"), "$1", "123456"); o != object("123456") {
		t.Errorf("object with a variable becomes\n%s\nwant\n%s", o, object("123456"))
	}
	for _, u := range Undeclared {
		if !strings.Contains(object("123456"), u) {
			t.Errorf("the upstream does not send %s, which must be filtered out", u)
		}
	}
}

func TestLevelsSayLess(t *testing.T) {
	for _, test := range []struct {
		level   Level
		schemas int
		secure  bool
	}{{Bare, 0, false}, {Token, 0, true}, {Schema, 1, true}, {All, 3, true}} {
		api, err := API(test.level)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(api), "paths:")
		paths, _, _ := strings.Cut(rest, "components:")
		if test.level != All { // keys are sorted when the document is written again
			paths, _, _ = strings.Cut(rest, "\nsecurity:")
		}
		if n := strings.Count(paths, "#/components/schemas/"); n != test.schemas {
			t.Errorf("API(%s) refers to %d schemas in its paths, want %d:\n%s", test.level, n, test.schemas, paths)
		}
		if got := strings.Contains(string(api), "\nsecurity:"); got != test.secure {
			t.Errorf("API(%s) asks for a credential: %v, want %v", test.level, got, test.secure)
		}
	}
}
