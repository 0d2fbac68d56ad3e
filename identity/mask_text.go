package identity

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// text masks what has the shape of a secret wherever it stands in s: tokens,
// private keys, "Bearer ..." and "Basic ...", parameters of URLs, passwords in
// URLs. open says that s was cut off at its end.
func (m *masker) text(s string, open bool) (string, bool) {
	before := s
	if strings.IndexByte(s, '=') >= 0 && strings.ContainsAny(s, "?#&") {
		s = m.parameters(s, open)
	}
	if strings.Contains(s, "://") && strings.IndexByte(s, '@') >= 0 {
		s = m.userinfo(s)
	}
	if strings.Contains(s, "-----BEGIN ") {
		s = m.privateKeys(s)
	}
	if mayHoldScheme(s) {
		s = m.schemes(s)
	}
	s = m.tokens(s, open)
	// A string is compared with itself at no cost when nothing was found.
	return s, s != before
}

// An edit is a text being copied with some of it replaced, from left to right.
// However much is replaced, each byte is copied once.
type edit struct {
	s    string
	out  []byte
	done int // how much of s is in out
}

func (e *edit) replace(from, to int, with string) {
	if e.out == nil {
		e.out = make([]byte, 0, len(e.s)+64)
	}
	e.out = append(append(e.out, e.s[e.done:from]...), with...)
	e.done = to
}

func (e *edit) changed() bool { return e.out != nil }

func (e *edit) bytes() []byte { return append(e.out, e.s[e.done:]...) }

func (e *edit) String() string {
	if e.out == nil {
		return e.s
	}
	return string(e.bytes())
}

func (m *masker) tokens(s string, open bool) string {
	e := edit{s: s}
	search := searchJWT(s, open)
	for from := 0; ; {
		start, end, ok := search.next(from)
		if !ok {
			return e.String()
		}
		e.replace(start, end, m.placeholder(s[start:end]))
		from = end
	}
}

// privateKeys masks PEM blocks of private keys (RFC 7468), also those whose
// end is missing.
func (m *masker) privateKeys(s string) string {
	const begin, finish, dashes = "-----BEGIN ", "-----END ", "-----"
	e := edit{s: s}
	ends := true // whether there may be another end
	for from := 0; ; {
		i := strings.Index(s[from:], begin)
		if i < 0 {
			return e.String()
		}
		start := from + i
		from = start + len(begin)
		label := s[from:min(len(s), from+64)]
		j := strings.Index(label, dashes)
		if j >= 0 {
			label = label[:j]
		}
		cut := j < 0 && from+len(label) == len(s)
		if !strings.Contains(label, "PRIVATE KEY") && !cut {
			continue
		}
		end := -1
		if ends {
			if j := strings.Index(s[from:], finish); j >= 0 {
				end = from + j + len(finish)
				if k := strings.Index(s[end:min(len(s), end+64)], dashes); k >= 0 {
					end += k + len(dashes)
				}
			}
		}
		if ends = end >= 0; !ends {
			end = len(s)
			if at := strings.IndexAny(s[from:], `"<`); at >= 0 {
				end = from + at
			}
		}
		e.replace(start, end, m.placeholder(s[start:end]))
		from = end
	}
}

// schemes masks what follows "Bearer " and "Basic " if it is a credential and
// no prose, such as a challenge.
func (m *masker) schemes(s string) string {
	e := edit{s: s}
	for from := 0; ; {
		i := strings.IndexByte(s[from:], ' ')
		if i < 0 {
			return e.String()
		}
		from += i + 1
		bearer := endsFold(s[:from-1], "bearer")
		if !bearer && !endsFold(s[:from-1], "basic") {
			continue
		}
		end, digit := from, false
		for end < len(s) && (base64URL[s[end]] || strings.IndexByte(".~+/=", s[end]) >= 0) {
			digit = digit || '0' <= s[end] && s[end] <= '9'
			end++
		}
		value := s[from:end]
		if bearer && len(value) >= 16 && digit || !bearer && isBasic(value) {
			e.replace(from, end, m.placeholder(value))
			from = end
		}
	}
}

func endsFold(s, end string) bool {
	return len(s) >= len(end) && strings.EqualFold(s[len(s)-len(end):], end)
}

// mayHoldScheme is a quick look that never misses one.
func mayHoldScheme(s string) bool {
	for _, b := range [...]byte{'B', 'b'} {
		for rest := s; ; {
			i := strings.IndexByte(rest, b)
			if i < 0 {
				break
			}
			rest = rest[i+1:]
			if strings.HasPrefix(rest, "earer ") || strings.HasPrefix(rest, "asic ") {
				return true
			}
		}
	}
	return false
}

func isBasic(value string) bool {
	d, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(value, "="))
	return err == nil && strings.IndexByte(string(d), ':') >= 0
}

// userinfo masks the password in scheme://user:password@host.
func (m *masker) userinfo(s string) string {
	e := edit{s: s}
	for from := 0; ; {
		i := strings.Index(s[from:], "://")
		if i < 0 {
			return e.String()
		}
		from += i + 3
		end := from
		for end < len(s) && strings.IndexByte("/?#\"'<> \t\r\n\\", s[end]) < 0 {
			end++
		}
		at := strings.LastIndexByte(s[from:end], '@')
		if at < 0 {
			continue
		}
		if colon := strings.IndexByte(s[from:from+at], ':'); colon >= 0 {
			start := from + colon + 1
			e.replace(start, from+at, m.placeholder(unescape(s[start:from+at])))
		}
		from += at
	}
}

// ends stand after a parameter in text.
func ends(c byte) bool { return c <= ' ' || strings.IndexByte("&;#\"'<>\\", c) >= 0 }

// parameters masks name=value after "?", "&" or "#" anywhere in text.
func (m *masker) parameters(s string, open bool) string {
	e := edit{s: s}
	for i := 0; i < len(s); i++ {
		if s[i] != '?' && s[i] != '&' && s[i] != '#' {
			continue
		}
		start := i + 1
		eq := start
		for eq < len(s) && s[eq] != '=' && s[eq] != '?' && !ends(s[eq]) {
			eq++
		}
		if eq == len(s) || s[eq] != '=' {
			i = eq - 1
			continue
		}
		end := eq + 1
		for end < len(s) && !ends(s[end]) {
			end++
		}
		if v, ok := m.parameter(s[start:eq], s[eq+1:end], open && end == len(s)); ok {
			e.replace(eq+1, end, v)
		}
		i = end - 1
	}
	return e.String()
}

// form masks a query or an urlencoded form.
func (m *masker) form(q string, open bool) (string, bool) {
	e := edit{s: q}
	for i := 0; i < len(q); {
		end := len(q)
		if j := strings.IndexAny(q[i:], "&;"); j >= 0 {
			end = i + j
		}
		if eq := strings.IndexByte(q[i:end], '='); eq >= 0 {
			eq += i
			if v, ok := m.parameter(q[i:eq], q[eq+1:end], open && end == len(q)); ok {
				e.replace(eq+1, end, v)
			}
		} else if v, ok := m.text(q[i:end], open && end == len(q)); ok { // a bare token
			e.replace(i, end, v)
		}
		i = end + 1
	}
	return e.String(), e.changed()
}

// parameter masks the value of one parameter; ok is false when it may stay.
func (m *masker) parameter(name, value string, open bool) (masked string, ok bool) {
	if value == "" {
		return value, false
	}
	plain := unescape(value)
	if isSecretParameter(unescape(name), plain) {
		p := m.placeholder(plain)
		return p, p != value
	}
	if m.depth >= maxNesting {
		return value, false
	}
	m.depth++
	defer func() { m.depth-- }()
	masked, ok = m.inner(plain, open)
	if ok && plain != value {
		masked = url.QueryEscape(masked)
		masked = strings.ReplaceAll(masked, "secret%3A", "secret:")
	}
	return masked, ok
}

// inner masks a decoded value, which may be JSON or other text.
func (m *masker) inner(s string, open bool) (string, bool) {
	if t := strings.TrimLeft(s, " \t\r\n"); t != "" && (t[0] == '{' || t[0] == '[') {
		if out, ok := m.json([]byte(s), open); ok {
			s2, _ := m.text(string(out), open)
			return s2, true
		}
	}
	return m.text(s, open)
}
