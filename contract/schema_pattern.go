package contract

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/parley-project/parley/internal/jsonscan"
)

// Patterns of schemas are ECMA-262's; ours are RE2's, which never take more
// than linear time. Most are the same in both; what is spelled differently is
// translated, and conditions at the very start (the usual "at least one digit
// and one capital") become patterns of their own. What remains, such as
// back-references, is an error.

func compilePattern(source string) (jsonscan.Pattern, error) {
	p := jsonscan.Pattern{Source: source}
	rest := source
	if strings.HasPrefix(rest, "^(?=") || strings.HasPrefix(rest, "^(?!") {
		rest = rest[1:]
		for strings.HasPrefix(rest, "(?=") || strings.HasPrefix(rest, "(?!") {
			end := groupEnd(rest)
			if end < 0 {
				break
			}
			re, err := translatedPattern("^(?:" + rest[3:end] + ")")
			if err != nil {
				return p, err
			}
			if rest[2] == '=' {
				p.All = append(p.All, re)
			} else {
				p.None = append(p.None, re)
			}
			rest = rest[end+1:]
		}
		if hasAlternative(rest) {
			return p, fmt.Errorf("%q: an alternative after a condition is not supported", source)
		}
		rest = "^" + rest
	}
	re, err := translatedPattern(rest)
	if err != nil {
		return p, err
	}
	p.All = append(p.All, re)
	return p, nil
}

// groupEnd returns where the group that s begins with is closed, or -1.
func groupEnd(s string) int {
	depth, class := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// hasAlternative reports whether s has a | outside of groups and classes.
func hasAlternative(s string) bool {
	depth, class := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '|' && depth == 0:
			return true
		}
	}
	return false
}

func translatedPattern(source string) (*regexp.Regexp, error) {
	s, err := translatePattern(source)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", source, err)
	}
	re, err := regexp.Compile(s)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", source, err)
	}
	return re, nil
}

// ECMA's white space is wider than RE2's.
const ecmaSpace = `\t\n\v\f\r \x{a0}\x{feff}\x{2028}\x{2029}\p{Zs}`

// translatePattern spells an ECMA-262 pattern for RE2.
func translatePattern(s string) (string, error) {
	var b strings.Builder
	class := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '[' && !class:
			switch {
			case strings.HasPrefix(s[i:], "[^]"):
				b.WriteString(`(?s:.)`)
				i += 2
				continue
			case strings.HasPrefix(s[i:], "[]"):
				b.WriteString(`[^\x{0}-\x{10ffff}]`)
				i++
				continue
			}
			class = true
			b.WriteByte(c)
			if i+1 < len(s) && s[i+1] == '^' {
				i++
				b.WriteByte('^')
			}
		case c == '[':
			b.WriteString(`\[`) // plain in a class; RE2 would look for [:name:]
		case c == ']':
			if class {
				b.WriteByte(c)
			} else {
				b.WriteString(`\]`)
			}
			class = false
		case c == '.' && !class:
			b.WriteString(`[^\n\r\x{2028}\x{2029}]`)
		case c == '$' && !class:
			b.WriteString(`\z`)
		case c == '^' && !class:
			b.WriteString(`\A`)
		case c != '\\':
			b.WriteByte(c)
		case i+1 == len(s):
			return "", fmt.Errorf("ends in a backslash")
		default:
			n, err := translateEscape(&b, s[i:], class)
			if err != nil {
				return "", err
			}
			i += n - 1
		}
	}
	return b.String(), nil
}

// translateEscape writes the escape that s begins with and returns its length.
func translateEscape(b *strings.Builder, s string, class bool) (int, error) {
	r := func(n int64) { fmt.Fprintf(b, `\x{%x}`, n) }
	switch c := s[1]; c {
	case 'u':
		if end := strings.IndexByte(s, '}'); strings.HasPrefix(s, `\u{`) && end > 0 {
			n, err := strconv.ParseInt(s[3:end], 16, 32)
			if err != nil {
				return 0, err
			}
			r(n)
			return end + 1, nil
		}
		if len(s) < 6 {
			return 0, fmt.Errorf("%s: four digits are wanted", s)
		}
		n, err := strconv.ParseInt(s[2:6], 16, 32)
		if err != nil {
			return 0, err
		}
		if n >= 0xD800 && n < 0xDC00 && len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
			if low, err := strconv.ParseInt(s[8:12], 16, 32); err == nil && low >= 0xDC00 && low < 0xE000 {
				r((n-0xD800)<<10 + low - 0xDC00 + 0x10000)
				return 12, nil
			}
		}
		r(n)
		return 6, nil
	case 'c':
		if len(s) < 3 || s[2]|0x20 < 'a' || s[2]|0x20 > 'z' {
			return 0, fmt.Errorf(`\c wants a letter`)
		}
		r(int64(s[2] & 31))
		return 3, nil
	case '0':
		r(0)
		return 2, nil
	case 'b':
		if class {
			r(8)
		} else {
			b.WriteString(`\b`)
		}
		return 2, nil
	case 's':
		if class {
			b.WriteString(ecmaSpace)
		} else {
			b.WriteString("[" + ecmaSpace + "]")
		}
		return 2, nil
	case 'S':
		if class {
			return 0, fmt.Errorf(`\S in a class is not supported`)
		}
		b.WriteString("[^" + ecmaSpace + "]")
		return 2, nil
	case 'd', 'D', 'w', 'W', 'B', 'n', 'r', 't', 'f', 'v', 'x':
		b.WriteString(s[:2])
		return 2, nil
	case 'p', 'P':
		end := strings.IndexByte(s, '}')
		if len(s) < 4 || s[2] != '{' || end < 0 {
			return 0, fmt.Errorf(`\%c wants a name in braces`, c)
		}
		name := s[3:end]
		if _, value, ok := strings.Cut(name, "="); ok {
			name = value
		}
		if short, ok := unicodeCategories[name]; ok {
			name = short
		}
		fmt.Fprintf(b, `\%c{%s}`, c, name)
		return end + 1, nil
	case '1', '2', '3', '4', '5', '6', '7', '8', '9', 'k':
		return 0, fmt.Errorf("back-references are not supported")
	default:
		if c >= 0x80 || c|0x20 >= 'a' && c|0x20 <= 'z' {
			b.WriteString(regexp.QuoteMeta(s[1:2])) // an escape that means nothing
			return 2, nil
		}
		if c == '-' && !class {
			b.WriteByte('-')
		} else {
			b.WriteString(`\` + s[1:2])
		}
		return 2, nil
	}
}

// unicodeCategories are the long names that RE2 does not have.
var unicodeCategories = map[string]string{
	"Letter": "L", "Lowercase_Letter": "Ll", "Uppercase_Letter": "Lu", "Titlecase_Letter": "Lt", "Modifier_Letter": "Lm",
	"Other_Letter": "Lo", "Mark": "M", "Nonspacing_Mark": "Mn", "Spacing_Mark": "Mc", "Enclosing_Mark": "Me",
	"Number": "N", "Decimal_Number": "Nd", "Letter_Number": "Nl", "Other_Number": "No", "digit": "Nd",
	"Punctuation": "P", "punct": "P", "Symbol": "S", "Math_Symbol": "Sm", "Currency_Symbol": "Sc",
	"Separator": "Z", "Space_Separator": "Zs", "Other": "C", "Control": "Cc", "Format": "Cf", "Alphabetic": "L",
}
