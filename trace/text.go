package trace

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
)

// A View says how an exchange is drawn.
type View struct {
	// Width in columns. Zero means 80; less than 60 is taken as 60.
	Width int
	Color bool
	// ASCII draws with nothing else.
	ASCII bool
	// Verbose draws every fact, Quiet one line.
	Verbose, Quiet bool
	// As is who asked, in the words of the person who traces.
	As string
	// Probed are the probes' answers.
	Probed []Probed
	// Key is for the placeholders of secrets. Nil means a random one.
	Key []byte
}

// Write draws an exchange from any tool: a line for each of its seven steps,
// what was found below it, and the times. No line is longer than the width.
func Write(w io.Writer, x *exchange.Exchange, o View) error {
	if o.Width == 0 {
		o.Width = 80
	}
	o.Width = max(o.Width, 60)
	o.Key = keyOr(o.Key) // one for all of it: equal secrets look equal
	t := &text{Writer: bufio.NewWriter(w), View: o}
	d := masked(x, o.Key)
	vs := steps(x, o.Probed, o.Key)
	if o.Quiet {
		t.quiet(d, vs)
		return t.Flush()
	}
	t.head(d)
	for i := range vs {
		t.step(&vs[i])
	}
	t.end(d, vs)
	return t.Flush()
}

type text struct {
	*bufio.Writer
	View
}

// The colours of verdicts and severities, and the few others.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

var verdictColor = map[Verdict]string{OK: green, Warn: yellow, Fail: "1;31", Skipped: dim, Unknown: dim}

var severityColor = [...]string{exchange.Info: dim, exchange.Low: cyan, exchange.Medium: yellow, exchange.High: red, exchange.Critical: "1;31"}

func (t *text) paint(color, s string) string {
	if !t.Color || color == "" || strings.TrimSpace(s) == "" {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

func (t *text) safe(s string) string { return visible(s, t.ASCII) }

// head is the line above the steps.
func (t *text) head(x *exchange.Exchange) {
	line := t.safe(strings.TrimSpace(x.Request.Method + " " + x.Request.URL()))
	var rest []string
	if t.As != "" {
		rest = append(rest, "as "+t.safe(t.As))
	}
	if x.TCP != nil && x.TCP.Proxy != "" {
		rest = append(rest, "through a proxy")
	}
	if !x.Start.IsZero() {
		rest = append(rest, x.Start.UTC().Format(time.RFC3339))
	}
	for i, r := range rest {
		if i == 0 && t.As != "" || columns(line)+3+columns(r) <= t.Width {
			line += "   " + r
		}
	}
	for _, l := range fold(line, t.Width) {
		fmt.Fprintln(t, t.paint(bold, spaces(l)))
	}
}

// Where the columns of a step's lines begin.
const (
	saysAt = 28 // what a step says
	factAt = 12 // what a fact says
	fixAt  = 14 // a finding, and its fix
)

func (t *text) step(v *StepView) {
	when := ""
	if v.Time > 0 {
		when = spaces(duration(v.Time))
	}
	fmt.Fprintf(t, "%d %s%s%s  ", int(v.Step), t.paint(bold, fmt.Sprintf("%-9s", strings.ToUpper(v.Step.String()))),
		t.paint(verdictColor[v.Verdict], fmt.Sprintf("%-8s", v.Verdict)), t.paint(dim, fmt.Sprintf("%7s", when)))
	t.lines(saysAt, "", t.says(v))
	for _, f := range v.Facts {
		if f.Show == Always || t.Verbose || f.Show == Telling && (v.Verdict == Warn || v.Verdict == Fail) {
			fmt.Fprintf(t, "   %s", t.paint(dim, fmt.Sprintf("%-9s", t.safe(cut(f.Name, 8)))))
			t.lines(factAt, "", t.safe(f.Says))
		}
	}
	for i := 0; i < len(v.Findings); {
		n := i + 1
		for n < len(v.Findings) && v.Findings[n].Check == v.Findings[i].Check && v.Findings[n].Severity == v.Findings[i].Severity && v.Findings[n].Verdict == v.Findings[i].Verdict {
			n++
		}
		t.finding(v.Findings[i:n], v.Fixes[i:n])
		i = n
	}
	for _, note := range v.Notes {
		t.WriteString("   > ")
		t.lines(5, "", t.safe(note))
	}
}

// says fits what a step says into one line, but for what it says first: that
// is said whole.
func (t *text) says(v *StepView) string {
	line := ""
	for i, s := range v.Says {
		s = t.safe(s)
		switch {
		case i == 0:
			line = s
		case t.Verbose || columns(line)+2+columns(s) <= t.Width-saysAt:
			line += "  " + s
		}
	}
	return line
}

// lines writes a text of which the first line is begun, at a column.
func (t *text) lines(at int, color, s string) {
	for i, l := range fold(s, t.Width-at) {
		if i > 0 {
			t.WriteString(strings.Repeat(" ", at))
		}
		fmt.Fprintln(t, t.paint(color, spaces(l)))
	}
}

// spaces is a line with the spaces at which it was not to be cut.
func spaces(s string) string { return strings.ReplaceAll(s, "\u00a0", " ") }

// finding writes findings of one check: what was wrong, and what to do.
func (t *text) finding(fs []exchange.Finding, fixes []string) {
	f := &fs[0]
	if (f.Severity == exchange.Info || f.Verdict == exchange.Unknown) && !t.Verbose {
		return
	}
	word := "[" + f.Severity.String() + "]"
	if f.Verdict == exchange.Unknown {
		word = "[unknown]"
	}
	color := dim
	if f.Severity >= 0 && int(f.Severity) < len(severityColor) {
		color = severityColor[f.Severity]
	}
	fmt.Fprintf(t, "   %s", t.paint(color, fmt.Sprintf("%-*s", fixAt-3, word)))
	says := t.safe(f.Check)
	if f.Verdict == exchange.Likely {
		says += " (likely)"
	}
	says += "  " + t.evidence(fs)
	if len(fixes) == 1 && fixes[0] != "" && fixAt+columns(says)+8+columns(fixes[0]) <= t.Width {
		fmt.Fprintln(t, spaces(says+"   fix: "+t.safe(fixes[0])))
		return
	}
	t.lines(fixAt, "", says)
	for i, fix := range fixes {
		if fix == "" || slices.Contains(fixes[:i], fix) {
			continue
		}
		t.WriteString(strings.Repeat(" ", fixAt) + "fix: ")
		t.lines(fixAt+5, "", t.safe(fix))
	}
}

// maxEvidence is how much of the evidence is drawn.
const maxEvidence = 6

func (t *text) evidence(fs []exchange.Finding) string {
	var parts []string
	more := 0
	for _, f := range fs {
		for _, e := range f.Evidence {
			if s := t.safe(cut(e.String(), 160)); len(parts) == maxEvidence && !t.Verbose {
				more++
			} else if !slices.Contains(parts, s) {
				parts = append(parts, s)
			}
		}
	}
	if len(parts) == 0 {
		return t.safe(titleOf(fs[0].Check))
	}
	s := strings.Join(parts, "; ")
	if more > 0 {
		s += fmt.Sprintf("; and %d more", more)
	}
	return s
}

// end writes the times and the verdict: one line when all is well.
func (t *text) end(x *exchange.Exchange, vs []StepView) {
	verdict := Judgement(vs)
	total := whole(x)
	word := t.paint(verdictColor[verdict], string(verdict))
	if verdict == OK && !t.Verbose {
		const room = len("verdict ok   ") + len("   100.0 ms total")
		if bar := t.bar(x, min(t.Width-room, 60)); bar != "" {
			fmt.Fprintf(t, "verdict %s   %s   %s total\n", word, bar, spaces(duration(total)))
		} else {
			fmt.Fprintf(t, "verdict %s\n", word)
		}
		return
	}
	t.WriteByte('\n')
	if times := phasesText(x); times != "" {
		t.WriteByte(' ')
		t.lines(1, dim, times+"  total "+duration(total))
	}
	if bar := t.bar(x, t.Width-1); bar != "" {
		fmt.Fprintf(t, " %s\n", bar)
	}
	says := tally(vs)
	switch {
	case x.FailedAt != 0:
		says = joinNonEmpty([]string{"the call ended at step " + x.FailedAt.String(), says}, "; ")
	case verdict == Fail && says == "":
		says = "the channel was not verified"
	}
	if verdict == Warn && says == "" && x.Response != nil {
		says = fmt.Sprintf("the answer is %d", x.Response.Status)
	}
	fmt.Fprintf(t, "verdict %s", word)
	if says != "" {
		t.WriteString("  ")
		t.lines(8+len(verdict)+2, "", says)
	} else {
		t.WriteByte('\n')
	}
}

// tally counts findings: "1 critical, 2 medium".
func tally(vs []StepView) string {
	var n [exchange.Critical + 1]int
	for _, v := range vs {
		for _, f := range v.Findings {
			if f.Severity >= 0 && int(f.Severity) < len(n) && f.Verdict != exchange.Unknown {
				n[f.Severity]++
			}
		}
	}
	var parts []string
	for s := exchange.Critical; s >= exchange.Info; s-- {
		if n[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[s], s))
		}
	}
	return strings.Join(parts, ", ")
}

// quiet is all of it in one line.
func (t *text) quiet(x *exchange.Exchange, vs []StepView) {
	verdict := Judgement(vs)
	line := x.Request.Method + " " + x.Request.URL()
	if x.Response != nil {
		line += fmt.Sprintf("  %d", x.Response.Status)
	}
	if x.Failure != "" {
		line += "  " + x.FailedAt.String() + ": " + x.Failure
	}
	var found []string
	for s := exchange.Critical; s > exchange.Info; s-- {
		for _, v := range vs {
			for _, f := range v.Findings {
				if f.Severity == s && f.Verdict != exchange.Unknown && !slices.Contains(found, f.Check) {
					found = append(found, f.Check)
				}
			}
		}
	}
	if len(found) > 0 {
		line += "  " + strings.Join(found, ", ")
	}
	if total := whole(x); total > 0 {
		line += "  " + duration(total)
	}
	line = cut(t.safe(line), t.Width-len(verdict)-1)
	fmt.Fprintf(t, "%s %s\n", t.paint(verdictColor[verdict], string(verdict)), spaces(t.safe(line)))
}
