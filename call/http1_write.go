package call

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// sendable says what of a request would change its meaning on the way: a line
// end in a field would begin another one (RFC 9112, 11.1).
func sendable(r *exchange.Request) error {
	if r.Method == "" || !isToken(r.Method) {
		return fmt.Errorf("%q is no method", clip(r.Method))
	}
	for _, f := range r.Header {
		if f.Name == "" || !isToken(f.Name) {
			return fmt.Errorf("%q is no name of a header field", clip(f.Name))
		}
		for i := 0; i < len(f.Value); i++ {
			if c := f.Value[i]; c < ' ' && c != '\t' || c == 0x7f {
				return errors.New("the value of " + f.Name + " has a control character")
			}
		}
	}
	return nil
}

func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return true
}

// appendHead writes a request's head. absolute is put before the target: the
// form for proxies (RFC 9112, 3.2.2).
func appendHead(b []byte, r *exchange.Request, absolute string, extra ...exchange.Field) []byte {
	b = append(b, r.Method...)
	b = append(b, ' ')
	b = append(b, absolute...)
	b = append(b, r.Target...)
	b = append(b, " HTTP/1.1\r\n"...)
	for i := range r.Header {
		b = appendField(b, &r.Header[i])
	}
	for i := range extra {
		b = appendField(b, &extra[i])
	}
	return append(b, "\r\n"...)
}

func appendField(b []byte, f *exchange.Field) []byte {
	b = append(b, f.Name...)
	b = append(b, ':')
	if f.Value != "" {
		b = append(b, ' ')
		b = append(b, f.Value...)
	}
	return append(b, "\r\n"...)
}

// appendBody writes a body as the head announces it: in one chunk when the
// person asked for chunks, as it is otherwise.
func appendBody(b []byte, h exchange.Header, body []byte) []byte {
	if !strings.EqualFold(h.Get("Transfer-Encoding"), "chunked") {
		return append(b, body...)
	}
	if len(body) > 0 {
		b = strconv.AppendInt(b, int64(len(body)), 16)
		b = append(b, "\r\n"...)
		b = append(b, body...)
		b = append(b, "\r\n"...)
	}
	return append(b, "0\r\n\r\n"...)
}

// ambiguous reports whether the end of a request as it is sent can be read in
// more than one way: nothing may follow it on the connection then.
func ambiguous(h exchange.Header, body []byte) bool {
	lengths := h.Values("Content-Length")
	chunked := h.Has("Transfer-Encoding")
	switch {
	case chunked:
		return len(lengths) > 0 || !strings.EqualFold(h.Get("Transfer-Encoding"), "chunked")
	case len(lengths) == 0:
		return len(body) > 0
	}
	n, ok := digits(lengths[0])
	return len(lengths) > 1 || !ok || n != int64(len(body))
}

// digits reads a number that consists of nothing else.
func digits(s string) (int64, bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	n := int64(0)
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}
