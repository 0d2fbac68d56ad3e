package contract

import (
	"strings"
	"unicode/utf8"
)

// A path that two programs may read differently is the way around a rule: one
// sees /v1/public/..%2fadmin as a name, the next as a way up. Such a path is
// refused, not repaired: no client that means well sends one.

const (
	pathPlain   = iota // stands for itself
	pathPercent        // begins an escape
	pathSlash
	pathBad // control characters, space, and what has a meaning elsewhere
	pathHigh
	pathDot
)

var pathClass = func() (t [256]uint8) {
	for i := range t {
		switch {
		case i <= ' ' || i == 0x7f:
			t[i] = pathBad
		case i >= 0x80:
			t[i] = pathHigh
		}
	}
	t['%'], t['/'], t['.'] = pathPercent, pathSlash, pathDot
	t['\\'], t[';'], t['#'], t['?'] = pathBad, pathBad, pathBad, pathBad
	return
}()

// AmbiguousPath reports whether a raw path (undecoded, without query) could
// mean something else to the next program that reads it, and why in a few
// words. A slash at the end is not ambiguous; it is another path.
func AmbiguousPath(rawPath string) (why string, ambiguous bool) {
	if rawPath == "*" {
		return "", false // OPTIONS * (RFC 9110, 7.1)
	}
	if rawPath == "" || rawPath[0] != '/' {
		return "does not begin with a slash", true
	}
	// The first loop decides for nearly every request.
	special := false
	for i := 0; i < len(rawPath); i++ {
		switch pathClass[rawPath[i]] {
		case pathPlain:
		case pathSlash:
			if i+1 < len(rawPath) && rawPath[i+1] == '/' {
				return "empty segment", true
			}
		case pathBad:
			return badByte(rawPath[i]), true
		case pathDot:
			if rawPath[i-1] == '/' || rawPath[i-1] == '.' {
				special = true
			}
		default:
			special = true
		}
	}
	if !special {
		return "", false
	}
	for rest := rawPath[1:]; ; {
		segment, more, found := strings.Cut(rest, "/")
		if why := ambiguousSegment(segment); why != "" {
			return why, true
		}
		if !found {
			return "", false
		}
		rest = more
	}
}

func badByte(b byte) string {
	switch b {
	case '\\':
		return "backslash"
	case ';':
		return "path parameter"
	case '#':
		return "fragment"
	case '?':
		return "query"
	}
	return "control character or space"
}

func ambiguousSegment(s string) string {
	d, ok := decodeSegment(s)
	if !ok {
		return "broken percent-encoding"
	}
	if !utf8.ValidString(d) {
		return "text that is not UTF-8"
	}
	dots := len(d) > 0
	for i, r := range d {
		switch {
		case r == '/' || r == '\\':
			return "encoded slash or backslash"
		case r == ';':
			return "path parameter"
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029':
			return "control character or space"
		case r == '\uff0f' || r == '\uff3c' || r == '\ufe68':
			return "look-alike of a slash" // compatibility forms of / and \
		case r == '%' && i+2 < len(d) && unhex(d[i+1]) >= 0 && unhex(d[i+2]) >= 0:
			return "encoded twice"
		}
		// Compatibility forms of the full stop: ． ․ ﹒ ‥ …
		if r != '.' && r != '\uff0e' && r != '\u2024' && r != '\ufe52' && r != '\u2025' && r != '\u2026' && r != ' ' {
			dots = false
		}
	}
	if dots {
		return "dot segment"
	}
	return ""
}

// decodeSegment undoes percent-encoding once.
func decodeSegment(s string) (string, bool) {
	i := strings.IndexByte(s, '%')
	if i < 0 {
		return s, true
	}
	b := make([]byte, i, len(s))
	copy(b, s)
	for ; i < len(s); i++ {
		if s[i] != '%' {
			b = append(b, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		h, l := unhex(s[i+1]), unhex(s[i+2])
		if h < 0 || l < 0 {
			return "", false
		}
		b = append(b, byte(h<<4|l))
		i += 2
	}
	return string(b), true
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
