package console

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-project/parley/archive"
)

// A collection on the page is a form: what the page can change. What it cannot
// stays as it is in the file, because a form is laid over what was read.

type collectionForm struct {
	Name      string         `json:"name"`
	Doc       string         `json:"doc,omitempty"`
	Variables []variableForm `json:"variables"`
	Items     []*itemForm    `json:"items"`
}

type variableForm struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Secret bool   `json:"secret,omitempty"`
}

type itemForm struct {
	// From is the item's place in the file, such as "0.2"; empty for a new one.
	From    string        `json:"from,omitempty"`
	Name    string        `json:"name"`
	Doc     string        `json:"doc,omitempty"`
	Folder  bool          `json:"folder,omitempty"`
	Items   []*itemForm   `json:"items,omitempty"`
	Method  string        `json:"method,omitempty"`
	URL     string        `json:"url,omitempty"` // without the query
	Query   []fieldForm   `json:"query,omitempty"`
	Header  []fieldForm   `json:"header,omitempty"`
	Body    bodyForm      `json:"body,omitzero"`
	Auth    authForm      `json:"auth,omitzero"`
	As      string        `json:"as,omitempty"`
	Expect  []expectForm  `json:"expect,omitempty"`
	Capture []captureForm `json:"capture,omitempty"`
	Needs   []string      `json:"needs,omitempty"`
}

type fieldForm struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Off   bool   `json:"off,omitempty"`
	// File is the file that is a part's value. The page shows it, and can name
	// no other.
	File string `json:"file,omitempty"`
}

type bodyForm struct {
	// Mode is "", "text", "json", "form", "multipart", or "other" for what the
	// page does not edit.
	Mode   string      `json:"mode,omitempty"`
	Text   string      `json:"text,omitempty"`
	Fields []fieldForm `json:"fields,omitempty"`
}

type authForm struct {
	// Scheme is empty for that of the folder or the collection.
	Scheme   string `json:"scheme,omitempty"`
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	Token    string `json:"token,omitempty"`
	Key      string `json:"key,omitempty"`
	Value    string `json:"value,omitempty"`
	In       string `json:"in,omitempty"`
}

type expectForm struct {
	Fact string `json:"fact"`
	Is   string `json:"is"`
	Want string `json:"want"` // JSON, or text that is none
}

type captureForm struct {
	Variable string `json:"variable"`
	Fact     string `json:"fact"`
	Matches  string `json:"matches,omitempty"`
	Secret   bool   `json:"secret,omitempty"`
}

const (
	maxItems = 5000
	maxDepth = 40
)

func formOf(c *archive.Collection) *collectionForm {
	f := &collectionForm{Name: c.Name, Doc: c.Doc, Variables: []variableForm{}, Items: itemForms(c.Items, "")}
	for _, v := range c.Variables {
		if !v.Disabled {
			f.Variables = append(f.Variables, variableForm{v.Name, v.Value, v.Secret})
		}
	}
	return f
}

func itemForms(items []*archive.Item, at string) []*itemForm {
	fs := make([]*itemForm, len(items))
	for i, it := range items {
		from := at + strconv.Itoa(i)
		fs[i] = formOfItem(it)
		fs[i].From = from
		if it.Request == nil {
			fs[i].Items = itemForms(it.Items, from+".")
		}
	}
	return fs
}

// formOfItem is one item, without those in it.
func formOfItem(it *archive.Item) *itemForm {
	f := &itemForm{Name: it.Name, Doc: it.Doc, Folder: it.Request == nil, As: it.As, Needs: it.Needs}
	if it.Request == nil {
		return f
	}
	r := it.Request
	f.Method = r.Method
	f.URL, f.Query = splitQuery(r.URL)
	for _, q := range r.Disabled {
		f.Query = append(f.Query, fieldForm{Name: q.Name, Value: q.Value, Off: true})
	}
	for _, h := range r.Header {
		f.Header = append(f.Header, fieldForm{Name: h.Name, Value: h.Value, Off: h.Disabled})
	}
	f.Body, f.Auth = formOfBody(r.Body), formOfAuth(r.Auth)
	for _, e := range it.Expect {
		f.Expect = append(f.Expect, expectForm{e.Fact, e.Is, wantText(e.Want)})
	}
	for _, k := range it.Capture {
		f.Capture = append(f.Capture, captureForm{k.Variable, k.Fact, k.Matches, k.Secret})
	}
	return f
}

// splitQuery takes the parameters out of a URL. Those that cannot be decoded
// are shown as they are.
func splitQuery(link string) (base string, fs []fieldForm) {
	base, query, _ := strings.Cut(link, "?")
	query, _, _ = strings.Cut(query, "#")
	if query == "" {
		return base, nil
	}
	plain := func(s string) string {
		if d, err := url.QueryUnescape(s); err == nil {
			return d
		}
		return s
	}
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		fs = append(fs, fieldForm{Name: plain(name), Value: plain(value)})
	}
	return base, fs
}

// joinQuery is the other way. Names of variables stay readable.
func joinQuery(base string, fs []fieldForm) string {
	sep := "?"
	if strings.Contains(base, "?") {
		sep = "&"
	}
	var b strings.Builder
	b.WriteString(base)
	for _, f := range fs {
		if f.Off || f.Name == "" && f.Value == "" {
			continue
		}
		b.WriteString(sep + encoded(f.Name) + "=" + encoded(f.Value))
		sep = "&"
	}
	return b.String()
}

// encoded percent-encodes a text but for the variables in it.
func encoded(s string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "{{")
		name, after, closed := strings.Cut(rest, "}}")
		if !ok || !closed {
			b.WriteString(strings.ReplaceAll(url.QueryEscape(s), "+", "%20"))
			return b.String()
		}
		b.WriteString(strings.ReplaceAll(url.QueryEscape(before), "+", "%20") + "{{" + name + "}}")
		s = after
	}
}

func formOfBody(b *archive.Body) bodyForm {
	if b == nil {
		return bodyForm{}
	}
	switch b.Mode {
	case "raw":
		f := bodyForm{Mode: "text", Text: b.Text}
		var tidy bytes.Buffer
		if b.MediaType == "application/json" && json.Indent(&tidy, []byte(b.Text), "", "  ") == nil {
			return bodyForm{Mode: "json", Text: tidy.String()}
		}
		if strings.Contains(b.MediaType, "json") || b.MediaType == "" && strings.HasPrefix(strings.TrimSpace(b.Text), "{") && json.Valid([]byte(b.Text)) {
			f.Mode = "json"
		}
		return f
	case "urlencoded", "form-data":
		f := bodyForm{Mode: "form"}
		if b.Mode == "form-data" {
			f.Mode = "multipart"
		}
		for _, p := range b.Fields {
			f.Fields = append(f.Fields, fieldForm{p.Name, p.Value, p.Disabled, p.File})
		}
		return f
	}
	return bodyForm{Mode: "other", Text: "This body is made of " + b.Mode + ": it is kept, and sent, and cannot be changed here."}
}

func formOfAuth(a *archive.Auth) authForm {
	if a == nil {
		return authForm{}
	}
	p := a.Params
	return authForm{a.Scheme, p["username"], p["password"], p["token"], p["key"], p["value"], p["in"]}
}

func (f authForm) params() map[string]string {
	in := f.In
	if in == "" {
		in = "header"
	}
	switch f.Scheme {
	case "basic":
		return map[string]string{"username": f.Username, "password": f.Password}
	case "bearer":
		return map[string]string{"token": f.Token}
	case "apikey":
		return map[string]string{"key": f.Key, "value": f.Value, "in": in}
	}
	return nil
}

// wantText is a value as the page has it: JSON, but text without its quotes
// where it cannot be taken for anything else.
func wantText(v any) string {
	s, ok := v.(string)
	if ok && !json.Valid([]byte(s)) {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return s
	}
	return string(b)
}

func wantOf(is, text string) any {
	if text == "" && is == "exists" {
		return true
	}
	var v any
	if json.Unmarshal([]byte(text), &v) == nil {
		return v
	}
	return text
}

// over lays the form over what was read; was is nil for a new collection. It
// returns why it cannot, for the person.
func (f *collectionForm) over(was *archive.Collection) (*archive.Collection, string) {
	c := &archive.Collection{}
	if was != nil {
		own := *was
		c = &own
	}
	c.Name, c.Doc = f.Name, f.Doc
	var vs []archive.Variable
	for _, v := range f.Variables {
		if v.Name != "" {
			vs = append(vs, archive.Variable{Name: v.Name, Value: v.Value, Secret: v.Secret})
		}
	}
	for _, v := range c.Variables {
		if v.Disabled {
			vs = append(vs, v)
		}
	}
	c.Variables = vs
	n := 0
	var why string
	c.Items, why = overItems(f.Items, was, &n, 0)
	return c, why
}

func overItems(fs []*itemForm, was *archive.Collection, n *int, depth int) ([]*archive.Item, string) {
	var out []*archive.Item
	for _, f := range fs {
		if *n++; f == nil || *n > maxItems || depth > maxDepth {
			return nil, "a collection has at most " + strconv.Itoa(maxItems) + " requests, in folders of at most " + strconv.Itoa(maxDepth) + " levels"
		}
		it := f.over(itemAt(was, f.From))
		if f.Folder {
			var why string
			if it.Items, why = overItems(f.Items, was, n, depth+1); why != "" {
				return nil, why
			}
		}
		out = append(out, it)
	}
	return out, ""
}

// notKept names what is switched off: our own format has no word for it, so
// that a file does not keep it.
func (f *collectionForm) notKept() (out []string) {
	var walk func([]*itemForm)
	walk = func(items []*itemForm) {
		for _, it := range items {
			for what, fs := range map[string][]fieldForm{"parameter": it.Query, "header field": it.Header, "field of the body": it.Body.Fields} {
				for _, one := range fs {
					if one.Off {
						out = append(out, it.Name+": the "+what+" "+one.Name+" is switched off, and is not kept in the file")
					}
				}
			}
			walk(it.Items)
		}
	}
	walk(f.Items)
	slices.Sort(out)
	return out
}

// itemAt finds an item by its place; nil when there is none.
func itemAt(c *archive.Collection, at string) *archive.Item {
	if c == nil || at == "" {
		return nil
	}
	items := c.Items
	var it *archive.Item
	for part := range strings.SplitSeq(at, ".") {
		i, err := strconv.Atoi(part)
		if err != nil || i < 0 || i >= len(items) {
			return nil
		}
		it = items[i]
		items = it.Items
	}
	return it
}

// over lays one item's form over what was read.
func (f *itemForm) over(was *archive.Item) *archive.Item {
	if was == nil || f.Folder != (was.Request == nil) {
		was = &archive.Item{}
		if !f.Folder {
			was.Request = &archive.Request{}
		}
	}
	had := formOfItem(was)
	it := *was
	it.Name, it.Doc, it.As, it.Needs, it.Line, it.Column = f.Name, f.Doc, f.As, present(f.Needs), 0, 0
	if f.Folder {
		return &it
	}
	r := *was.Request
	it.Request = &r
	r.Method = strings.ToUpper(strings.TrimSpace(f.Method))
	if f.URL != had.URL || !slices.Equal(f.Query, had.Query) { // else it stays as it is written
		r.URL, r.Disabled = joinQuery(strings.TrimSpace(f.URL), f.Query), nil
		for _, q := range f.Query {
			if q.Off {
				r.Disabled = append(r.Disabled, archive.Field{Name: q.Name, Value: q.Value, Disabled: true})
			}
		}
	}
	if !slices.Equal(f.Header, had.Header) {
		r.Header = nil
		for _, h := range f.Header {
			if h.Name != "" {
				r.Header = append(r.Header, archive.Field{Name: h.Name, Value: h.Value, Disabled: h.Off})
			}
		}
	}
	if f.Body.Mode != had.Body.Mode || f.Body.Text != had.Body.Text || !slices.Equal(f.Body.Fields, had.Body.Fields) {
		f.Body.over(&r, was.Request.Body)
	}
	if f.Auth != had.Auth {
		r.Auth = nil
		if f.Auth.Scheme != "" {
			r.Auth = &archive.Auth{Scheme: f.Auth.Scheme, Params: f.Auth.params()}
		}
	}
	if !slices.Equal(f.Expect, had.Expect) {
		it.Expect = nil
		for _, e := range f.Expect {
			if e.Fact != "" {
				it.Expect = append(it.Expect, archive.Expectation{Fact: e.Fact, Is: e.Is, Want: wantOf(e.Is, e.Want)})
			}
		}
	}
	if !slices.Equal(f.Capture, had.Capture) {
		it.Capture = nil
		for _, k := range f.Capture {
			if k.Variable != "" || k.Fact != "" {
				it.Capture = append(it.Capture, archive.Capture{Variable: k.Variable, Fact: k.Fact, Matches: k.Matches, Secret: k.Secret})
			}
		}
	}
	return &it
}

func present(names []string) []string {
	var out []string
	for _, n := range names {
		if n = strings.TrimSpace(n); n != "" {
			out = append(out, n)
		}
	}
	return out
}

// over makes the body. JSON with variables in it may be none until they have
// their values: it is text then, and a field says what it is.
func (f *bodyForm) over(r *archive.Request, was *archive.Body) {
	switch f.Mode {
	case "text":
		r.Body = &archive.Body{Mode: "raw", Text: f.Text}
	case "json":
		if r.Body = (&archive.Body{Mode: "raw", Text: f.Text, MediaType: "application/json"}); json.Valid([]byte(f.Text)) {
			return
		}
		r.Body.MediaType = ""
		if !slices.ContainsFunc(r.Header, func(h archive.Field) bool { return strings.EqualFold(h.Name, "Content-Type") && !h.Disabled }) {
			r.Header = append(slices.Clone(r.Header), archive.Field{Name: "Content-Type", Value: "application/json"})
		}
	case "form", "multipart":
		b := &archive.Body{Mode: "urlencoded"}
		if f.Mode == "multipart" {
			b.Mode = "form-data"
		}
		for _, p := range f.Fields {
			if p.Name == "" && p.Value == "" {
				continue
			}
			one := archive.FormField{Field: archive.Field{Name: p.Name, Value: p.Value, Disabled: p.Off}}
			if was != nil && p.File != "" { // only a file that was named before
				if i := slices.IndexFunc(was.Fields, func(w archive.FormField) bool { return w.File == p.File }); i >= 0 {
					one = was.Fields[i]
					one.Name, one.Disabled = p.Name, p.Off
				}
			}
			b.Fields = append(b.Fields, one)
		}
		r.Body = b
	case "other":
	default:
		r.Body = nil
	}
}
