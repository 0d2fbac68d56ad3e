package archive

import (
	"regexp"
	"strconv"
	"strings"
)

// Most scripts in .http files keep a value of the answer, or look at its
// status. Those are understood; a script that does anything else is kept only.
var (
	setGlobal    = regexp.MustCompile(`^client\.global\.set\(\s*["']([^"']+)["']\s*,\s*(.+?)\s*\)$`)
	bodyPath     = regexp.MustCompile(`^response\.body((?:\.[A-Za-z_$][\w$]*|\[\d+\]|\["[^"]+"\]|\['[^']+'\])*)$`)
	headerValue  = regexp.MustCompile(`^response\.headers\.valueOf\(\s*["']([^"']+)["']\s*\)$`)
	testFunction = regexp.MustCompile(`^client\.test\(\s*(?:"[^"]*"|'[^']*'|` + "`[^`]*`" + `)\s*,\s*(?:function\s*\(\s*\)|\(\s*\)\s*=>)\s*\{(.*)\}\s*\)$`)
	assertion    = regexp.MustCompile(`^client\.assert\(\s*(.+?)\s*(===|==|!==|!=|<=|>=|<|>)\s*("[^"]*"|'[^']*'|-?\d+(?:\.\d+)?|true|false)\s*(?:,.*)?\)$`)
)

// understood adds to an item what a script means, if it is all understood.
func understood(it *Item, s Script) bool {
	if s.When != "test" {
		return false
	}
	var expect []Expectation
	var capture []Capture
	if !statements(s.Text, s.Line, &expect, &capture, 0) {
		return false
	}
	it.Expect = append(it.Expect, expect...)
	it.Capture = append(it.Capture, capture...)
	return true
}

func statements(text string, line int, expect *[]Expectation, capture *[]Capture, depth int) bool {
	for _, st := range splitStatements(text) {
		one := strings.Join(strings.Fields(st), " ")
		if m := setGlobal.FindStringSubmatch(one); m != nil {
			fact := scriptFact(m[2])
			if fact == "" {
				return false
			}
			*capture = append(*capture, Capture{Variable: m[1], Fact: fact, Line: line})
			continue
		}
		if m := testFunction.FindStringSubmatch(one); m != nil && depth == 0 {
			if !statements(m[1], line, expect, capture, 1) {
				return false
			}
			continue
		}
		m := assertion.FindStringSubmatch(one)
		if m == nil {
			return false
		}
		fact := scriptFact(m[1])
		if fact == "" {
			return false
		}
		is := strings.Replace(strings.Replace(m[2], "===", "==", 1), "!==", "!=", 1)
		*expect = append(*expect, Expectation{Fact: fact, Is: is, Want: scalar(m[3]), Line: line})
	}
	return true
}

// splitStatements cuts at semicolons and line ends outside of brackets and
// quotes; comments are left out.
func splitStatements(text string) []string {
	var out []string
	depth, start := 0, 0
	put := func(end int) {
		if s := strings.TrimSpace(text[start:end]); s != "" && !strings.HasPrefix(s, "//") {
			out = append(out, s)
		}
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"', '\'', '`':
			for i++; i < len(text) && text[i] != c; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '(', '{', '[':
			depth++
		case ')', '}', ']':
			depth--
		case ';', '\n':
			if depth <= 0 {
				put(i)
				start = i + 1
			}
		}
	}
	put(len(text))
	return out
}

func scriptFact(s string) string {
	if s == "response.status" {
		return "response.status"
	}
	if m := headerValue.FindStringSubmatch(s); m != nil {
		return "response.header." + m[1]
	}
	if m := bodyPath.FindStringSubmatch(s); m != nil {
		if m[1] == "" {
			return "response.body"
		}
		return "response.body.$" + m[1]
	}
	return ""
}

// scalar is a value as a script or an assertion writes it.
func scalar(s string) any {
	switch {
	case s == "true" || s == "false":
		return s == "true"
	case s == "null":
		return nil
	case len(s) > 1 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0]:
		return s[1 : len(s)-1]
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		return n
	}
	return s
}

// assert reads httpyac's "?? status == 200".
func (h *httpReader) assert(it *Item, text string, line int) {
	words := strings.Fields(text)
	fact, n := "", 0
	switch {
	case len(words) > 2 && words[0] == "status":
		fact, n = "response.status", 1
	case len(words) > 3 && words[0] == "header":
		fact, n = "response.header."+words[1], 2
	case len(words) > 3 && words[0] == "body" && strings.HasPrefix(words[1], "$"):
		fact, n = "response.body."+words[1], 2
	}
	is := ""
	if n > 0 {
		is = map[string]string{"==": "==", "===": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "includes": "contains", "contains": "contains", "matches": "matches"}[words[n]]
	}
	if is == "" {
		h.warn(line, "an assertion that is not understood: %s", excerpt(text))
		return
	}
	it.Expect = append(it.Expect, Expectation{Fact: fact, Is: is, Want: scalar(strings.Join(words[n+1:], " ")), Line: line})
}
