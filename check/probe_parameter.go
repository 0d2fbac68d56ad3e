package check

import (
	"slices"
	"strings"
)

// texts are the inputs of an endpoint that take text: those of its honest
// request and the parameters of the query that it leaves out.
func (t *Trial) texts(e *Endpoint, o *Object, as *Person) (*Ask, []input) {
	a, ok := t.Request(e, o, as)
	if !ok {
		return nil, nil
	}
	ins := a.inputs()
	if e.Sample != nil {
		for _, v := range e.Sample.Values {
			for _, p := range v.Pairs {
				i := input{"query", p.Name, p.Value}
				if v.In == "query" && !slices.ContainsFunc(ins, func(j input) bool { return j.in == i.in && j.name == i.name }) {
					ins = append(ins, i)
				}
			}
		}
	}
	return a, slices.DeleteFunc(ins, func(i input) bool {
		return i.in == "query" && (i.number() || i.value == "true" || i.value == "false")
	})
}

// asker is who asks an endpoint: nobody where nobody is refused, and else who
// was answered.
func (t *Trial) asker(e *Endpoint) (*Person, bool) {
	for _, p := range append([]*Person{t.Victim, t.Attacker, nil}, t.People...) {
		if e.Answered(p) {
			return p, true
		}
	}
	return nil, false
}

// namesURL reports whether an input is for an address, by its name or by what
// stands in it.
func (i input) namesURL() bool {
	if strings.HasPrefix(i.value, "http://") || strings.HasPrefix(i.value, "https://") {
		return true
	}
	w := i.word()
	for _, name := range []string{"url", "uri", "webhook", "callback", "href", "endpoint", "hook"} {
		if strings.HasSuffix(w, name) || strings.HasPrefix(w, name) && name != "hook" {
			return true
		}
	}
	return slices.Contains([]string{"link", "host", "target", "dest", "destination", "domain", "site", "feed", "image", "avatar", "proxy", "redirect", "src", "source"}, w) &&
		(i.in == "query" || strings.Contains(i.value, ".") || strings.Contains(i.value, "/"))
}
