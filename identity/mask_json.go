package identity

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// The scanner of JSON for masking takes what comes: texts that are cut off,
// broken, or many in a row (NDJSON, server-sent events). It knows strings,
// and which of them is a name, and copies the rest. A string never goes past
// the end of its line.

// json masks the members of JSON whose names say that they are secret, with
// all text below them, and text with escapes that hides a secret. data is not
// changed; ok is false when nothing was found.
func (m *masker) json(data []byte, open bool) (out []byte, ok bool) {
	s := viewOf(data)
	e := edit{s: s}
	below := 0 // how many brackets are open below a secret name
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '"':
		case below > 0 && (c == '{' || c == '['):
			below++
			i++
			continue
		case below > 0 && (c == '}' || c == ']'):
			below--
			i++
			continue
		case below > 0:
			i++
			continue
		default:
			j := strings.IndexByte(s[i:], '"')
			if j < 0 {
				i = len(s)
			} else {
				i += j
			}
			continue
		}
		start := i + 1
		end, escaped := stringEnd(s, start)
		next := end
		if next < len(s) && s[next] == '"' {
			next++
		}
		after := skipSpace(s, next)
		if after == len(s) || s[after] != ':' {
			// A value: an item, or a member below a secret name.
			if with, ok := m.jsonValue(s[start:end], escaped, below > 0, open && end == len(s)); ok {
				e.replace(start, end, with)
			}
			i = next
			continue
		}
		i = skipSpace(s, after+1)
		if below > 0 {
			continue
		}
		name := s[start:end]
		if escaped {
			name = unescapeJSON(name)
		}
		secret, digit := isSecretName(secrets, name)
		if i == len(s) || !secret && s[i] != '"' {
			continue
		}
		switch c := s[i]; {
		case c == '"':
			start = i + 1
			end, escaped = stringEnd(s, start)
			if with, ok := m.jsonValue(s[start:end], escaped, secret, open && end == len(s)); ok {
				e.replace(start, end, with)
			}
			if i = end; i < len(s) && s[i] == '"' {
				i++
			}
		case c == '{' || c == '[':
			below = 1
			i++
		case digit && (c == '-' || '0' <= c && c <= '9'):
			end = i
			for end < len(s) && strings.IndexByte("+-.eE0123456789", s[end]) >= 0 {
				end++
			}
			e.replace(i, end, `"`+m.placeholder(s[i:end])+`"`)
			i = end
		}
	}
	if !e.changed() {
		return data, false
	}
	return e.bytes(), true
}

// jsonValue masks the inside of a string. Without escapes only the name
// counts: the text pass over the whole body sees everything else.
func (m *masker) jsonValue(raw string, escaped, secret, open bool) (string, bool) {
	if !secret && !escaped || raw == "" {
		return raw, false
	}
	plain := raw
	if escaped {
		plain = unescapeJSON(raw)
	}
	if secret {
		p := m.placeholder(plain)
		return p, p != raw
	}
	if m.depth >= maxNesting {
		return raw, false
	}
	m.depth++
	defer func() { m.depth-- }()
	masked, ok := m.inner(plain, open)
	if !ok {
		return raw, false
	}
	q, err := json.Marshal(masked)
	if err != nil {
		return m.placeholder(plain), true
	}
	return string(q[1 : len(q)-1]), true
}

// plainChar are the characters that go on inside a string.
var plainChar = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= ' ' && c != '"' && c != '\\' || c == '\t'
	}
	return t
}()

// stringEnd returns where the string that begins at i ends: at its closing
// quote, at the end of the line, or at the end of s.
func stringEnd(s string, i int) (end int, escaped bool) {
	for ; i < len(s); i++ {
		if plainChar[s[i]] {
			continue
		}
		if s[i] == '\\' && i+1 < len(s) {
			escaped = true
			i++
			continue
		}
		if s[i] == '"' || s[i] == '\n' || s[i] == '\r' {
			break
		}
	}
	return min(i, len(s)), escaped
}

func skipSpace(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\n' || s[i] == '\t' || s[i] == '\r') {
		i++
	}
	return i
}

// unescapeJSON decodes what stands in a string; what is broken stays.
func unescapeJSON(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out = append(out, s[i])
			continue
		}
		i++
		switch s[i] {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, ok := hex4(s, i+1)
			if !ok {
				out = append(out, '\\', 'u')
				continue
			}
			i += 4
			if utf16.IsSurrogate(r) && i+2 < len(s) && s[i+1] == '\\' && s[i+2] == 'u' {
				if low, ok := hex4(s, i+3); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
					r = utf16.DecodeRune(r, low)
					i += 6
				}
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, s[i])
		}
	}
	return string(out)
}

func hex4(s string, i int) (rune, bool) {
	if i+4 > len(s) {
		return 0, false
	}
	n, err := strconv.ParseUint(s[i:i+4], 16, 32)
	return rune(n), err == nil
}
