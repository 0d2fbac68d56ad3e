package archive

import (
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// quoteShell quotes text so that a shell takes it as one word. A zero byte,
// which no argument can hold, becomes U+FFFD.
func quoteShell(s string) string {
	s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	if strings.IndexByte(s, '\'') < 0 && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r == '\uFFFD' }) {
		if q, err := syntax.Quote(s, syntax.LangPOSIX); err == nil && q == s && !strings.Contains(s, "^") {
			return s
		}
		return "'" + s + "'"
	}
	q, err := syntax.Quote(s, syntax.LangBash)
	if err != nil {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return q
}

var reference = regexp.MustCompile(`\{\{([A-Za-z_][A-Za-z0-9_]*)\}\}`)

// quoteWord quotes text that may name variables: those whose names a shell
// knows become its variables, the others stay in braces.
func quoteWord(s string) string {
	at := reference.FindAllStringSubmatchIndex(s, -1)
	if at == nil {
		return quoteShell(s)
	}
	var b strings.Builder
	from := 0
	for _, m := range at {
		if m[0] > from {
			b.WriteString(quoteShell(s[from:m[0]]))
		}
		b.WriteString(`"$` + "{" + s[m[2]:m[3]] + `}"`)
		from = m[1]
	}
	if from < len(s) {
		b.WriteString(quoteShell(s[from:]))
	}
	return b.String()
}
