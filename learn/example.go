package learn

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/parley-project/parley/identity"
)

// An example is one request that succeeded, without what is secret in it.
type example struct {
	rank     int // less is better
	key      string
	segments []string
	query    map[string]string
	media    string
	body     any
	form     string // the members of the body and their kinds
	// partial: something was left out of the body, so it is no example of it,
	// only of its members.
	partial bool
}

func (e *example) before(o *example) bool {
	return e.rank < o.rank || e.rank == o.rank && e.key < o.key
}

// maxExample is the largest body that is kept as an example.
const maxExample = 4 << 10

// keepExample keeps the request if it is a better example than the one there
// is. Which one is best depends on the requests alone, not on their order.
func (c *cell) keepExample(status int, segments []string, query []parameter, media string, body any, form []parameter) {
	// Of a request that names variables in its path the body is still one.
	nameless := slices.ContainsFunc(segments, func(s string) bool { _, is := placeholder(s); return is || masked(s) || len(s) > maxValue })
	e := &example{segments: segments, query: map[string]string{}, media: media}
	if status == written || status >= 300 {
		e.rank = 1
	}
	for _, p := range query {
		if !p.secret && plainValue(p.value) {
			e.query[p.name] = p.value
		}
	}
	if form != nil {
		o := map[string]any{}
		for _, p := range form {
			o[p.name] = p.value
		}
		body = o
	}
	e.body = withoutSecrets(body, 0, &e.partial)
	if e.partial {
		e.rank++
	}
	text, err := json.Marshal(e.body)
	if err != nil || len(text) > maxExample {
		e.body, text = nil, nil
	}
	q, _ := json.Marshal(e.query)
	e.key = strings.Join(segments, "/") + "?" + string(q) + string(text)
	if refused := status >= 400 && !sound(status); refused {
		e.rank += refusedRank // it shows what is sent, and is no example to follow
	} else if !nameless && (c.example == nil || e.before(c.example)) {
		c.example = e
	}
	if e.body != nil && !e.partial && form == nil {
		e.form = formOf(media, e.body)
		c.sent = keepForm(c.sent, e)
	}
}

// refusedRank is added to the rank of what the API refused.
const refusedRank = 10

// maxForms is how many bodies of different form are kept of an operation.
const maxForms = 8

// keepForm keeps the best example of each form of body, and the best forms.
func keepForm(list []*example, e *example) []*example {
	list = slices.Clone(list)
	if i := slices.IndexFunc(list, func(o *example) bool { return o.form == e.form }); i >= 0 {
		if e.before(list[i]) {
			list[i] = e
		}
	} else {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b *example) int {
		if a.before(b) {
			return -1
		} else if b.before(a) {
			return 1
		}
		return 0
	})
	return list[:min(len(list), maxForms)]
}

// formOf names the members of a body and their kinds.
func formOf(media string, body any) string {
	o, ok := body.(map[string]any)
	if !ok {
		return media
	}
	var names []string
	for name, v := range o {
		kind := "text"
		switch v.(type) {
		case map[string]any:
			kind = "object"
		case []any:
			kind = "list"
		case nil:
			kind = "null"
		case bool, json.Number:
			kind = "number"
		}
		names = append(names, name+":"+kind)
	}
	slices.Sort(names)
	return media + " " + strings.Join(names, " ")
}

// withoutSecrets copies a value without members that are secret by name or
// value.
func withoutSecrets(v any, depth int, partial *bool) any {
	if depth > maxDepth {
		*partial = true
		return nil
	}
	switch v := v.(type) {
	case map[string]any:
		o := map[string]any{}
		for name, e := range v {
			if identity.SecretName(name) || secretValue(e) {
				*partial = true
				continue
			}
			o[name] = withoutSecrets(e, depth+1, partial)
		}
		return o
	case []any:
		out := []any{}
		for _, e := range v {
			if secretValue(e) {
				*partial = true
				continue
			}
			out = append(out, withoutSecrets(e, depth+1, partial))
		}
		return out
	}
	return v
}

// plainValue reports whether a text may be shown as an example: it is no secret,
// and nobody still has to fill it in.
func plainValue(s string) bool { return len(s) <= maxValue && !secretValue(s) }

func secretValue(v any) bool {
	switch v := v.(type) {
	case string:
		_, t := readToken(v)
		return masked(v) || strings.Contains(v, "{{") || t != nil || cardNumber(v) || hashLike(v)
	case json.Number:
		return cardNumber(v.String())
	}
	return false
}
