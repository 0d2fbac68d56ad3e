package filter

import (
	"strings"
	"unicode"
)

// String returns text that Parse reads back to the same tree.
func (e *Expr) String() string {
	if e == nil {
		return ""
	}
	return Text(e.Root)
}

// Text returns a tree as text.
func Text(n Node) string {
	var b strings.Builder
	write(&b, n)
	return b.String()
}

func write(b *strings.Builder, n Node) {
	switch n := n.(type) {
	case And:
		for i, c := range n {
			if i > 0 {
				b.WriteByte(' ')
			}
			group(b, c, compound(c))
		}
	case Or:
		for i, c := range n {
			if i > 0 {
				b.WriteString(" OR ")
			}
			_, or := c.(Or)
			group(b, c, or)
		}
	case Not:
		switch n.Node.(type) {
		case Term:
			b.WriteByte('-')
		default:
			b.WriteString("NOT ")
		}
		group(b, n.Node, compound(n.Node))
	case Term:
		if n.Key != "" {
			b.WriteString(n.Key)
			if n.Op == Matches {
				b.WriteByte(':')
			} else {
				b.WriteString(string(n.Op))
			}
		}
		switch {
		case n.Op == Matches:
			writeRegexp(b, n.Value)
		case bare(n.Value, n.Key == ""):
			b.WriteString(n.Value)
		default:
			b.WriteByte('"')
			b.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(n.Value))
			b.WriteByte('"')
		}
	}
}

func group(b *strings.Builder, n Node, paren bool) {
	if paren {
		b.WriteByte('(')
	}
	write(b, n)
	if paren {
		b.WriteByte(')')
	}
}

func compound(n Node) bool {
	switch n.(type) {
	case And, Or:
		return true
	}
	return false
}

// writeRegexp escapes what would end the expression early.
func writeRegexp(b *strings.Builder, re string) {
	b.WriteByte('/')
	esc := false
	for i, r := range re {
		switch {
		case unicode.IsSpace(r):
			if esc { // the backslash is already there
				b.WriteString("Q" + string(r) + `\E`)
				break
			}
			b.WriteString(`\x{` + hex(r) + `}`)
		case r == '/' && !esc && i+1 < len(re) && i > 0 && delimited(re[i+1:]):
			b.WriteString(`\/`)
		default:
			b.WriteRune(r)
		}
		esc = r == '\\' && !esc
	}
	b.WriteByte('/')
}

func hex(r rune) string {
	const digits = "0123456789abcdef"
	s := ""
	for r > 0 {
		s = string(digits[r&15]) + s
		r >>= 4
	}
	return s
}

// bare reports whether a value means itself without quotes.
func bare(v string, first bool) bool {
	if v == "" || v == "AND" || v == "OR" || v == "NOT" || v[0] == '-' && first || v[0] == '/' && (first || strings.HasSuffix(v, "/")) {
		return false
	}
	for i := 0; i < len(v); i++ {
		if c := v[i]; !keyByte(c) && !strings.ContainsRune("/%~@+*,?&", rune(c)) && !(c == ':' && !first) {
			return false
		}
	}
	return !strings.HasPrefix(v, ":")
}
