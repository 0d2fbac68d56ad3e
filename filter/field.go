package filter

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
)

// Field describes a word of the language, for help and completion.
type Field struct {
	Name    string   `json:"name"`
	Aliases []string `json:"aliases,omitempty"`
	// Arg is set when a name follows after a dot, as in header.NAME.
	Arg string `json:"arg,omitempty"`
	Doc string `json:"doc"`
	// Values are the only ones allowed; nil when any is.
	Values []string `json:"values,omitempty"`
}

// Fields lists the words of the language in the order of its documentation.
func Fields() []Field {
	var fs []Field
	for _, f := range fields[1:] {
		fs = append(fs, Field{Name: f.Name, Aliases: f.Aliases, Arg: f.Arg, Doc: f.Doc, Values: f.values()})
	}
	return fs
}

type field struct {
	Name    string
	Aliases []string
	Arg     string
	Doc     string
	bodies  bool
	make    maker
	makeArg func(arg string) maker
}

// A maker compiles one term.
type maker func(Op, string) (pred, error)

// test is what a term asks of a text.
type test func(string) bool

// each shows a test every text that a word stands for, until it holds.
type each func(*exchange.Exchange, test) bool

var byName = func() map[string]*field {
	m := map[string]*field{}
	for _, f := range fields {
		for _, n := range append([]string{f.Name}, f.Aliases...) {
			m[n] = f
		}
	}
	return m
}()

// lookup returns the field that a key names, and the name after its dot.
func lookup(key string) (*field, string) {
	key = strings.ToLower(key)
	if f := byName[key]; f != nil && f.Arg == "" {
		return f, ""
	}
	if k, arg, ok := strings.Cut(key, "."); ok && arg != "" {
		if f := byName[k]; f != nil && f.Arg != "" {
			return f, arg
		}
	}
	return nil, ""
}

// canonical returns a key without aliases.
func canonical(key string) (string, bool) {
	f, arg := lookup(key)
	if f == nil || key == "" {
		return "", false
	}
	if arg != "" {
		return f.Name + "." + arg, true
	}
	return f.Name, true
}

func (f *field) compile(arg string, op Op, v string) (pred, error) {
	m := f.make
	if f.makeArg != nil {
		m = f.makeArg(arg)
	}
	p, err := m(op, v)
	if e, ok := err.(*Error); ok && f.Name != "" {
		e.What = f.Name + ": " + e.What
	}
	return p, err
}

// values asks the maker what it allows, by the way it refuses.
func (f *field) values() []string {
	if f.make == nil {
		return nil
	}
	_, err := f.make(Has, "\x00")
	if e, ok := err.(*Error); ok {
		return e.values
	}
	return nil
}

// text makes terms that look for a part of a text.
func text(texts each) maker {
	return func(op Op, v string) (pred, error) {
		f := newFinder(v)
		switch op {
		case Has:
			return holds(texts, f.in), nil
		case Is:
			return holds(texts, f.is), nil
		case IsNot:
			p := holds(texts, f.is)
			return func(x *exchange.Exchange) bool { return !p(x) }, nil
		case Matches:
			return matches(texts, v)
		}
		return nil, noOrder(op)
	}
}

// name makes terms that compare whole names; values, if any, are all there are.
func name(values []string, texts each) maker {
	return func(op Op, v string) (pred, error) {
		if values != nil && op != Matches && !slices.Contains(values, strings.ToLower(v)) {
			return nil, &Error{What: fmt.Sprintf("%q is none of %s", v, strings.Join(values, ", ")), Hint: suggest(v, values), values: values}
		}
		switch op {
		case Has, Is:
			return holds(texts, newFinder(v).is), nil
		case IsNot:
			p := holds(texts, newFinder(v).is)
			return func(x *exchange.Exchange) bool { return !p(x) }, nil
		case Matches:
			return matches(texts, v)
		}
		return nil, noOrder(op)
	}
}

// prefix makes terms that compare how a text begins.
func prefix(of func(*exchange.Exchange) string) maker {
	return func(op Op, v string) (pred, error) {
		f := newFinder(v)
		if op == Has {
			return func(x *exchange.Exchange) bool { return f.prefix(of(x)) }, nil
		}
		return text(func(x *exchange.Exchange, ok test) bool { return ok(of(x)) })(op, v)
	}
}

func holds(texts each, ok test) pred {
	return func(x *exchange.Exchange) bool { return texts(x, ok) }
}

func matches(texts each, v string) (pred, error) {
	re, err := regexp.Compile(v)
	if err != nil {
		return nil, &Error{What: "not a regular expression: " + strings.TrimPrefix(err.Error(), "error parsing regexp: "), Hint: "quote it to search for the text"}
	}
	return holds(texts, re.MatchString), nil
}

// equality makes a term of a condition that only : = and != fit.
func equality(op Op, p pred) (pred, error) {
	switch op {
	case Has, Is:
		return p, nil
	case IsNot:
		return func(x *exchange.Exchange) bool { return !p(x) }, nil
	}
	return nil, noOrder(op)
}

func noOrder(op Op) error {
	return &Error{What: fmt.Sprintf("has no order that %s could compare", op), Hint: "use : or ="}
}

// number makes terms that compare numbers. parse returns the least and the
// greatest number that a value stands for (4xx is 400 to 499).
func number(parse func(string) (lo, hi int64, ok bool, want string), of func(*exchange.Exchange) (int64, bool)) maker {
	return func(op Op, v string) (pred, error) {
		if op == Matches {
			return nil, &Error{What: "is a number, not a text", Hint: "use : or >="}
		}
		lo, hi, ok, want := parse(v)
		if !ok {
			return nil, &Error{What: fmt.Sprintf("%q is not %s", v, want)}
		}
		in, not := Interval(op, lo, hi)
		return func(x *exchange.Exchange) bool {
			n, ok := of(x)
			if not {
				return !ok || n < in[0] || n > in[1]
			}
			return ok && n >= in[0] && n <= in[1]
		}, nil
	}
}

// Interval returns the numbers, both ends included, for which a comparison
// with a value that stands for lo to hi holds; or, when not is true, for which
// it does not (and which alone a missing number does not satisfy).
func Interval(op Op, lo, hi int64) (in [2]int64, not bool) {
	switch op {
	case Less:
		return [2]int64{math.MinInt64, lo - 1}, false
	case LessEqual:
		return [2]int64{math.MinInt64, hi}, false
	case Greater:
		return [2]int64{hi + 1, math.MaxInt64}, false
	case GreaterEqual:
		return [2]int64{lo, math.MaxInt64}, false
	case IsNot:
		return [2]int64{lo, hi}, true
	}
	return [2]int64{lo, hi}, false
}

// Numbers returns the least and the greatest number that a term's value stands
// for, for the keys that compare numbers.
func (t Term) Numbers() (lo, hi int64, ok bool) {
	switch t.Key {
	case "status":
		lo, hi, ok, _ = statusRange(t.Value)
	case "size", "larger-than":
		lo, hi, ok, _ = parseSize(t.Value)
	case "time":
		lo, hi, ok, _ = parseTime(t.Value)
	}
	return lo, hi, ok
}

func statusRange(v string) (lo, hi int64, ok bool, want string) {
	want = "a status such as 404 or 4xx"
	if len(v) == 3 && v[0] >= '1' && v[0] <= '9' && strings.EqualFold(v[1:], "xx") {
		lo = int64(v[0]-'0') * 100
		return lo, lo + 99, true, want
	}
	n, err := strconv.ParseInt(v, 10, 32)
	return n, n, err == nil && n >= 0, want
}

func parseSize(v string) (lo, hi int64, ok bool, want string) {
	want = "a size such as 500, 10k or 2m"
	s := strings.ToLower(v)
	s = strings.TrimSuffix(strings.TrimSuffix(s, "b"), "i")
	unit := 1.0
	if n := len(s); n > 0 {
		switch s[n-1] {
		case 'k':
			unit, s = 1<<10, s[:n-1]
		case 'm':
			unit, s = 1<<20, s[:n-1]
		case 'g':
			unit, s = 1<<30, s[:n-1]
		}
	}
	return scaled(s, unit, want)
}

func parseTime(v string) (lo, hi int64, ok bool, want string) {
	want = "a time such as 200ms or 1.5s"
	if lo, hi, ok, _ = scaled(v, float64(time.Millisecond), want); ok {
		return lo, hi, ok, want
	}
	d, err := time.ParseDuration(strings.ToLower(v))
	return int64(d), int64(d), err == nil && d >= 0 && d < math.MaxInt64, want
}

func scaled(s string, unit float64, want string) (lo, hi int64, ok bool, _ string) {
	if s == "" || strings.Trim(s, "0123456789.") != "" {
		return 0, 0, false, want
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f*unit > 1<<60 {
		return 0, 0, false, want
	}
	n := int64(math.Round(f * unit))
	return n, n, true, want
}
