package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// Mask takes the secrets out of an exchange, in place: credentials and cookies
// in header fields, secrets in the query and in URLs inside fields, members of
// JSON, fields of forms, and tokens and private keys anywhere in text. Each is
// replaced by "secret:" and 12 hex digits of its HMAC-SHA256 under key, so
// that equal secrets still look equal, in whatever encoding they travelled.
// All else stays as it is, byte for byte.
//
// A body that changes is copied first, and its Size changes by as much as its
// Data, so that Complete says what it said before. Compressed bodies are
// looked into; one in a coding that cannot be read loses its Data.
func Mask(x *exchange.Exchange, key []byte) { (&masker{key: key}).exchange(x) }

// A Masker is Mask for many exchanges with one key. It remembers placeholders:
// most secrets are seen again and again. It is not safe for concurrent use.
type Masker struct{ m masker }

// NewMasker returns a Masker with a key.
func NewMasker(key []byte) *Masker {
	return &Masker{masker{key: key, memo: map[string]string{}, lines: newLineMemo()}}
}

// Mask is the function Mask with the Masker's key.
func (m *Masker) Mask(x *exchange.Exchange) { m.m.exchange(x) }

// Text is the same for a line that is no part of a message, such as evidence.
func (m *Masker) Text(s string) string {
	s, _ = m.m.text(s, false)
	return s
}

// Value is the same for the value of something with a name: a header field, a
// variable, a member of JSON. When the name is that of a secret all of the
// value is one.
func (m *Masker) Value(name, value string) string {
	masked := m.m.line(&exchange.Field{Name: name, Value: value}, false)
	if masked == value {
		masked, _ = m.m.inner(value, false)
	}
	return masked
}

func (m *masker) exchange(x *exchange.Exchange) {
	own := ""
	if c := x.Server.Credential; c != nil && c.Carrier == "header" {
		own = c.Field
	}
	r := &x.Request
	r.Target = m.target(r.Target)
	if c := x.Server.Credential; c != nil && c.Carrier == "query" {
		r.Target = m.ownParameter(r.Target, c.Field)
	}
	m.header(r.Header, own)
	m.body(&r.Body, r.Header)
	if p := x.Response; p != nil {
		m.header(p.Header, "")
		m.header(p.Trailer, "")
		m.body(&p.Body, p.Header)
	}
	if x.Failure != "" {
		x.Failure, _ = m.text(x.Failure, false)
	}
}

// A masker makes placeholders.
type masker struct {
	key   []byte
	mac   hash.Hash
	depth int               // of text inside text
	memo  map[string]string // placeholders made before; nil remembers none
	lines *lineMemo         // header fields masked before; nil remembers none
}

// Bounds of what a Masker remembers: 8 MiB at most.
const (
	maxMemo       = 4096
	maxMemoLength = 2048
)

// maxNesting bounds how deep text is looked for inside text.
const maxNesting = 3

const placeholderLen = len("secret:") + 12

// Masked reports whether s is what stands for a secret.
func Masked(s string) bool { return isPlaceholder(s) }

// isPlaceholder reports whether s was masked already.
func isPlaceholder(s string) bool {
	if len(s) != placeholderLen || !strings.HasPrefix(s, "secret:") {
		return false
	}
	for _, c := range []byte(s[len("secret:"):]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// placeholder returns what stands for a secret. Nothing stands for nothing,
// and a placeholder for itself.
func (m *masker) placeholder(secret string) string {
	if secret == "" || isPlaceholder(secret) {
		return secret
	}
	if p, ok := m.memo[secret]; ok {
		return p
	}
	if m.mac == nil {
		m.mac = hmac.New(sha256.New, m.key)
	}
	m.mac.Reset()
	m.mac.Write([]byte(secret))
	var sum [sha256.Size]byte
	p := "secret:" + hex.EncodeToString(m.mac.Sum(sum[:0])[:6])
	if m.memo != nil && len(secret) <= maxMemoLength {
		if len(m.memo) >= maxMemo {
			clear(m.memo)
		}
		m.memo[strings.Clone(secret)] = p
	}
	return p
}

// header masks field values. own is a field that is known to carry a
// credential here.
func (m *masker) header(h exchange.Header, own string) {
	if m.lines != nil && m.lines.again(h, own) {
		return
	}
	for i := range h {
		f := &h[i]
		isOwn := own != "" && len(own) == len(f.Name) && strings.EqualFold(f.Name, own)
		if m.lines != nil {
			m.lines.mask(m, f, isOwn)
		} else {
			f.Value = m.line(f, isOwn)
		}
	}
}

// line returns the masked value of a field line. own says that it is known to
// carry a credential.
func (m *masker) line(f *exchange.Field, own bool) string {
	switch {
	case strings.EqualFold(f.Name, "Authorization"), strings.EqualFold(f.Name, "Proxy-Authorization"):
		return m.authorization(f.Value)
	case strings.EqualFold(f.Name, "Cookie"):
		return m.cookies(f.Value)
	case strings.EqualFold(f.Name, "Set-Cookie"):
		first, rest, more := strings.Cut(f.Value, ";")
		first = m.cookies(first)
		if more {
			first += ";" + rest
		}
		return first
	}
	if secret, _ := isSecretName(secrets, f.Name); secret || own {
		return m.placeholder(f.Value)
	}
	v, _ := m.text(f.Value, false)
	return v
}

// authorization keeps the scheme.
func (m *masker) authorization(v string) string {
	scheme, rest, ok := strings.Cut(v, " ")
	if !ok || scheme == "" {
		return m.placeholder(v)
	}
	space := len(rest) - len(strings.TrimLeft(rest, " "))
	return scheme + " " + rest[:space] + m.placeholder(rest[space:])
}

// cookies masks the values of name=value pairs and keeps the rest.
func (m *masker) cookies(v string) string {
	var out strings.Builder
	for more := true; more; {
		var pair string
		pair, v, more = strings.Cut(v, ";")
		i := strings.IndexByte(pair, '=') + 1 // all of it is value when there is none
		value := strings.TrimLeft(pair[i:], " \t")
		i = len(pair) - len(value)
		value = strings.TrimRight(value, " \t")
		end := i + len(value)
		if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
			value, i, end = value[1:len(value)-1], i+1, end-1
		}
		out.WriteString(pair[:i])
		out.WriteString(m.placeholder(value))
		out.WriteString(pair[end:])
		if more {
			out.WriteByte(';')
		}
	}
	return out.String()
}

// target masks a request target: tokens in the path, secrets in the query.
func (m *masker) target(t string) string {
	path, query, ok := strings.Cut(t, "?")
	if strings.Contains(path, "%") {
		parts := strings.Split(path, "/")
		for i, p := range parts {
			if d := unescape(strings.ReplaceAll(p, "+", "%2B")); d != p {
				if with, found := m.text(d, false); found {
					parts[i] = with
				}
			}
		}
		path = strings.Join(parts, "/")
	}
	path, _ = m.text(path, false)
	if !ok {
		return path
	}
	query, _ = m.form(query, false)
	return path + "?" + query
}

// ownParameter masks the values of a parameter that is known to carry a
// credential here, whatever its name says.
func (m *masker) ownParameter(target, name string) string {
	path, query, ok := strings.Cut(target, "?")
	if !ok {
		return target
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		if n, v, _ := strings.Cut(pair, "="); unescape(n) == unescape(name) {
			pairs[i] = n + "=" + m.placeholder(unescape(v))
		}
	}
	return path + "?" + strings.Join(pairs, "&")
}
