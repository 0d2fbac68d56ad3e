package trace

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What is drawn was said by servers and resolvers: nothing of it may steer the
// terminal, and a column is counted as a terminal counts it.

// visible writes what acts instead of being seen as escapes, on one line; with
// ascii set also everything that is not ASCII.
func visible(s string, ascii bool) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\u00a0': // stays: lines turns it into a space
			b.WriteRune(r)
		case r == '…' && ascii:
			b.WriteString("...")
		case r > '~' && ascii || !unicode.IsPrint(r):
			if r < 0x100 {
				fmt.Fprintf(&b, `\x%02x`, r)
			} else {
				fmt.Fprintf(&b, `\u%04x`, r)
			}
		default:
			b.WriteRune(r)
		}
		i += n
	}
	return b.String()
}

// columns is how many columns of a terminal a text takes.
func columns(s string) (n int) {
	for _, r := range s {
		n += columnsOf(r)
	}
	return n
}

func columnsOf(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3, r >= 0xf900 && r <= 0xfaff,
		r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6, r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}

// fold cuts a text into lines of at most width columns: at spaces where there
// are some, anywhere else. Spaces inside of a line stay as they are.
func fold(s string, width int) (lines []string) {
	width = max(width, 8)
	for columns(s) > width {
		used, end, space := 0, 0, -1
		for i, r := range s {
			if used += columnsOf(r); used > width {
				break
			}
			if r == ' ' && i > 0 {
				space = i
			}
			end = i + utf8.RuneLen(r)
		}
		if end < len(s) && s[end] == ' ' {
			space = end
		}
		if space > 0 && strings.TrimSpace(s[:space]) != "" {
			end = space
		}
		lines = append(lines, strings.TrimRight(s[:end], " "))
		s = strings.TrimLeft(s[end:], " ")
	}
	return append(lines, s)
}

// cut shortens a text to width columns, and says so by its last one.
func cut(s string, width int) string {
	if columns(s) <= width {
		return s
	}
	used := 0
	for i, r := range s {
		if used += columnsOf(r); used > width-1 {
			return s[:i] + "…"
		}
	}
	return s
}
