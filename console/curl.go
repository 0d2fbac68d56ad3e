package console

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/parley-project/parley/exchange"
)

// Curl writes a request as a command for a POSIX shell. Everything that came
// from outside is quoted, names too, so that no captured byte is read by the
// shell; secrets are as masked as they were recorded.
func Curl(r *exchange.Request) string {
	var b strings.Builder
	b.WriteString("curl")
	if r.Method == "HEAD" {
		b.WriteString(" --head")
	} else if r.Method != "GET" || !r.Body.IsZero() {
		b.WriteString(" -X " + shell(r.Method))
	}
	switch r.Proto {
	case "HTTP/2.0", "HTTP/2":
		b.WriteString(" --http2")
	case "HTTP/3.0", "HTTP/3":
		b.WriteString(" --http3")
	}
	// --globoff: brackets and braces of the address are themselves.
	b.WriteString(" --globoff --path-as-is " + shell(r.URL()))
	for _, f := range r.Header {
		switch strings.ToLower(f.Name) {
		case "host", "content-length", "connection", "transfer-encoding":
			continue // curl's own business
		}
		if strings.HasPrefix(f.Name, "@") {
			continue // curl would read a file of that name
		}
		v := f.Name + ": " + f.Value
		if f.Value == "" {
			v = f.Name + ";" // curl's way of saying an empty one
		}
		b.WriteString(" \\\n  -H " + shell(v))
	}
	if len(r.Body.Data) > 0 {
		switch {
		case !r.Body.Complete():
			b.WriteString(" \\\n  --data-binary @body  # the body was not kept whole")
		case bytes.IndexByte(r.Body.Data, 0) >= 0 || !utf8.Valid(r.Body.Data):
			b.WriteString(" \\\n  --data-binary @body  # the body is not text")
		default:
			b.WriteString(" \\\n  --data-raw " + shell(string(r.Body.Data)))
		}
	}
	return b.String()
}

// quoted is a file name in a line to paste; "" stays empty.
func quoted(name string) string {
	if name == "" {
		return ""
	}
	return shell(name)
}

// shell quotes a word for a POSIX shell (XCU 2.2.2). Line ends and other
// control characters would be run or hidden by a terminal that the text is
// pasted into, quotes or not, so they are written by printf.
func shell(s string) string {
	if s == "" {
		return "''"
	}
	plain := true
	control := false
	for i := 0; i < len(s); i++ {
		ch := s[i]
		switch {
		case ch < ' ' || ch == 0x7f:
			control = true
		case ch >= 'a' && ch <= 'z', ch >= 'A' && ch <= 'Z', ch >= '0' && ch <= '9', strings.IndexByte("-_./:=@,+%", ch) >= 0:
		default:
			plain = false
		}
	}
	if !control {
		if plain && s[0] != '-' && s[0] != '=' {
			return s
		}
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString(`"$(printf '`)
	for i := 0; i < len(s); i++ {
		switch ch := s[i]; {
		case ch < ' ' || ch == 0x7f || ch == '\'':
			b.WriteByte('\\')
			b.WriteByte('0' + ch>>6)
			b.WriteByte('0' + ch>>3&7)
			b.WriteByte('0' + ch&7)
		case ch == '%':
			b.WriteString("%%")
		case ch == '\\':
			b.WriteString(`\\`)
		default:
			b.WriteByte(ch)
		}
	}
	b.WriteString(`')"`)
	return b.String()
}
