package archive

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parley-project/parley/internal/config"
)

// predicates are the words of an expectation's fields and what they are in an
// Expectation.
var predicates = []struct{ word, is string }{
	{"equals", "=="}, {"not", "!="}, {"less", "<"}, {"at_most", "<="}, {"more", ">"}, {"at_least", ">="},
	{"contains", "contains"}, {"matches", "matches"}, {"exists", "exists"}, {"type", "type"}, {"in", "in"}, {"count", "count"},
}

// operators may begin a text: "< 500ms".
var operators = []string{"==", "!=", "<=", ">=", "<", ">"}

// Types are the words of the predicate type.
var Types = []string{"string", "number", "integer", "boolean", "array", "object", "null"}

func readExpect(s config.Section) ([]Expectation, error) {
	fs, err := s.Fields()
	if err != nil {
		return nil, err
	}
	var out []Expectation
	for _, f := range fs {
		line, _ := f.Place()
		fact, hint, err := ParseFact(f.Name)
		if err != nil {
			return nil, f.Errorf(hint, "%v", err)
		}
		add := func(is string, want any, at config.Section) error {
			e := Expectation{Fact: fact.Canonical(), Is: is, Want: want, Line: line}
			if hint, err := e.Check(); err != nil {
				return at.Errorf(hint, "%v", err)
			}
			out = append(out, e)
			return nil
		}
		if f.Value.Kind() == "fields" {
			ps, err := f.Value.Fields()
			if err != nil {
				return nil, err
			}
			if len(ps) == 0 {
				return nil, f.Errorf("write {exists: true}", "nothing is expected of it")
			}
			for _, p := range ps {
				is, err := predicate(p)
				if err != nil {
					return nil, err
				}
				want, err := p.Value.Value()
				if err != nil {
					return nil, err
				}
				if err := add(is, want, p.Value); err != nil {
					return nil, err
				}
			}
			continue
		}
		want, err := f.Value.Value()
		if err != nil {
			return nil, err
		}
		is := "=="
		if t, ok := want.(string); ok {
			is, want = operator(t)
		}
		if err := add(is, want, f.Value); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func predicate(f config.Field) (string, error) {
	var words []string
	for _, p := range predicates {
		if p.word == f.Name {
			return p.is, nil
		}
		words = append(words, p.word)
	}
	return "", f.Errorf(near(f.Name, words)+"; to expect this very object write {equals: {...}}", "%q is no way to compare", f.Name)
}

// operator cuts "< 500ms" in two. What it is compared with is a number if it
// looks like one.
func operator(t string) (is string, want any) {
	for _, o := range operators {
		if rest, ok := strings.CutPrefix(t, o+" "); ok {
			rest = strings.TrimSpace(rest)
			if n, err := strconv.ParseFloat(rest, 64); err == nil {
				return o, n
			}
			return o, rest
		}
	}
	return "==", t
}

// Check says what is wrong with an expectation as it is written, before any
// call was made.
func (e *Expectation) Check() (hint string, err error) {
	fact, hint, err := ParseFact(e.Fact)
	if err != nil {
		return hint, err
	}
	text, isText := e.Want.(string)
	open := isText && strings.Contains(text, "{{") // known when it is run
	switch e.Is {
	case "==", "!=", "<", "<=", ">", ">=":
		if fact.Kind == TimeFact && !open {
			if _, ok := e.Want.(float64); !ok {
				if _, err := time.ParseDuration(text); err != nil {
					return `write it like "< 500ms"`, fmt.Errorf("%v is no length of time", e.Want)
				}
			}
		}
		if fact.Kind == BoolFact && !open {
			if _, ok := e.Want.(bool); !ok {
				return "write true or false", fmt.Errorf("%s is true or false, never %v", fact, e.Want)
			}
		}
		if fact.Kind == NumberFact && !open {
			if _, ok := e.Want.(float64); !ok {
				return "", fmt.Errorf("%s is a number, never %q", fact, fmt.Sprint(e.Want))
			}
		}
		if fact.Name == "contract" && !open && !slices.Contains([]string{"valid", "violated", "unknown"}, text) {
			return "known here: valid, violated, unknown", fmt.Errorf("contract is never %q", fmt.Sprint(e.Want))
		}
	case "contains":
	case "matches":
		if !isText {
			return "", fmt.Errorf("matches wants a regular expression")
		}
		if !open {
			if _, err := regexp.Compile(text); err != nil {
				return "RE2 syntax", fmt.Errorf("no regular expression: %v", err)
			}
		}
	case "exists":
		if _, ok := e.Want.(bool); !ok {
			return "", fmt.Errorf("exists wants true or false")
		}
	case "type":
		if !slices.Contains(Types, text) {
			return near(text, Types), fmt.Errorf("%q is no type that JSON has", fmt.Sprint(e.Want))
		}
	case "in":
		if _, ok := e.Want.([]any); !ok {
			return "write [a, b]", fmt.Errorf("in wants a list")
		}
	case "count":
		if n, ok := e.Want.(float64); !ok && !open {
			return "", fmt.Errorf("count wants a number")
		} else if ok && (n < 0 || n != float64(int(n))) {
			return "", fmt.Errorf("nothing is there %v times", n)
		}
	default:
		return "", fmt.Errorf("%q is no way to compare", e.Is)
	}
	return "", nil
}

func readCapture(s config.Section) ([]Capture, error) {
	fs, err := s.Fields()
	if err != nil {
		return nil, err
	}
	var out []Capture
	for _, f := range fs {
		c := Capture{Variable: f.Name}
		c.Line, _ = f.Place()
		at := f.Value
		if f.Value.Kind() == "fields" {
			var raw struct {
				Fact    config.Section `yaml:"fact"`
				Matches config.Section `yaml:"matches"`
				Secret  bool           `yaml:"secret"`
			}
			if err := f.Value.Decode(&raw); err != nil {
				return nil, err
			}
			if err := raw.Matches.Decode(&c.Matches); err != nil {
				return nil, err
			}
			if _, err := regexp.Compile(c.Matches); err != nil {
				return nil, raw.Matches.Errorf("RE2 syntax", "no regular expression: %v", err)
			}
			c.Secret = raw.Secret
			at = raw.Fact
		}
		text, ok := at.Text()
		if !ok {
			return nil, f.Errorf("write the fact that is kept: body.$.id", "no fact is named")
		}
		fact, hint, err := ParseFact(text)
		if err != nil {
			return nil, at.Errorf(hint, "%v", err)
		}
		c.Fact = fact.Canonical()
		out = append(out, c)
	}
	return out, nil
}
