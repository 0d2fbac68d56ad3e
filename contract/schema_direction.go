package contract

import (
	"slices"
	"strconv"
)

// deepest bounds how far references and allOf are followed to see whether a
// member is read-only.
const deepest = 32

// says reports whether the schema at p, or one that it consists of, has word
// set to true.
func (c *schemaCompiler) says(p place, word string, depth int) bool {
	m, ok := p.node.(map[string]any)
	if !ok || depth > deepest {
		return false
	}
	if ref, ok := m["$ref"].(string); ok {
		if next, err := c.refs.resolve(p, ref); err == nil && c.says(next, word, depth+1) {
			return true
		}
		if c.o.Dialect.old() {
			return false
		}
	}
	if m[word] == true {
		return true
	}
	list, _ := m["allOf"].([]any)
	for i, v := range list {
		if c.says(p.down(v, "allOf", strconv.Itoa(i)), word, depth+1) {
			return true
		}
	}
	return false
}

// otherWay adds to names the members that the schema at p, or one that speaks
// of the same value, declares read-only (for requests) or write-only (for
// responses): "required" then holds for the other direction only (OpenAPI
// 3.0.3, 4.7.24.2).
func (c *schemaCompiler) otherWay(p place, names []string, depth int) []string {
	word := "writeOnly"
	if c.o.Request {
		word = "readOnly"
	}
	m, ok := p.node.(map[string]any)
	if !ok || depth > deepest {
		return names
	}
	if ref, ok := m["$ref"].(string); ok {
		if next, err := c.refs.resolve(p, ref); err == nil {
			names = c.otherWay(next, names, depth+1)
		}
		if c.o.Dialect.old() {
			return names
		}
	}
	parts, _ := m["properties"].(map[string]any)
	for name, v := range parts {
		if c.says(p.down(v, "properties", name), word, 0) && !slices.Contains(names, name) {
			names = append(slices.Clone(names), name)
			slices.Sort(names)
		}
	}
	for _, word := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := m[word].([]any)
		for i, v := range list {
			names = c.otherWay(p.down(v, word, strconv.Itoa(i)), names, depth+1)
		}
	}
	return names
}
