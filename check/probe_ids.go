package check

import (
	"encoding/json"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// Objects that do not exist, and those that do.

// absent is an ID of the same shape that nothing has: digits stay digits,
// letters stay letters, and what a UUID says of its version stays.
func absent(id string) string {
	uuid := len(id) == 36 && strings.Count(id, "-") == 4
	out := []byte(id)
	for i, c := range out {
		switch {
		case uuid && (i == 14 || i == 19):
		case c >= '0' && c <= '9':
			out[i] = '9' - byte(i%2)
		case uuid && c >= 'a' && c <= 'f':
			out[i] = 'e'
		case c >= 'a' && c <= 'z':
			out[i] = 'q' + byte(i%3)
		case c >= 'A' && c <= 'Z':
			out[i] = 'Q' + byte(i%3)
		}
	}
	switch {
	case strings.Trim(id, "0123456789") == "" && len(out) < 9:
		return "989898989"
	case string(out) == id:
		return strings.NewReplacer("9", "7", "q", "u", "e", "d").Replace(id)
	}
	return string(out)
}

// withLast returns an ask whose last variable of the path has another value. It
// is false where the path has none.
func (a *Ask) withLast(value func(string) string) (*Ask, bool) {
	path, query, asked := strings.Cut(a.Target, "?")
	segments, template := strings.Split(path, "/"), strings.Split(a.Endpoint.Path, "/")
	if len(segments) != len(template) {
		return nil, false
	}
	for i := len(template) - 1; i >= 0; i-- {
		if strings.HasPrefix(template[i], "{") && strings.HasSuffix(template[i], "}") {
			b := *a
			segments[i] = value(segments[i])
			b.Target = strings.Join(segments, "/")
			if asked {
				b.Target += "?" + query
			}
			return &b, true
		}
	}
	return nil, false
}

// nowhere is an ask about an object that does not exist.
func (a *Ask) nowhere() (*Ask, bool) { return a.withLast(absent) }

// listed are IDs in the list of a resource as a person sees it.
func listed(r *Resource, p *Person) []string {
	if r == nil || r.List == nil || !r.List.Answered(p) {
		return nil
	}
	list, _ := items(r.List.Honest[p])
	var out []string
	for _, item := range list {
		var m map[string]json.RawMessage
		if json.Unmarshal(item, &m) != nil {
			continue
		}
		for _, name := range []string{r.Key, "id"} {
			if v := strings.Trim(string(m[name]), `"`); v != "" && v != "null" && len(v) < 200 {
				out = append(out, v)
				break
			}
		}
	}
	return out
}

// vanished reports whether an object that was seen is not there any more: it is
// answered with 404 or 410, or nothing of what was put into it is left.
func vanished(o *Object, x *exchange.Exchange) bool {
	switch s := StatusOf(x); {
	case s == 404 || s == 410:
		return true
	case !Succeeded(x) || len(o.Marks) == 0:
		return false
	}
	had := false
	for _, m := range o.Marks {
		if Contains(x, m) {
			return false
		}
		had = had || Contains(o.Seen, m)
	}
	return had
}
