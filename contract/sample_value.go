package contract

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
)

// An attempt says how to make up a value.
type attempt struct {
	examples bool // use those in the schemas
	all      bool // members that are not required too
	choice   int  // which of anyOf and oneOf
}

// attempts are made in this order, until the contract takes one.
var attempts = []attempt{
	{examples: true, all: true}, {examples: true}, {all: true}, {},
	{all: true, choice: 1}, {choice: 1}, {choice: 2}, {choice: 3}, {choice: 4},
}

// candidates are values that a schema may take: what the description gives
// first.
func (s *sampler) candidates(schema cursor, explicit []any) []any {
	out := slices.Clone(explicit)
	for _, a := range attempts {
		if v, ok := s.value(schema, a); ok {
			out = append(out, v)
		}
	}
	return out
}

// examples are those that stand beside a schema.
func (s *sampler) examples(c cursor) []any {
	var out []any
	if e := c.get("example"); e.ok() {
		out = append(out, s.plain(e))
	}
	for _, m := range c.get("examples").members() {
		e, err := s.ds.follow(m.value)
		if err != nil {
			continue
		}
		for _, word := range []string{"value", "dataValue"} {
			if v := e.get(word); v.ok() {
				out = append(out, s.plain(v))
				break
			}
		}
	}
	return out
}

// A sampleObject keeps its members in their order.
type sampleObject struct{ members []sampleMember }

type sampleMember struct {
	name  string
	value any
}

func (o *sampleObject) has(name string) bool {
	return slices.ContainsFunc(o.members, func(m sampleMember) bool { return m.name == name })
}

// MarshalJSON writes the members in their order.
func (o *sampleObject) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o.members {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(compactJSON(m.name))
		b.WriteByte(':')
		b.Write(compactJSON(m.value))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func compactJSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return []byte("null")
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// jsonText is a value as people read it.
func jsonText(v any) []byte {
	var b bytes.Buffer
	if json.Indent(&b, compactJSON(v), "", "  ") != nil {
		return []byte("null")
	}
	return b.Bytes()
}

// plainText is a value as a form or a query has it.
func plainText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	return string(compactJSON(v))
}

// plain is an example as it stands, its members in their order.
func (s *sampler) plain(c cursor) any {
	left := 100_000
	return s.plainNode(c, 0, &left)
}

// plainNode stops when left values have been made: aliases can mean a thousand
// times what the file says.
func (s *sampler) plainNode(c cursor, depth int, left *int) any {
	*left--
	switch {
	case depth > 50 || *left < 0:
		return nil
	case c.isMap():
		o := &sampleObject{}
		for _, m := range c.members() {
			o.members = append(o.members, sampleMember{m.name, s.plainNode(m.value, depth+1, left)})
		}
		return o
	case c.isList():
		list := []any{}
		for _, i := range c.items() {
			list = append(list, s.plainNode(i, depth+1, left))
		}
		return list
	}
	return c.value()
}

// value makes up a value; ok is false when nothing is said of it.
func (s *sampler) value(schema cursor, a attempt) (v any, ok bool) {
	if !schema.ok() {
		return nil, false
	}
	m := &making{s: s, a: a, budget: 3000}
	return m.value([]cursor{schema}, 0, 0), true
}

// A making is one attempt at one value.
type making struct {
	s      *sampler
	a      attempt
	budget int // values left, so that what refers to itself has an end
	open   []string
}

// value makes one. n tells the items of a list apart.
func (m *making) value(cs []cursor, depth, n int) any {
	v := m.s.viewOf(cs, m.a, 0)
	m.budget--
	if len(v) == 0 || depth > 40 || m.budget < -3000 {
		return "text"
	}
	if c := v.first("const"); c.ok() {
		return m.s.plain(c)
	}
	if list := v.first("enum").items(); len(list) > 0 {
		return m.s.plain(list[n%len(list)])
	}
	if m.a.examples && n == 0 {
		if e := v.first("example"); e.ok() {
			return m.s.plain(e)
		}
		if list := v.first("examples").items(); len(list) > 0 {
			return m.s.plain(list[0])
		}
		if d := v.first("default"); d.ok() && unalias(d.node).Tag != "!!null" {
			return m.s.plain(d)
		}
	}
	switch v.kind() {
	case "object":
		return m.object(v, depth)
	case "array":
		return m.array(v, depth)
	case "integer", "number":
		return m.number(v, n)
	case "boolean":
		return n%2 == 0
	case "null":
		return nil
	}
	return m.text(v, n)
}

func (m *making) object(v view, depth int) any {
	o := &sampleObject{}
	required := v.required()
	here := v[0].location()
	again := slices.Contains(m.open, here)
	m.open = append(m.open, here)
	defer func() { m.open = m.open[:len(m.open)-1] }()
	optional := m.a.all && !again && depth < 4 && m.budget > 0
	for _, c := range v {
		for _, p := range c.get("properties").members() {
			if o.has(p.name) || !required[p.name] && !optional || again && len(m.open) > 12 {
				continue
			}
			same := v.property(p.name)
			sub := m.s.viewOf(same, m.a, 0)
			if says(sub, "readOnly") || !required[p.name] && says(sub, "deprecated") {
				continue
			}
			if !required[p.name] && m.openIn(sub) {
				continue
			}
			if name := m.discriminated(v, p.name); name != "" {
				o.members = append(o.members, sampleMember{p.name, name})
				continue
			}
			o.members = append(o.members, sampleMember{p.name, m.value(same, depth+1, 0)})
		}
	}
	for name := range sorted(required) {
		if !o.has(name) && len(v.property(name)) == 0 {
			o.members = append(o.members, sampleMember{name, m.extra(v, depth, 0)})
		}
	}
	if least, err := strconv.Atoi(v.first("minProperties").text()); err == nil {
		for n := 1; len(o.members) < least && n < 100; n++ {
			o.members = append(o.members, sampleMember{"key" + strconv.Itoa(n), m.extra(v, depth, n)})
		}
	}
	return o
}

// openIn reports whether a view is one that is being made, or a list of them.
func (m *making) openIn(v view) bool {
	for _, c := range v {
		if slices.Contains(m.open, c.location()) {
			return true
		}
		if items := c.get("items"); items.ok() {
			if to, err := m.s.ds.follow(items); err == nil && slices.Contains(m.open, to.location()) {
				return true
			}
		}
	}
	return false
}

// extra is the value of a member that has no schema of its own.
func (m *making) extra(v view, depth, n int) any {
	if p := v.first("additionalProperties"); p.isMap() {
		return m.value([]cursor{p}, depth+1, n)
	}
	return "text"
}

func says(v view, word string) bool {
	return slices.ContainsFunc(v, func(c cursor) bool { return c.get(word).isTrue() })
}

func sorted(set map[string]bool) func(func(string) bool) {
	names := make([]string, 0, len(set))
	for n := range set {
		names = append(names, n)
	}
	slices.Sort(names)
	return func(yield func(string) bool) {
		for _, n := range names {
			if !yield(n) {
				return
			}
		}
	}
}

// discriminated is the value that tells which of several schemas an object is.
func (m *making) discriminated(v view, name string) string {
	for i, c := range v {
		d := c.get("discriminator")
		property := d.get("propertyName").text()
		if property == "" {
			property = d.text() // OpenAPI 2.0
		}
		if property != name {
			continue
		}
		for _, other := range v[i:] {
			for _, mapped := range d.get("mapping").members() {
				if to, err := m.s.ds.resolve(c.doc, mapped.value.text(), mapped.value); err == nil && to.location() == other.location() {
					return mapped.name
				}
			}
		}
		if list := v.property(name); len(list) > 0 && m.s.viewOf(list, m.a, 0).first("enum").ok() {
			return ""
		}
		for _, other := range slices.Backward(v) {
			if p := other.pointer; len(p) > len("/components/schemas/") && p[:12] == "/components/" || len(p) > 13 && p[:13] == "/definitions/" {
				return pointerName(p)
			}
		}
	}
	return ""
}

func pointerName(pointer string) string {
	for i := len(pointer) - 1; i >= 0; i-- {
		if pointer[i] == '/' {
			return pointer[i+1:]
		}
	}
	return pointer
}

func (m *making) array(v view, depth int) any {
	list := []any{}
	for i, p := range v.first("prefixItems").items() {
		list = append(list, m.value([]cursor{p}, depth+1, i))
	}
	least, _ := strconv.Atoi(v.first("minItems").text())
	if most, err := strconv.Atoi(v.first("maxItems").text()); err == nil && most == 0 {
		return list
	}
	if least < 1 && (m.a.all || m.a.examples) && depth < 12 && m.budget > 0 {
		least = 1
	}
	var items []cursor
	for _, c := range v {
		if i := c.get("items"); i.isMap() {
			items = append(items, i)
		}
	}
	if len(items) == 0 && len(list) > 0 {
		return list
	}
	if len(items) > 0 && least == 1 && m.openIn(m.s.viewOf(items, m.a, 0)) {
		if n, _ := strconv.Atoi(v.first("minItems").text()); n == 0 {
			return list
		}
	}
	for n := len(list); n < min(least, 200); n++ {
		if len(items) == 0 {
			list = append(list, "text"+strconv.Itoa(n))
			continue
		}
		list = append(list, m.value(items, depth+1, n))
	}
	return list
}
