package archive

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/parley-project/parley/exchange"
)

// FromExchanges makes a collection of what was recorded, in the order given.
// The exchanges are kept, not copied.
func FromExchanges(name string, xs []*exchange.Exchange) *Collection {
	c := &Collection{Name: name}
	for _, x := range xs {
		h := &tree{kind: '{', members: []member{{"url", str(x.Request.URL())}}}
		if ct := x.Request.Header.Get("Content-Type"); ct != "" {
			h.members = append(h.members, member{"postData", object(member{"mimeType", str(ct)})})
		}
		r := harRequest(h, x)
		it := &Item{Name: requestName(r), Request: r, Recorded: []*exchange.Exchange{x}}
		if target := x.Request.Target; target == "*" {
			r.URL = x.Request.Scheme + "://" + x.Request.Authority + "/"
			it.Foreign = &curlForeign{Extra: []string{"--request-target", target}}
		}
		c.Items = append(c.Items, it)
	}
	return c
}

// WriteHAR writes exchanges as HAR 1.2, one at a time.
func WriteHAR(w io.Writer, xs []*exchange.Exchange) error {
	h := NewHARWriter(w)
	for _, x := range xs {
		h.Add(x)
	}
	return h.Close()
}

// A HARWriter writes a HAR entry by entry, for those who have more exchanges
// than memory.
type HARWriter struct {
	w   io.Writer
	n   int
	err error
}

// NewHARWriter begins a HAR. Close ends it, and does not close w.
func NewHARWriter(w io.Writer) *HARWriter { return &HARWriter{w: w} }

const harHead = `{
  "log": {
    "version": "1.2",
    "creator": {
      "name": "Parley",
      "version": ""
    },
    "entries": [`

// Add writes one exchange. What went wrong is told by Close.
func (h *HARWriter) Add(x *exchange.Exchange) { h.entry(harEntry(x, extraOf(x))) }

func (h *HARWriter) entry(t *tree) {
	var b strings.Builder
	if h.n++; h.n == 1 {
		b.WriteString(harHead)
	} else {
		b.WriteByte(',')
	}
	b.WriteString("\n      ")
	t.write(&b, "  ", "\n      ")
	h.put(b.String())
}

func (h *HARWriter) put(s string) {
	if h.err == nil {
		_, h.err = io.WriteString(h.w, s)
	}
}

// Close ends the HAR.
func (h *HARWriter) Close() error {
	if h.n == 0 {
		h.put(harHead)
	}
	h.put("\n    ]\n  }\n}\n")
	return h.err
}

// writeHAR writes a collection. One that was read from a HAR is written as it
// was, with the entries of its items.
func writeHAR(w io.Writer, c *Collection) error {
	var entries []*tree
	var lost int
	var items func([]*Item, *Auth)
	items = func(list []*Item, auth *Auth) {
		for _, it := range list {
			a := auth
			if it.Auth != nil {
				a = it.Auth
			}
			lost += len(it.Expect) + len(it.Capture) + len(it.Scripts)
			if es, ok := it.Foreign.(harEntries); ok && c.Format == "har" {
				entries = append(entries, es...)
			} else if it.Request != nil {
				entries = append(entries, itemEntries(it, a)...)
			}
			items(it.Items, a)
		}
	}
	items(c.Items, c.Auth)
	if lost > 0 {
		c.Warnings = append(c.Warnings, fmt.Sprintf("%s: %d scripts, expectations and captures, which a HAR cannot hold", c.File, lost))
	}
	root, ok := c.Foreign.(*tree)
	if !ok || c.Format != "har" {
		h := NewHARWriter(w)
		for _, e := range entries {
			h.entry(e)
		}
		return h.Close()
	}
	return root.with("log", root.get("log").with("entries", array(entries...))).writeTo(w, "  ")
}

// harEntries are the entries of an item.
type harEntries []*tree

// itemEntries are the entries of an item that was read from something else: one
// for each time that it was recorded. auth is that of its folders.
func itemEntries(it *Item, auth *Auth) (entries []*tree) {
	asked := *it.Request
	if asked.Auth == nil && auth != nil && auth.Scheme != "none" {
		asked.Auth = auth
	}
	if len(it.Recorded) == 0 {
		return []*tree{askedEntry(it.Name, &asked)}
	}
	for i, x := range it.Recorded {
		extra := extraOf(x)
		extra.Name, extra.Again = it.Name, i > 0
		if !plainRequest(&asked) {
			extra.Asked = &asked
		}
		entries = append(entries, harEntry(x, extra))
	}
	return entries
}

func walkItems(items []*Item, f func(*Item)) {
	for _, it := range items {
		f(it)
		walkItems(it.Items, f)
	}
}

// isUTF8 reports whether data can stand in JSON as it is.
func isUTF8(data []byte) bool { return utf8.Valid(data) }

// maxUnpacked is the most that a body is unpacked to.
const maxUnpacked = 64 << 20

// unpacked returns a compressed body as HAR wants it: decoded. ok is false
// when it is not compressed, not whole, or broken.
func unpacked(b exchange.Body, h exchange.Header) (plain []byte, ok bool) {
	if !b.Complete() || b.Size == 0 {
		return nil, false
	}
	var r io.Reader
	var err error
	switch strings.ToLower(strings.TrimSpace(h.Get("Content-Encoding"))) {
	case "gzip", "x-gzip":
		r, err = gzip.NewReader(bytes.NewReader(b.Data))
	case "deflate":
		r, err = zlib.NewReader(bytes.NewReader(b.Data))
	default:
		err = errors.ErrUnsupported
	}
	if err != nil {
		return nil, false
	}
	plain, err = io.ReadAll(io.LimitReader(r, maxUnpacked+1))
	return plain, err == nil && len(plain) <= maxUnpacked
}
