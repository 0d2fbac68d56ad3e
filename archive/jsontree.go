package archive

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A tree is a JSON text as it was written: members in their order, twice if
// they stood there twice, numbers and strings with their own spelling. What a
// reader does not understand is written back from it.
type tree struct {
	kind         byte   // '{', '[', '"', '0' for a number, 't', 'f', 'n'
	raw          string // of a string, with its quotes, and of a number
	members      []member
	items        []*tree
	line, column int32
}

type member struct {
	name  string
	value *tree
}

// maxDepth is how deep a document may be nested. Folders in folders come
// nowhere near; a text of brackets alone must not use up the stack.
const maxDepth = 500

// maxFile is the largest text that is read as a tree, which takes many times
// its size.
const maxFile = 256 << 20

// decodeText makes UTF-8 of a file's bytes: without its byte order mark, and
// from UTF-16, which some programs on Windows write.
func decodeText(data []byte) string {
	big := bytes.HasPrefix(data, []byte{0xFE, 0xFF}) || len(data) > 1 && data[0] == 0 && (data[1] == '{' || data[1] == '[')
	little := bytes.HasPrefix(data, []byte{0xFF, 0xFE}) || len(data) > 1 && (data[0] == '{' || data[0] == '[') && data[1] == 0
	if !big && !little {
		return string(bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF")))
	}
	units := make([]uint16, 0, len(data)/2)
	for i := 0; i+1 < len(data); i += 2 {
		u := uint16(data[i]) | uint16(data[i+1])<<8
		if big {
			u = uint16(data[i])<<8 | uint16(data[i+1])
		}
		if u != 0xFEFF || i > 0 {
			units = append(units, u)
		}
	}
	return string(utf16.Decode(units))
}

// parseTree reads one JSON text (RFC 8259).
func parseTree(file string, data []byte) (*tree, error) {
	if len(data) > maxFile {
		return nil, &Error{File: file, Text: fmt.Sprintf("has %d MiB, and at most %d are read", len(data)>>20, maxFile>>20)}
	}
	p := &treeParser{file: file, text: decodeText(data), line: 1}
	p.space()
	if p.at == len(p.text) {
		return nil, p.fail("is empty", "")
	}
	t, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(p.text) {
		return nil, p.fail("found "+p.found()+" after the end of the JSON text", "one file holds one JSON text")
	}
	return t, nil
}

type treeParser struct {
	file      string
	text      string
	at        int
	line      int
	lineStart int
}

func (p *treeParser) fail(text, hint string) error {
	return &Error{File: p.file, Line: p.line, Column: utf8.RuneCountInString(p.text[p.lineStart:min(p.at, len(p.text))]) + 1, Text: text, Hint: hint}
}

func (p *treeParser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case '\n':
			p.line++
			p.lineStart = p.at + 1
		case ' ', '\t', '\r':
		default:
			return
		}
		p.at++
	}
}

// found says what stands at this place.
func (p *treeParser) found() string {
	if p.at >= len(p.text) {
		return "the end of the file"
	}
	r, n := utf8.DecodeRuneInString(p.text[p.at:])
	if r == utf8.RuneError && n == 1 {
		return "a byte that is not UTF-8"
	}
	return strconv.QuoteRune(r)
}

func (p *treeParser) value(depth int) (*tree, error) {
	if depth > maxDepth {
		return nil, p.fail(fmt.Sprintf("is nested more than %d deep", maxDepth), "")
	}
	if p.at >= len(p.text) {
		return nil, p.fail("ends where a value should be", "the file may have been cut off")
	}
	t := &tree{line: int32(p.line), column: int32(p.at - p.lineStart + 1)}
	switch c := p.text[p.at]; {
	case c == '{':
		return t, p.object(t, depth)
	case c == '[':
		return t, p.array(t, depth)
	case c == '"':
		t.kind = '"'
		var err error
		t.raw, err = p.str()
		return t, err
	case c == '-' || c >= '0' && c <= '9':
		t.kind = '0'
		return t, p.number(t)
	}
	for _, word := range []string{"true", "false", "null"} {
		if strings.HasPrefix(p.text[p.at:], word) {
			t.kind = word[0]
			p.at += len(word)
			return t, nil
		}
	}
	return nil, p.fail("expected a value, found "+p.found(), p.hint())
}

// hint says what people usually meant by what stands here.
func (p *treeParser) hint() string {
	if p.at >= len(p.text) {
		return "the file may have been cut off"
	}
	switch c := p.text[p.at]; {
	case c == '\'':
		return "JSON has double quotes only"
	case c == '/' || c == '#':
		return "JSON has no comments"
	case c == ']' || c == '}':
		return "a comma before it is one too many"
	case c == '<':
		return "this looks like HTML or XML"
	case c == ':' || c == '=':
		return "a name and its value are separated by one colon"
	}
	return ""
}

func (p *treeParser) object(t *tree, depth int) error {
	t.kind = '{'
	p.at++
	for p.space(); ; p.space() {
		if p.at < len(p.text) && p.text[p.at] == '}' && len(t.members) == 0 {
			p.at++
			return nil
		}
		if p.at >= len(p.text) || p.text[p.at] != '"' {
			hint := p.hint()
			if hint == "" {
				hint = "a member's name stands in double quotes"
			}
			return p.fail("expected a member's name, found "+p.found(), hint)
		}
		raw, err := p.str()
		if err != nil {
			return err
		}
		if p.space(); p.at >= len(p.text) || p.text[p.at] != ':' {
			return p.fail("expected a colon, found "+p.found(), "")
		}
		p.at++
		p.space()
		v, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		t.members = append(t.members, member{unquote(raw), v})
		if p.space(); p.at < len(p.text) && p.text[p.at] == '}' {
			p.at++
			return nil
		}
		if p.at >= len(p.text) || p.text[p.at] != ',' {
			return p.fail("expected a comma or }, found "+p.found(), p.missing())
		}
		p.at++
	}
}

func (p *treeParser) array(t *tree, depth int) error {
	t.kind = '['
	p.at++
	for p.space(); ; p.space() {
		if p.at < len(p.text) && p.text[p.at] == ']' && len(t.items) == 0 {
			p.at++
			return nil
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		t.items = append(t.items, v)
		if p.space(); p.at < len(p.text) && p.text[p.at] == ']' {
			p.at++
			return nil
		}
		if p.at >= len(p.text) || p.text[p.at] != ',' {
			return p.fail("expected a comma or ], found "+p.found(), p.missing())
		}
		p.at++
	}
}

func (p *treeParser) missing() string {
	if p.at >= len(p.text) {
		return "the file may have been cut off"
	}
	if p.text[p.at] == '"' || p.text[p.at] == '{' || p.text[p.at] == '[' {
		return "a comma is missing before it"
	}
	return ""
}

// str reads a string and returns it with its quotes.
func (p *treeParser) str() (string, error) {
	start := p.at
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return p.text[start:p.at], nil
		case c == '\n':
			return "", p.fail("a string goes over the end of the line", `a line end in a string is written \n; or its closing quote is missing`)
		case c < ' ' && c != '\t': // a tab does no harm, and people type it
			return "", p.fail(fmt.Sprintf("a control character U+%04X in a string", c), fmt.Sprintf(`it is written \u%04x`, c))
		case c == '\\':
			p.at++
			if p.at >= len(p.text) || strings.IndexByte(`"\/bfnrtu`, p.text[p.at]) < 0 {
				return "", p.fail("expected an escape after a backslash, found "+p.found(), `a backslash itself is written \\`)
			}
			if p.text[p.at] == 'u' {
				for range 4 {
					if p.at++; p.at >= len(p.text) || !isHex(p.text[p.at]) {
						return "", p.fail(`expected four hex digits after \u, found `+p.found(), "")
					}
				}
			}
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(p.text[p.at:])
			if r == utf8.RuneError && n == 1 {
				return "", p.fail("found a byte that is not UTF-8", "save the file as UTF-8")
			}
			p.at += n - 1
		}
	}
	return "", p.fail("ends within a string", "the file may have been cut off, or a closing quote is missing")
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func (p *treeParser) number(t *tree) error {
	start := p.at
	for p.at < len(p.text) && strings.IndexByte("+-.0123456789eE", p.text[p.at]) >= 0 {
		p.at++
	}
	t.raw = p.text[start:p.at]
	if !json.Valid([]byte(t.raw)) {
		p.at = start
		return p.fail(t.raw+" is not a number", "write text in double quotes")
	}
	return nil
}

// unquote is the text that a string of JSON stands for.
func unquote(raw string) string {
	if strings.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	var s string
	if strings.IndexByte(raw, '\t') >= 0 {
		raw = strings.ReplaceAll(raw, "\t", `\t`)
	}
	if json.Unmarshal([]byte(raw), &s) != nil {
		return raw[1 : len(raw)-1]
	}
	return s
}

// quote is a text as a string of JSON. Characters that only matter in HTML stay.
func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}
