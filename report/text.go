package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

// Text writes a report for a terminal: findings by check, worst first, then
// what guard did.
func Text(w io.Writer, r *Report) error {
	t := &textWriter{Writer: bufio.NewWriter(w), r: r, width: max(r.Width, 40)}
	findings, actions := r.Groups()
	for _, g := range findings {
		t.group(g)
	}
	if len(actions) > 0 {
		t.rule("guard")
	}
	for _, g := range actions {
		t.actions(g)
	}
	if len(findings)+len(actions) > 0 {
		t.WriteByte('\n')
	}
	t.summary()
	return t.Flush()
}

type textWriter struct {
	*bufio.Writer
	r     *Report
	width int
	begun bool
}

// Colours by severity, and the few other uses of them.
var severityColor = [...]string{exchange.Info: "2", exchange.Low: "36", exchange.Medium: "33", exchange.High: "31", exchange.Critical: "1;31"}

const (
	bold = "1"
	dim  = "2"
)

func (t *textWriter) paint(color, s string) string {
	if !t.r.Color || s == "" {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

func (t *textWriter) paragraph(indent int, color, first, s string) {
	for i, line := range words(Visible(s), t.width-indent-utf8.RuneCountInString(first)) {
		lead := first
		if i > 0 {
			lead = strings.Repeat(" ", utf8.RuneCountInString(first))
		}
		fmt.Fprintf(t, "%s%s%s\n", strings.Repeat(" ", indent), t.paint(dim, lead), t.paint(color, line))
	}
}

func (t *textWriter) rule(word string) {
	if t.begun {
		t.WriteByte('\n')
	}
	fmt.Fprintln(t, t.paint(dim, "── "+word+" "+strings.Repeat("─", max(t.width-4-utf8.RuneCountInString(word), 0))))
	t.begun = true
}

func (t *textWriter) head(g Group) {
	if t.begun {
		t.WriteByte('\n')
	}
	t.begun = true
	word := fmt.Sprintf("%-9s", strings.ToUpper(g.Severity.String()))
	id := Visible(g.Check.ID)
	class := classes(g.Check)
	gap := t.width - 9 - utf8.RuneCountInString(id) - utf8.RuneCountInString(class)
	fmt.Fprintf(t, "%s%s%s%s\n", t.paint(color(g.Severity), word), t.paint(bold, id), strings.Repeat(" ", max(gap, 1)), t.paint(dim, class))
}

func color(s exchange.Severity) string {
	if s < 0 || int(s) >= len(severityColor) {
		return bold
	}
	return severityColor[s]
}

// classes are the names of a flaw's kind elsewhere.
func classes(c *check.Check) string {
	var cs []string
	if c.OWASP != "" {
		cs = append(cs, c.OWASP)
	}
	if c.CWE != 0 {
		cs = append(cs, fmt.Sprintf("CWE-%d", c.CWE))
	}
	return strings.Join(cs, "  ")
}

func (t *textWriter) group(g Group) {
	t.head(g)
	t.paragraph(9, "", "", g.Check.Title)
	for _, es := range byEvidence(g.Entries) {
		t.evidence(es[0])
		for _, e := range es {
			says := string(e.Verdict)
			if e.Severity != g.Severity {
				says = e.Severity.String() + ", " + says
			}
			id := ""
			if len(e.Exchanges) > 0 {
				id = string(e.Exchanges[0])
			}
			t.place(e.Operation, says+times(e.Count), id)
		}
	}
	if g.Check.Fix != "" {
		t.paragraph(2, "", "fix  ", oneLine(g.Check.Fix))
	}
}

// actions is the same for what guard did.
func (t *textWriter) actions(g Group) {
	t.head(g)
	for _, es := range byEvidence(g.Entries) {
		t.evidence(es[0])
		for _, e := range es {
			t.place(e.Operation, did(e)+times(e.Count), e.Rule)
		}
	}
}

// byEvidence puts entries together that say the same of different operations.
func byEvidence(es []*Entry) [][]*Entry {
	var out [][]*Entry
	index := map[string]int{}
	for _, e := range es {
		key := fmt.Sprint(e.Evidence)
		i, ok := index[key]
		if !ok {
			i = len(out)
			index[key], out = i, append(out, nil)
		}
		out[i] = append(out[i], e)
	}
	return out
}

func (t *textWriter) evidence(e *Entry) {
	for _, v := range e.Evidence {
		t.paragraph(2, "", "", v.String())
	}
}

// place is a line of three columns: the operation, what is said of it, and a
// reference, at the right end. What has no room in its column gets a line.
func (t *textWriter) place(operation, says, reference string) {
	const indent, idWidth, saysWidth = 4, 26, 16
	operation, says, reference = Visible(operation), Visible(says), Visible(reference)
	rest := idWidth + 2
	room := t.width - indent - rest - saysWidth - 1
	n := utf8.RuneCountInString(operation)
	if n > room {
		t.paragraph(indent, "", "", operation)
		operation, n = "", 0
	}
	fmt.Fprintf(t, "%s%s%s", strings.Repeat(" ", indent), operation, strings.Repeat(" ", max(room-n+1, 1)))
	if reference == "" {
		fmt.Fprintf(t, "%s\n", says)
		return
	}
	pad := saysWidth - utf8.RuneCountInString(says) + 2 + idWidth - utf8.RuneCountInString(reference)
	fmt.Fprintf(t, "%s%s%s\n", says, strings.Repeat(" ", max(pad, 1)), t.paint(dim, reference))
}

func did(e *Entry) string {
	if e.Status != 0 && e.Kind == Refused {
		return fmt.Sprintf("%s %d", e.Did(), e.Status)
	}
	return e.Did()
}

func times(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(" ×%d", n)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func (t *textWriter) summary() {
	line := Summary(t.r)
	if n := t.r.Failures(); n > 0 {
		line += fmt.Sprintf(" %s confirmed at %s or above.", plural(n, "is", "are"), t.r.FailOn)
	}
	t.paragraph(0, bold, "", line)
	if t.r.Omitted > 0 {
		t.paragraph(0, "", "", fmt.Sprintf("%d more were left out: there are too many different ones. A filter narrows it.", t.r.Omitted))
	}
}

// Summary says in a sentence what a report found.
func Summary(r *Report) string {
	found, did := r.Tally()
	total := 0
	var parts []string
	for s := exchange.Critical; s >= exchange.Info; s-- {
		if n := found[s]; n > 0 {
			total += n
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	s := fmt.Sprintf("nothing found in %s", plural(r.Exchanges, "exchange", "exchanges"))
	if total > 0 {
		s = fmt.Sprintf("%s in %s: %s", plural(total, "finding", "findings"), plural(r.Exchanges, "exchange", "exchanges"), strings.Join(parts, ", "))
	}
	apart := 0
	for _, e := range r.entries {
		if !e.Counts() {
			apart++
		}
	}
	if apart > 0 {
		s += fmt.Sprintf("; %d known or suppressed", apart)
	}
	parts = nil
	for _, k := range []string{"refused", "stripped", "repaired", "would refuse", "would strip", "would repair"} {
		if n := did[k]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", k, plural(n, "time", "times")))
		}
	}
	if len(parts) > 0 {
		s += "; guard " + strings.Join(parts, ", ")
	}
	return s + "."
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
