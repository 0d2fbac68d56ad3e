package run

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/ohler55/ojg/oj"

	"github.com/parley-project/parley/exchange"
)

// What a call carried in the places of credentials may stand anywhere in what
// comes back, where nothing says what it is. The masker remembers the last of
// them and takes them out of texts by their value.

const (
	maxLearned = 128 // values that are remembered
	minLearned = 8   // shorter ones are everywhere
)

// Learn remembers the credentials of a call.
func (m *Masker) Learn(x *exchange.Exchange) {
	if m == nil || m.raw {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fields(x.Request.Header)
	m.members(x.Request.Header, x.Request.Body.Data)
	if x.Response != nil {
		m.fields(x.Response.Header)
		m.members(x.Response.Header, x.Response.Body.Data)
	}
	_, query, _ := strings.Cut(x.Request.Target, "?")
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		name, value, ok := strings.Cut(pair, "=")
		if ok && len(value) >= minLearned && m.by.Text("?"+pair) != "?"+name+"="+value {
			m.remember(value)
			if v, err := url.QueryUnescape(value); err == nil {
				m.remember(v)
			}
		}
	}
}

func (m *Masker) fields(h exchange.Header) {
	for _, f := range h {
		switch {
		case len(f.Value) < minLearned:
		case strings.EqualFold(f.Name, "Authorization"), strings.EqualFold(f.Name, "Proxy-Authorization"):
			scheme, rest, ok := strings.Cut(f.Value, " ")
			if !ok {
				rest = scheme
			}
			m.remember(rest)
			if b, err := base64.StdEncoding.DecodeString(rest); err == nil && strings.EqualFold(scheme, "Basic") {
				_, password, _ := strings.Cut(string(b), ":")
				m.remember(password)
			}
		case strings.EqualFold(f.Name, "Cookie"):
			for pair := range strings.SplitSeq(f.Value, ";") {
				_, value, _ := strings.Cut(pair, "=")
				m.remember(strings.Trim(strings.TrimSpace(value), `"`))
			}
		case strings.EqualFold(f.Name, "Set-Cookie"):
			pair, _, _ := strings.Cut(f.Value, ";")
			_, value, _ := strings.Cut(pair, "=")
			m.remember(strings.Trim(strings.TrimSpace(value), `"`))
		default:
			if v := m.by.Value(f.Name, f.Value); strings.HasPrefix(v, "secret:") && v != f.Value {
				m.remember(f.Value)
			}
		}
	}
}

// maxMembers is how large a body may be to be looked through for members whose
// names are those of secrets.
const maxMembers = 64 << 10

func (m *Masker) members(h exchange.Header, body []byte) {
	if len(body) == 0 || len(body) > maxMembers || h.Get("Content-Encoding") != "" {
		return
	}
	switch media := h.MediaType(); {
	case strings.HasSuffix(media, "json"), strings.IndexByte("{[", body[0]) >= 0: // as text, it is still JSON
		var p oj.Parser
		if v, err := parseJSON(&p, body); err == nil {
			m.inside("", v)
		}
	case media == "application/x-www-form-urlencoded":
		if form, err := url.ParseQuery(string(body)); err == nil {
			for name, values := range form {
				for _, v := range values {
					m.value(name, v)
				}
			}
		}
	}
}

func (m *Masker) inside(name string, v any) {
	switch x := v.(type) {
	case string:
		m.value(name, x)
	case []any:
		for _, one := range x {
			m.inside(name, one)
		}
	case map[string]any:
		for n, one := range x {
			m.inside(n, one)
		}
	}
}

func (m *Masker) value(name, v string) {
	if len(v) < minLearned || len(v) > maxMembers {
		return
	}
	if masked := m.by.Value(name, v); masked != v && strings.HasPrefix(masked, "secret:") {
		m.remember(v)
	}
}

// A learnt is one value, the forms in which it travels, and what stands for it.
type learnt struct {
	value string
	forms []string
	stand string
}

func (m *Masker) remember(value string) {
	if len(value) < minLearned || m.known[value] {
		return
	}
	for i := range m.learned {
		if m.learned[i].value == value {
			return
		}
	}
	if len(m.learned) == maxLearned {
		copy(m.learned, m.learned[1:])
		m.learned = m.learned[:maxLearned-1]
	}
	m.learned = append(m.learned, learnt{value, forms(value), m.stand(value)})
}

// replace puts placeholders for all values that are known.
func (m *Masker) replace(s string) string {
	if r := m.replacer(); r != nil {
		s = r.Replace(s)
	}
	for i := range m.learned {
		for _, f := range m.learned[i].forms {
			if strings.Contains(s, f) {
				s = strings.ReplaceAll(s, f, m.learned[i].stand)
			}
		}
	}
	return s
}

// Value masks the value of something with a name, such as a header field or a
// member of JSON. When the name is that of a secret, all of it is one.
func (m *Masker) Value(name, value string) string {
	if m == nil || m.raw || value == "" {
		return value
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.by.Value(name, m.replace(value))
}

// namesSecret reports whether a name is that of a secret, such as a password's.
func (m *Masker) namesSecret(name string) bool {
	const sample = "a value of no form"
	return name != "" && m.Value(name, sample) != sample
}
