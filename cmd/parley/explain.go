package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/check/catalogue"
	"github.com/parley-project/parley/example/shop"
	"github.com/parley-project/parley/internal/config"
)

func explainCommand() *cobra.Command {
	var by, format string
	c := &cobra.Command{
		Use:   "explain [ID]",
		Short: "a check, in words; without an ID, all of them",
		Long: "Says what a check means, how it is seen, how guard stops it and how to mend it.\n" +
			"Without an ID it lists all checks; a star marks those with a switch in an example.\n\n" +
			"An ID is a check's name (authz-object), another name of it (bola, csrf), an OWASP\n" +
			"class (API1:2023), a weakness (CWE-639), a number of doc/conversation.md (9), a\n" +
			"step (response), or the beginning of a name (authz).",
		Example: "  parley explain\n  parley explain bola\n  parley explain --by owasp\n  parley explain --format html > checks.html",
		Args:    cobra.MaximumNArgs(1),
	}
	c.Flags().StringVar(&by, "by", "step", "how the list is grouped: "+strings.Join(catalogue.Groupings, ", "))
	c.Flags().StringVar(&format, "format", "text", "text, json or html")
	c.RunE = func(c *cobra.Command, args []string) error {
		if !slices.Contains(catalogue.Groupings, by) {
			return &usageError{fmt.Sprintf("--by: there is no grouping %q", by), strings.Join(catalogue.Groupings, ", ")}
		}
		found := check.Found{Checks: check.All}
		if len(args) == 1 {
			var err error
			if found, err = lookup(args[0]); err != nil {
				return err
			}
		}
		entries, out := entriesOf(found.Checks), c.OutOrStdout()
		switch format {
		case "json":
			return catalogue.JSON(out, entries)
		case "html":
			return catalogue.HTML(out, entries, catalogue.By(by))
		case "text":
		default:
			return &usageError{fmt.Sprintf("--format: there is no format %q here", format), "text, json or html"}
		}
		switch {
		case len(args) == 1 && found.What == "":
			return catalogue.Text(out, entries[0])
		case len(args) == 1:
			fmt.Fprintf(out, "%s\n\n", found.What)
			if len(entries) == 0 {
				fmt.Fprintln(out, "No check keeps it; doc/conversation.md says what does.")
				return nil
			}
		}
		if err := catalogue.List(out, entries, catalogue.By(by)); err != nil {
			return err
		}
		say(c.ErrOrStderr(), "hint", "parley explain "+entries[0].ID+"; a star marks those with a switch in an example")
		return nil
	}
	return c
}

// lookup finds the checks that a word means, or says which word was meant.
func lookup(word string) (check.Found, error) {
	found, ok := check.Lookup(word)
	if ok {
		return found, nil
	}
	hint := "parley explain lists them"
	if near := config.Nearest(strings.ToLower(word), check.Words()); near != "" {
		hint = "did you mean " + near + "?"
	} else if part := strings.ToLower(word); len(part) > 2 {
		for _, w := range check.Words() {
			if strings.Contains(w, part) {
				hint = "did you mean " + w + "?"
				break
			}
		}
	}
	return found, &usageError{fmt.Sprintf("there is no check %q", word), hint}
}

// entriesOf adds to checks what the examples and the tour know of them.
func entriesOf(checks []*check.Check) []catalogue.Entry {
	out := make([]catalogue.Entry, len(checks))
	for i, c := range checks {
		switches := switchesOf(c.ID)
		out[i] = catalogue.Entry{Check: c, Switches: switches, Paste: pasteFor(c.ID, switches)}
	}
	return out
}

// switchesOf lists the lines that turn a check's flaw on in an example.
func switchesOf(id string) []string {
	var out []string
	for _, f := range shop.Flaws {
		if f.ID == id {
			out = append(out, "parley shop --flaw "+f.ID)
		}
	}
	return out
}

// pasteFor is the line that shows a check: its switch, or the step of the tour
// that is about it, or else the list of where it was seen.
func pasteFor(id string, switches []string) string {
	if len(switches) > 0 {
		return switches[0]
	}
	for i, s := range tourStops {
		if slices.Contains(s.checks, id) {
			return fmt.Sprintf("parley tour --step %d", i+1)
		}
	}
	return "parley watch --filter check:" + id
}
