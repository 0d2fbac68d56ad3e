package contract

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// A place is a schema and where it stands.
type place struct {
	node    any
	doc     string // URI of its document; "" for the root
	pointer string // in the document
	base    string // URI that references in it are relative to
	inside  bool   // base takes the schema's own $id into account
}

func (p place) location() string { return p.doc + "#" + p.pointer }

// down is the part of the schema at p that has these tokens.
func (p place) down(node any, tokens ...string) place {
	p.node, p.inside = node, false
	for _, t := range tokens {
		p.pointer += "/" + pointerEscaper.Replace(t)
	}
	return p
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")
var pointerUnescaper = strings.NewReplacer("~1", "/", "~0", "~")

// errMetaSchema says that a reference names a schema of JSON Schema itself,
// which only the library holds.
var errMetaSchema = errors.New("a meta-schema")

// references finds what references name.
type references struct {
	o         schemaOptions
	root      place
	resources map[string]place // by URI, as $id names them; "" is the root
	documents map[string]place // by the name under which Resolve gave them
	loaded    map[[2]string]place
	anchors   map[string]place // URI#name
	dynamic   map[string]int   // how many $dynamicAnchor have the name
	remote    bool             // other documents were loaded
}

func newReferences(root any, o schemaOptions) *references {
	r := &references{
		o: o, root: place{node: root},
		resources: map[string]place{}, documents: map[string]place{}, loaded: map[[2]string]place{}, anchors: map[string]place{}, dynamic: map[string]int{},
	}
	r.resources[""] = r.root
	if !o.Dialect.openAPI() {
		r.index(r.root)
		if m, ok := root.(map[string]any); ok {
			r.root.base, r.root.inside = r.id(m, ""), true
		}
		return r
	}
	if o.Dialect == openapi30 || o.Unnamed {
		return r // no schema has a name of its own: a walk would find nothing
	}
	m, _ := root.(map[string]any)
	components, _ := m["components"].(map[string]any)
	schemas, _ := components["schemas"].(map[string]any)
	for name, s := range schemas {
		r.index(r.root.down(s, "components", "schemas", name))
	}
	return r
}

// id returns the base within m: base itself unless m names one.
func (r *references) id(m map[string]any, base string) string {
	word := "$id"
	if r.o.Dialect == draft4 {
		word = "id"
	}
	id, ok := m[word].(string)
	if !ok || r.o.Dialect == openapi30 {
		return base
	}
	if _, ref := m["$ref"]; ref && r.o.Dialect.old() {
		return base
	}
	if strings.HasPrefix(id, "#") {
		return base // an anchor, in the old drafts
	}
	id, _, _ = strings.Cut(id, "#")
	return join(base, id)
}

// enter takes the $id of the schema at p into account, once.
func (r *references) enter(p place) place {
	if m, ok := p.node.(map[string]any); ok && !p.inside {
		p.base, p.inside = r.id(m, p.base), true
	}
	return p
}

// Where schemas stand in a schema.
var (
	schemaWords = []string{"additionalItems", "additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then",
		"unevaluatedItems", "unevaluatedProperties", "contentSchema"}
	schemaLists = []string{"allOf", "anyOf", "items", "oneOf", "prefixItems"}
	schemaMaps  = []string{"$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"}
)

// index notes the names of the schema at p and of those in it.
func (r *references) index(p place) {
	m, ok := p.node.(map[string]any)
	if !ok {
		return
	}
	outer := p.base
	if p = r.enter(p); p.base != outer {
		if _, taken := r.resources[p.base]; !taken {
			r.resources[p.base] = p
		}
	}
	for _, word := range []string{"$anchor", "$dynamicAnchor"} {
		if name, ok := m[word].(string); ok && r.o.Dialect.new() {
			r.anchors[p.base+"#"+name] = p
			if word == "$dynamicAnchor" {
				r.dynamic[name]++
			}
		}
	}
	if r.o.Dialect == draft4 || r.o.Dialect == draft7 {
		for _, word := range []string{"$id", "id"} {
			if id, ok := m[word].(string); ok && strings.HasPrefix(id, "#") && len(id) > 1 {
				r.anchors[p.base+id] = p
			}
		}
	}
	for _, word := range schemaWords {
		if v, ok := m[word]; ok {
			r.index(p.down(v, word))
		}
	}
	for _, word := range schemaLists {
		list, _ := m[word].([]any)
		for i, v := range list {
			r.index(p.down(v, word, strconv.Itoa(i)))
		}
	}
	for _, word := range schemaMaps {
		parts, _ := m[word].(map[string]any)
		for name, v := range parts {
			r.index(p.down(v, word, name))
		}
	}
}

// join resolves a reference (RFC 3986, 5).
func join(base, ref string) string {
	b, err1 := url.Parse(base)
	u, err2 := url.Parse(ref)
	if err1 != nil || err2 != nil {
		return ref
	}
	if b.Scheme == "" && b.Host == "" && u.Scheme == "" && u.Host == "" && !path.IsAbs(b.Path) && !path.IsAbs(u.Path) && u.Path != "" {
		// Files named from one another, perhaps from below: ../common.yaml.
		return path.Join(path.Dir(b.Path), u.Path)
	}
	return b.ResolveReference(u).String()
}

// resolve finds what the reference ref in the schema at p names.
func (r *references) resolve(p place, ref string) (place, error) {
	p = r.enter(p)
	uri, fragment, _ := strings.Cut(ref, "#")
	base := p.base
	if uri != "" {
		base = join(p.base, uri)
	}
	target, ok := r.resources[base]
	if !ok && (uri == "" || !r.o.Dialect.openAPI()) {
		target, ok = r.documents[base]
	}
	if !ok {
		var err error
		if target, err = r.load(p, base, uri); err != nil {
			if err != errMetaSchema {
				err = fmt.Errorf("%s: reference %q: %w", p.location(), ref, err)
			}
			return place{}, err
		}
	}
	if fragment == "" {
		return target, nil
	}
	if fragment[0] != '/' {
		if a, ok := r.anchors[target.base+"#"+fragment]; ok {
			return a, nil
		}
		return place{}, fmt.Errorf("%s: reference %q names nothing", p.location(), ref)
	}
	found, err := r.find(target, "#"+fragment)
	if err != nil {
		return place{}, fmt.Errorf("%s: reference %q names nothing", p.location(), ref)
	}
	return found, nil
}

// load asks Resolve for the document that uri, in the schema at p, names. What
// it is called is Resolve's to say: a description may be spread over files
// whose names mean something only to whoever reads them.
func (r *references) load(p place, base, uri string) (place, error) {
	if strings.HasPrefix(base, "http://json-schema.org/draft-") || strings.HasPrefix(base, "https://json-schema.org/draft/") {
		return place{}, errMetaSchema
	}
	asked := [2]string{p.base, uri}
	if target, ok := r.loaded[asked]; ok {
		return target, nil
	}
	if r.o.Resolve == nil {
		return place{}, errors.New("it leads out of the document")
	}
	node, location, err := r.o.Resolve(p.base, uri)
	if err != nil {
		return place{}, err
	}
	r.remote = true
	name, pointer, _ := strings.Cut(location, "#")
	if name == "" || pointer != "" {
		return place{}, fmt.Errorf("%q is not the name of a document", location)
	}
	target, ok := r.documents[name]
	if !ok {
		target = place{node: node, doc: name, base: name}
		r.index(target)
		target = r.enter(target)
		r.documents[name] = target
	}
	r.loaded[asked] = target
	return target, nil
}

// find walks from p down the JSON Pointer in a fragment.
func (r *references) find(p place, fragment string) (place, error) {
	pointer := strings.TrimPrefix(fragment, "#")
	if decoded, err := url.PathUnescape(pointer); err == nil {
		pointer = decoded
	}
	if pointer == "" {
		return p, nil
	}
	if pointer[0] != '/' {
		return place{}, fmt.Errorf("%q is not a JSON Pointer", fragment)
	}
	for _, t := range strings.Split(pointer[1:], "/") {
		t = pointerUnescaper.Replace(t)
		var node any
		ok := false
		switch v := p.node.(type) {
		case map[string]any:
			node, ok = v[t]
		case []any:
			if i, err := strconv.Atoi(t); err == nil && i >= 0 && i < len(v) {
				node, ok = v[i], true
			}
		}
		if !ok {
			return place{}, fmt.Errorf("%s is not there", fragment)
		}
		p = r.enter(p.down(node, t))
	}
	return p, nil
}
