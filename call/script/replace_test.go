package script

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

var clock = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestReplace(t *testing.T) {
	t.Setenv("PARLEY_REPLACE", "from outside")
	s := &Scopes{Given: &Variables{}, Local: &Variables{}, Data: &Variables{}, Environment: &Variables{}, Collection: &Variables{}, Globals: &Variables{}}
	s.Globals.Set("a", "global")
	s.Globals.Set("n", 7.0)
	s.Collection.Set("a", "collection")
	s.Collection.Set("deep", "<{{a}}>")
	s.Collection.Set("x", "{{y}}")
	s.Collection.Set("y", "{{x}}")
	s.Environment.Set("list", []any{1.0, "b"})
	s.Environment.Set("t", true)
	s.Given.Set("g", "given")
	s.Local.Set("g", "local")
	var outside []string
	s.Secret = func(v string) { outside = append(outside, v) }
	for _, v := range []struct {
		text, want string
		unknown    []string
	}{
		{"plain", "plain", nil},
		{"{{a}} {{ a }}", "collection collection", nil},
		{"{{deep}}", "<collection>", nil},
		{"{{n}}{{t}}{{list}}", `7true[1,"b"]`, nil},
		{"{{g}}", "given", nil},
		{"{{nobody}} {{a}} {{nobody}}", "{{nobody}} collection {{nobody}}", []string{"nobody"}},
		{"{{x}}", "{{y}}", nil},
		{"{{{a}}}", "{collection}", nil},
		{"{{a", "{{a", nil},
		{"a}}", "a}}", nil},
		{"{{}}", "{{}}", []string{""}},
		{"{{$timestamp}} {{$timestamp -1 h}}", "1795435200 1795431600", nil},
		{"{{$isoTimestamp}}", "2026-11-23T12:00:00.000Z", nil},
		{"{{$datetime iso8601 1 d}}", "2026-11-24T12:00:00.000Z", nil},
		{"{{$datetime never}}", "{{$datetime never}}", []string{"$datetime never"}},
		{"{{$processEnv PARLEY_REPLACE}}{{process.env.PARLEY_REPLACE}}{{$env.PARLEY_REPLACE}}", "from outsidefrom outsidefrom outside", nil},
	} {
		got, unknown := s.Replace(v.text, clock, nil)
		if v.text == "{{x}}" { // in a circle: it ends, and says so
			if len(unknown) == 0 {
				t.Errorf("Replace(%s) found %q and no unknown name, want one", v.text, got)
			}
			continue
		}
		if got != v.want || !reflect.DeepEqual(unknown, v.unknown) {
			t.Errorf("Replace(%s) found %q, %v, want %q, %v", v.text, got, unknown, v.want, v.unknown)
		}
	}
	if len(outside) != 3 {
		t.Errorf("Secret was told %v, want the value three times", outside)
	}
	got, _ := s.Replace("a={{deep}}", clock, func(before, value string) string { return before + "|" + value })
	if want := "a=a=|<collection>"; got != want {
		t.Errorf("Replace with escaping found %q, want %q", got, want)
	}
}

// Values that name each other many times do not grow without end.
func TestReplaceIsBounded(t *testing.T) {
	s := &Scopes{Local: &Variables{}}
	for i := range 15 {
		name, next := string(rune('a'+i)), string(rune('a'+i+1))
		s.Local.Set(name, strings.Repeat("{{"+next+"}}", 10))
	}
	s.Local.Set("p", "ten letters")
	if got, _ := s.Replace("{{a}}", clock, nil); len(got) > 2*maxText {
		t.Errorf("Replace made %d bytes, want less than %d", len(got), 2*maxText)
	}
}

func TestDynamic(t *testing.T) {
	for _, name := range DynamicNames() {
		switch name {
		case "$processEnv":
			name = "$processEnv PATH"
		case "$random.alphabetic", "$random.alphanumeric", "$random.hexadecimal":
			name += "(5)"
		}
		if v, ok := Dynamic(name, clock); !ok || v == "" || strings.Contains(v, "{{") {
			t.Errorf("Dynamic(%s) found %q, %v, want a value", name, v, ok)
		}
	}
	for name, want := range map[string]string{
		"$guid": `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, "$randomInt": `^\d{1,4}$`, "$randomInt 5 6": `^5$`,
		"$random.integer(5, 6)": `^5$`, "$random.hexadecimal(8)": `^[0-9a-f]{8}$`, "$randomEmail": `^[a-z0-9]+@mail\.test$`, "$randomIP": `^\d+\.\d+\.\d+\.\d+$`,
	} {
		if v, ok := Dynamic(name, clock); !ok || !regexp.MustCompile(want).MatchString(v) {
			t.Errorf("Dynamic(%s) found %q, %v, want %s", name, v, ok, want)
		}
	}
	for _, name := range []string{"$", "", "$nothing", "$randomInt 2", "$randomInt 3 2", "$randomInt a b", "$random.alphabetic(-1)", "$random.alphabetic(99999999)"} {
		if v, ok := Dynamic(name, clock); ok {
			t.Errorf("Dynamic(%s) found %q, want nothing", name, v)
		}
	}
}

func TestVariables(t *testing.T) {
	below := &Variables{}
	below.Set("a", "1")
	below.SetSecret("b", "2")
	v := below.Over()
	v.Set("c", "3")
	v.Set("b", "changed")
	v.Unset("a")
	if want := []string{"b", "c"}; !reflect.DeepEqual(v.Names(), want) || v.Has("a") || !v.Secret("b") || v.Secret("c") {
		t.Errorf("the variables are %v, want %v with b secret", v.Names(), want)
	}
	if x, _ := below.Get("b"); x != "2" || !below.Has("a") {
		t.Errorf("those below have changed: %v", below.All())
	}
	if want := []string{"b"}; !reflect.DeepEqual(v.Secrets(), want) {
		t.Errorf("Secrets found %v, want %v", v.Secrets(), want)
	}
	w := v.Copy()
	w.Clear()
	if len(w.All()) != 0 || len(v.All()) != 2 {
		t.Errorf("cleared they are %v, and those that were copied %v", w.All(), v.All())
	}
	var none Variables
	if none.Has("x") || len(none.Names()) != 0 {
		t.Error("the zero value has variables")
	}
	none.Set("x", nil)
	if Text(nil) != "null" || Text(1.5) != "1.5" || Text(int64(3)) != "3" || Text(map[string]any{"a": 1.0}) != `{"a":1}` {
		t.Error("values have another text than JSON's")
	}
}

func FuzzReplace(f *testing.F) {
	f.Add("{{a}}", "{{b}}", "{{a}}{{a}}")
	f.Add("{{{{a}}}}", "}}{{", "$guid")
	f.Fuzz(func(t *testing.T, text, a, b string) {
		s := &Scopes{Local: &Variables{}}
		s.Local.Set("a", a)
		s.Local.Set("b", b)
		if len(a)+len(b) > 64 {
			return
		}
		s.Replace(text, clock, nil)
	})
}
