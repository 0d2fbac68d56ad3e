package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/parley-project/parley/exchange"
)

// A Line is a line of a message as a person reads it.
type Line struct {
	Text string // visible
	// Mark is true for what the evidence points at.
	Mark bool
}

// maxLine is how much of one line is shown.
const maxLine = 2000

// Caller says who asked in the example: a name or subject, and its roles.
func (e *Entry) Caller() string {
	if e.Example == nil || e.Example.Server.Caller == nil {
		return ""
	}
	c := e.Example.Server.Caller
	s := c.Name
	if s == "" {
		s = string(c.Subject)
	}
	if len(c.Roles) > 0 {
		s += " (" + strings.Join(c.Roles, ", ") + ")"
	}
	return Visible(s)
}

// RequestLines are the lines of an entry's request, those marked that its
// evidence is about.
func (e *Entry) RequestLines() []Line {
	if e.Example == nil {
		return nil
	}
	q := &e.Example.Request
	start := e.at("query") || e.at("path") || e.at("method")
	ls := []Line{{q.Method + " " + q.Target + " " + q.Proto, start}}
	if !q.Header.Has("Host") {
		ls = append(ls, Line{"Host: " + q.Authority, e.names("header", "Host")})
	}
	for i := range q.Header {
		f := &q.Header[i]
		mark := e.names("header", f.Name)
		if c := e.Example.Server.Credential; c != nil && e.at("credential") {
			mark = mark || c.Carrier == "header" && strings.EqualFold(c.Field, f.Name) || c.Carrier == "cookie" && strings.EqualFold(f.Name, "Cookie")
		}
		ls = append(ls, Line{f.Name + ": " + f.Value, mark})
	}
	return finish(append(e.marked(ls), fold(e.bodyLines(q.Body, q.Header, "request body"))...))
}

// ResponseLines are the same for the response.
func (e *Entry) ResponseLines() []Line {
	if e.Example == nil {
		return nil
	}
	p := e.Example.Response
	if p == nil {
		if e.Example.Failure == "" {
			return nil
		}
		return finish([]Line{{Text: e.Example.Failure, Mark: true}})
	}
	ls := []Line{{strings.TrimSpace(p.Proto + " " + strconv.Itoa(p.Status)), e.at("status") || e.at("rule") || e.at("credential")}}
	for i := range p.Header {
		f := &p.Header[i]
		cookie := ""
		if strings.EqualFold(f.Name, "Set-Cookie") {
			cookie, _, _ = strings.Cut(f.Value, "=")
		}
		ls = append(ls, Line{f.Name + ": " + f.Value, e.names("header", f.Name) || cookie != "" && e.names("cookie", strings.TrimSpace(cookie))})
	}
	for _, v := range e.Evidence { // what should be there is shown where it would be
		if v.Where == "header" && v.Says == "missing" && !p.Header.Has(v.Name) && e.Step >= exchange.StepResponse {
			ls = append(ls, Line{"(no " + v.Name + ")", true})
		}
	}
	return finish(append(e.marked(ls), fold(e.bodyLines(p.Body, p.Header, "response body"))...))
}

// A body of more than folded lines is shown where it is marked, with context
// lines around it; where nothing is marked, its beginning.
const (
	folded  = 30
	context = 3
)

func fold(ls []Line) []Line {
	if len(ls) <= folded {
		return ls
	}
	keep := make([]bool, len(ls))
	last, any := len(ls)-1, false
	for i := range ls {
		if !ls[i].Mark {
			continue
		}
		any = true
		if i > 0 && i < last && ls[i-1].Mark && ls[i+1].Mark && i%folded > 2*context {
			continue // of a marked object the beginning and samples
		}
		for j := max(i-context, 0); j <= min(i+context, last); j++ {
			keep[j] = true
		}
	}
	for i := range ls {
		keep[i] = keep[i] || i <= context || i == last || !any && i < folded
	}
	var out []Line
	for i := 0; i < len(ls); {
		n := i
		for n < len(ls) && !keep[n] {
			n++
		}
		switch {
		case n-i > 1:
			out = append(out, Line{Text: "… " + plural(n-i, "line", "lines")})
			i = n
		default:
			out = append(out, ls[i])
			i++
		}
	}
	return out
}

// ruleMember finds what a rule says of the response.
var ruleMember = regexp.MustCompile(`\bresponse\.(\w+)`)

// finish makes lines fit to be shown.
func finish(ls []Line) []Line {
	for i := range ls {
		if len(ls[i].Text) > maxLine {
			ls[i].Text = ls[i].Text[:maxLine] + "…"
		}
		ls[i].Text = Visible(ls[i].Text)
	}
	return ls
}

// at reports whether any evidence is about a part of the message.
func (e *Entry) at(where string) bool {
	return slices.ContainsFunc(e.Evidence, func(v exchange.Evidence) bool { return v.Where == where })
}

func (e *Entry) names(where, name string) bool {
	return slices.ContainsFunc(e.Evidence, func(v exchange.Evidence) bool { return v.Where == where && strings.EqualFold(v.Name, name) })
}

func (e *Entry) bodyLines(b exchange.Body, h exchange.Header, where string) []Line {
	if b.Size == 0 {
		return nil
	}
	ls := []Line{{}}
	if b.Complete() && looksJSON(h) {
		var pointers []string
		for _, v := range e.Evidence {
			switch {
			case v.Where == where:
				pointers = append(pointers, v.Name)
			case v.Where == "rule" && where == "response body":
				for _, m := range ruleMember.FindAllStringSubmatch(v.Name, 5) {
					pointers = append(pointers, "/"+m[1])
				}
			}
		}
		if pretty, ok := jsonLines(b.Data, pointers); ok {
			return e.marked(append(ls, pretty...))
		}
	}
	for _, s := range plainBody(b, h) {
		ls = append(ls, Line{Text: s, Mark: e.names(where, "")})
	}
	return e.marked(ls)
}

func looksJSON(h exchange.Header) bool {
	t := h.MediaType()
	return t == "" || t == "application/json" || strings.HasSuffix(t, "+json")
}

// plainBody is a body as lines, or what can be said of one that is no text.
func plainBody(b exchange.Body, h exchange.Header) []string {
	text := b.Data
	for i := 0; i < utf8.UTFMax && len(text) > 0 && !b.Complete() && !utf8.Valid(text); i++ {
		text = text[:len(text)-1] // cut within a character
	}
	switch {
	case len(text) == 0:
		return []string{fmt.Sprintf("(%d bytes, not kept)", b.Size)}
	case !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 || h.Get("Content-Encoding") != "":
		return []string{fmt.Sprintf("(%d bytes of binary data)", b.Size)}
	}
	var ls []string
	for line := range strings.Lines(string(text)) {
		ls = append(ls, Visible(strings.TrimRight(line, "\r\n")))
	}
	if !b.Complete() {
		ls = append(ls, fmt.Sprintf("… (%d bytes in all)", b.Size))
	}
	return ls
}

// jsonLines lays JSON out, a member a line, and marks the values that pointers
// (RFC 6901) name, with all that is in them. It is false for what is no JSON.
func jsonLines(data []byte, pointers []string) ([]Line, bool) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	p := printer{d: d, pointers: pointers}
	if !p.value("", "", 0, false) {
		return nil, false
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, false
	}
	return p.lines, true
}

type printer struct {
	d        *json.Decoder
	pointers []string
	lines    []Line
}

const maxDepth = 64

// value reads one value and writes it behind a lead such as `"id": `.
func (p *printer) value(pointer, lead string, depth int, mark bool) bool {
	mark = mark || pointer != "" && slices.Contains(p.pointers, pointer)
	t, err := p.d.Token()
	if err != nil || depth > maxDepth {
		return false
	}
	indent := strings.Repeat("  ", depth)
	add := func(s string) { p.lines = append(p.lines, Line{indent + s, mark}) }
	open, ok := t.(json.Delim)
	if !ok {
		add(lead + jsonText(t))
		return true
	}
	add(lead + open.String())
	for i := 0; p.d.More(); i++ {
		name, lead := strconv.Itoa(i), ""
		if open == '{' {
			k, err := p.d.Token()
			if err != nil {
				return false
			}
			name = k.(string)
			lead = jsonText(name) + ": "
		}
		name = strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
		if !p.value(pointer+"/"+name, lead, depth+1, mark) {
			return false
		}
		if p.d.More() {
			p.lines[len(p.lines)-1].Text += ","
		}
	}
	end, err := p.d.Token()
	if err != nil {
		return false
	}
	if closing := fmt.Sprint(end); strings.HasSuffix(p.lines[len(p.lines)-1].Text, open.String()) && p.lines[len(p.lines)-1].Text == indent+lead+open.String() {
		p.lines[len(p.lines)-1].Text += closing
	} else {
		add(closing)
	}
	return true
}

func jsonText(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return "null"
	}
	return strings.TrimRight(b.String(), "\n")
}
