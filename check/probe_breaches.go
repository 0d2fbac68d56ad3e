package check

import (
	"bytes"
	"encoding/json"
	"math/big"
	"slices"
	"strings"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// A breach is a body that breaks the contract in one place only. Which values
// those are the contract says itself: one is put in, and it is asked what it
// thinks of that.
type breach struct {
	body    []byte
	pointer string
	shape   string
	name    string
	value   json.RawMessage
	keyword string
}

// A wrong is a value that one of some keywords ought to forbid.
type wrong struct {
	value    string // JSON
	keywords []string
}

// breaches lists bodies that break the contract in one place each, the worst
// first and one of each kind. Of a body that is broken already there are none.
func breaches(b *contract.Body, honest []byte, mark string) []breach {
	if b == nil || !b.Judged || broken(b, honest) != "" {
		return nil
	}
	type ranked struct {
		breach
		kind, rank int
	}
	var all []ranked
	for _, l := range Leaves(honest) {
		if ofIdentity(l.Name) {
			continue
		}
		for kind, ws := range wrongs(l, mark) {
			for _, w := range ws {
				text := SetMember(honest, l.Pointer, json.RawMessage(w.value))
				keyword := broken(b, text)
				if keyword == "" || !slices.Contains(w.keywords, keyword) && !slices.Contains(composed, keyword) {
					continue
				}
				if slices.Contains(composed, keyword) {
					keyword = w.keywords[0]
				}
				rank := 0
				if n := strings.ToLower(l.Name); n == "id" || strings.HasSuffix(n, "id") {
					rank = 1 // it will be refused for what it points to
				}
				all = append(all, ranked{breach{text, l.Pointer, l.Shape, l.Name, json.RawMessage(w.value), keyword}, kind, rank})
				break
			}
		}
	}
	slices.SortStableFunc(all, func(a, b ranked) int {
		if a.rank != b.rank {
			return a.rank - b.rank
		}
		return a.kind - b.kind
	})
	var out []breach
	seen := map[int]bool{}
	for _, r := range all {
		if !seen[r.kind] {
			seen[r.kind] = true
			out = append(out, r.breach)
		}
	}
	return out
}

// composed are the keywords that schemas are joined with: what broke inside is
// not told.
var composed = []string{"oneOf", "anyOf", "allOf", "not", "if", "then", "else", "discriminator"}

// wrongs are values that do not belong at a leaf, by kind: too little, not of
// the form, not one of the words, too long, too much, of another type.
func wrongs(l Leaf, mark string) [6][]wrong {
	quoted := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	object := []wrong{{`{"` + mark + `":true}`, []string{"type", "enum", "const"}}}
	switch l.Kind {
	case "number":
		return [6][]wrong{
			0: {{"-5", []string{"minimum", "exclusiveMinimum"}}},
			4: {{"987654321", []string{"maximum", "exclusiveMaximum"}}, {"9007199254740993", []string{"maximum", "exclusiveMaximum"}}},
			5: {{quoted(mark), []string{"type"}}},
		}
	case "string":
		long := []wrong{}
		for n := 33; n < 10_000; n = 2*n - 1 {
			long = append(long, wrong{quoted(strings.Repeat("x", n)), []string{"maxLength"}})
		}
		negative := []wrong{}
		if l.Value != "" && strings.Trim(l.Value, "0123456789.") == "" {
			_, cents, fraction := strings.Cut(l.Value, ".")
			amount := "-5"
			if fraction {
				amount += "." + cents
			}
			negative = []wrong{{quoted(amount), []string{"pattern"}}}
		}
		return [6][]wrong{
			0: negative,
			1: {{quoted(l.Value + " <" + mark + ">"), []string{"pattern"}}},
			2: {{quoted(mark), []string{"enum", "const"}}},
			3: long,
			5: object,
		}
	case "boolean":
		return [6][]wrong{5: {{quoted(mark), []string{"type"}}}}
	}
	return [6][]wrong{}
}

// keeps reports whether an answer shows the value of a breach under its name: a
// number that was made sound on the way, or a text that was cut, does not count.
func (b *breach) keeps(x *exchange.Exchange) bool {
	inner := Leaves(b.value)
	if len(inner) != 1 {
		return false
	}
	for _, l := range Members(x) {
		if l.Name == b.name && inner[0].Pointer == "" && l.Kind == inner[0].Kind && equalLeaves(l, inner[0]) {
			return true
		}
		if inner[0].Pointer != "" && strings.HasSuffix(l.Pointer, b.name+inner[0].Pointer) {
			return true
		}
	}
	return false
}

func equalLeaves(a, b Leaf) bool {
	if a.Kind != "number" {
		return a.Value == b.Value
	}
	m, okA := new(big.Rat).SetString(bounded(a.Value))
	n, okB := new(big.Rat).SetString(bounded(b.Value))
	return okA && okB && m.Cmp(n) == 0
}

// bounded keeps numbers such as 1e999999999 from being worked out.
func bounded(number string) string {
	if len(number) > 40 || bytes.ContainsAny([]byte(number), "eE") {
		return ""
	}
	return number
}
