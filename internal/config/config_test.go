package config

import (
	"errors"
	"strings"
	"testing"
	"time"
)

type settings struct {
	Name  string         `yaml:"name"`
	Wait  time.Duration  `yaml:"wait"`
	Size  Size           `yaml:"size"`
	Count int            `yaml:"count"`
	On    bool           `yaml:"on"`
	List  []string       `yaml:"list"`
	Sub   *settings      `yaml:"sub"`
	Map   map[string]int `yaml:"map"`
	Later Section        `yaml:"later"`
}

func TestDecode(t *testing.T) {
	s, err := Parse("f.yaml", []byte("name: x\nwait: 5s\nsize: 2MiB\ncount: 3\non: true\nlist: [a, b]\nsub: {name: y}\nmap: {one: 1}\nlater:\n  any: thing\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got settings
	if err := s.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Name != "x" || got.Wait != 5*time.Second || got.Size != 2<<20 || got.Count != 3 || !got.On || len(got.List) != 2 ||
		got.Sub == nil || got.Sub.Name != "y" || got.Map["one"] != 1 || !got.Later.Present() || got.Later.Line() != 10 {
		t.Errorf("Decode = %+v", got)
	}
}

// Whatever is wrong is one line with its place, and a hint when there is one.
func TestErrors(t *testing.T) {
	tests := []struct{ text, want, hint string }{
		{"naem: x", `f.yaml:1:1: unknown field "naem"`, `did you mean "name"?`},
		{"zzz: x", `f.yaml:1:1: unknown field "zzz"`, "known here: name, wait"},
		{"name: x\nname: y", `f.yaml:2:1: "name" is given twice`, ""},
		{"name: [x]", "f.yaml:1:7: expected text, found a list", ""},
		{"wait: soon", `f.yaml:1:7: expected a length of time, found "soon"`, `"5s"`},
		{"size: much", `f.yaml:1:7: expected a number of bytes, found "much"`, `"1MiB"`},
		{"count: many", `f.yaml:1:8: expected a whole number, found "many"`, ""},
		{"on: perhaps", `f.yaml:1:5: expected true or false, found "perhaps"`, ""},
		{"list: x", `f.yaml:1:7: expected a list, found "x"`, ""},
		{"sub:\n  count: x", `f.yaml:2:10: expected a whole number, found "x"`, ""},
		{"sub: x", `f.yaml:1:6: expected fields, found "x"`, ""},
		{"- a", "f.yaml:1:1: expected fields, found a list", ""},
		{"name: [", "f.yaml:", "brackets"},
		{"", "f.yaml: is empty", ""},
		{"sub: &a {sub: *a}", `f.yaml:1:15: the alias "a" stands in what it means`, ""},
	}
	for _, tt := range tests {
		s, err := Parse("f.yaml", []byte(tt.text))
		if err == nil {
			err = s.Decode(new(settings))
		}
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%q: %v, want an Error", tt.text, err)
			continue
		}
		if !strings.HasPrefix(e.Error(), tt.want) || !strings.Contains(e.Hint, tt.hint) || strings.Contains(e.Error(), "\n") {
			t.Errorf("%q: %s | %s, want %s | …%s…", tt.text, e, e.Hint, tt.want, tt.hint)
		}
	}
	if _, err := Read("nowhere.yaml"); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("Read of no file: %v", err)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"rules", "fields", "mode", "owner"}
	for word, want := range map[string]string{"ruls": "rules", "feilds": "fields", "mod": "mode", "xyz": "", "onwer": "owner", "": ""} {
		if got := Nearest(word, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

// No text makes it panic or hang, aliases within aliases included.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"name: x", "sub: &a {sub: *a}", "list: [*x]", "a: &a [*a]", "? {a: b}\n: c", "map: {1: 2, 1: 3}", "wait: !!float 3"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Parse("f.yaml", text)
		if err != nil {
			return
		}
		_ = s.Decode(new(settings))
	})
}
