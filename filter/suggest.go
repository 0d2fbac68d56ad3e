package filter

import (
	"fmt"
	"strings"
)

// suggestKey returns a hint for a key that is none.
func suggestKey(key string) string {
	for _, f := range fields {
		if f.Arg != "" && (strings.EqualFold(key, f.Name) || strings.EqualFold(key, f.Name+".")) {
			return "write " + f.Name + "." + f.Arg
		}
	}
	var names []string
	for _, f := range fields[1:] {
		names = append(append(names, f.Name), f.Aliases...)
	}
	if h := suggest(key, names); h != "" {
		return h
	}
	return "quote it to search for the text"
}

// suggest returns "did you mean x?" for the nearest of the names, or "".
func suggest(word string, names []string) string {
	word = strings.ToLower(word)
	best, near := "", 1+min(2, len(word)/3)
	for _, n := range names {
		if d := distance(word, n, near); d < near {
			best, near = n, d
		}
	}
	if best == "" && len(word) >= 3 {
		for _, n := range names {
			if strings.HasPrefix(n, word) || len(n) >= 3 && strings.HasPrefix(word, n) {
				best = n
				break
			}
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %s?", best)
}

// distance counts the edits (insert, delete, replace, swap of neighbours) from
// a to b; limit and above are not told apart.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit || len(a) > 64 {
		return limit
	}
	var before []int
	prev := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur := make([]int, len(b)+1)
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev = prev, cur
	}
	return prev[len(b)]
}
