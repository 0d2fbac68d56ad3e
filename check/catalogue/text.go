package catalogue

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/parley-project/parley/check"
)

// width is how wide text is written: terminals are at least that.
const width = 80

// List writes one line for each entry, in groups.
func List(w io.Writer, entries []Entry, by By) error {
	b := bufio.NewWriter(w)
	for i, g := range Grouped(entries, by) {
		if i > 0 {
			b.WriteByte('\n')
		}
		longest := 0
		for _, e := range g.Entries {
			longest = max(longest, len(e.ID))
		}
		write(b, g.Name, "", "")
		for _, e := range g.Entries {
			mark := " "
			if len(e.Switches) > 0 {
				mark = "*"
			}
			write(b, e.Title, fmt.Sprintf("  %-*s %s %-8s  ", longest, e.ID, mark, e.Severity), "")
		}
	}
	return b.Flush()
}

// Text explains one entry.
func Text(w io.Writer, e Entry) error {
	b := bufio.NewWriter(w)
	write(b, e.Title, e.ID+": ", "")
	b.WriteByte('\n')
	write(b, paragraph(e.Doc), "", "")
	b.WriteByte('\n')
	const indent = "            "
	field := func(name, text string) {
		if text != "" {
			write(b, paragraph(text), fmt.Sprintf("%-*s", len(indent), name), indent)
		}
	}
	field("seen", seen(e.Check))
	field("stopped", stopped(e.Check))
	field("fix", e.Fix)
	for i, s := range e.Switches {
		if i == 0 {
			field("switch", s)
		} else {
			field("", s)
		}
	}
	if e.Remedy != "" {
		b.WriteString("\nparley.yaml, for guard to stop it, such as\n\n")
		for line := range strings.Lines(strings.TrimSpace(e.Remedy)) {
			b.WriteString("  " + strings.TrimRight(line, " \n") + "\n")
		}
	}
	b.WriteByte('\n')
	field("severity", e.Severity.String())
	field("step", fmt.Sprintf("%d %s", int(e.Step), e.Step))
	field("OWASP", e.OWASP+" "+check.ClassName(e.OWASP))
	field("CWE", check.WeaknessID(e.CWE)+" "+check.WeaknessName(e.CWE))
	field("also called", strings.Join(e.Aliases, ", "))
	field("implies", strings.Join(e.Implies, ", "))
	for i, f := range facts(e.Check) {
		name := ""
		if i == 0 {
			name = "keeps"
		}
		field(name, fmt.Sprintf("%d %s", f.Number, f.Says))
	}
	if e.Paste != "" {
		fmt.Fprintf(b, "\n  %s\n", e.Paste)
	}
	return b.Flush()
}

// write writes a text in lines of at most width columns. first stands before
// it; rest stands before all lines but the first, or as much space as first
// takes when it is empty.
func write(b *bufio.Writer, text, first, rest string) {
	if rest == "" {
		rest = strings.Repeat(" ", utf8.RuneCountInString(first))
	}
	b.WriteString(first)
	at := utf8.RuneCountInString(first)
	start := true
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case start:
		case at+1+n > width:
			b.WriteString("\n" + rest)
			at = utf8.RuneCountInString(rest)
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
		start = false
	}
	b.WriteByte('\n')
}
