package needs

import (
	"fmt"
	"strings"
	"testing"
)

// A spy is a test that can be skipped or failed without this one ending.
type spy struct {
	testing.TB
	attrs []string
	ended string
}

func (s *spy) Helper()                {}
func (s *spy) Attr(key, value string) { s.attrs = append(s.attrs, key+" "+value) }
func (s *spy) Skip(args ...any)       { s.ended = "skip: " + fmt.Sprint(args...); panic(s) }
func (s *spy) Fatal(args ...any)      { s.ended = "fail: " + fmt.Sprint(args...); panic(s) }

func watch(f func(testing.TB)) (s *spy) {
	s = &spy{}
	defer func() {
		if r := recover(); r != nil && r != any(s) {
			panic(r)
		}
	}()
	f(s)
	return s
}

func TestProgram(t *testing.T) {
	t.Setenv("CI", "")
	for _, test := range []struct {
		names []string
		ended string
	}{
		{[]string{"go"}, ""},
		{[]string{"no-such-program|go"}, ""},
		{[]string{"no-such-program"}, "skip: needs no-such-program"},
		{[]string{"go", "no-such-program|nor-this"}, "skip: needs no-such-program"},
	} {
		s := watch(func(t testing.TB) {
			if path := Program(t, test.names...); !strings.Contains(path, "go") {
				panic(fmt.Sprintf("Program(%q) = %q", test.names, path))
			}
		})
		if !strings.HasPrefix(s.ended, test.ended) || (test.ended == "") != (s.ended == "") {
			t.Errorf("Program(%q) ended with %q, want %q", test.names, s.ended, test.ended)
		}
		if got, want := len(s.attrs) == 1, test.ended != ""; got != want {
			t.Errorf("Program(%q) left marks %q", test.names, s.attrs)
		}
	}
}

func TestMissingFailsInCI(t *testing.T) {
	t.Setenv("CI", "true")
	s := watch(func(t testing.TB) { Missing(t, "a moon", "wait") })
	if !strings.HasPrefix(s.ended, "fail: needs a moon") {
		t.Errorf("Missing ended with %q, want a failure", s.ended)
	}
}

func TestFigureIsOneLine(t *testing.T) {
	s := watch(func(t testing.TB) { Figure(t, "cost", "%d µs\nper request", 3) })
	if want := AttrFigure + " cost = 3 µs per request"; len(s.attrs) != 1 || s.attrs[0] != want {
		t.Errorf("Figure marked %q, want %q", s.attrs, want)
	}
}
