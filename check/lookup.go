package check

import (
	"slices"
	"strconv"
	"strings"
)

// Found is what a word leads to: a check by its ID or another name of it, or
// several by what they have in common.
type Found struct {
	// What is the group in words, such as "CWE-639 Authorization Bypass …";
	// empty when the word names one check.
	What   string
	Checks []*Check
}

// Lookup finds the checks that a person means: an ID ("authz-object"), an
// alias ("bola"), an OWASP class ("API1:2023", "api1"), a weakness ("CWE-639"),
// a number of the conversation ("9"), a step ("response") or the beginning of
// an ID ("authz"). Upper and lower case are alike.
func Lookup(word string) (Found, bool) {
	w := strings.ToLower(strings.TrimSpace(word))
	for _, c := range All {
		if c.ID == w || slices.Contains(c.Aliases, w) {
			return Found{Checks: []*Check{c}}, true
		}
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(w, "#")); err == nil {
		f, ok := FactOf(n)
		return Found{strconv.Itoa(n) + " " + f.Says, where(func(c *Check) bool { return slices.Contains(c.Conversation, n) })}, ok
	}
	if digits, ok := strings.CutPrefix(w, "cwe"); ok {
		n, err := strconv.Atoi(strings.TrimLeft(digits, "- "))
		cs := where(func(c *Check) bool { return c.CWE == n })
		return Found{WeaknessID(n) + " " + WeaknessName(n), cs}, err == nil && len(cs) > 0
	}
	for _, class := range Classes {
		if id := strings.ToLower(class.ID); w == id || w+":2023" == id {
			return Found{class.ID + " " + class.Name, where(func(c *Check) bool { return c.OWASP == class.ID })}, true
		}
	}
	// A step is often how IDs begin, too; its own name goes first.
	if cs := where(func(c *Check) bool { return c.Step.String() == w }); len(cs) > 0 {
		return Found{"step " + w, cs}, true
	}
	if w != "" {
		cs := where(func(c *Check) bool { return strings.HasPrefix(c.ID, w) })
		if len(cs) == 1 {
			return Found{Checks: cs}, true
		}
		return Found{"checks that begin with " + w, cs}, len(cs) > 0
	}
	return Found{}, false
}

// Words lists what Lookup knows of single checks, for hints: IDs and aliases.
func Words() []string {
	var out []string
	for _, c := range All {
		out = append(append(out, c.ID), c.Aliases...)
	}
	return out
}

func where(holds func(*Check) bool) []*Check {
	var out []*Check
	for _, c := range All {
		if holds(c) {
			out = append(out, c)
		}
	}
	return out
}
