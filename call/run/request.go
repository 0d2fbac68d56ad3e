package run

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/call/script"
	"github.com/parley-project/parley/exchange"
)

// A writer makes requests: it puts in values for names.
type writer struct {
	scopes  *script.Scopes
	now     time.Time
	own     bool // our own format: values are escaped where they stand
	dir     string
	anyFile bool
	unknown []string
}

func (w *writer) text(s string) string { return w.escaped(s, nil) }

func (w *writer) escaped(s string, escape func(before, value string) string) string {
	if !strings.Contains(s, "{{") {
		return s
	}
	out, unknown := w.scopes.Replace(s, w.now, escape)
	for _, u := range unknown {
		if !slices.Contains(w.unknown, u) {
			w.unknown = append(w.unknown, u)
		}
	}
	return out
}

// request makes what is sent of what is written, without the credential.
func (w *writer) request(q *archive.Request, style string) (*call.Request, error) {
	r := &call.Request{Method: w.text(q.Method), KeepMethod: q.Options.KeepMethod}
	if r.Method == "" {
		r.Method = "GET"
	}
	if !isToken(r.Method) {
		return nil, fmt.Errorf("%q is no method", r.Method)
	}
	if r.URL = w.url(q); r.URL == "" {
		return nil, errors.New("it has no URL")
	}
	var hasType bool
	for _, h := range q.Header {
		if h.Disabled {
			continue
		}
		name := strings.TrimSpace(w.text(h.Name))
		if name == "" {
			continue
		}
		if !isToken(name) {
			return nil, fmt.Errorf("%q is no name of a header field", name)
		}
		value := strings.Trim(w.text(h.Value), " \t\r\n")
		if strings.ContainsAny(value, "\r\n\x00") {
			return nil, fmt.Errorf("the header field %s has more than one line", name)
		}
		hasType = hasType || strings.EqualFold(name, "Content-Type")
		r.Header = append(r.Header, exchange.Field{Name: name, Value: value})
	}
	body := q.Body
	if q.Options.DropBody {
		body = nil
	}
	data, mediaType, err := w.body(body)
	if err != nil {
		return nil, err
	}
	r.Body = data
	if mediaType != "" && !hasType {
		r.Header = append(r.Header, exchange.Field{Name: "Content-Type", Value: mediaType})
	}
	if !r.Header.Has("Accept") && style != "har" {
		r.Header = append(r.Header, exchange.Field{Name: "Accept", Value: "*/*"})
	}
	return r, nil
}

// isToken reports whether s is a token (RFC 9110, 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"(),/:;<=>?@[\\]{}", c) >= 0 {
			return false
		}
	}
	return s != ""
}

// url puts values in, and escapes what no URL may hold.
func (w *writer) url(q *archive.Request) string {
	escape := func(before, value string) string { return value }
	if w.own {
		escape = inQuery
	}
	u := strings.TrimSpace(w.escaped(q.URL, escape))
	if len(q.Params) > 0 {
		u = w.segments(u, q.Params)
	}
	if !strings.Contains(u, "://") && u != "" {
		u = "http://" + u
	}
	u, _, _ = strings.Cut(u, "#")
	return escapeURL(u)
}

// inQuery escapes a value that stands for a parameter's value: after the
// equals sign of the URL's query.
func inQuery(before, value string) string {
	i := strings.IndexByte(before, '?')
	if i < 0 || strings.LastIndexByte(before[i:], '=') < strings.LastIndexByte(before[i:], '&') || !strings.Contains(before[i:], "=") {
		return value
	}
	return formEscape(value)
}

// segments replaces the path's segments that begin with a colon.
func (w *writer) segments(u string, params []archive.Field) string {
	start := strings.Index(u, "://") + 3
	if start < 3 {
		start = 0
	}
	end := len(u)
	if i := strings.IndexAny(u[start:], "?#"); i >= 0 {
		end = start + i
	}
	parts := strings.Split(u[start:end], "/")
	for i, p := range parts {
		if i == 0 || !strings.HasPrefix(p, ":") {
			continue
		}
		for _, f := range params {
			if !f.Disabled && f.Name == p[1:] {
				parts[i] = w.text(f.Value)
			}
		}
	}
	return u[:start] + strings.Join(parts, "/") + u[end:]
}

// escapeURL escapes what may not stand in a path or query (RFC 3986), and
// leaves what is escaped already. The host stays.
func escapeURL(u string) string {
	start := strings.Index(u, "://")
	if start < 0 {
		return u
	}
	i := strings.IndexAny(u[start+3:], "/?")
	if i < 0 {
		return u
	}
	start += 3 + i
	var b strings.Builder
	b.WriteString(u[:start])
	const digits = "0123456789ABCDEF"
	for i := start; i < len(u); i++ {
		c := u[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
