package exchange

import "strings"

// A Field is one header field line.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Header is an ordered list of field lines. Names compare without case
// (RFC 9110, 5.1).
type Header []Field

// Get returns the first value of a field, or "" when there is none.
func (h Header) Get(name string) string {
	for i := range h {
		if len(h[i].Name) == len(name) && strings.EqualFold(h[i].Name, name) {
			return h[i].Value
		}
	}
	return ""
}

// Has reports whether a field is present, even if it is empty.
func (h Header) Has(name string) bool {
	for i := range h {
		if len(h[i].Name) == len(name) && strings.EqualFold(h[i].Name, name) {
			return true
		}
	}
	return false
}

// Values returns every value of a field, in order.
func (h Header) Values(name string) []string {
	var vs []string
	for i := range h {
		if len(h[i].Name) == len(name) && strings.EqualFold(h[i].Name, name) {
			vs = append(vs, h[i].Value)
		}
	}
	return vs
}

// MediaType returns the Content-Type without its parameters, in lower case.
func (h Header) MediaType() string {
	v := h.Get("Content-Type")
	if i := strings.IndexByte(v, ';'); i >= 0 {
		v = v[:i]
	}
	return strings.ToLower(strings.TrimSpace(v))
}
