package trace

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// The body of an answer, for a person: what it was before its codings, masked,
// and nothing in it that could steer a terminal.

const (
	maxShown  = 64 << 10 // of a body
	maxPlain  = 8 << 20  // of one whose codings are undone: a few bytes can mean gigabytes
	maxCoding = 4        // codings, one inside of the other
)

// WriteBody writes the body of an exchange's response, and ends with a new
// line: JSON indented, text as it is, of all else how much there was. Of long
// bodies only the beginning is written.
func WriteBody(w io.Writer, x *exchange.Exchange, o View) error {
	t := &text{Writer: bufio.NewWriter(w), View: o}
	if x.Response == nil || x.Response.Body.Size == 0 {
		t.WriteString("no body\n")
		return t.Flush()
	}
	r, err := Plain(x.Response)
	media := r.Header.MediaType()
	if !readable(r, err) {
		masker := identity.NewMasker(keyOr(o.Key))
		coding := ""
		if err != nil {
			coding = ", sent as " + r.Header.Get("Content-Encoding")
		}
		if media == "" {
			media = "unknown type"
		}
		fmt.Fprintf(t, "%s of %s, not shown\n", inBytes(r.Body.Size), t.safe(cut(masker.Text(media+coding), 80)))
		return t.Flush()
	}
	data := maskedBody(r, o.Key)
	if out := new(bytes.Buffer); json.Indent(out, data, "", "  ") == nil {
		data = out.Bytes()
	}
	more := r.Body.Size - int64(len(r.Body.Data)) // what was not kept
	if len(data) > maxShown {
		end := maxShown
		for end > maxShown-utf8.UTFMax && !utf8.RuneStart(data[end]) {
			end--
		}
		more += int64(len(data) - end)
		data = data[:end]
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		for i, part := range strings.Split(line, "\t") { // a tab only moves on
			if i > 0 {
				t.WriteByte('\t')
			}
			t.WriteString(t.safe(part))
		}
		t.WriteByte('\n')
	}
	switch {
	case more > 0 && r.Body.Complete():
		fmt.Fprintf(t, "%s\n", t.safe("… and "+inBytes(more)+" more"))
	case more > 0: // what was not kept may mean more than it is
		fmt.Fprintf(t, "%s\n", t.safe("… and at least "+inBytes(more)+" more"))
	}
	return t.Flush()
}

// inBytes is a size for a sentence.
func inBytes(n int64) string {
	if n == 1 {
		return "1 byte"
	}
	return strings.TrimSuffix(sizeOf(n), " B") + " bytes"
}

// readable reports whether a body is text to a person, whatever it is called;
// a picture is none even when it looks like it.
func readable(r *exchange.Response, err error) bool {
	data, media := r.Body.Data, r.Header.MediaType()
	said := strings.HasPrefix(media, "text/") || strings.Contains(media, "json") || strings.Contains(media, "xml")
	kind, _, _ := strings.Cut(media, "/")
	switch {
	case len(data) == 0, bytes.IndexByte(data, 0) >= 0:
		return false
	case !said && slices.Contains([]string{"image", "audio", "video", "font"}, kind):
		return false
	case said && err == nil:
		return true
	}
	if !r.Body.Complete() { // it may end in the middle of a letter
		for range utf8.UTFMax - 1 {
			if last, n := utf8.DecodeLastRune(data); last == utf8.RuneError && n == 1 {
				data = data[:len(data)-1]
			}
		}
	}
	return utf8.Valid(data)
}

// maskedBody is a response's body without secrets. What is shown as text is
// also looked into as text.
func maskedBody(r *exchange.Response, key []byte) []byte {
	own := *r
	own.Header, own.Trailer = slices.Clone(r.Header), nil
	if kind, _, _ := strings.Cut(r.Header.MediaType(), "/"); slices.Contains([]string{"image", "audio", "video", "font"}, kind) {
		own.Header = exchange.Header{{Name: "Content-Type", Value: "text/plain"}}
	}
	x := exchange.Exchange{Response: &own}
	identity.Mask(&x, keyOr(key))
	return own.Body.Data
}

// Plain is a response as it was before its Content-Encoding (RFC 9110, 8.4).
// When it cannot be undone the body stays as it came, or as much of it as
// could be read, and the error says which coding it is not.
func Plain(r *exchange.Response) (*exchange.Response, error) {
	var codings []string
	for _, v := range r.Header.Values("Content-Encoding") {
		for c := range strings.SplitSeq(v, ",") {
			if c = strings.ToLower(strings.TrimSpace(c)); c != "" && c != "identity" {
				codings = append(codings, c)
			}
		}
	}
	if len(codings) == 0 || len(r.Body.Data) == 0 {
		return r, nil
	}
	if len(codings) > maxCoding {
		return r, errors.New("more codings than are undone here")
	}
	data, whole := r.Body.Data, r.Body.Complete()
	for _, c := range slices.Backward(codings) {
		plain, rest, err := undo(c, data)
		switch {
		case err != nil && (whole || len(plain) == 0):
			return r, err
		case err != nil:
			rest = true // what came of a beginning is a beginning
		}
		data, whole = plain, whole && !rest
	}
	out := *r
	out.Header = slices.DeleteFunc(slices.Clone(r.Header), func(f exchange.Field) bool { return strings.EqualFold(f.Name, "Content-Encoding") })
	out.Body = exchange.Body{Data: data, Size: int64(len(data))}
	if !whole { // nobody knows how much more there is
		out.Body.Size += max(r.Body.Size-int64(len(r.Body.Data)), 1)
	}
	return &out, nil
}

// errUnread is a coding that is not undone here.
var errUnread = errors.New("a coding that is not read here")

// undo undoes one coding, and says whether there was more than is kept.
func undo(coding string, data []byte) (plain []byte, more bool, err error) {
	var in io.Reader
	switch coding {
	case "gzip", "x-gzip":
		in, err = gzip.NewReader(bytes.NewReader(data))
	case "deflate": // zlib, or what some send instead: deflate without it
		if in, err = zlib.NewReader(bytes.NewReader(data)); err != nil {
			in, err = flate.NewReader(bytes.NewReader(data)), nil
		}
	default:
		return nil, false, errUnread
	}
	if err == nil {
		plain, err = io.ReadAll(io.LimitReader(in, maxPlain+1))
	}
	if err != nil {
		return plain, false, fmt.Errorf("it says %s and is not", coding)
	}
	if len(plain) > maxPlain {
		return plain[:maxPlain], true, nil
	}
	return plain, false, nil
}
