package learn

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// security writes who may ask: the ways to prove who one is that succeeded, and
// {} when nobody did, too.
func (d *document) security(o *operation) *yaml.Node {
	carriers, open := d.m.carriersOf(o)
	if len(carriers) == 0 {
		return flow(list())
	}
	n := flow(list())
	if open {
		n.Content = append(n.Content, flow(object()))
	}
	for _, c := range carriers {
		n.Content = append(n.Content, flow(object(d.scheme(c), flow(list()))))
	}
	return n
}

// carriersOf are the ways in which credentials came that were taken; open is
// true when none was needed.
func (m *model) carriersOf(o *operation) (carriers []carrier, open bool) {
	good := map[carrier]bool{}
	if !o.refused {
		for c, t := range o.cell.carriers {
			good[c] = t.ok > 0
		}
	} else {
		for c, t := range o.cell.carriers {
			good[c] = t.failed > 0 || c != "" && t.refused > 0
		}
	}
	// A token is one in the field and in the cookie.
	tokens := m.sameToken()
	if slices.ContainsFunc(tokens, func(c carrier) bool { return good[c] }) {
		for _, c := range tokens {
			good[c] = true
		}
	}
	for _, c := range slices.Sorted(maps.Keys(good)) {
		switch {
		case !good[c]:
		case c == "":
			open = true
		default:
			carriers = append(carriers, c)
		}
	}
	return carriers, open
}

// sameToken are the carriers of tokens of one issuer.
func (m *model) sameToken() []carrier {
	t := &m.l.tokens
	if len(t.issuers.m) != 1 || t.issuers.over {
		return nil
	}
	var out []carrier
	for c := range t.bearers.m {
		out = append(out, carrier(c))
	}
	for c := range t.cookies.m {
		out = append(out, carrier("cookie:"+c))
	}
	return out
}

// scheme declares a way to prove who one is and returns its name.
func (d *document) scheme(c carrier) string {
	kind, field, _ := strings.Cut(string(c), ":")
	name := kind
	var n *yaml.Node
	switch kind {
	case "bearer":
		n = object("type", text("http"), "scheme", text("bearer"))
		if d.m.l.tokens.bearers.m["bearer"] {
			put(n, "bearerFormat", text("JWT"))
		}
	case "basic":
		n = object("type", text("http"), "scheme", text("basic"))
	default:
		name = variableName(strings.ToLower(field))
		n = object("type", text("apiKey"), "in", text(kind), "name", text(field))
	}
	if old := d.schemes[name]; old != nil && get(old, "in") != nil && get(old, "in").Value != kind {
		name += "_" + kind
	}
	d.schemes[name] = flow(n)
	return name
}
