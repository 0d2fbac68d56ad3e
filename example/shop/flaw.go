package shop

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

// Flaws lists every mistake the shop can make, in the order of a call.
var Flaws = []Flaw{
	{"request-token-in-url", "a token in the query is accepted", []int{10, 17}},
	{"request-content-type", "a body is read whatever its Content-Type says", []int{12}},
	{"request-mass-assignment", "what only others may set is taken from anybody's body", []int{20}},
	{"request-schema", "numbers in the body may be negative", []int{19, 23}},
	{"request-duplicate-member", "of two equal members in the body the last one counts", []int{19, 23}},
	{"request-size", "a body may be as large as it likes", []int{23}},
	{"request-parameters", "a page may be as long as one likes", []int{10}},
	{"request-method", "a method that is not offered is answered", []int{8}},
	{"request-undeclared-endpoint", "a forgotten endpoint lists the users", []int{56}},

	{"authn-missing", "the account and the orders are given to anybody", []int{11, 24, 52}},
	{"authn-jwt-none", "a token without a signature is accepted", []int{11, 52}},
	{"authn-invalid", "a forged or expired token, or another API's, is accepted", []int{11, 18, 52}},
	{"authn-rate-limit", "passwords may be guessed without end", []int{27}},

	{"authz-object", "another's order can be read", []int{9, 26}},
	{"authz-object-write", "another's order can be changed", []int{5, 6, 9}},
	{"authz-object-delete", "another's order can be deleted", []int{7, 8, 9}},
	{"authz-query-owner", "the user_id in the query is trusted", []int{9}},
	{"authz-method", "PUT and DELETE on products ask for no authorization", []int{8}},
	{"authz-function", "any user may use the administrator's functions", []int{25, 52}},

	{"status-401-403", "401 and 403 are swapped", []int{24, 25}},
	{"status-200-on-failure", "failures are answered with 200 and an error inside", []int{21, 30}},

	{"response-excessive-data", "answers are whole rows", []int{37, 53}},
	{"response-error-details", "500 tells the SQL error and the stack", []int{28}},
	{"response-content-type", "JSON is sent as HTML", []int{31}},
	{"response-csp", "no Content-Security-Policy", []int{32}},
	{"response-hsts", "no Strict-Transport-Security", []int{33}},
	{"response-nosniff", "no X-Content-Type-Options", []int{34}},
	{"response-frame-options", "no X-Frame-Options", []int{35}},
	{"response-cache-control", "no Cache-Control on private answers", []int{36}},

	{"client-cookie", "the session cookie lacks its attributes", []int{16, 18, 45}},
	{"client-csrf", "other sites may act with the session cookie", []int{45}},
	{"client-cors", "any site's scripts may read answers", []int{45}},
}

// parseFlaws turns names, or "all", into a set.
func parseFlaws(names []string) (map[string]bool, error) {
	on := map[string]bool{}
	for _, n := range names {
		if n == "all" {
			for _, f := range Flaws {
				on[f.ID] = true
			}
			continue
		}
		if !slices.ContainsFunc(Flaws, func(f Flaw) bool { return f.ID == n }) {
			return nil, &UnknownFlawError{Name: n, Near: nearest(n)}
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
		return fmt.Sprintf("shop: no flaw is called %q", e.Name)
	}
	return fmt.Sprintf("shop: no flaw is called %q; did you mean %q?", e.Name, e.Near)
}

// nearest returns the flaw that shares most pairs of letters with the word, or
// "" when none is close. Pairs forgive a forgotten or swapped part of the name
// ("object-authz"), which counting letters does not.
func nearest(word string) string {
	pairs := func(s string) map[string]bool {
		m := map[string]bool{}
		for i := 0; i+2 <= len(s); i++ {
			m[s[i:i+2]] = true
		}
		return m
	}
	best, score := "", 0.5
	want := pairs(strings.ToLower(word))
	for _, f := range Flaws {
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
