package archive

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// The files of HTTP clients in editors, .http and .rest: requests as they are
// sent, with ### between them. JetBrains and REST Client write them in two
// dialects, which are both read.
//
// Each request keeps its text. A writer reads it again and writes it as it was
// when nothing has changed. What the format has no word for stands in a comment
// that begins with "# @parley", which others leave alone.

func isHTTPFile(file string, data []byte) bool {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".http", ".rest":
		return true
	case "":
		for line := range strings.SplitSeq(decodeText(data[:min(len(data), 4096)&^1]), "\n") {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "###") {
				return true
			}
			if line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "//") && !strings.HasPrefix(line, "@") {
				m := methodLine.FindStringSubmatch(line)
				return m != nil && m[1] == strings.ToUpper(m[1]) && (strings.Contains(m[2], "://") || strings.HasPrefix(m[2], "{{"))
			}
		}
	}
	return false
}

var (
	methodLine   = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_-]*)[ \t]+(\S.*)$`)
	httpVersion  = regexp.MustCompile(`[ \t]+HTTP/([0-9.]+)([ \t]+\([^)]*\))?[ \t]*$`)
	fileVariable = regexp.MustCompile(`^@([^\s=]+)[ \t]*=[ \t]*(.*)$`)
	directive    = regexp.MustCompile(`^(?:#+|//+)\s*@([A-Za-z][\w-]*)(?:[ \t]*=[ \t]*|[ \t]+|$)(.*)$`)
	fieldLine    = regexp.MustCompile("^([!#$%&'*+.^_`|~0-9A-Za-z{}-]+)[ \t]*:(.*)$")
)

// An httpBlock is what stands between two separators.
type httpBlock struct {
	mark  string   // the separator before it
	title string   // what follows ### there
	lines []string // without their line ends
	line  int      // of lines[0], from 1
	first bool     // no separator comes before it
}

// httpBlocks cuts a document at its separators.
func httpBlocks(text string) []httpBlock {
	var out []httpBlock
	b := httpBlock{line: 1, first: true}
	n := 0
	for l := range strings.SplitSeq(text, "\n") {
		n++
		l = strings.TrimSuffix(l, "\r")
		if strings.HasPrefix(l, "###") {
			out = append(out, b)
			b = httpBlock{mark: l, title: strings.TrimSpace(strings.TrimLeft(l, "#")), line: n + 1}
			continue
		}
		b.lines = append(b.lines, l)
	}
	return append(out, b)
}

// An httpReader goes through one document.
type httpReader struct {
	file     string
	warnings []string
	vars     []Variable
	include  []string
}

func (h *httpReader) warn(line int, format string, args ...any) {
	h.warnings = append(h.warnings, (&Error{File: h.file, Line: line, Text: fmt.Sprintf(format, args...)}).Error())
}

func (h *httpReader) fail(line int, text, hint string) error {
	return &Error{File: h.file, Line: line, Column: 1, Text: text, Hint: hint}
}

// httpSource is a document's block as it was.
type httpSource struct {
	block  httpBlock
	before []httpBlock // those without a request that came before it
	refs   map[string][]Capture
}

func readHTTPFile(file string, data []byte) (*Collection, error) {
	if len(data) > maxFile {
		return nil, &Error{File: file, Text: fmt.Sprintf("has %d MiB, and at most %d are read", len(data)>>20, maxFile>>20)}
	}
	text := strings.ToValidUTF8(decodeText(data), "\uFFFD")
	if i := strings.IndexByte(text, 0); i >= 0 {
		line, column := strings.Count(text[:i], "\n")+1, i-strings.LastIndexByte(text[:i], '\n')
		return nil, &Error{File: file, Line: line, Column: column, Text: "is no text: it holds a zero byte"}
	}
	h := &httpReader{file: file}
	c := &Collection{Format: "http", File: file, Name: strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))}
	refs := references(text)
	// open are the folders that a request may stand in, outermost first.
	open := []*[]*Item{&c.Items}
	var loose []httpBlock
	for _, b := range httpBlocks(text) {
		it, own, err := h.block(b, refs)
		if err != nil {
			return nil, err
		}
		if own != nil && own.Collection != nil {
			own.Collection.into(&c.Scope)
			c.Name, c.Doc = own.Collection.Name, own.Collection.Doc
		}
		if it == nil {
			loose = append(loose, b)
			continue
		}
		it.Foreign.(*httpSource).before, loose = loose, nil
		depth := 0
		if own != nil {
			depth = min(own.Depth, len(open)-1)
		}
		open = open[:depth+1]
		*open[depth] = append(*open[depth], it)
		if it.Request == nil {
			open = append(open, &it.Items)
		}
	}
	c.Variables = append(h.vars, c.Variables...)
	c.Include = h.include
	c.Warnings = h.warnings
	c.Foreign = loose
	return c, nil
}

// references finds the values that requests take from the answer to a named
// one, as REST Client writes them: {{login.response.body.$.token}}.
func references(text string) map[string][]Capture {
	out := map[string][]Capture{}
	seen := map[string]bool{}
	for rest := text; ; {
		_, after, ok := strings.Cut(rest, "{{")
		if !ok {
			return out
		}
		var inside string
		inside, rest, ok = strings.Cut(after, "}}")
		if !ok {
			return out
		}
		inside = strings.TrimSpace(inside)
		name, path, ok := strings.Cut(inside, ".response.")
		if !ok || seen[inside] || strings.ContainsAny(inside, "\n ") {
			continue
		}
		seen[inside] = true
		if fact := responseFact(path); fact != "" {
			last := strings.ToLower(path[strings.LastIndexAny(path, ".]")+1:])
			secret := strings.Contains(last, "token") || strings.Contains(last, "secret") || strings.Contains(last, "password")
			out[name] = append(out[name], Capture{Variable: inside, Fact: fact, Secret: secret})
		}
	}
}

// responseFact is the fact that a path into a response means.
func responseFact(path string) string {
	where, rest, _ := strings.Cut(path, ".")
	switch {
	case path == "body" || path == "body.*":
		return "response.body"
	case where == "body" && strings.HasPrefix(rest, "$"):
		return "response.body." + rest
	case where == "body" && strings.HasPrefix(rest, "/"): // XPath
		return ""
	case where == "body":
		return "response.body.$." + rest
	case where == "headers" && rest != "":
		return "response.header." + rest
	}
	return ""
}

// excerpt is the beginning of a text in quotes, for a message.
func excerpt(s string) string {
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "..."
	}
	return strconv.Quote(s)
}
