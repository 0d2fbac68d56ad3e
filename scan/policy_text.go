package scan

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A person's YAML is kept to the byte: lines are put between its lines.

// place is where a section stands in a policy.
type place struct {
	name       string
	first, end int // lines from 0: of its name, and after its last one
	value      *yaml.Node
}

// sectionsOf are the sections at the top of a policy, or none when it cannot be
// read.
func sectionsOf(text []byte) []place {
	var doc yaml.Node
	if yaml.Unmarshal(text, &doc) != nil || len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return nil
	}
	n, lines := doc.Content[0], linesOf(text)
	var out []place
	for i := 0; i+1 < len(n.Content); i += 2 {
		p := place{name: n.Content[i].Value, first: n.Content[i].Line - 1, end: len(lines), value: n.Content[i+1]}
		if i+2 < len(n.Content) {
			p.end = n.Content[i+2].Line - 1
		}
		for l := p.first + 1; l < p.end; l++ {
			if strings.HasPrefix(lines[l], "...") {
				p.end = l
			}
		}
		// Empty lines and comments at the margin belong to what comes after.
		for p.end > p.first+1 {
			if l := strings.TrimSpace(lines[p.end-1]); l == "" || strings.HasPrefix(lines[p.end-1], "#") {
				p.end--
				continue
			}
			break
		}
		out = append(out, p)
	}
	return out
}

func linesOf(text []byte) []string {
	lines := strings.SplitAfter(string(text), "\n")
	if last := len(lines) - 1; lines[last] == "" {
		lines = lines[:last]
	}
	return lines
}

// insert puts additions into a policy: items behind those that a section has,
// and sections that are not there behind all others.
func insert(text []byte, additions []addition) ([]byte, error) {
	for _, a := range additions {
		var err error
		if text, err = insertOne(text, a); err != nil {
			return nil, err
		}
	}
	return text, nil
}

func insertOne(text []byte, a addition) ([]byte, error) {
	eol := "\n"
	if bytes.Contains(text, []byte("\r\n")) {
		eol = "\r\n"
	}
	item := a.section == "rules" || a.section == "fields" || a.section == "limits"
	for _, p := range sectionsOf(text) {
		if p.name != a.section {
			continue
		}
		if !item {
			return nil, fmt.Errorf("scan: the policy has a section %s already", a.section)
		}
		null := p.value.Kind == yaml.ScalarNode && p.value.Tag == "!!null" && p.value.Value == ""
		if !null && (p.value.Kind != yaml.SequenceNode || p.value.Style&yaml.FlowStyle != 0) {
			return nil, &InlineError{a.section, a.lines("- ")}
		}
		lines := linesOf(text)
		indent := "  "
		for _, l := range lines[p.first+1 : p.end] {
			if t := strings.TrimLeft(l, " "); strings.HasPrefix(t, "- ") || strings.TrimSpace(t) == "-" {
				indent = l[:len(l)-len(t)]
				break
			}
		}
		return splice(lines, p.end, a.indented(indent), eol), nil
	}
	lines := linesOf(text)
	at := len(lines)
	for i, l := range lines {
		if strings.HasPrefix(l, "...") {
			at = i
			break
		}
	}
	var b strings.Builder
	short := !item && !strings.Contains(a.text, "\n") && a.comment == ""
	if last := at - 1; at > 0 && strings.TrimSpace(lines[last]) != "" && !(short && a.section != "api" && isShort(lines[last])) {
		b.WriteString("\n")
	}
	if item {
		b.WriteString(a.section + ":\n" + a.indented("  "))
	} else {
		b.WriteString(a.lines(""))
	}
	return splice(lines, at, b.String(), eol), nil
}

var shortLine = regexp.MustCompile(`^[a-z_]+: \S`)

func isShort(line string) bool { return shortLine.MatchString(line) }

// splice puts lines between lines.
func splice(lines []string, at int, more, eol string) []byte {
	var b bytes.Buffer
	put := func(l string) {
		b.WriteString(l)
		if !strings.HasSuffix(l, "\n") {
			b.WriteString(eol)
		}
	}
	for _, l := range lines[:at] {
		put(l)
	}
	b.WriteString(strings.ReplaceAll(more, "\n", eol))
	for _, l := range lines[at:] {
		put(l)
	}
	return b.Bytes()
}

// lines are an addition as it is written, with a dash or nothing before it.
func (a addition) lines(dash string) string {
	var b strings.Builder
	for l := range strings.SplitSeq(a.comment, "\n") {
		if l != "" {
			b.WriteString("# " + l + "\n")
		}
	}
	for i, l := range strings.Split(a.text, "\n") {
		switch {
		case i == 0:
			b.WriteString(dash + l + "\n")
		default:
			b.WriteString(strings.Repeat(" ", len(dash)) + l + "\n")
		}
	}
	return b.String()
}

func (a addition) indented(indent string) string {
	var b strings.Builder
	for l := range strings.Lines(a.lines("- ")) {
		b.WriteString(indent + l)
	}
	return b.String()
}

// An InlineError says that a section is written in one line, into which nothing
// can be put without writing it anew.
type InlineError struct{ Section, Lines string }

func (e *InlineError) Error() string {
	return "scan: " + e.Section + " is written in brackets; put it on lines of their own first, each behind a dash"
}

var plainScalar = regexp.MustCompile(`^[A-Za-z/.][^#:'"\[\]{},&*!|>%@\x60]*$`)

// quoted is a text as YAML takes it for the same text.
func quoted(s string) string {
	if plainExpression.MatchString(s) && !strings.Contains(s, ": ") && !strings.Contains(s, " #") && !strings.HasSuffix(s, ":") && strings.TrimSpace(s) == s {
		var back any
		if yaml.Unmarshal([]byte(s), &back) == nil && back == any(s) {
			return s
		}
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

var plainExpression = regexp.MustCompile(`^[A-Za-z_/.][^\n"'#]*$`)

// inFlow is a text as YAML takes it within brackets.
func inFlow(s string) string {
	if plainScalar.MatchString(s) {
		return quoted(s)
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}
