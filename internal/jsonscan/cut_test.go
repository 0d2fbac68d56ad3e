package jsonscan

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// openTree declares a and b, which are trees again; whatever else is in an
// object is undeclared.
func openTree() *Schema {
	s := &Schema{}
	s.Properties = map[string]Member{"a": {Schema: s}, "b": {Schema: s}}
	s.Items = s
	return s
}

// decode keeps numbers as they are written, however large.
func decode(t interface{ Fatalf(string, ...any) }, data []byte) (v any) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%q: %v", data, err)
	}
	return v
}

// without decodes data and deletes what the violations point at.
func without(t interface{ Fatalf(string, ...any) }, data []byte, vs []Violation) any {
	v := decode(t, data)
	for _, w := range vs {
		tokens := strings.Split(w.Pointer, "/")[1:]
		at := v
		for i, token := range tokens {
			token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
			switch x := at.(type) {
			case map[string]any:
				if i == len(tokens)-1 {
					if _, ok := x[token]; !ok {
						t.Fatalf("%q: %s is not there", data, w.Pointer)
					}
					delete(x, token)
				}
				at = x[token]
			case []any:
				n, _ := strconv.Atoi(token)
				at = x[n]
			}
		}
	}
	return v
}

func checkCut(t interface{ Fatalf(string, ...any) }, data []byte, vs []Violation) {
	before := string(data)
	out := Cut(data, vs)
	if string(data) != before {
		t.Fatalf("Cut changed its input")
	}
	if f := scanText(string(out)); f != nil {
		t.Fatalf("Cut(%q) made %q: %v", data, out, f)
	}
	got := decode(t, out)
	if want := without(t, data, vs); !reflect.DeepEqual(got, want) {
		t.Fatalf("Cut(%q) made %q, want %v", data, out, want)
	}
}

// genText makes JSON text with names from a small alphabet, some of them
// spelled with escapes, and blanks anywhere.
func genText(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		blank := func() string { return rapid.SampledFrom([]string{"", "", "", " ", "\n\t", " \r"}).Draw(t, "blank") }
		kinds := 6
		if depth == 0 {
			kinds = 4
		}
		var s string
		switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
		case 0:
			s = rapid.SampledFrom([]string{"1", "-0.5e3", "0"}).Draw(t, "number")
		case 1:
			s = rapid.SampledFrom([]string{`""`, `","`, `"\"}"`, `"x\\"`, `"]é"`}).Draw(t, "text")
		case 2:
			s = rapid.SampledFrom([]string{"true", "false", "null"}).Draw(t, "word")
		case 3, 4:
			var parts []string
			names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", "e,", "f/~", `g\"`}), 0, 6, rapid.ID[string]).Draw(t, "names")
			for _, n := range names {
				if (n == "c" || n == "a") && rapid.Bool().Draw(t, "escaped") {
					n = `\u006` + map[string]string{"a": "1", "c": "3"}[n]
				}
				value := "1"
				if depth > 0 {
					value = genText(depth-1).Draw(t, "value")
				}
				parts = append(parts, blank()+`"`+n+`"`+blank()+":"+value)
			}
			s = "{" + strings.Join(parts, ",") + blank() + "}"
		case 5:
			items := rapid.SliceOfN(genText(depth-1), 0, 4).Draw(t, "items")
			s = "[" + strings.Join(items, ",") + blank() + "]"
		}
		return blank() + s + blank()
	})
}

// Any combination of the members that a scan found can be cut, and exactly
// those are gone.
func TestCutRemovesExactly(t *testing.T) {
	p := mustCompile(t, openTree(), Options{Closed: true})
	rapid.Check(t, func(t *rapid.T) {
		data := []byte(genText(4).Draw(t, "data"))
		var r Result
		p.Scan(data, Limits{}, &r)
		if r.Fault != nil {
			t.Fatalf("Scan(%q): %v", data, r.Fault)
		}
		var some []Violation
		for _, v := range r.Violations {
			if rapid.Bool().Draw(t, "cut") {
				some = append(some, v)
			}
		}
		checkCut(t, data, rapid.Permutation(some).Draw(t, "order"))
		checkCut(t, data, r.Violations)
	})
}

// Spans within spans: marks on declared members, and marks below them.
func TestCutNested(t *testing.T) {
	s := &Schema{}
	s.Properties = map[string]Member{"a": {Schema: s, Mark: 1}, "b": {Schema: s, Mark: 2}, "c": {Schema: s}}
	p := mustCompile(t, s, Options{Closed: true})
	for _, data := range []string{
		`{"a":{"b":1,"c":2},"b":{"a":{}}}`, `{"c":{"a":1,"b":2,"x":3}}`, `{ "x" : 1 , "c" : 2 , "a" : 3 }`, `{"a":1,"b":2,"c":3,"x":4}`,
	} {
		var r Result
		p.Scan([]byte(data), Limits{}, &r)
		for set := 0; set < 1<<len(r.Violations); set++ {
			var some []Violation
			for i, v := range r.Violations {
				if set>>i&1 == 1 {
					some = append(some, v)
				}
			}
			out := Cut([]byte(data), some)
			if f := scanText(string(out)); f != nil {
				t.Errorf("Cut(%s, %b) made %s: %v", data, set, out, f)
			}
		}
	}
}

// Cut must leave JSON for whatever Scan finds in whatever it accepts, and must
// not panic on spans that are none.
func FuzzCut(f *testing.F) {
	f.Add([]byte(`{"x":1,"a":{"y":2},"z":[{"x":1}]}`), uint64(5))
	f.Add([]byte(` { "x" : {} , "y" : [ ] } `), uint64(3))
	p := mustCompile(f, openTree(), Options{Closed: true})
	f.Fuzz(func(t *testing.T, data []byte, set uint64) {
		Cut(data, []Violation{{Start: int(set % 64), End: int(set >> 6 % 64)}, {Start: int(set >> 12 % 64), End: int(set >> 18 % 64)}})
		var r Result
		p.Scan(data, Limits{}, &r)
		if r.Fault != nil {
			return
		}
		var some []Violation
		for i, v := range r.Violations {
			if set>>(i%64)&1 == 1 {
				some = append(some, v)
			}
		}
		for _, v := range some {
			if strings.Contains(v.Pointer, "…") {
				return // a shortened pointer does not say which member it is
			}
		}
		checkCut(t, data, some)
	})
}
