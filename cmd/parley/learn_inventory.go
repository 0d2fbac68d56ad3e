package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/parley-project/parley/learn"
)

// printInventory writes the operations as a table of 80 columns.
func printInventory(w io.Writer, inv *learn.Inventory) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%-43s %6s  %s\n", "operation", "seen", "who")
	n := struct{ seen, shadow, unused, named int }{}
	for _, e := range inv.Operations {
		var notes []string
		count := "-"
		if e.Seen {
			count = fmt.Sprint(e.Count)
			n.seen++
		}
		switch {
		case e.Shadow:
			notes = append(notes, "shadow")
			n.shadow++
		case e.Unused:
			notes = append(notes, "unused")
			n.unused++
		case e.Named:
			notes = append(notes, "named")
			n.named++
		case e.Refused:
			notes = append(notes, "refused")
		}
		fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf("%s %6s  %s %s", fit(e.Operation, 43), count, fit(whoAsked(e), 18), strings.Join(notes, " ")), " "))
	}
	fmt.Fprintf(out, "\n%d seen, %d shadow, %d unused, %d named in pages and never called\n", n.seen, n.shadow, n.unused, n.named)
	for _, m := range inv.NeverSend {
		fmt.Fprintf(out, "secret in answers: %s\n", m)
	}
	if inv.Left != "" {
		fmt.Fprintln(out, inv.Left)
	}
	return out.Flush()
}

// whoAsked names those who succeeded, by their roles if they have some.
func whoAsked(e learn.Entry) string {
	var names []string
	if e.Open {
		names = append(names, "anybody")
	}
	seen := map[string]bool{}
	for _, c := range e.Callers {
		name := strings.Join(c.Roles, "+")
		if name == "" {
			name = c.Subject
		}
		if c.Succeeded > 0 && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	if len(names) == 0 && !e.Refused {
		names = e.Credentials // they say nothing of their owners
	}
	return strings.Join(names, ", ")
}
