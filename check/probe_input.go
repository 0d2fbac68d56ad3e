package check

import (
	"encoding/json"
	"net/url"
	"strings"
)

// An input is one text that a request carries: a parameter of its query, a field
// of a form, a member of a JSON body.
type input struct {
	in    string // "query", "form", "body", "path" (its last segment)
	name  string // for a body a JSON Pointer
	value string
}

// String is the input as Flaw.Parameter has it.
func (i input) String() string {
	switch i.in {
	case "body":
		return "request body " + i.name
	case "form":
		return "form " + i.name
	}
	return i.in + " " + i.name
}

// word is the input's last name in small letters, without what only divides.
func (i input) word() string {
	name := i.name[strings.LastIndexByte(i.name, '/')+1:]
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(name))
}

// inputs lists the texts of a request. Numbers and booleans are none.
func (a *Ask) inputs() (out []input) {
	if _, query, ok := strings.Cut(a.Target, "?"); ok {
		out = append(out, pairs("query", query)...)
	}
	switch {
	case a.isForm():
		out = append(out, pairs("form", string(a.Body))...)
	default:
		for _, l := range Leaves(a.Body) {
			if l.Kind == "string" {
				out = append(out, input{"body", l.Pointer, l.Value})
			}
		}
	}
	return out
}

func (a *Ask) isForm() bool { return a.Header.MediaType() == "application/x-www-form-urlencoded" }

func pairs(in, text string) (out []input) {
	for pair := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(pair, "=")
		n, err1 := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if err1 == nil && err2 == nil && n != "" {
			out = append(out, input{in, n, v})
		}
	}
	return out
}

// put returns a copy of a request in which an input has another text. A
// parameter that is not there is added.
func (a *Ask) put(i input, value string) *Ask {
	b := a.With(a.As)
	switch i.in {
	case "query":
		path, query, _ := strings.Cut(a.Target, "?")
		b.Target = path + "?" + putPair(query, i.name, value)
	case "path":
		path, query, asked := strings.Cut(a.Target, "?")
		if b.Target = path[:strings.LastIndexByte(path, '/')+1] + url.PathEscape(value); asked {
			b.Target += "?" + query
		}
	case "form":
		b.Body = []byte(putPair(string(a.Body), i.name, value))
	case "body":
		text, _ := json.Marshal(value)
		if changed := SetMember(a.Body, i.name, text); changed != nil {
			b.Body = changed
		}
	}
	return b
}

func putPair(text, name, value string) string {
	pair := url.QueryEscape(name) + "=" + url.QueryEscape(value)
	var all []string
	found := false
	for old := range strings.SplitSeq(text, "&") {
		n, _, _ := strings.Cut(old, "=")
		if plain, err := url.QueryUnescape(n); err == nil && plain == name {
			old, found = pair, true
		}
		if old != "" {
			all = append(all, old)
		}
	}
	if !found {
		all = append(all, pair)
	}
	return strings.Join(all, "&")
}

// whatever is a request that changes an object in whatever state it is: what was
// asked before may have given it another version.
func (a *Ask) whatever() *Ask {
	if !a.Header.Has("If-Match") {
		return a
	}
	return a.Set("If-Match", "*")
}
