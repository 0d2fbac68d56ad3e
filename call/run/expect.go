package run

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ohler55/ojg/jp"

	"github.com/parley-project/parley/archive"
)

// An expectation is one that was read, its pattern compiled.
type expectation struct {
	archive.Expectation
	fact    archive.Fact
	pattern *regexp.Regexp
	open    bool   // its value names variables
	broken  string // why it cannot be judged
}

func newExpectation(e archive.Expectation) (expectation, string, error) {
	if hint, err := e.Check(); err != nil {
		return expectation{}, hint, err
	}
	fact, _, _ := archive.ParseFact(e.Fact)
	x := expectation{Expectation: e, fact: fact}
	if t, ok := e.Want.(string); ok {
		x.open = strings.Contains(t, "{{")
		if e.Is == "matches" && !x.open {
			x.pattern, _ = regexp.Compile(t)
		}
	}
	return x, "", nil
}

// secret reports whether the fact is one whose value is not shown.
func (e *expectation) secret(m *Masker) bool {
	name := e.fact.Argument
	switch {
	case e.fact.Path != nil:
		last, ok := e.fact.Path[len(e.fact.Path)-1].(jp.Child)
		if !ok {
			return false
		}
		name = string(last)
	case strings.HasPrefix(e.fact.Name, "client.cookies."):
		name = "Cookie"
	}
	return m.namesSecret(name)
}

// name says what is expected, as the assertion's name.
func (e *expectation) name() string {
	switch e.Is {
	case "==":
		return fmt.Sprintf("%s is %s", e.fact, show(e.Want))
	case "!=":
		return fmt.Sprintf("%s is not %s", e.fact, show(e.Want))
	case "exists":
		if e.Want == true {
			return e.fact.String() + " is there"
		}
		return e.fact.String() + " is not there"
	case "type":
		return fmt.Sprintf("%s is of type %v", e.fact, e.Want)
	case "count":
		return fmt.Sprintf("%s counts %s", e.fact, show(e.Want))
	case "in":
		return fmt.Sprintf("%s is in %s", e.fact, show(e.Want))
	}
	return fmt.Sprintf("%s %s %s", e.fact, e.Is, show(e.Want))
}

// holds compares what was got. The text says what it was, when it does not
// hold.
func (e *expectation) holds(want, got any, ok bool) (bool, string) {
	switch e.Is {
	case "exists":
		if ok == (want == true) {
			return true, ""
		}
		if ok {
			return false, "it is " + show(got)
		}
		return false, "it is not there"
	case "!=":
		if !ok {
			return true, ""
		}
	}
	if !ok {
		return false, "it is not there"
	}
	switch e.Is {
	case "==":
		return equal(e.fact.Kind, want, got), "got " + show(got)
	case "!=":
		return !equal(e.fact.Kind, want, got), "got " + show(got)
	case "<", "<=", ">", ">=":
		c, err := compare(want, got)
		if err != nil {
			return false, err.Error()
		}
		holds := map[string]bool{"<": c < 0, "<=": c <= 0, ">": c > 0, ">=": c >= 0}[e.Is]
		return holds, "got " + show(got)
	case "contains":
		return contains(got, want), "got " + show(got)
	case "matches":
		p := e.pattern
		if p == nil {
			var err error
			if p, err = regexp.Compile(fmt.Sprint(want)); err != nil {
				return false, "no regular expression: " + err.Error()
			}
		}
		return p.MatchString(plainText(got)), "got " + show(got)
	case "type":
		t := typeOf(got)
		return t == want || want == "number" && t == "integer", fmt.Sprintf("got %s, %s", t, show(got))
	case "in":
		many, _ := want.([]any)
		return slices.ContainsFunc(many, func(w any) bool { return equal(e.fact.Kind, w, got) }), "got " + show(got)
	case "count":
		n, ok := count(got)
		if !ok {
			return false, "got " + show(got) + ", which cannot be counted"
		}
		w, err := number(want)
		return err == nil && float64(n) == w, fmt.Sprintf("got %d", n)
	}
	return false, "cannot be compared"
}

// plainText is a value for patterns: text without quotes.
func plainText(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case time.Duration:
		return x.String()
	}
	return show(v)
}

const maxShown = 300

// show is a value for a line of a report.
func show(v any) string {
	switch x := v.(type) {
	case time.Duration:
		return round(x)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	b, err := json.Marshal(v)
	s := string(b)
	if err != nil {
		s = fmt.Sprint(v)
	}
	if t, ok := v.(string); ok && !strings.ContainsAny(t, "\"\\\n\r\t") {
		s = `"` + t + `"`
	}
	if len(s) > maxShown {
		cut := maxShown
		for cut > 0 && s[cut]&0xc0 == 0x80 {
			cut--
		}
		s = fmt.Sprintf("%s… (%d bytes)", s[:cut], len(s))
	}
	return s
}

// round leaves three digits of a time.
func round(d time.Duration) string {
	for _, unit := range []time.Duration{time.Hour, time.Second, time.Millisecond, time.Microsecond} {
		if d >= 100*unit || d <= -100*unit {
			return d.Round(unit).String()
		}
		if d >= unit || d <= -unit {
			return d.Round(unit / 100).String()
		}
	}
	return d.String()
}

func number(v any) (float64, error) {
	switch x := v.(type) {
	case float64:
		return x, nil
	case int64:
		return float64(x), nil
	case int:
		return float64(x), nil
	case json.Number:
		return x.Float64()
	case string:
		return strconv.ParseFloat(strings.TrimSpace(x), 64)
	}
	return 0, fmt.Errorf("%s is no number", show(v))
}

// duration reads what a time is compared with: "500ms", or a number of
// milliseconds.
func duration(v any) (time.Duration, error) {
	switch x := v.(type) {
	case time.Duration:
		return x, nil
	case float64:
		return time.Duration(x * float64(time.Millisecond)), nil
	case string:
		if ms, err := strconv.ParseFloat(x, 64); err == nil {
			return time.Duration(ms * float64(time.Millisecond)), nil
		}
		return time.ParseDuration(x)
	}
	return 0, fmt.Errorf("%s is no length of time", show(v))
}

// compare returns how got stands to want.
func compare(want, got any) (int, error) {
	if d, ok := got.(time.Duration); ok {
		w, err := duration(want)
		if err != nil {
			return 0, err
		}
		return sign(float64(d - w)), nil
	}
	g, err := number(got)
	if _, isText := got.(string); err != nil || isText {
		w, ok := want.(string)
		t, isText := got.(string)
		if ok && isText && err != nil {
			return strings.Compare(t, w), nil // dates in ISO form compare so
		}
		if err != nil {
			return 0, fmt.Errorf("got %s, which is no number", show(got))
		}
	}
	w, err := number(want)
	if err != nil {
		return 0, err
	}
	return sign(g - w), nil
}

func sign(f float64) int {
	switch {
	case f < 0:
		return -1
	case f > 0:
		return 1
	}
	return 0
}

// equal compares as the fact's kind asks: text with text, numbers by value.
func equal(kind archive.FactKind, want, got any) bool {
	switch g := got.(type) {
	case time.Duration:
		w, err := duration(want)
		return err == nil && w == g
	case string:
		if w, ok := want.(string); ok {
			return w == g
		}
		return kind != archive.JSONFact && plainText(want) == g
	case bool:
		if w, ok := want.(string); ok && kind != archive.JSONFact {
			return w == strconv.FormatBool(g)
		}
		return want == got
	case nil:
		return want == nil
	case []any:
		w, ok := want.([]any)
		if !ok {
			return kind == archive.ListFact && len(g) == 1 && equal(kind, want, g[0])
		}
		return slices.EqualFunc(w, g, func(a, b any) bool { return equal(kind, a, b) })
	case map[string]any:
		w, ok := want.(map[string]any)
		if !ok || len(w) != len(g) {
			return false
		}
		for k, v := range w {
			if o, ok := g[k]; !ok || !equal(kind, v, o) {
				return false
			}
		}
		return true
	}
	if _, isText := want.(string); isText && kind == archive.JSONFact {
		return false
	}
	if _, isBool := want.(bool); isBool || want == nil {
		return false
	}
	a, err1 := number(got)
	b, err2 := number(want)
	if err1 == nil && err2 == nil {
		return a == b
	}
	return reflect.DeepEqual(want, got)
}

// contains: text in text, a member in a list, members in an object.
func contains(got, want any) bool {
	switch g := got.(type) {
	case []any:
		return slices.ContainsFunc(g, func(o any) bool { return equal(archive.JSONFact, want, o) || equal(archive.TextFact, want, o) })
	case map[string]any:
		if w, ok := want.(map[string]any); ok {
			for k, v := range w {
				if o, ok := g[k]; !ok || !equal(archive.JSONFact, v, o) {
					return false
				}
			}
			return true
		}
		_, ok := g[fmt.Sprint(want)]
		return ok
	}
	return strings.Contains(plainText(got), plainText(want))
}

func typeOf(v any) string {
	switch x := v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case float64:
		if x == float64(int64(x)) {
			return "integer"
		}
		return "number"
	case int64, int:
		return "integer"
	}
	return "number"
}

func count(v any) (int, bool) {
	switch x := v.(type) {
	case []any:
		return len(x), true
	case map[string]any:
		return len(x), true
	case string:
		return len([]rune(x)), true
	}
	return 0, false
}
