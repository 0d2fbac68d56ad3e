package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-project/parley/guard"
)

// tryText writes a rehearsal for a person, in lines of at most width columns.
func tryText(w io.Writer, r *guard.Rehearsed, width int) error {
	b := bufio.NewWriter(w)
	tryHead(b, r, width)
	if len(r.Rows) > 0 {
		const would, count = 10, 7
		rule := (width - 2 - would - count - 6) * 11 / 20
		example := width - 2 - rule - would - count - 6
		fmt.Fprintf(b, "  %-*s  %-*s  %*s  %s\n", rule, "rule", would, "would", count, "count", "example")
		for _, row := range r.Rows {
			does := row.Would
			if row.Status > 0 && row.Would == "refuse" {
				does += " " + strconv.Itoa(row.Status)
			}
			line := fmt.Sprintf("  %-*s  %-*s  %*s  %s", rule, shorten(row.Rule, rule), would, shorten(does, would), count, grouped(row.Count), shorten(row.Example, example))
			fmt.Fprintln(b, strings.TrimRight(line, " "))
		}
	}
	if r.Omitted > 0 {
		fmt.Fprintf(b, "%s more had no room; a filter narrows it\n", grouped(r.Omitted))
	}
	tryCounts(b, r.Unruled, "without a rule", "operation", width)
	tryCounts(b, r.Unmatched, "that no operation matches", "request", width)
	undecided(b, r, width)
	return b.Flush()
}

// tryHead is the sentence that says all, in two lines when it must.
func tryHead(w io.Writer, r *guard.Rehearsed, width int) {
	parts := []string{grouped(r.Refused) + " would be refused", many(r.Removed, "field") + " removed"}
	if r.Masked > 0 {
		parts = append(parts, grouped(r.Masked)+" masked")
	}
	parts = append(parts, grouped(r.Repaired)+" repaired")
	if len(r.Rows) > 0 {
		parts = append(parts, "by rule")
	}
	line := many(r.Exchanges, "exchange") + ": " + parts[0]
	for _, p := range parts[1:] {
		if len(line)+len(p)+3 > width { // with a comma after it
			fmt.Fprintln(w, line+",")
			line = "  " + p
			continue
		}
		line += ", " + p
	}
	fmt.Fprintln(w, line)
}

// maxTold is how many lines a list in the text has.
const maxTold = 20

func tryCounts(w io.Writer, rows []*guard.Row, what, one string, width int) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s %s\n", many(len(rows), one), what)
	for i, row := range rows {
		if i == maxTold {
			fmt.Fprintf(w, "  and %s more; --format json has all\n", grouped(len(rows)-i))
			break
		}
		fmt.Fprintf(w, "  %-*s  %7s\n", width-11, shorten(row.Operation, width-11), grouped(row.Count))
	}
}

// undecided says what counts as neither refused nor passed, and what is left
// out of the counts.
func undecided(w io.Writer, r *guard.Rehearsed, width int) {
	if len(r.Objects) > 0 {
		fmt.Fprintf(w, "\nnot decided here: the object that the rule needs is not in the traffic\n")
		for i, rule := range slices.Sorted(maps.Keys(r.Objects)) {
			if i == maxTold {
				fmt.Fprintf(w, "  and %s more; --format json has all\n", grouped(len(r.Objects)-i))
				break
			}
			fmt.Fprintf(w, "  %-*s  %7s\n", width-11, shorten(rule, width-11), grouped(r.Objects[rule]))
		}
	}
	said := false
	for _, l := range []struct {
		n    int
		says string
	}{
		{r.Callers, "not judged for who asked: credentials are masked or missing"},
		{r.Bodies, "not judged whole: a body was not recorded"},
		{r.MaskedValues, "not judged whole: a value is masked"},
		{r.RefusedAlready, "refused here, and refused or failed when recorded too"},
		{r.LetIn, "refused when recorded, and let in here"},
		{r.Elsewhere, "left out: of hosts that are not this API"},
	} {
		if l.n == 0 {
			continue
		}
		if !said {
			fmt.Fprintln(w)
			said = true
		}
		fmt.Fprintf(w, "%7s  %s\n", grouped(l.n), l.says)
	}
}

// tryFound says in a line what makes the exit code 1.
func tryFound(r *guard.Rehearsed) string {
	var parts []string
	if r.Refused > 0 {
		parts = append(parts, many(r.Refused, "exchange")+" would be refused")
	}
	if r.Removed > 0 {
		parts = append(parts, many(r.Removed, "field")+" removed")
	}
	if r.Masked > 0 {
		parts = append(parts, many(r.Masked, "field")+" masked")
	}
	return strings.Join(parts, ", ")
}

func many(n int, one string) string {
	if n != 1 {
		one += "s"
	}
	return grouped(n) + " " + one
}

// grouped is a number with commas.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
