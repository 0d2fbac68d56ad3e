// Package catalogue says the checks in words: as text for a terminal, as JSON
// for programs, as one HTML page for readers and printers.
//
// All three are made from the checks themselves, so that what a check does and
// what is told of it cannot differ: guard refuses what has an Admit, repairs
// what has a Release, and every tool sees what has an Inspect.
package catalogue

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-project/parley/check"
)

// An Entry is a check and what others know of it.
type Entry struct {
	*check.Check
	// Switches turn the flaw on in an example: "parley shop --flaw authz-object".
	Switches []string
	// Paste is the line that shows it.
	Paste string
}

// By says how a list is grouped.
type By string

// The ways to group a list. The zero value is ByStep.
const (
	ByStep         By = "step"
	ByOWASP        By = "owasp"
	ByCWE          By = "cwe"
	ByConversation By = "conversation"
)

// Groupings lists them, for help and hints.
var Groupings = []string{string(ByStep), string(ByOWASP), string(ByCWE), string(ByConversation)}

// A Group is the entries that have something in common. With ByConversation an
// entry is in as many groups as it keeps facts.
type Group struct {
	Name    string
	Entries []Entry
}

// Grouped sorts entries into groups, in the order of a call or of the list.
func Grouped(entries []Entry, by By) []Group {
	type key struct {
		order int
		name  string
	}
	keys := func(e Entry) []key {
		switch by {
		case ByOWASP:
			at := slices.IndexFunc(check.Classes, func(c check.Class) bool { return c.ID == e.OWASP })
			return []key{{at, e.OWASP + " " + check.ClassName(e.OWASP)}}
		case ByCWE:
			return []key{{e.CWE, check.WeaknessID(e.CWE) + " " + check.WeaknessName(e.CWE)}}
		case ByConversation:
			var ks []key
			for _, n := range e.Conversation {
				f, _ := check.FactOf(n)
				ks = append(ks, key{n, fmt.Sprintf("%d %s", n, f.Says)})
			}
			return ks
		}
		return []key{{int(e.Step), fmt.Sprintf("step %d %s", int(e.Step), e.Step)}}
	}
	var order []key
	in := map[key][]Entry{}
	for _, e := range entries {
		for _, k := range keys(e) {
			if in[k] == nil {
				order = append(order, k)
			}
			in[k] = append(in[k], e)
		}
	}
	slices.SortFunc(order, func(a, b key) int { return a.order - b.order })
	var out []Group
	for _, k := range order {
		out = append(out, Group{k.name, in[k]})
	}
	return out
}

// seen says how the flaw shows itself, and what must be known to see it.
func seen(c *check.Check) string {
	if c.Inspect == nil {
		return "One exchange alone does not show it; guard judges it as it happens."
	}
	s := "In a finished exchange, by every tool that has one."
	if needs := needed(c.Needs); needs != "" {
		s += " It must be known " + needs + "; when it is not, the outcome is unknown, never passed."
	}
	return s
}

func needed(n check.Needs) string {
	var words []string
	for _, w := range []struct {
		need check.Needs
		says string
	}{
		{check.SawTransport, "whether there was TLS"},
		{check.SawBody, "what the request's body holds"},
		{check.SawCaller, "who speaks"},
		{check.SawContract, "what the API promises"},
		{check.SawResponse, "what was answered"},
		{check.SawReply, "what the answer's body holds"},
		{check.SawAnswers, "what resolvers answered"},
		{check.SawTrust, "the certificates that came"},
		{check.SawOffers, "all that the server takes in TLS"},
		{check.SawClient, "what the client kept"},
	} {
		if n&w.need != 0 {
			words = append(words, w.says)
		}
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// stopped says what guard does about it in enforce mode.
func stopped(c *check.Check) string {
	switch {
	case c.Admit != nil && c.Release != nil:
		return "Guard refuses the request, and judges the response before it leaves."
	case c.Admit != nil:
		return "Guard refuses the request: it never reaches the API."
	case c.Release != nil:
		return "Guard puts the response right before it leaves, or refuses to let it go."
	}
	return "Guard records it and changes nothing."
}

// facts are the numbers of the conversation with what they say.
func facts(c *check.Check) []check.Fact {
	var out []check.Fact
	for _, n := range c.Conversation {
		if f, ok := check.FactOf(n); ok {
			out = append(out, f)
		}
	}
	return out
}

// paragraph is a text without its line breaks.
func paragraph(text string) string { return strings.Join(strings.Fields(text), " ") }
