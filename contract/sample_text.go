package contract

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"
)

// number makes a number within its bounds.
func (m *making) number(v view, n int) any {
	integer := v.kind() == "integer"
	low, high := math.Inf(-1), math.Inf(1)
	step := 1.0
	for _, c := range v {
		read := func(word string) (float64, bool) {
			f, err := strconv.ParseFloat(c.get(word).text(), 64)
			return f, err == nil
		}
		gap := 1.0
		if !integer {
			gap = 0.5
		}
		if f, ok := read("minimum"); ok {
			if c.get("exclusiveMinimum").isTrue() {
				f += gap
			}
			low = max(low, f)
		}
		if f, ok := read("exclusiveMinimum"); ok {
			low = max(low, f+gap)
		}
		if f, ok := read("maximum"); ok {
			if c.get("exclusiveMaximum").isTrue() {
				f -= gap
			}
			high = min(high, f)
		}
		if f, ok := read("exclusiveMaximum"); ok {
			high = min(high, f-gap)
		}
		if f, ok := read("multipleOf"); ok && f > 0 {
			step = f
		}
	}
	f := 1.0
	if low > f {
		f = low
	}
	if high < f {
		f = high
		if low > math.Inf(-1) {
			f = low
		}
	}
	if step != 1 || integer {
		if up := math.Ceil(f/step) * step; up <= high {
			f = up
		} else {
			f = math.Floor(f/step) * step
		}
	}
	if next := f + float64(n)*step; next <= high {
		f = next
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return json.Number(strconv.FormatInt(int64(f), 10))
	}
	return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
}

// formats are texts of each format.
var formats = map[string]string{
	"date-time": "2026-01-02T03:04:05Z", "date": "2026-01-02", "time": "03:04:05Z", "duration": "P1D",
	"email": "someone@example.com", "idn-email": "someone@example.com",
	"hostname": "example.com", "idn-hostname": "example.com", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "ip": "192.0.2.1",
	"uri": "https://example.com/", "url": "https://example.com/", "uri-reference": "/path", "iri": "https://example.com/", "iri-reference": "/path",
	"uri-template": "/path/{id}", "uuid": "123e4567-e89b-42d3-a456-426614174000", "guid": "123e4567-e89b-42d3-a456-426614174000",
	"json-pointer": "/name", "relative-json-pointer": "0", "regex": "^a+$", "byte": base64.StdEncoding.EncodeToString([]byte("sample")),
}

// text makes a text of the right form and length.
func (m *making) text(v view, n int) any {
	least, most := 0, math.MaxInt
	for _, c := range v {
		if l, err := strconv.Atoi(c.get("minLength").text()); err == nil {
			least = max(least, l)
		}
		if l, err := strconv.Atoi(c.get("maxLength").text()); err == nil {
			most = min(most, l)
		}
	}
	least = min(least, 10000)
	if p := v.first("pattern").text(); p != "" {
		if s, ok := matching(p, least, n); ok {
			return s
		}
	}
	if s, ok := formats[v.first("format").text()]; ok && utf8.RuneCountInString(s) <= most {
		if n == 0 {
			return s
		}
		// The last digit tells several apart, where there is one.
		if i := strings.LastIndexAny(s, "0123456789"); i >= 0 && n < 10 {
			return s[:i] + strconv.Itoa((int(s[i]-'0')+n)%10) + s[i+1:]
		}
	}
	s := "text"
	if n > 0 {
		s += strconv.Itoa(n)
	}
	for utf8.RuneCountInString(s) < least {
		s += "x"
	}
	if len(s) > most {
		s = s[:most]
	}
	return s
}

// matching makes a text that a regular expression matches, at least so long.
func matching(pattern string, least, n int) (string, bool) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", false
	}
	var s string
	for more := range min(least, 500) + 2 {
		g := &textMaker{more: more, n: n, room: 20000}
		g.put(re)
		if s = g.b.String(); utf8.RuneCountInString(s) >= least {
			break
		}
	}
	return s, true
}

// A textMaker writes a text that an expression matches.
type textMaker struct {
	b    strings.Builder
	more int // repetitions beyond the least
	n    int // which of several characters to take
	room int
}

func (g *textMaker) put(re *syntax.Regexp) {
	if g.b.Len() > g.room {
		return
	}
	repeat := func(least, most int) {
		count := least + g.more
		if most >= 0 {
			count = min(count, most)
		}
		// What may be missing is left out, unless it would be all there is.
		if least == 0 && g.more == 0 {
			count = 0
		}
		for range min(count, 2000) {
			if g.b.Len() > g.room {
				return
			}
			g.put(re.Sub[0])
		}
	}
	switch re.Op {
	case syntax.OpLiteral:
		g.b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		g.b.WriteRune(pickRune(re.Rune, g.n))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		g.b.WriteByte('a')
	case syntax.OpCapture:
		g.put(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			g.put(sub)
		}
	case syntax.OpAlternate:
		g.put(re.Sub[g.n%len(re.Sub)])
	case syntax.OpStar:
		repeat(0, -1)
	case syntax.OpPlus:
		repeat(1, -1)
	case syntax.OpQuest:
		repeat(0, 1)
	case syntax.OpRepeat:
		repeat(re.Min, re.Max)
	}
}

// pickRune takes a character of a class: a letter or digit if it has one.
func pickRune(class []rune, n int) rune {
	for _, want := range []struct{ low, high rune }{{'a', 'z'}, {'A', 'Z'}, {'0', '9'}, {'-', '_'}, {'!', '~'}} {
		for i := 0; i+1 < len(class); i += 2 {
			low, high := max(class[i], want.low), min(class[i+1], want.high)
			if low <= high {
				return low + rune(n)%(high-low+1)
			}
		}
	}
	if len(class) == 0 {
		return 'a'
	}
	return class[0]
}
