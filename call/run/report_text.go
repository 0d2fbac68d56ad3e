package run

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// Text is a Reporter that writes a line for each request, and what went wrong
// below it.
type Text struct {
	W io.Writer
	// Verbose names each assertion, also those that held.
	Verbose bool
	// Color uses colours.
	Color bool

	iterations int
	last       int
}

// Begin says nothing: the first line is the first request.
func (t *Text) Begin(i *Info) error {
	t.iterations, t.last = i.Iterations, -1
	return nil
}

func (t *Text) paint(code, s string) string {
	if !t.Color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

const (
	red    = "31"
	green  = "32"
	yellow = "33"
	quiet  = "2"
)

// Add writes a request.
func (t *Text) Add(r *Result) error {
	var b strings.Builder
	if t.iterations > 1 && r.Iteration != t.last {
		fmt.Fprintf(&b, "%s\n", t.paint(quiet, fmt.Sprintf("iteration %d of %d", r.Iteration+1, t.iterations)))
		t.last = r.Iteration
	}
	name := strings.Join(append(r.Path[:len(r.Path):len(r.Path)], r.Name), " / ")
	if r.Row >= 0 {
		name += fmt.Sprintf(" [row %d]", r.Row+1)
	}
	word, code := "ok  ", green
	detail := ""
	held, counted := 0, 0
	for _, a := range r.Assertions {
		if !a.Skipped {
			counted++
		}
		if a.Passed {
			held++
		}
	}
	switch {
	case r.Skipped != "":
		word, code, detail = "skip", yellow, r.Skipped
	case r.Failure != "":
		word, code, detail = "FAIL", red, "at "+r.FailedAt+": "+r.Failure
	case r.Failed():
		word, code = "FAIL", red
	}
	if detail == "" {
		detail = fmt.Sprintf("%d  %s", r.Status, round(r.Time))
		if counted > 0 {
			detail += fmt.Sprintf("  %d/%d", held, counted)
		}
	}
	fmt.Fprintf(&b, "%s  %s  %s\n", t.paint(code, word), visible(name), visible(detail))
	if t.Verbose || r.Failure != "" || r.Failed() {
		if line := strings.TrimSpace(r.Method + " " + r.URL); line != name && r.URL != "" {
			fmt.Fprintf(&b, "      %s\n", t.paint(quiet, visible(line)))
		}
	}
	for _, a := range r.Assertions {
		switch {
		case a.Skipped:
			if t.Verbose {
				fmt.Fprintf(&b, "      %s %s\n", t.paint(yellow, "-"), visible(a.Name))
			}
		case a.Passed:
			if t.Verbose {
				fmt.Fprintf(&b, "      %s %s\n", t.paint(green, "+"), visible(a.Name))
			}
		default:
			fmt.Fprintf(&b, "      %s %-8s %s\n", t.paint(red, "x"), a.Step, visible(a.Name))
			if a.Message != "" {
				fmt.Fprintf(&b, "                 %s\n", visible(a.Message))
			}
			if a.Place != "" {
				fmt.Fprintf(&b, "                 %s\n", t.paint(quiet, visible(a.Place)))
			}
		}
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(&b, "      %s %s\n", t.paint(yellow, "!"), visible(w))
	}
	for _, p := range r.Printed {
		fmt.Fprintf(&b, "      %s %s\n", t.paint(quiet, ">"), visible(p.Text))
	}
	_, err := io.WriteString(t.W, b.String())
	return err
}

// End writes the sum.
func (t *Text) End(s *Summary) error {
	var b strings.Builder
	for _, p := range s.Problems {
		fmt.Fprintf(&b, "%s  script  %s\n", t.paint(red, "FAIL"), visible(p))
	}
	fmt.Fprintf(&b, "\n%s\n", s.Line())
	_, err := io.WriteString(t.W, b.String())
	return err
}

// Line is the sum in one line.
func (s *Summary) Line() string {
	parts := []string{plural(s.Requests, "request")}
	if s.Iterations > 1 {
		parts = append(parts, plural(s.Iterations, "iteration"))
	}
	if s.Assertions > 0 {
		parts = append(parts, fmt.Sprintf("%d of %s held", s.Assertions-s.Failed, plural(s.Assertions, "assertion")))
	}
	if s.Incomplete > 0 {
		parts = append(parts, fmt.Sprintf("%d could not be completed", s.Incomplete))
	}
	if s.Skipped > 0 {
		parts = append(parts, fmt.Sprintf("%d skipped", s.Skipped))
	}
	line := strings.Join(parts, ", ") + " in " + round(s.Time.Round(time.Microsecond))
	if s.Stopped != "" {
		line += "; stopped: " + s.Stopped
	}
	return line
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// visible makes a stranger's words fit for a terminal.
func visible(s string) string {
	if strings.IndexFunc(s, unfit) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unfit(r) {
			fmt.Fprintf(&b, "\\u%04x", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func unfit(r rune) bool { return !unicode.IsPrint(r) && r != ' ' }
