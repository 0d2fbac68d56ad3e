package jsonscan

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/parley-project/parley/internal/needs"
)

func scanText(data string) *Fault {
	var r Result
	(*Program)(nil).Scan([]byte(data), Limits{}, &r)
	return r.Fault
}

func TestText(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, test := range []struct {
		data    string
		kind    FaultKind // empty: sound
		offset  int
		pointer string
	}{
		{data: `{"a":[1,2.5e-3,true,false,null,"x"]}`},
		{data: " \t\r\n0 "},
		{data: `"\u00e9\ud83d\ude00é😀"`},
		{data: ``, kind: Malformed},
		{data: `{"a":1}x`, kind: Malformed, offset: 7},
		{data: "\ufeff{}", kind: Malformed},
		{data: `{"a":{"b":[0,{"c":01}]}}`, kind: Malformed, offset: 19, pointer: "/a/b/1"},
		{data: `[1,]`, kind: Malformed, offset: 3},
		{data: `{"a":1,}`, kind: Malformed, offset: 7},
		{data: `{"a" 1}`, kind: Malformed, offset: 5},
		{data: `-`, kind: Malformed, offset: 1},
		{data: `+1`, kind: Malformed},
		{data: "\"\x01\"", kind: Malformed, offset: 1},
		{data: "\"\xff\"", kind: BadText, offset: 1},
		{data: "\"\xc0\x80\"", kind: BadText, offset: 1},
		{data: "\"\xed\xa0\x80\"", kind: BadText, offset: 1},
		{data: `"\ud800"`, kind: BadText, offset: 1},
		{data: `"\ud800\u0041"`, kind: BadText, offset: 1},
		{data: `"\udc00"`, kind: BadText, offset: 1},
		{data: `{"a":1,"a":2}`, kind: Duplicate, offset: 7, pointer: "/a"},
		{data: `{"x":[{"role":1,"\u0072ole":2}]}`, kind: Duplicate, offset: 16, pointer: "/x/0/role"},
		{data: `{"a/b":{"":1,"":2}}`, kind: Duplicate, offset: 13, pointer: "/a~1b/"},
		{data: deep(64)},
		{data: deep(65), kind: TooDeep, offset: 64, pointer: strings.Repeat("/0", 63)},
	} {
		f := scanText(test.data)
		switch {
		case test.kind == "" && f != nil:
			t.Errorf("Scan(%q) found %v, want nothing", test.data, f)
		case test.kind != "" && (f == nil || *f != Fault{test.kind, test.offset, test.pointer}):
			t.Errorf("Scan(%q) found %+v, want %s at %d, %q", test.data, f, test.kind, test.offset, test.pointer)
		}
	}
}

func TestLimits(t *testing.T) {
	for _, test := range []struct {
		data   string
		limits Limits
		kind   FaultKind
	}{
		{`{"a":{"b":1}}`, Limits{Members: 2}, ""},
		{`{"a":{"b":1}}`, Limits{Members: 1}, TooMany},
		{`[1,2,3]`, Limits{Members: 3}, ""},
		{`[1,2,3]`, Limits{Members: 2}, TooMany},
		{`[[1]]`, Limits{Depth: 1}, TooDeep},
		{`[[[]]]`, Limits{Depth: 3}, ""},
	} {
		var r Result
		(*Program)(nil).Scan([]byte(test.data), test.limits, &r)
		if got := kindOf(r.Fault); got != test.kind {
			t.Errorf("Scan(%s, %+v) found %q, want %q", test.data, test.limits, got, test.kind)
		}
	}
}

func kindOf(f *Fault) FaultKind {
	if f == nil {
		return ""
	}
	return f.Kind
}

// Names are compared through a table when there are many; both ways must find
// a duplicate, wherever it is and however it is spelled.
func TestDuplicateInLargeObjects(t *testing.T) {
	for _, n := range []int{2, few, few + 1, 100, 3000} {
		var b bytes.Buffer
		b.WriteByte('{')
		for i := 0; i < n; i++ {
			b.WriteString(`"k` + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + jsonInt(i) + `":0,`)
		}
		sound := strings.TrimSuffix(b.String(), ",") + "}"
		if f := scanText(sound); f != nil {
			t.Fatalf("%d different names: %v", n, f)
		}
		last := b.String() + `"\u006ba0":0}`
		if f := scanText(last); kindOf(f) != Duplicate {
			t.Errorf("%d names and an escaped copy of the first: found %v, want a duplicate", n, f)
		}
	}
}

func jsonInt(i int) string { b, _ := json.Marshal(i); return string(b) }

// A fixture is judged by the first letters of its name: y accept, n reject.
func TestParsingSuite(t *testing.T) {
	dir := os.Getenv("PARLEY_FIXTURES")
	if dir == "" {
		t.Skip("PARLEY_FIXTURES is not set")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "json", "*", "*.json"))
	if len(files) == 0 {
		t.Fatal("no files in", dir)
	}
	var accepted, rejected, either, duplicates int
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f := scanText(string(data))
		again := scanText(string(data))
		if kindOf(f) != kindOf(again) {
			t.Errorf("%s: judged differently the second time", file)
		}
		name := filepath.Base(file)
		switch {
		case kindOf(f) == Duplicate:
			// Another parser has the say on whether a name is there twice.
			if wellFormed(data, false) == nil {
				t.Errorf("%s: found a duplicate that is none", name)
			}
			duplicates++
		case strings.HasPrefix(name, "y_") && f != nil:
			t.Errorf("%s: found %v, want it accepted", name, f)
		case strings.HasPrefix(name, "n_") && f == nil:
			t.Errorf("%s: accepted, want it rejected", name)
		case strings.HasPrefix(name, "y_"):
			accepted++
		case strings.HasPrefix(name, "n_"):
			rejected++
		default:
			either++
		}
	}
	needs.Figure(t, "JSON parsing", "%d files: %d accepted, %d rejected, %d refused for duplicate names, %d of either kind",
		len(files), accepted, rejected, duplicates, either)
}

// wellFormed asks jsontext, strictly, about one value and nothing after it.
func wellFormed(data []byte, duplicates bool) error {
	d := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(duplicates))
	if _, err := d.ReadValue(); err != nil {
		return err
	}
	if _, err := d.ReadToken(); err == nil {
		return errors.New("trailing data")
	} else if err.Error() != "EOF" {
		return err
	}
	return nil
}

func addSeeds(f *testing.F) {
	for _, s := range []string{`{"a":[1,{"b":"\u00e9"}],"c":null}`, `{"a":1,"\u0061":2}`, `[1e9,-0.0,"\ud83d\ude00"]`, `{"a":{"a":{}}}`, "\"\xe2\x82\"", ``} {
		f.Add([]byte(s))
	}
	file, err := os.Open(filepath.Join(os.Getenv("PARLEY_FIXTURES"), "fuzzseeds", "json.jsonl"))
	if err != nil {
		return
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var seed struct {
			Data string `json:"data_b64"`
		}
		if json.Unmarshal(lines.Bytes(), &seed) == nil {
			if b, err := base64.StdEncoding.DecodeString(seed.Data); err == nil {
				f.Add(b)
			}
		}
	}
}

// Our reading and jsontext's must agree on every text. Depth is left out: the
// limits differ. A program makes no difference to that, and does not panic.
func FuzzScan(f *testing.F) {
	addSeeds(f)
	user := recordType()
	one := 1
	user.Properties["a"] = Member{Schema: &Schema{OneOf: []*Schema{user, {Unique: true, Contains: user, MultipleOf: "0.3"}}, PropertyNames: &Schema{MinLength: &one}}}
	user.UnevaluatedProperties = &Schema{AnyOf: []*Schema{user, {Format: "date-time", MaxLength: &one}, {Enum: [][]byte{[]byte(`{"a":[1,"x"]}`)}}}}
	p := mustCompile(f, user, Options{Closed: true, Captures: []string{"/a/-/b", "/c"}})
	f.Fuzz(func(t *testing.T, data []byte) {
		var r Result
		(*Program)(nil).Scan(data, Limits{Depth: 9_000, Members: 1 << 30}, &r)
		err := wellFormed(data, false)
		if (r.Fault == nil) != (err == nil) {
			t.Fatalf("Scan(%q) found %v, jsontext %v", data, r.Fault, err)
		}
		if p.Scan(data, Limits{Depth: 9_000, Members: 1 << 30}, &r); err != nil && r.Fault == nil || len(r.Captures) != 2 {
			t.Fatalf("with a program, Scan(%q) found %v", data, r.Fault)
		}
		Cut(data, r.Violations)
	})
}
