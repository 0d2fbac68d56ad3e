package play

import (
	"fmt"
	"slices"
	"strings"
)

// A Flaw is a switch: a mistake that real APIs make, off by default. Its ID is
// that of the check that finds it.
type Flaw struct {
	ID    string
	Title string
	// Conversation lists the facts of the conversation that it breaks
	// (doc/conversation.md).
	Conversation []int
}

// ParseFlaws turns names, or "all", into a set of some of an API's flaws.
func ParseFlaws(flaws []Flaw, names []string) (map[string]bool, error) {
	on := map[string]bool{}
	for _, n := range names {
		if n == "all" {
			for _, f := range flaws {
				on[f.ID] = true
			}
			continue
		}
		if !slices.ContainsFunc(flaws, func(f Flaw) bool { return f.ID == n }) {
			return nil, &UnknownFlawError{Name: n, Near: nearest(flaws, n)}
		}
		on[n] = true
	}
	return on, nil
}

// An UnknownFlawError says that there is no flaw of that name.
type UnknownFlawError struct {
	Name string
	Near string // the name that was perhaps meant; may be empty
}

func (e *UnknownFlawError) Error() string {
	if e.Near == "" {
		return fmt.Sprintf("no flaw is called %q", e.Name)
	}
	return fmt.Sprintf("no flaw is called %q; did you mean %q?", e.Name, e.Near)
}

// nearest returns the flaw that shares most pairs of letters with the word, or
// "" when none is close. Pairs forgive a forgotten or swapped part of the name
// ("object-authz"), which counting letters does not.
func nearest(flaws []Flaw, word string) string {
	pairs := func(s string) map[string]bool {
		m := map[string]bool{}
		for i := 0; i+2 <= len(s); i++ {
			m[s[i:i+2]] = true
		}
		return m
	}
	best, score := "", 0.5
	want := pairs(strings.ToLower(word))
	for _, f := range flaws {
		have, both := pairs(f.ID), 0
		for p := range have {
			if want[p] {
				both++
			}
		}
		if v := 2 * float64(both) / float64(len(have)+len(want)); v > score {
			best, score = f.ID, v
		}
	}
	return best
}
