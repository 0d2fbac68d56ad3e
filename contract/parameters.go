package contract

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// mergeParameters lists the parameters of a path and of one of its operations,
// which win over those of the path, with references followed.
func (r *reader) mergeParameters(shared, own cursor) ([]cursor, error) {
	var out []cursor
	at := map[string]int{}
	for _, list := range []cursor{shared, own} {
		if err := expect(list, true, "parameters"); err != nil {
			return nil, err
		}
		for _, p := range list.items() {
			c, err := r.ds.follow(p)
			if err != nil {
				return nil, err
			}
			if !c.isMap() {
				return nil, c.errorf("", "parameters: expected fields")
			}
			name, in := c.get("name").text(), c.get("in").text()
			if name == "" || in == "" {
				return nil, c.errorf("", "a parameter needs name and in")
			}
			key := in + " " + name
			if i, again := at[key]; again {
				out[i] = c
				continue
			}
			at[key] = len(out)
			out = append(out, c)
		}
	}
	return out, nil
}

// parameters reads the declared inputs outside of the body.
func (r *reader) parameters(o *Operation, shared, own cursor) error {
	all, err := r.mergeParameters(shared, own)
	if err != nil {
		return err
	}
	for _, c := range all {
		p := r.params[c.location()]
		if p == nil {
			if p, err = r.parameter(c); err != nil {
				return err
			}
			if p == nil {
				if c.get("in").text() == "querystring" { // OpenAPI 3.2: the query as a whole
					o.openQuery = true
					r.notJudged(c, o.Name, "the query as a whole")
				}
				continue
			}
			r.params[c.location()] = p
		}
		// A form's members stand in the query under their own names.
		if p.In == "query" && p.expand && p.object && len(p.members) == 0 && p.style == "form" {
			o.openQuery = true
		}
		o.Parameters = append(o.Parameters, p)
	}
	return nil
}

// parameter reads one. It returns nil for what is not outside of the body, and
// for headers that OpenAPI says to ignore (3.1, 4.8.12).
func (r *reader) parameter(c cursor) (*Parameter, error) {
	p := &Parameter{
		Name: c.get("name").text(), In: c.get("in").text(),
		Required:   c.get("required").isTrue(),
		allowEmpty: c.get("allowEmptyValue").isTrue(),
		where:      c, schema: c.get("schema"), style: c.get("style").text(),
	}
	switch p.In {
	case "path", "query", "cookie":
	case "header":
		if n := strings.ToLower(p.Name); n == "accept" || n == "content-type" || n == "authorization" {
			return nil, nil
		}
	case "body", "formData", "querystring":
		return nil, nil
	default:
		return nil, c.get("in").errorf("one of path, query, header, cookie", "a parameter is not in %q", p.In)
	}
	if p.style == "" {
		p.style = "form"
		if p.In == "path" || p.In == "header" {
			p.style = "simple"
		}
	}
	p.expand = p.style == "form"
	if e := c.get("explode"); e.ok() {
		p.expand = e.isTrue()
	}
	if contents := c.get("content").members(); len(contents) > 0 {
		p.schema = contents[0].value.get("schema")
		p.content = IsJSON(mediaType(contents[0].name))
		if !p.content {
			p.schema = cursor{}
		}
	} else if !p.schema.ok() && (c.get("type").ok() || c.get("enum").ok()) { // OpenAPI 2.0
		p.schema, p.inline = c, true
		p.expand = false
		switch c.get("collectionFormat").text() {
		case "multi":
			p.expand = true
		case "ssv":
			p.style = "spaceDelimited"
		case "tsv":
			p.style = "tabDelimited"
		case "pipes":
			p.style = "pipeDelimited"
		}
	}
	if err := r.checkReferences(p.schema); err != nil {
		return nil, err
	}
	if s, err := r.ds.follow(p.schema); err == nil {
		p.Bounded = s.get("maximum").ok() || s.get("exclusiveMaximum").ok() || s.get("enum").ok() || s.get("const").ok()
	}
	p.kinds = r.coercions(p.schema, map[string]bool{})
	p.Repeats = p.kinds&asArray != 0 && p.kinds&(asString|asInteger|asNumber|asBool|asObject) == 0 && !p.content
	p.object = p.kinds&asObject != 0 && p.kinds&^(asObject|asNull) == 0 && !p.content
	if p.Repeats {
		p.items = r.coercions(r.itemsOf(p.schema, 0), map[string]bool{})
	}
	if p.object {
		p.members = map[string]coercion{}
		r.membersOf(p.schema, p.members, map[string]bool{})
	}
	return p, nil
}

// A coercion is the set of JSON types that a parameter's text may stand for.
type coercion uint8

const (
	asString coercion = 1 << iota
	asInteger
	asNumber
	asBool
	asNull
	asArray
	asObject
)

var coercionNames = map[string]coercion{
	"string": asString, "integer": asInteger, "number": asNumber | asInteger, "boolean": asBool, "null": asNull,
	"array": asArray, "object": asObject, "file": asString,
}

// coercions returns what a schema allows; a schema that does not say allows
// text.
func (r *reader) coercions(c cursor, seen map[string]bool) coercion {
	c, err := r.ds.follow(c)
	if err != nil || !c.isMap() || seen[c.location()] {
		return 0
	}
	seen[c.location()] = true
	var k coercion
	if t := c.get("type").text(); t != "" {
		k |= coercionNames[t]
	}
	for _, t := range c.get("type").texts() {
		k |= coercionNames[t]
	}
	if c.get("nullable").isTrue() {
		k |= asNull
	}
	if k == 0 && c.get("properties").ok() {
		k = asObject
	}
	if k == 0 && c.get("items").ok() {
		k = asArray
	}
	if k == 0 {
		values := c.get("enum").items()
		if v := c.get("const"); v.ok() {
			values = append(values, v)
		}
		for _, v := range values {
			switch unalias(v.node).Tag {
			case "!!int":
				k |= asInteger
			case "!!float":
				k |= asNumber
			case "!!bool":
				k |= asBool
			case "!!null":
				k |= asNull
			default:
				k |= asString
			}
		}
	}
	for _, word := range []string{"allOf", "anyOf", "oneOf"} {
		for _, b := range c.get(word).items() {
			k |= r.coercions(b, seen)
		}
	}
	return k
}

func (r *reader) itemsOf(c cursor, depth int) cursor {
	c, err := r.ds.follow(c)
	if err != nil || depth > 20 {
		return cursor{}
	}
	if i := c.get("items"); i.ok() {
		return i
	}
	for _, word := range []string{"allOf", "anyOf", "oneOf"} {
		for _, b := range c.get(word).items() {
			if i := r.itemsOf(b, depth+1); i.ok() {
				return i
			}
		}
	}
	return cursor{}
}

func (r *reader) membersOf(c cursor, into map[string]coercion, seen map[string]bool) {
	c, err := r.ds.follow(c)
	if err != nil || seen[c.location()] {
		return
	}
	seen[c.location()] = true
	for _, m := range c.get("properties").members() {
		into[m.name] |= r.coercions(m.value, map[string]bool{})
	}
	for _, word := range []string{"allOf", "anyOf", "oneOf"} {
		for _, b := range c.get(word).items() {
			r.membersOf(b, into, seen)
		}
	}
}

// compileParameters compiles the schemas of parameters, each once, and makes
// the lists that CheckParameters works with.
func (l *loader) compileParameters(roots map[*document]any, lock *sync.Mutex) error {
	done := map[*Parameter]bool{}
	programs := map[programKey]*programResult{}
	for _, o := range l.c.Operations {
		for _, p := range o.Parameters {
			if done[p] {
				continue
			}
			done[p] = true
			l.compileParameter(o, p, roots, programs, lock)
		}
		for _, s := range l.c.Schemes {
			if s.Type == "apiKey" && s.In == "query" {
				o.keys = append(o.keys, s.Name)
			}
		}
	}
	for p := range done {
		p.schema, p.where = cursor{}, cursor{}
	}
	return nil
}

func (l *loader) compileParameter(o *Operation, p *Parameter, roots map[*document]any, programs map[programKey]*programResult, lock *sync.Mutex) {
	what := o.Name + ": parameter " + p.Name
	p.unjudged = true
	if p.style == "matrix" || p.style == "label" {
		l.r.notJudged(p.where, what, "its style "+p.style+" is not known")
		return
	}
	if !p.schema.ok() {
		p.unjudged = false // nothing is declared that could be judged
		return
	}
	if (p.Repeats && p.items&(asArray|asObject) != 0) || p.kinds&(asArray|asObject) != 0 && !p.Repeats && !p.object && !p.content {
		l.r.notJudged(p.where, what, "it is put together in a way that has no one reading")
		return
	}
	c, _ := l.r.ds.follow(p.schema)
	if root := roots[c.doc]; root == nil {
		roots[c.doc] = c.doc.top().value()
	}
	k := programKey{doc: c.doc, location: "#" + c.pointer, request: true}
	result := programs[k]
	if result == nil {
		result = &programResult{}
		root, location := roots[k.doc], k.location
		if p.inline {
			root, location = inlineSchema(c), "#"
		}
		result.program, result.err = compileSchema(root, location, schemaOptions{
			Dialect: l.r.dialect, Request: true, Closed: true, Resolve: l.resolver(k.doc, lock), Unnamed: k.doc.unnamed})
		programs[k] = result
	}
	if result.err != nil {
		l.uncompiled(k, p.where, what, result.err)
		return
	}
	p.program, p.unjudged = result.program, false
}

// inlineSchema is a parameter of OpenAPI 2.0 as a schema: without the words
// that mean something else there.
func inlineSchema(c cursor) any {
	m, ok := c.value().(map[string]any)
	if !ok {
		return map[string]any{}
	}
	out := map[string]any{}
	for k, v := range m {
		if !slices.Contains([]string{"name", "in", "required", "description", "collectionFormat", "allowEmptyValue", "default"}, k) &&
			!strings.HasPrefix(k, "x-") {
			out[k] = v
		}
	}
	return out
}

func (o *Operation) parameter(in, name string) *Parameter {
	for _, p := range o.Parameters {
		if p.In == in && p.Name == name {
			return p
		}
	}
	return nil
}

// String is "query limit".
func (p *Parameter) String() string { return fmt.Sprintf("%s %s", p.In, p.Name) }
