package archive

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// The files of Bruno, .bru, are blocks: a name, and between braces either pairs
// or a text. They are read and not written.

func isBruno(file string, data []byte) bool { return strings.EqualFold(filepath.Ext(file), ".bru") }

// A bruBlock is one, undecoded.
type bruBlock struct {
	name  string
	lines []string
	line  int // of lines[0], from 1
}

// A bruFile is a file's blocks, in order.
type bruFile struct {
	file     string
	blocks   []bruBlock
	warnings []string
}

func (b *bruFile) warn(line int, format string, args ...any) {
	b.warnings = append(b.warnings, (&Error{File: b.file, Line: line, Text: fmt.Sprintf(format, args...)}).Error())
}

func parseBru(file string, data []byte) (*bruFile, error) {
	if len(data) > maxFile {
		return nil, &Error{File: file, Text: "is too large"}
	}
	b := &bruFile{file: file}
	lines := strings.Split(strings.ReplaceAll(decodeText(data), "\r\n", "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		if line == "" || strings.HasPrefix(line, "//") || strings.HasPrefix(line, "#") {
			continue
		}
		mark := line[len(line)-1]
		if mark != '{' && mark != '[' {
			return nil, &Error{File: file, Line: i + 1, Column: 1, Text: "expected a block, found " + excerpt(line), Hint: "a block is a name and {, its lines, and } on a line of its own"}
		}
		block := bruBlock{name: strings.TrimSpace(line[:len(line)-1]), line: i + 2}
		begin := i + 1
		end := string(mark + 2)
		for i++; ; i++ {
			if i >= len(lines) {
				return nil, &Error{File: file, Line: begin, Column: 1, Text: "the block " + block.name + " has no end", Hint: "it ends with " + end + " at the beginning of a line"}
			}
			if strings.TrimRight(lines[i], " \t") == end {
				break
			}
			block.lines = append(block.lines, lines[i])
		}
		b.blocks = append(b.blocks, block)
	}
	return b, nil
}

// get returns the last block with a name, or nil.
func (b *bruFile) get(name string) *bruBlock {
	for i := len(b.blocks) - 1; i >= 0; i-- {
		if b.blocks[i].name == name {
			return &b.blocks[i]
		}
	}
	return nil
}

// text is a block's text, without the indentation of blocks.
func (b *bruBlock) text() string {
	if b == nil {
		return ""
	}
	out := make([]string, len(b.lines))
	for i, l := range b.lines {
		out[i] = strings.TrimPrefix(l, "  ")
	}
	return strings.TrimRight(strings.Join(out, "\n"), " \t\n")
}

// bruAnnotation is a line such as @description("..."), which says something of
// the pair after it.
var bruAnnotation = regexp.MustCompile(`^@([A-Za-z][\w-]*)\((.*)$`)

// A bruPair is a line "name: value".
type bruPair struct {
	name, value string
	off         bool // ~ before it
	local       bool // @ before it
	doc         string
	line        int
}

// pairs reads a block's lines. Values may go over several lines between three
// quotes, or be a list between brackets, which is joined by line ends.
func (f *bruFile) pairs(b *bruBlock) []bruPair {
	if b == nil {
		return nil
	}
	var out []bruPair
	doc := ""
	for i := 0; i < len(b.lines); i++ {
		line := strings.TrimSpace(b.lines[i])
		if line == "" {
			continue
		}
		if strings.HasPrefix(line, "//") || strings.HasPrefix(line, "# ") {
			continue // a comment
		}
		if m := bruAnnotation.FindStringSubmatch(line); m != nil {
			at := b.line + i
			argument := m[2]
			if rest, ok := strings.CutPrefix(argument, "'''"); ok && !strings.Contains(rest, "'''") {
				text := []string{}
				if rest != "" {
					text = append(text, rest)
				}
				for i++; i < len(b.lines) && !strings.Contains(b.lines[i], "'''"); i++ {
					text = append(text, b.lines[i])
				}
				argument = dedent(text)
			} else {
				argument = unquoteBru(strings.TrimSuffix(strings.TrimSpace(argument), ")"))
			}
			if m[1] == "description" {
				doc = argument
			} else {
				f.warn(at, "the annotation @%s has no effect", m[1])
			}
			continue
		}
		p := bruPair{line: b.line + i, doc: doc}
		if rest, ok := strings.CutPrefix(line, "~"); ok {
			p.off, line = true, strings.TrimSpace(rest)
		}
		if rest, ok := strings.CutPrefix(line, "@"); ok {
			p.local, line = true, rest
		}
		doc = ""
		p.name, p.value = cutPair(line)
		switch {
		case strings.HasPrefix(p.value, "'''"):
			first := i
			rest := strings.TrimPrefix(p.value, "'''")
			if before, after, ok := strings.Cut(rest, "'''"); ok {
				p.value = before + after
				break
			}
			var text []string
			if rest != "" {
				text = append(text, rest)
			}
			for i++; i < len(b.lines) && !strings.Contains(b.lines[i], "'''"); i++ {
				text = append(text, b.lines[i])
			}
			p.value = dedent(text)
			if i >= len(b.lines) {
				f.warn(b.line+first, "a text without its closing quotes")
			} else if _, after, _ := strings.Cut(b.lines[i], "'''"); strings.TrimSpace(after) != "" {
				p.value += " " + strings.TrimSpace(after)
			}
		case p.value == "[":
			var items []string
			for i++; i < len(b.lines) && strings.TrimSpace(b.lines[i]) != "]"; i++ {
				if s := strings.TrimSuffix(strings.TrimSpace(b.lines[i]), ","); s != "" {
					items = append(items, s)
				}
			}
			p.value = strings.Join(items, "\n")
		}
		out = append(out, p)
	}
	return out
}

// cutPair cuts a line at the colon after its name, which may stand in quotes.
func cutPair(line string) (name, value string) {
	if strings.HasPrefix(line, `"`) {
		for i := 1; i < len(line); i++ {
			if line[i] == '\\' {
				i++
			} else if line[i] == '"' {
				rest := strings.TrimSpace(line[i+1:])
				return unquoteBru(line[:i+1]), strings.TrimSpace(strings.TrimPrefix(rest, ":"))
			}
		}
	}
	name, value, _ = strings.Cut(line, ":")
	return strings.TrimSpace(name), strings.TrimSpace(value)
}

func unquoteBru(s string) string {
	s = strings.TrimSpace(s)
	if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '"' && s[0] != '\'' {
		return s
	}
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(s[1 : len(s)-1])
}

// dedent takes off the indentation that all lines have.
func dedent(lines []string) string {
	least := -1
	for _, l := range lines {
		if t := strings.TrimLeft(l, " "); t != "" && (least < 0 || len(l)-len(t) < least) {
			least = len(l) - len(t)
		}
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = l[min(max(least, 0), len(l)-len(strings.TrimLeft(l, " "))):]
	}
	return strings.TrimRight(strings.Join(out, "\n"), "\n")
}

// value returns the value of a name in a block of pairs.
func (f *bruFile) value(block, name string) string {
	for _, p := range f.pairs(f.get(block)) {
		if p.name == name && !p.off {
			return p.value
		}
	}
	return ""
}

func readBruno(file string, data []byte) (*Collection, error) {
	b, err := parseBru(file, data)
	if err != nil {
		return nil, err
	}
	c := &Collection{Format: "bruno", File: file, Name: strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), Foreign: b}
	kind := b.value("meta", "type")
	it := b.item()
	if it.Request == nil {
		// A collection's or folder's own file, or an environment.
		c.Scope, c.Doc = it.Scope, it.Doc
		if it.Name != "" {
			c.Name = it.Name
		}
		if b.get("headers") != nil {
			b.warn(b.get("headers").line, "header fields of a %s, which count only when its folder is read", kind)
		}
		c.Variables = append(c.Variables, b.environment()...)
	} else {
		c.Items = []*Item{it}
	}
	c.Warnings = b.warnings
	return c, nil
}

// environment reads the blocks of an environment's file.
func (b *bruFile) environment() []Variable {
	var out []Variable
	for _, p := range b.pairs(b.get("vars")) {
		out = append(out, Variable{Name: p.name, Value: p.value, Disabled: p.off})
	}
	if s := b.get("vars:secret"); s != nil {
		for _, l := range s.lines {
			name := strings.TrimSuffix(strings.TrimSpace(l), ",")
			if name != "" {
				out = append(out, Variable{Name: strings.TrimPrefix(name, "~"), Secret: true, Disabled: strings.HasPrefix(name, "~")})
			}
		}
	}
	return out
}

func bruEnvironment(file string, data []byte) ([]Variable, error) {
	b, err := parseBru(file, data)
	if err != nil {
		return nil, err
	}
	if b.get("meta") != nil || b.get("vars") == nil && b.get("vars:secret") == nil && len(b.blocks) > 0 {
		return nil, &Error{File: file, Line: 1, Column: 1, Text: "is no environment: it has no block vars"}
	}
	return b.environment(), nil
}

// fields are pairs as fields.
func (b *bruFile) fields(block string) []Field {
	var out []Field
	for _, p := range b.pairs(b.get(block)) {
		out = append(out, Field{Name: p.name, Value: p.value, Doc: p.doc, Disabled: p.off})
	}
	return out
}

func number64(s string) float64 {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || f < 0 || f > 1e9 {
		return 0
	}
	return f
}
