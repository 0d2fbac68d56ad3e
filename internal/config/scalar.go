package config

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// Text returns a scalar's text; ok is false when the section is a list, holds
// fields, or is not in the file.
func (s Section) Text() (text string, ok bool) {
	if s.node == nil {
		return "", false
	}
	n := resolve(s.node)
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return "", false
	}
	return n.Value, true
}

// PlaceIn returns where in the file the given line and column (from 1) of a
// scalar's text stand. source is the file's text: in blocks it tells the
// indentation. In a text that YAML folded it is the beginning of the scalar.
func (s Section) PlaceIn(source []byte, line, column int) (fileLine, fileColumn int) {
	if s.node == nil {
		return 0, 0
	}
	n := resolve(s.node)
	lines := strings.Split(string(source), "\n")
	indent := func(l int) int {
		if l < 1 || l > len(lines) {
			return 0
		}
		return len(lines[l-1]) - len(strings.TrimLeft(lines[l-1], " "))
	}
	switch {
	case n.Style&yaml.LiteralStyle != 0:
		l := n.Line + line
		return l, indent(n.Line+1) + column
	case n.Style&yaml.FoldedStyle != 0:
		// The text is on one line here; count through the lines there.
		for l := n.Line + 1; l <= len(lines); l++ {
			width := len(strings.TrimSpace(lines[l-1]))
			if column <= width || width == 0 {
				return l, indent(l) + column
			}
			column -= width + 1
		}
		return n.Line, n.Column
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		column++
	}
	if line > 1 || n.Line < 1 || n.Line > len(lines) || n.Column+column-2 > len(lines[n.Line-1]) {
		return n.Line, n.Column
	}
	return n.Line, n.Column + column - 1
}

// Place is "parley.yaml:14": the file's own name and the section's line.
func (s Section) Place() string {
	file := s.File[strings.LastIndexByte(s.File, '/')+1:]
	e := Error{File: file, Line: s.Line()}
	return e.Place()
}
