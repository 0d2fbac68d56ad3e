package learn

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/parley-project/parley/identity"
)

// A view says for whom a schema is written.
type view struct {
	request bool
	// patch: every member is optional.
	patch bool
	// login: the operation gives out tokens.
	login bool
	// other are the names of members that bodies of the other direction have,
	// of the same resource; nil when there are none to compare with.
	other map[string]bool
	// secret is told of members that must never be sent.
	secret func(name string)
}

// schema writes a shape down. Nothing is written that few values cannot tell:
// no lengths, no greatest numbers, no patterns.
func (m *model) schema(s *shape, name string, v view, depth int) *yaml.Node {
	if s == nil {
		return object()
	}
	s = m.borrow(s, name)
	var types []string
	var more []any
	if s.objects > 0 {
		types = append(types, "object")
		more = append(more, m.members(s, name, v, depth)...)
	}
	if s.arrays > 0 {
		types = append(types, "array")
		items := object()
		if s.items != nil && s.items.total() > 0 {
			items = m.schema(s.items, singular(name), v, depth+1)
		}
		more = append(more, "items", items)
	}
	if s.strings > 0 {
		types = append(types, "string")
		if s.masked == 0 {
			if f := s.formats.name(); f != "" && s.formats != allFormats {
				more = append(more, "format", text(f))
			} else if ws := s.few(v.request); ws != nil && !identity.SecretName(name) && len(types) == 1 && s.nulls+s.ints+s.floats+s.bools == 0 {
				more = append(more, "enum", words(ws...))
			}
		}
	}
	switch {
	case s.floats > 0 || s.ints > 0 && (amount(name) || m.floats[plainWord(name)]):
		types = append(types, "number")
	case s.ints > 0:
		types = append(types, "integer")
		if least, ok := leastOf(name, s.min); ok {
			more = append(more, "minimum", raw("!!int", least))
		}
	}
	if s.bools > 0 {
		types = append(types, "boolean")
	}
	if len(types) == 0 {
		return object() // only null was seen, or nothing: anything may come
	}
	if s.nulls > 0 {
		types = append(types, "null")
	}
	n := object()
	if len(types) == 1 {
		put(n, "type", text(types[0]))
	} else {
		put(n, "type", words(types...))
	}
	for i := 0; i+1 < len(more); i += 2 {
		put(n, more[i].(string), more[i+1].(*yaml.Node))
	}
	if s.members == nil && s.items == nil {
		flow(n)
	}
	return n
}

// borrow lends a place where only null, or only what is empty, was seen what the
// members of the same name hold elsewhere, if that is of one kind.
func (m *model) borrow(s *shape, name string) *shape {
	all := m.named[name]
	if all == nil {
		return s
	}
	kind := all.kind()
	bare := s.kind() == "" && s.nulls > 0 && (kind == "string" || kind == "number" || kind == "boolean") ||
		s.kind() == "array" && kind == "array" && (s.items == nil || s.items.total() == 0) ||
		s.kind() == "object" && kind == "object" && (s.members == nil || len(s.members.m) == 0) && m.maps[plainWord(name)]
	if !bare {
		return s
	}
	out := m.b.fresh()
	m.b.merge(out, all)
	out.nulls = s.nulls
	out.open, out.words = true, nil
	if out.kind() == "number" {
		out.min = -1 // it says nothing of this place
	}
	return out
}

func (s *shape) total() int {
	return s.nulls + s.bools + s.ints + s.floats + s.strings + s.objects + s.arrays
}

// members writes what an object holds.
func (m *model) members(s *shape, name string, v view, depth int) []any {
	if s.members == nil || len(s.members.m) == 0 {
		return []any{"additionalProperties", object()}
	}
	if s.isMap(name) || m.maps[plainWord(name)] && depth > 0 {
		all := m.b.fresh()
		for _, k := range slices.Sorted(maps.Keys(s.members.m)) {
			m.b.merge(all, s.members.m[k].shape)
		}
		all.open, all.words = true, nil
		return []any{"additionalProperties", m.schema(all, "", view{request: v.request, patch: v.patch, login: v.login}, depth+1)}
	}
	props := object()
	var required []string
	for _, k := range slices.Sorted(maps.Keys(s.members.m)) {
		e := s.members.m[k]
		in := v
		if depth > 0 {
			in.other = nil
		}
		if !v.request && neverSent(k, e.shape, v.login) {
			put(props, k, flow(object("type", text("string"), "writeOnly", truth(true), "description", text("Was seen in answers, where it must not be."))))
			if v.secret != nil && depth == 0 {
				v.secret(k)
			}
			continue
		}
		p := m.schema(e.shape, k, in, depth+1)
		switch {
		case v.other == nil || depth > 0 || v.other[k]:
		case !v.request:
			put(p, "readOnly", truth(true))
		case identity.SecretName(k):
			put(p, "writeOnly", truth(true))
		}
		put(props, k, p)
		if !v.patch && e.count == s.objects {
			required = append(required, k)
		}
	}
	var out []any
	if len(required) > 0 {
		out = append(out, "required", words(required...))
	}
	return append(out, "properties", props)
}

// mapNames are members whose names are usually free.
var mapNames = []string{"metadata", "labels", "attributes", "annotations", "extra", "extras", "custom", "customfields", "properties", "tags", "variables", "translations"}

// isMap reports whether an object is one of free names rather than of fixed
// members.
func (s *shape) isMap(name string) bool {
	if s.members == nil || len(s.members.m) == 0 {
		return false
	}
	if s.members.over {
		return true
	}
	odd, rare, kinds := 0, 0, map[string]bool{}
	for k, e := range s.members.m {
		if !plainMember.MatchString(k) || valueLike(k) {
			odd++
		}
		if e.count*4 <= s.objects {
			rare++
		}
		kinds[e.shape.kind()] = true
	}
	n := len(s.members.m)
	delete(kinds, "")
	switch {
	case odd*2 > n, odd > 0 && len(kinds) == 1 && n > 1:
		return true
	case n > 12 && rare*10 >= n*9 && len(kinds) == 1:
		return true
	}
	return slices.Contains(mapNames, plainWord(name)) && len(kinds) <= 1 && !kinds["object"] && !kinds["array"]
}

// kind is the one type of a shape, "" for null alone, "mixed" for several.
func (s *shape) kind() string {
	kind := ""
	for _, k := range []struct {
		n    int
		name string
	}{{s.bools, "boolean"}, {s.ints + s.floats, "number"}, {s.strings, "string"}, {s.objects, "object"}, {s.arrays, "array"}} {
		if k.n > 0 {
			if kind != "" {
				return "mixed"
			}
			kind = k.name
		}
	}
	return kind
}

// few lists the words of a string that is one of a few, if it was seen often
// enough to say so: in requests more often, since they are refused by it.
func (s *shape) few(request bool) []string {
	least := 3
	if request {
		least = 10
	}
	if s.open || len(s.words) < 2 || len(s.words) > 8 || s.strings < 10*len(s.words) {
		return nil
	}
	for _, n := range s.words {
		if n < least {
			return nil
		}
	}
	return slices.Sorted(maps.Keys(s.words))
}

// amount reports whether a number of that name may have a fraction even if none
// was seen.
func amount(name string) bool {
	n := plainWord(name)
	for _, w := range []string{"price", "amount", "total", "balance", "cost", "rate", "ratio", "percent", "weight", "latitude", "longitude", "score", "fee", "discount", "tax", "revenue", "turnover", "sum", "paid"} {
		if strings.HasSuffix(n, w) || strings.HasPrefix(n, w) && (w == "price" || w == "amount" || w == "balance" || w == "cost") {
			return true
		}
	}
	return n == "lat" || n == "lng" || n == "lon"
}

// leastOf is the minimum of a number whose name says that it counts.
func leastOf(name string, seen float64) (string, bool) {
	switch n := plainWord(name); {
	case n == "offset" || n == "skip" || n == "stock":
		return "0", seen >= 0
	case n == "limit" || n == "quantity" || n == "page" || n == "pagesize" || n == "perpage" || n == "size" || n == "count":
		if seen >= 1 {
			return "1", true
		}
		return "0", seen >= 0
	}
	return "", false
}

// neverSent reports whether a member of answers is a secret that has no
// business there: by its name, or because its values are hashes, keys or
// numbers of cards.
func neverSent(name string, s *shape, login bool) bool {
	n := plainWord(name)
	switch {
	case s.hashes > 0, s.luhn > 0 && (s.luhn == s.strings+s.ints && s.luhn > 1 || strings.Contains(n, "card")):
		return true
	case s.objects+s.arrays+s.bools > 0 && s.strings == 0:
		return false
	case strings.Contains(n, "passwordhash"), strings.Contains(n, "passwdhash"), n == "pwhash", n == "passwordsalt", n == "creditcard", n == "cardnumber",
		n == "cvv", n == "cvc", n == "ssn", n == "password", n == "privatekey", n == "creditcardnumber":
		return true
	}
	return identity.SecretName(name) && !login && !strings.Contains(n, "csrf") && !strings.Contains(n, "xsrf")
}
