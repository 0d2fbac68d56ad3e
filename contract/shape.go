package contract

import (
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// A shape is what a rule may expect at a place: a schema as a type of CEL.
type shape struct {
	kind     shapeKind
	nullable bool
	elem     *shape // of a list or map
	// Of an object: its schemas (several when it is put together from some),
	// or its fields when they are ours.
	of      *shapes
	sources []cursor
	fixed   map[string]*shape
	name    string // the type's name in CEL
	typ     *types.Type
}

type shapeKind int

const (
	anyShape shapeKind = iota
	stringShape
	intShape
	doubleShape
	boolShape
	listShape
	mapShape
	objectShape
)

// shapes makes shapes of schemas, one for each place, so that schemas may
// lead back to themselves.
type shapes struct {
	ds     *documents
	byKey  map[string]*shape // by location
	byName map[string]*shape // object types, by name
}

// of returns the shape of a schema.
func (ss *shapes) of(c cursor) *shape {
	c, err := ss.ds.follow(c)
	if err != nil || !c.isMap() {
		return &shape{}
	}
	if s := ss.byKey[c.location()]; s != nil {
		return s
	}
	s := &shape{of: ss}
	ss.byKey[c.location()] = s
	var k kinds
	ss.kinds(c, &k, map[string]bool{})
	s.nullable = k.null
	s.kind = k.kind
	if k.mixed {
		s.kind = anyShape
	}
	switch s.kind {
	case objectShape:
		if !k.properties {
			s.kind, s.elem = mapShape, &shape{}
			if a := c.get("additionalProperties"); a.isMap() {
				s.elem = ss.of(a)
			}
			break
		}
		s.sources, s.name = []cursor{c}, c.location()
		ss.byName[s.name] = s
	case listShape:
		s.elem = &shape{}
		if i := ss.items(c, map[string]bool{}); i.ok() {
			s.elem = ss.of(i)
		}
	}
	return s
}

// kinds is what a schema and those it is put together from say of its type.
type kinds struct {
	kind              shapeKind
	null, mixed       bool
	properties, known bool
}

func (k *kinds) add(kind shapeKind) {
	switch {
	case !k.known:
		k.kind, k.known = kind, true
	case k.kind == kind:
	case k.kind == intShape && kind == doubleShape || k.kind == doubleShape && kind == intShape:
		k.kind = intShape
	default:
		k.mixed = true
	}
}

var kindNames = map[string]shapeKind{
	"string": stringShape, "integer": intShape, "number": doubleShape, "boolean": boolShape,
	"array": listShape, "object": objectShape,
}

func (ss *shapes) kinds(c cursor, k *kinds, seen map[string]bool) {
	c, err := ss.ds.follow(c)
	if err != nil || seen[c.location()] {
		return
	}
	seen[c.location()] = true
	typ := c.get("type")
	words := typ.texts()
	if t := typ.text(); t != "" {
		words = []string{t}
	}
	k.null = k.null || c.get("nullable").isTrue()
	typed := false
	for _, w := range words {
		if w == "null" {
			k.null = true
			continue
		}
		if kind, ok := kindNames[w]; ok {
			if f := c.get("format").text(); kind == doubleShape && (f == "int32" || f == "int64") {
				kind = intShape
			}
			k.add(kind)
			typed = true
		}
	}
	if c.get("properties").ok() {
		k.properties = true
		if !typed {
			k.add(objectShape)
			typed = true
		}
	}
	if !typed && c.get("items").ok() {
		k.add(listShape)
		typed = true
	}
	if !typed {
		values := c.get("enum").items()
		if v := c.get("const"); v.ok() {
			values = append(values, v)
		}
		for _, v := range values {
			switch v := v.node; unalias(v).Tag {
			case "!!str":
				k.add(stringShape)
			case "!!int":
				k.add(intShape)
			case "!!float":
				k.add(doubleShape)
			case "!!bool":
				k.add(boolShape)
			case "!!null":
				k.null = true
			}
		}
	}
	for _, word := range []string{"allOf", "anyOf", "oneOf"} {
		for _, b := range c.get(word).items() {
			ss.kinds(b, k, seen)
		}
	}
}

func (ss *shapes) items(c cursor, seen map[string]bool) cursor {
	c, err := ss.ds.follow(c)
	if err != nil || seen[c.location()] {
		return cursor{}
	}
	seen[c.location()] = true
	if i := c.get("items"); i.isMap() && !c.get("prefixItems").ok() {
		return i
	}
	for _, word := range []string{"allOf", "anyOf", "oneOf"} {
		for _, b := range c.get(word).items() {
			if i := ss.items(b, seen); i.ok() {
				return i
			}
		}
	}
	return cursor{}
}

// field returns the shape of a member, or nil when there is none.
func (s *shape) field(name string) *shape {
	if s.fixed != nil {
		return s.fixed[name]
	}
	var found []cursor
	for _, c := range s.sources {
		s.of.walk(c, map[string]bool{}, func(properties cursor) {
			if p := properties.get(name); p.ok() {
				found = append(found, p)
			}
		})
	}
	if len(found) == 0 {
		return nil
	}
	first := s.of.of(found[0])
	for _, f := range found[1:] {
		other := s.of.of(f)
		switch {
		case other == first:
		case first.kind == anyShape && first.sources == nil:
			first = other
		case other.kind == anyShape:
		case first.kind == objectShape && other.kind == objectShape:
			both := &shape{kind: objectShape, of: s.of, nullable: first.nullable || other.nullable,
				sources: append(slices.Clone(first.sources), other.sources...), name: first.name + "|" + other.name}
			if known := s.of.byName[both.name]; known != nil {
				both = known
			}
			s.of.byName[both.name] = both
			first = both
		case first.kind != other.kind:
			return &shape{}
		}
	}
	return first
}

// names lists the members.
func (s *shape) names() []string {
	var out []string
	for n := range s.fixed {
		out = append(out, n)
	}
	for _, c := range s.sources {
		s.of.walk(c, map[string]bool{}, func(properties cursor) {
			for _, m := range properties.members() {
				if !slices.Contains(out, m.name) {
					out = append(out, m.name)
				}
			}
		})
	}
	slices.Sort(out)
	return out
}

// walk visits the properties of a schema and of those it is put together from.
func (ss *shapes) walk(c cursor, seen map[string]bool, visit func(properties cursor)) {
	c, err := ss.ds.follow(c)
	if err != nil || seen[c.location()] {
		return
	}
	seen[c.location()] = true
	if p := c.get("properties"); p.ok() {
		visit(p)
	}
	for _, word := range []string{"allOf", "anyOf", "oneOf"} {
		for _, b := range c.get(word).items() {
			ss.walk(b, seen, visit)
		}
	}
}

// celType is the shape as CEL's checker knows it.
func (s *shape) celType() *types.Type {
	if s.typ != nil {
		return s.typ
	}
	t := types.DynType
	switch s.kind {
	case stringShape:
		t = types.StringType
	case intShape:
		t = types.IntType
	case doubleShape:
		t = types.DoubleType
	case boolShape:
		t = types.BoolType
	case listShape:
		s.typ = types.DynType // while a list of itself is asked for
		t = types.NewListType(s.elem.celType())
	case mapShape:
		s.typ = types.DynType
		t = types.NewMapType(types.StringType, s.elem.celType())
	case objectShape:
		t = types.NewObjectType(s.name)
	}
	if s.nullable && (s.kind == stringShape || s.kind == intShape || s.kind == doubleShape || s.kind == boolShape) {
		t = types.NewNullableType(t)
	}
	s.typ = t
	return t
}

// A provider tells CEL the members of our object types.
type provider struct {
	types.Provider
	shapes *shapes
}

func (p provider) FindStructType(name string) (*types.Type, bool) {
	if s := p.shapes.byName[name]; s != nil {
		return types.NewTypeTypeWithParam(s.celType()), true
	}
	return p.Provider.FindStructType(name)
}

func (p provider) FindStructFieldNames(name string) ([]string, bool) {
	if s := p.shapes.byName[name]; s != nil {
		return s.names(), true
	}
	return p.Provider.FindStructFieldNames(name)
}

func (p provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	s := p.shapes.byName[name]
	if s == nil {
		return p.Provider.FindStructFieldType(name, field)
	}
	f := s.field(field)
	if f == nil {
		return nil, false
	}
	f.celType()
	return &types.FieldType{
		Type: f.celType(),
		IsSet: func(target any) bool {
			o, ok := target.(*jsonObject)
			return ok && o.member(field) != nil
		},
		GetFrom: func(target any) (any, error) {
			o, ok := target.(*jsonObject)
			if !ok {
				return nil, errAbsent
			}
			v := decodeValue(o.member(field), f)
			if v == nil {
				return nil, errAbsent
			}
			return v, nil
		},
	}, true
}

func (p provider) NewValue(name string, fields map[string]ref.Val) ref.Val {
	if p.shapes.byName[name] != nil {
		return types.NewErr("contract: a rule cannot make a %s", name[strings.LastIndexByte(name, '/')+1:])
	}
	return p.Provider.NewValue(name, fields)
}
