package contract

import (
	"strings"

	"github.com/parley-project/parley/internal/jsonscan"
)

// mediaType is a declared media type without its parameters, in lower case.
func mediaType(s string) string {
	s, _, _ = strings.Cut(s, ";")
	return strings.ToLower(strings.TrimSpace(s))
}

// IsJSON reports whether content of a media type (in lower case, without
// parameters) is one JSON text: application/json, text/json and every +json
// (RFC 6839, 3.1). Sequences of JSON texts are not.
func IsJSON(mediaType string) bool {
	return mediaType == "application/json" || mediaType == "text/json" ||
		strings.HasSuffix(mediaType, "+json") && mediaType != "application/geo+json-seq"
}

// Response returns what the operation declares for a status: exactly it, its
// class such as 2XX, or the default. Nil means undeclared.
func (o *Operation) Response(status int) *Response {
	if o == nil || status < 100 || status > 999 {
		return nil
	}
	b := [3]byte{byte('0' + status/100), byte('0' + status/10%10), byte('0' + status%10)}
	if r := o.responses[string(b[:])]; r != nil {
		return r
	}
	b[1], b[2] = 'X', 'X'
	if r := o.responses[string(b[:])]; r != nil {
		return r
	}
	return o.responses["default"]
}

// Statuses lists the declared statuses: "200", "4XX", "default". The order is
// not defined.
func (o *Operation) Statuses() []string {
	var out []string
	for s := range o.responses {
		out = append(out, s)
	}
	return out
}

// Body returns what the response declares for a media type, in lower case and
// without parameters: exactly it, its type such as text/*, or */*. Nil means
// undeclared.
func (r *Response) Body(mediaType string) *Body {
	if r == nil {
		return nil
	}
	return pick(r.Bodies, mediaType)
}

// RequestBody is the same for the request's body.
func (o *Operation) RequestBody(mediaType string) *Body {
	if o == nil {
		return nil
	}
	return pick(o.Requests, mediaType)
}

func pick(bodies map[string]*Body, mt string) *Body {
	if b := bodies[mt]; b != nil {
		return b
	}
	if i := strings.IndexByte(mt, '/'); i > 0 {
		// "application/*" is declared seldom: no text is built for nothing.
		for name, b := range bodies {
			if len(name) == i+2 && name[i+1] == '*' && name[:i+1] == mt[:i+1] {
				return b
			}
		}
	}
	return bodies["*/*"]
}

// JSON reports whether the declared media type is JSON, or may be.
func (b *Body) JSON() bool { return b != nil && b.json }

// Scan reads a body once and says what is in it. Without a declared body, or
// without a program, only the text is judged. raw must not be changed while
// the facts are in use.
func (b *Body) Scan(raw []byte, l jsonscan.Limits) *Facts {
	f := &Facts{Raw: raw, Body: b}
	if b == nil {
		(*jsonscan.Program)(nil).Scan(raw, l, &f.Result)
		return f
	}
	b.Program.Scan(raw, l, &f.Result)
	return f
}

// captureList is what the rules need of the bodies of one kind: of an
// operation's requests, or of its answers that mean success. All bodies of a
// kind share one list, so that a slot means the same in each.
type captureList struct{ pointers []string }

// slot returns the number of a JSON Pointer, adding it when it is new.
func (l *captureList) slot(pointer string) int {
	for i, p := range l.pointers {
		if p == pointer {
			return i
		}
	}
	l.pointers = append(l.pointers, pointer)
	return len(l.pointers) - 1
}

// captured returns the JSON text at a slot of the list, or nil when the body
// does not have it, was not scanned for it or is not acceptable JSON.
func (f *Facts) captured(l *captureList, slot int) []byte {
	if f == nil || f.Result.Fault != nil || f.Body == nil || f.Body.captures != l || slot >= len(f.Result.Captures) {
		return nil
	}
	s := f.Result.Captures[slot]
	if !s.Found() || s.Start < 0 || s.End > len(f.Raw) {
		return nil
	}
	return f.Raw[s.Start:s.End]
}
