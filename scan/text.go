package scan

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

// A View says how a result is written for a person.
type View struct {
	// Width in columns. Zero means 80.
	Width int
	// Color allows colours.
	Color bool
	// Verbose adds the requests that show each finding, as command lines, and
	// what each person got.
	Verbose bool
	// Visible makes strangers' text fit for a terminal. Nil leaves it.
	Visible func(string) string
}

// Write writes a result: what was found, the worst first, with what to do and
// how to show it again, and a line that sums up. The result must have been
// masked.
func Write(w io.Writer, r *Result, v View) error {
	if v.Width == 0 {
		v.Width = 80
	}
	if v.Visible == nil {
		v.Visible = func(s string) string { return s }
	}
	t := &textWriter{Writer: bufio.NewWriter(w), View: v}
	for i, f := range r.Findings {
		if !f.Counts() {
			continue
		}
		first := i == 0 || r.Findings[i-1].Check != f.Check
		fix := i+1 == len(r.Findings) || r.Findings[i+1].Check != f.Check || !r.Findings[i+1].Counts()
		t.finding(f, first, fix)
	}
	t.apart(r)
	if v.Verbose {
		t.access(r)
	}
	for _, n := range r.Notes {
		t.lines(2, "note: ", n)
	}
	for _, l := range r.Left {
		t.lines(2, "left: ", l+" was made by the scan and could not be taken away")
	}
	if len(r.Notes)+len(r.Left) > 0 {
		t.WriteByte('\n')
	}
	t.lines(0, "", Summary(r))
	return t.Flush()
}

// Summary says in a line what a scan found.
func Summary(r *Result) string {
	confirmed, likely, known, suppressed := r.Counted()
	s := plural(confirmed, "finding", "findings")
	if confirmed == 0 {
		s = "nothing found"
	}
	var more []string
	for _, p := range []struct {
		n    int
		word string
	}{{likely, "likely"}, {known, "known"}, {suppressed, "suppressed"}} {
		if p.n > 0 {
			more = append(more, fmt.Sprintf("%d %s", p.n, p.word))
		}
	}
	if len(more) > 0 {
		s += " (" + strings.Join(more, ", ") + ")"
	}
	s += " in " + plural(r.Requests, "request", "requests")
	if r.Incomplete != "" {
		s += "; not complete: " + r.Incomplete
	}
	for _, f := range r.Findings {
		if f.Counts() && f.Verdict == exchange.Confirmed {
			again := "show one again: parley scan --replay " + f.ID
			if len(s)+len(again) > 76 { // a command in two lines cannot be copied
				return s + "\n" + again
			}
			return s + "; " + again
		}
	}
	return s
}

type textWriter struct {
	*bufio.Writer
	View
}

func (t *textWriter) paint(color, s string) string {
	if !t.Color {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

// lines writes text from a column on, with a word before its first line.
func (t *textWriter) lines(indent int, first, text string) {
	lead := strings.Repeat(" ", indent) + first
	n := utf8.RuneCountInString(lead)
	for i, line := range wrap(t.Visible(text), t.Width-n) {
		if i == 1 {
			lead = strings.Repeat(" ", n)
		}
		fmt.Fprintf(t, "%s%s\n", lead, line)
	}
}

var severityColor = map[exchange.Severity]string{exchange.Critical: "1;31", exchange.High: "31", exchange.Medium: "33", exchange.Low: "36", exchange.Info: "2"}

func (t *textWriter) finding(f *Finding, first, fix bool) {
	op := t.Visible(f.Operation)
	head := fmt.Sprintf("%s  %s", f.Check, op)
	says, saw := f.Says(), f.Evidence
	if says == f.Title && len(saw) > 0 {
		says, saw = saw[0].String(), saw[1:]
	}
	says = t.Visible(says)
	painted := t.paint(severityColor[f.Severity], f.Check) + "  " + op
	if n := utf8.RuneCountInString(head); n+3+utf8.RuneCountInString(says) <= t.Width {
		fmt.Fprintf(t, "%s   %s\n", painted, says)
	} else {
		fmt.Fprintln(t, painted)
		t.lines(2, "", says)
	}
	if first {
		t.lines(2, "", f.Title)
	}
	t.lines(2, "", t.standing(f))
	if n := len(f.Operations); n > 1 {
		t.lines(2, "also:  ", strings.Join(others(f), ", "))
	}
	if f.ImpliedBy != "" {
		t.lines(2, "follows from ", f.ImpliedBy)
	}
	if f.Missing != "" {
		t.lines(2, "not proved: ", f.Missing)
	}
	if t.Verbose || f.Of == "" {
		for _, e := range saw[:min(len(saw), 5)] {
			t.lines(2, "saw:   ", e.String())
		}
	}
	if t.Verbose {
		for _, p := range f.Proof {
			what := "proof: "
			if p.Control {
				what = "check: "
			}
			t.lines(2, what, fmt.Sprintf("%s as %s: %d", p.Request, p.As, p.Status))
		}
		for _, p := range f.Proof {
			if p.Curl != "" {
				for line := range strings.Lines(p.Curl) { // a command is pasted as it is
					fmt.Fprintf(t, "    %s\n", t.Visible(strings.TrimRight(line, "\n")))
				}
			}
		}
	}
	if fix {
		t.lines(2, "fix:   ", oneLine(f.Fix))
	}
	t.lines(2, "again: ", "parley scan --replay "+f.ID)
	t.WriteByte('\n')
}

// standing is how bad a finding is, how sure, what was changed, and its kind
// elsewhere.
func (t *textWriter) standing(f *Finding) string {
	s := f.Severity.String() + ", " + string(f.Verdict)
	if f.Parameter != "" {
		s += "; " + f.Parameter
	}
	if f.OWASP != "" {
		s += "; " + f.OWASP
	}
	if f.CWE != 0 {
		s += fmt.Sprintf(" CWE-%d", f.CWE)
	}
	return s
}

// shownOperations is how many others are named.
const shownOperations = 4

func others(f *Finding) (out []string) {
	for _, op := range f.Operations {
		if op != f.Operation {
			out = append(out, op)
		}
	}
	if n := len(out); n > shownOperations {
		out = append(out[:shownOperations], fmt.Sprintf("and %d more", n-shownOperations))
	}
	return out
}

// apart lists what does not count: it stays to be seen.
func (t *textWriter) apart(r *Result) {
	any := false
	for _, f := range r.Findings {
		switch {
		case f.Suppressed != "":
			t.lines(0, "suppressed  ", fmt.Sprintf("%s %s  %s", f.ID, f.Check, f.Operation))
			t.lines(12, "reason: ", f.Suppressed)
		case f.Known:
			t.lines(0, "known       ", fmt.Sprintf("%s %s  %s", f.ID, f.Check, f.Operation))
		default:
			continue
		}
		any = true
	}
	if any {
		t.WriteByte('\n')
	}
}

// access says what each person got of each operation, of their own and of
// others'.
func (t *textWriter) access(r *Result) {
	if len(r.Access) == 0 {
		return
	}
	fmt.Fprintln(t, "who got what (own / others')")
	for _, row := range r.Access {
		var cells []string
		for _, c := range row.Cells {
			s := c.Who + " " + orDash(c.Own)
			if c.Others != "" {
				s += "/" + c.Others
			}
			cells = append(cells, s)
		}
		t.lines(2, "", row.Operation)
		t.lines(6, "", strings.Join(cells, ", "))
	}
	t.WriteByte('\n')
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// WritePlan writes what a scan would send.
func WritePlan(w io.Writer, p *Plan, v View) error {
	if v.Width == 0 {
		v.Width = 80
	}
	if v.Visible == nil {
		v.Visible = func(s string) string { return s }
	}
	t := &textWriter{Writer: bufio.NewWriter(w), View: v}
	t.lines(0, "", fmt.Sprintf("nothing is sent. To %s, as %s, there would go:", p.Target, strings.Join(p.People, ", ")))
	t.WriteByte('\n')
	for _, ph := range p.Phases {
		fmt.Fprintf(t, "%5d  %s\n", ph.Requests, ph.Phase)
		if c := check.ByID(ph.Phase); c != nil {
			t.lines(7, "", c.Title)
		}
		if len(ph.Operations) > 0 {
			n := len(ph.Operations)
			ops := ph.Operations
			if !t.Verbose && n > shownOperations {
				ops = append(ops[:shownOperations:shownOperations], fmt.Sprintf("and %d more", n-shownOperations))
			}
			t.lines(7, "", strings.Join(ops, ", "))
		}
	}
	t.WriteByte('\n')
	t.lines(0, "", fmt.Sprintf("about %s when all is answered as it is described, never more than %d", plural(p.Requests, "request", "requests"), p.Most))
	return t.Flush()
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// wrap cuts text into lines, at spaces where there are some.
func wrap(s string, width int) (lines []string) {
	line := ""
	for _, w := range strings.Fields(s) {
		for utf8.RuneCountInString(w) > width {
			if line != "" {
				lines, line = append(lines, line), ""
			}
			r := []rune(w)
			lines, w = append(lines, string(r[:width])), string(r[width:])
		}
		switch {
		case line == "":
			line = w
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) <= width:
			line += " " + w
		default:
			lines, line = append(lines, line), w
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
