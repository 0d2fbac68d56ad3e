package archive

import (
	"maps"
	"slices"
	"strings"
)

// schemesPostman are the words of Postman that differ from ours.
var schemesPostman = []struct{ theirs, ours string }{
	{"noauth", "none"},
	{"awsv4", "aws-sigv4"},
}

// notRun are the schemes that are kept and not run, with the reason.
var notRun = map[string]string{
	"ntlm":     "NTLM proves a connection, not a request, with algorithms that are broken",
	"hawk":     "Hawk is no longer maintained by its author",
	"oauth1":   "OAuth 1 is replaced by OAuth 2 (RFC 6749)",
	"edgegrid": "EdgeGrid belongs to one provider",
	"asap":     "ASAP belongs to one provider",
	"wsse":     "WSSE sends a digest of the password with SHA-1",
}

// NotRun returns the authentication schemes that collections may name and that
// are kept but not run, sorted.
func NotRun() []string { return slices.Sorted(maps.Keys(notRun)) }

// auth reads one: parameters are a list (2.1) or an object (2.0). Nothing and
// null mean that of the scope above.
func (p *postmanReader) auth(t *tree) *Auth {
	a := postmanAuth(t)
	if a == nil {
		return nil
	}
	if why, ok := notRun[a.Scheme]; ok {
		p.warn(t, "auth %s is kept and not run: %s", a.Scheme, why)
	}
	return a
}

func postmanAuth(t *tree) *Auth {
	theirs := t.get("type").text()
	if theirs == "" {
		return nil
	}
	a := &Auth{Scheme: theirs}
	for _, s := range schemesPostman {
		if s.theirs == theirs {
			a.Scheme = s.ours
		}
	}
	params := t.get(theirs)
	for _, m := range params.list() {
		a.set(m.get("key").asText(), m.get("value").asText())
	}
	if params.is('{') {
		for _, m := range params.members {
			a.set(m.name, m.value.asText())
		}
	}
	return a
}

func (a *Auth) set(name, value string) {
	if name == "" {
		return
	}
	if a.Params == nil {
		a.Params = map[string]string{}
	}
	a.Params[name] = value
}

// postmanAuthTree writes one as version 2.1 does.
func postmanAuthTree(a *Auth) *tree {
	if a == nil {
		return nil
	}
	theirs := a.Scheme
	for _, s := range schemesPostman {
		if s.ours == theirs {
			theirs = s.theirs
		}
	}
	t := object(member{"type", str(theirs)})
	if len(a.Params) == 0 {
		return t
	}
	list := array()
	for _, name := range slices.Sorted(maps.Keys(a.Params)) {
		list.items = append(list.items, postmanParam(name, str(a.Params[name])))
	}
	return t.with(theirs, list)
}

func postmanParam(name string, value *tree) *tree {
	kind := "any"
	switch value.kind {
	case '"':
		kind = "string"
	case 't', 'f':
		kind = "boolean"
	}
	return object(member{"key", str(name)}, member{"value", value}, member{"type", str(kind)})
}

// modernAuths turns the parameters of auths in a document of version 2.0 into
// the lists of 2.1, everywhere in a collection or item.
func modernAuths(t *tree, depth int) *tree {
	out := *t
	out.members = slices.Clone(t.members)
	for i, m := range out.members {
		switch {
		case m.name == "auth" && m.value.get("type") != nil:
			out.members[i].value = modernAuth(m.value)
		case m.name == "item" && m.value.is('['), m.name == "response" && m.value.is('['):
			list := *m.value
			list.items = slices.Clone(list.items)
			for k, it := range list.items {
				if it.is('{') {
					list.items[k] = modernAuths(it, depth+1)
				}
			}
			out.members[i].value = &list
		case (m.name == "request" || m.name == "originalRequest") && m.value.is('{'):
			out.members[i].value = modernAuths(m.value, depth+1)
		}
	}
	return &out
}

func modernAuth(t *tree) *tree {
	for _, m := range t.members {
		if !m.value.is('{') || strings.HasPrefix(m.name, "_") {
			continue
		}
		list := array()
		for _, p := range m.value.members {
			list.items = append(list.items, postmanParam(p.name, p.value))
		}
		t = t.with(m.name, list)
	}
	return t
}
