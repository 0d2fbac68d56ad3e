package archive

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/parley-project/parley/internal/needs"
)

// corpus returns the files of a fixture folder that match.
func corpus(t testing.TB, dir, pattern string) []string {
	t.Helper()
	root := os.Getenv("PARLEY_FIXTURES")
	if root == "" {
		t.Skip("PARLEY_FIXTURES is not set")
	}
	files, err := filepath.Glob(filepath.Join(root, dir, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s/%s: no files (%v)", dir, pattern, err)
	}
	return files
}

func contents(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// plain is a collection as text, without what depends on where it stood.
func plain(c *Collection) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %q\n", c.Name, c.Doc)
	scope := func(s Scope) {
		for _, v := range s.Variables {
			fmt.Fprintf(&b, "  var %+v\n", v)
		}
		if s.Auth != nil {
			fmt.Fprintf(&b, "  auth %+v\n", *s.Auth)
		}
		for _, sc := range s.Scripts {
			fmt.Fprintf(&b, "  script %s %s %q\n", sc.When, sc.Language, sc.Text)
		}
	}
	scope(c.Scope)
	var walk func(items []*Item, depth int)
	walk = func(items []*Item, depth int) {
		for _, it := range items {
			fmt.Fprintf(&b, "%*s- %q %q as=%q\n", depth, "", it.Name, it.Doc, it.As)
			scope(it.Scope)
			for _, e := range it.Expect {
				fmt.Fprintf(&b, "  expect %s %s %v\n", e.Fact, e.Is, e.Want)
			}
			for _, e := range it.Capture {
				fmt.Fprintf(&b, "  capture %s %s\n", e.Variable, e.Fact)
			}
			if r := it.Request; r != nil {
				fmt.Fprintf(&b, "  %s %s %+v %+v %+v %+v\n", r.Method, r.URL, r.Params, r.Disabled, r.Header, r.Options)
				if r.Body != nil {
					fmt.Fprintf(&b, "  body %+v\n", *r.Body)
				}
				if r.Auth != nil {
					fmt.Fprintf(&b, "  own auth %+v\n", *r.Auth)
				}
			}
			for _, x := range it.Recorded {
				data, _ := json.Marshal(x)
				fmt.Fprintf(&b, "  recorded %s\n", data)
			}
			walk(it.Items, depth+1)
		}
	}
	walk(c.Items, 0)
	return b.String()
}

// difference is the first line in which two texts differ.
func difference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range as {
		if i >= len(bs) || as[i] != bs[i] {
			other := "the end"
			if i < len(bs) {
				other = bs[i]
			}
			return fmt.Sprintf("line %d:\n%s\n%s", i+1, as[i], other)
		}
	}
	return ""
}

func requests(items []*Item) int {
	n := 0
	for _, it := range items {
		if it.Request != nil {
			n++
		}
		n += requests(it.Items)
	}
	return n
}

// written is a collection in a format, read again.
func written(t testing.TB, f *Format, c *Collection) (*Collection, []byte) {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b, c); err != nil {
		t.Fatalf("Write(%s, %s): %v", f.Name, c.File, err)
	}
	again, err := f.Read(c.File, b.Bytes())
	if err != nil {
		t.Fatalf("what was written of %s cannot be read: %v\n%s", c.File, err, b.Bytes())
	}
	return again, b.Bytes()
}

func TestPostmanCorpus(t *testing.T) {
	all := 0
	for _, file := range corpus(t, "postman", "*.postman_collection.json") {
		name := filepath.Base(file)
		data := contents(t, file)
		c, err := readPostman(name, data)
		if err != nil {
			t.Errorf("Read(%s): %v", name, err)
			continue
		}
		n := requests(c.Items)
		all += n
		if n == 0 {
			t.Errorf("Read(%s) found no request", name)
		}
		again, out := written(t, FormatNamed("postman"), c)
		if a, b := plain(c), plain(again); a != b {
			t.Errorf("%s through 2.1: %s", name, difference(a, b))
		}
		if strings.Contains(string(data), "v2.1.0") {
			if !equalJSON(t, data, out) {
				t.Errorf("%s is not the same JSON after reading and writing", name)
			}
		}
		// From its words alone, as from another format.
		bare := *c
		bare.Foreign, bare.Items = nil, bareItems(c.Items)
		again, out = written(t, FormatNamed("postman"), &bare)
		if a, b := plain(c), plain(again); a != b {
			t.Errorf("%s without its own document: %s", name, difference(a, b))
		}
		if !strings.Contains(string(out), postmanSchema) {
			t.Errorf("%s is written without its schema", name)
		}
	}
	needs.Figure(t, "postman requests read", "%d", all)
}

func bareItems(items []*Item) []*Item {
	var out []*Item
	for _, it := range items {
		x := *it
		x.Foreign, x.Items = nil, bareItems(it.Items)
		out = append(out, &x)
	}
	return out
}

func equalJSON(t testing.TB, a, b []byte) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal([]byte(decodeText(a)), &x); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &y); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(x, y)
}
