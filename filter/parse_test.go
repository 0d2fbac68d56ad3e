package filter

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	w := func(v string) Term { return Term{Op: Has, Value: v} }
	k := func(key string, op Op, v string) Term { return Term{Key: key, Op: op, Value: v} }
	for _, c := range []struct {
		text string
		want Node
	}{
		{"", And{}},
		{"  ", And{}},
		{"orders", w("orders")},
		{"a b", And{w("a"), w("b")}},
		{"a AND b", And{w("a"), w("b")}},
		{"a b OR c", Or{And{w("a"), w("b")}, w("c")}},
		{"a (b OR c)", And{w("a"), Or{w("b"), w("c")}}},
		{"NOT a", Not{w("a")}},
		{"-a", Not{w("a")}},
		{"-(a b)", Not{And{w("a"), w("b")}}},
		{"- a", And{w("-"), w("a")}},
		{"and", w("and")},
		{`"AND"`, w("AND")},
		{`"a b"`, w("a b")},
		{`"a\"\\b\n"`, w(`a"\b\n`)},
		{"domain:shop", k("host", Has, "shop")},
		{"STATUS-CODE:4xx", k("status", Has, "4xx")},
		{"-url:/v1", Not{k("path", Has, "/v1")}},
		{"path:/v1/orders", k("path", Has, "/v1/orders")},
		{`path:"/v1/"`, k("path", Has, "/v1/")},
		{`path:/v\d/`, k("path", Matches, `v\d`)},
		{`/a b/`, And{w("/a"), w("b/")}},
		{`/(a|b)/`, Term{Op: Matches, Value: "(a|b)"}},
		{`(path:/a/ OR path:/b/)`, Or{k("path", Matches, "a"), k("path", Matches, "b")}},
		{"size>10k", k("size", Greater, "10k")},
		{"size:>10k", k("size", Greater, "10k")},
		{"time>=200ms", k("time", GreaterEqual, "200ms")},
		{"larger-than:1k", k("larger-than", Has, "1k")},
		{"header.X-Id:7", k("header.x-id", Has, "7")},
		{`header.x:""`, k("header.x", Has, "")},
		{"user_id=101", w("user_id=101")},
		{"https://shop.test/v1", w("https://shop.test/v1")},
		{"12:30", w("12:30")},
		{"a>b", w("a>b")},
		{"code!=404", k("status", IsNot, "404")},
		{"mime-type:json caller:101", And{k("type", Has, "json"), k("identity", Has, "101")}},
	} {
		e, err := Parse(c.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.text, err)
			continue
		}
		if !reflect.DeepEqual(e.Root, c.want) {
			t.Errorf("Parse(%q) = %#v, want %#v", c.text, e.Root, c.want)
		}
		again, err := Parse(e.String())
		if err != nil || !reflect.DeepEqual(again.Root, e.Root) {
			t.Errorf("Parse(%q) printed %q, read back %#v, %v", c.text, e.String(), again, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct {
		text   string
		column int
		says   string
	}{
		{"stauts:404", 1, "did you mean status?"},
		{"a methd:GET", 3, "did you mean method?"},
		{"ö stauts>=500", 3, "did you mean status?"},
		{"is:refusd", 4, "did you mean refused?"},
		{"header:x", 1, "write header.NAME"},
		{"status:ok", 8, "4xx"},
		{"status>GET", 8, "a status"},
		{"size:big", 6, "a size"},
		{"time>soon", 6, "a time"},
		{"host>a", 6, "no order"},
		{"host:", 5, "needs a value"},
		{"host: a", 5, "needs a value"},
		{"(a", 1, "never closed"},
		{"a)", 2, "nothing was opened"},
		{"()", 1, "nothing between"},
		{"a AND", 6, "missing at the end"},
		{"a OR OR b", 6, "missing before OR"},
		{"AND b", 1, "missing before AND"},
		{`"a`, 1, "never closed"},
		{`"a"b`, 4, "a space"},
		{"/(/", 1, "not a regular expression"},
		{"status:/4/", 8, "a number"},
		{strings.Repeat("(", 200), 101, "too deeply"},
		{strings.Repeat("a", 9000), 1, "longer than"},
	} {
		_, err := Parse(c.text)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("Parse(%.40q): %v, want an *Error", c.text, err)
			continue
		}
		if e.Column != c.column || !strings.Contains(e.Error(), c.says) {
			t.Errorf("Parse(%.40q): %v, want column %d and %q", c.text, e, c.column, c.says)
		}
	}
}

// TestRoundTrip prints trees and reads them back.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := Trees(3).Draw(t, "tree")
		text := Text(n)
		e, err := Parse(text)
		if err != nil {
			t.Fatalf("Parse(%q) of %#v: %v", text, n, err)
		}
		if !reflect.DeepEqual(e.Root, n) {
			t.Fatalf("%#v printed %q, read back %#v", n, text, e.Root)
		}
	})
}

// Trees generates trees as Parse makes them.
func Trees(depth int) *rapid.Generator[Node] {
	return rapid.Custom(func(t *rapid.T) Node {
		kind := 0
		if depth > 0 {
			kind = rapid.IntRange(0, 5).Draw(t, "kind")
		}
		sub := func() Node { return Trees(depth-1).Draw(t, "node") }
		switch kind {
		case 3:
			return Not{sub()}
		case 4:
			return And{sub(), sub()}
		case 5:
			return Or{sub(), sub(), sub()}
		}
		any := rapid.OneOf(rapid.String(), rapid.StringMatching(`[-/a-zA-Z0-9:"\\() =<>!]{0,8}`), rapid.SampledFrom([]string{"AND", "OR", "NOT", "-", "/", "//", "/a/"}))
		op := rapid.SampledFrom([]Op{Has, Is, IsNot})
		switch rapid.IntRange(0, 6).Draw(t, "term") {
		case 0:
			return Term{Op: Has, Value: any.Draw(t, "word")}
		case 1:
			return Term{Key: rapid.SampledFrom([]string{"host", "path", "identity", "header.x-y", "tls", "operation", "method"}).Draw(t, "key"), Op: op.Draw(t, "op"), Value: any.Draw(t, "value")}
		case 2:
			return Term{Key: "status", Op: rapid.SampledFrom([]Op{Has, Less, LessEqual, Greater, GreaterEqual, IsNot}).Draw(t, "op"), Value: rapid.SampledFrom([]string{"200", "4xx", "503"}).Draw(t, "status")}
		case 3:
			return Term{Key: "size", Op: Greater, Value: rapid.SampledFrom([]string{"10k", "1.5m", "7"}).Draw(t, "size")}
		case 4:
			return Term{Key: "time", Op: Less, Value: rapid.SampledFrom([]string{"200ms", "1.5s"}).Draw(t, "time")}
		case 5:
			return Term{Key: rapid.SampledFrom([]string{"", "path"}).Draw(t, "key"), Op: Matches, Value: rapid.SampledFrom([]string{`a`, `(a|b)`, `\/`, `a/b`, `[^x]+$`, `\.`, `é`}).Draw(t, "re")}
		}
		return Term{Key: "is", Op: Has, Value: rapid.SampledFrom(conditionNames()).Draw(t, "is")}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a b OR -c", `status:4xx "x y" /re/`, "header.x:1 (time>2s)", `-(is:refused)`, "host:\xff", `path:/a\ b/`, `"\`, "a:b://c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := Parse(s)
		if err != nil {
			var fe *Error
			if !errors.As(err, &fe) || fe.Column < 1 {
				t.Fatalf("Parse(%q): %v is not an *Error with a column", s, err)
			}
			return
		}
		printed := e.String()
		again, err := Parse(printed)
		if err != nil {
			if len(printed) > maxText || strings.Contains(err.Error(), "too deeply") {
				return // quotes and parentheses can make it longer
			}
			t.Fatalf("Parse(%q) printed %q: %v", s, printed, err)
		}
		if !reflect.DeepEqual(e.Root, again.Root) {
			t.Fatalf("Parse(%q) = %#v, printed %q, read back %#v", s, e.Root, printed, again.Root)
		}
	})
}
