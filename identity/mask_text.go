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
	if mayHoldJWT(s) {
		s = m.tokens(s, open)
	}
	// A string is compared with itself at no cost when nothing was found.
	return s, s != before
}

func (m *masker) tokens(s string, open bool) string {
	var out strings.Builder
	for {
		start, end, ok := nextJWT(s, open)
		if !ok {
			break
		}
		out.WriteString(s[:start])
		out.WriteString(m.placeholder(s[start:end]))
		s = s[end:]
	}
	if out.Len() == 0 {
		return s
	}
	out.WriteString(s)
	return out.String()
}

// privateKeys masks PEM blocks of private keys (RFC 7468), also those whose
// end is missing.
func (m *masker) privateKeys(s string) string {
	const begin, kind, dashes = "-----BEGIN ", "PRIVATE KEY", "-----"
	for from := 0; ; {
		i := strings.Index(s[from:], begin)
		if i < 0 {
			return s
		}
		i += from
		from = i + len(begin)
		label := s[from:min(len(s), from+64)]
		j := strings.Index(label, dashes)
		if j >= 0 {
			label = label[:j]
		}
		if !strings.Contains(label, kind) && !(j < 0 && len(label) < 64) {
			continue
		}
		end := len(s)
		if j := strings.Index(s[from:], "-----END "); j >= 0 {
			end = from + j + len("-----END ")
			if k := strings.Index(s[end:], dashes); k >= 0 {
				end += k + len(dashes)
			}
		} else if j := strings.IndexAny(s[from:], `"<`); j >= 0 {
			end = from + j
		}
		s = s[:i] + m.placeholder(s[i:end]) + s[end:]
		from = i
	}
}

// schemes masks what follows "Bearer " and "Basic " if it is a credential and
// no prose, such as a challenge.
func (m *masker) schemes(s string) string {
	for _, scheme := range []string{"bearer", "basic"} {
		for from := 0; ; {
			i := strings.Index(s[from:], scheme[1:]+" ")
			if i < 0 {
				break
			}
			i += from
			from = i + len(scheme)
			if i == 0 || s[i-1]|0x20 != scheme[0] {
				continue
			}
			end := from
			digit := false
			for end < len(s) && (base64URL[s[end]] || strings.IndexByte(".~+/=", s[end]) >= 0) {
				digit = digit || '0' <= s[end] && s[end] <= '9'
				end++
			}
			value := s[from:end]
			if scheme == "bearer" && (len(value) < 16 || !digit) || scheme == "basic" && !isBasic(value) {
				continue
			}
			s = s[:from] + m.placeholder(value) + s[end:]
		}
	}
	return s
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
	for from := 0; ; {
		i := strings.Index(s[from:], "://")
		if i < 0 {
			return s
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
		colon := strings.IndexByte(s[from:from+at], ':')
		if colon < 0 {
			continue
		}
		start := from + colon + 1
		mask := m.placeholder(unescape(s[start : from+at]))
		s = s[:start] + mask + s[from+at:]
		from = start + len(mask)
	}
}

// ends stand after a parameter in text.
func ends(c byte) bool { return c <= ' ' || strings.IndexByte("&;#\"'<>\\", c) >= 0 }

// parameters masks name=value after "?", "&" or "#" anywhere in text.
func (m *masker) parameters(s string, open bool) string {
	var out strings.Builder
	done := 0
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
			out.WriteString(s[done : eq+1])
			out.WriteString(v)
			done = end
		}
		i = end - 1
	}
	if done == 0 {
		return s
	}
	out.WriteString(s[done:])
	return out.String()
}

// form masks a query or an urlencoded form.
func (m *masker) form(q string, open bool) (string, bool) {
	var out strings.Builder
	done := 0
	for i := 0; i < len(q); {
		end := len(q)
		if j := strings.IndexAny(q[i:], "&;"); j >= 0 {
			end = i + j
		}
		if eq := strings.IndexByte(q[i:end], '='); eq >= 0 {
			eq += i
			if v, ok := m.parameter(q[i:eq], q[eq+1:end], open && end == len(q)); ok {
				out.WriteString(q[done : eq+1])
				out.WriteString(v)
				done = end
			}
		} else if v, ok := m.text(q[i:end], open && end == len(q)); ok { // a bare token
			out.WriteString(q[done:i])
			out.WriteString(v)
			done = end
		}
		i = end + 1
	}
	if done == 0 {
		return q, false
	}
	out.WriteString(q[done:])
	return out.String(), true
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
