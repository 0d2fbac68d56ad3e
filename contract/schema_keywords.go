package contract

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-project/parley/internal/jsonscan"
)

// keywords reads the words of one schema. The first error is kept, so that
// the reading is not half error handling.
type keywords struct {
	c      *schemaCompiler
	p      place
	m      map[string]any
	s      *jsonscan.Schema
	exempt []string
	err    error
}

func (k *keywords) fail(word, format string, args ...any) {
	if k.err == nil {
		k.err = fmt.Errorf("%s: %s: %s", k.p.location(), word, fmt.Sprintf(format, args...))
	}
}

func (k *keywords) read() error {
	switch v := k.p.node.(type) {
	case bool:
		k.s.Never = !v
		return nil
	case map[string]any:
		k.m = v
	default:
		return fmt.Errorf("%s: a schema must be an object or a boolean", k.p.location())
	}
	d := k.c.o.Dialect
	k.p = k.c.refs.enter(k.p)
	if own, ok := k.m["$schema"].(string); ok && !d.openAPI() && !standardSchema(own, d) {
		k.c.fallback["$schema"] = true
	}
	k.anyType()
	k.numbers()
	k.texts()
	k.arrays()
	k.objects()
	k.applicators()
	if k.err != nil {
		return k.err
	}
	own := k.c.marks(k.p)
	for name, n := range own {
		if m, ok := k.s.Properties[name]; ok {
			m.Mark = n
			k.s.Properties[name] = m
			continue
		}
		if k.s.Marks == nil {
			k.s.Marks = map[string]int{}
		}
		k.s.Marks[name] = n
	}
	return nil
}

// standardSchema reports whether $schema says what the dialect is anyway.
func standardSchema(uri string, d dialect) bool {
	uri = strings.TrimSuffix(uri, "#")
	switch d {
	case draft4:
		return uri == "http://json-schema.org/draft-04/schema"
	case draft7:
		return uri == "http://json-schema.org/draft-07/schema"
	}
	return uri == "https://json-schema.org/draft/2020-12/schema"
}

// sub compiles the schema under word; nil if there is none.
func (k *keywords) sub(word string) *jsonscan.Schema {
	v, ok := k.m[word]
	if !ok || k.err != nil {
		return nil
	}
	return k.part(v, nil, word)
}

func (k *keywords) part(v any, exempt []string, tokens ...string) *jsonscan.Schema {
	if k.err != nil {
		return nil
	}
	s, err := k.c.schema(k.p.down(v, tokens...), exempt)
	if err != nil {
		k.err = err
	}
	return s
}

// list compiles the schemas under word. here says that they speak of the same
// value as this one.
func (k *keywords) list(word string, here bool) []*jsonscan.Schema {
	v, ok := k.m[word]
	if !ok {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		k.fail(word, "must be a list")
		return nil
	}
	var exempt []string
	if here {
		exempt = k.exempt
	}
	ss := make([]*jsonscan.Schema, 0, len(list))
	for i, v := range list {
		ss = append(ss, k.part(v, exempt, word, strconv.Itoa(i)))
	}
	return ss
}

func (k *keywords) object(word string) map[string]any {
	v, ok := k.m[word]
	if !ok {
		return nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		k.fail(word, "must be an object")
	}
	return m
}

func (k *keywords) names(word string, v any) []string {
	list, ok := v.([]any)
	if !ok {
		if ss, ok := v.([]string); ok {
			return ss
		}
		k.fail(word, "must be a list of names")
		return nil
	}
	var names []string
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			k.fail(word, "must be a list of names")
			return nil
		}
		names = append(names, s)
	}
	return names
}

// count reads a number of things.
func (k *keywords) count(word string) *int {
	v, ok := k.m[word]
	if !ok {
		return nil
	}
	f, err := strconv.ParseFloat(numberText(v), 64)
	if err != nil || f != math.Trunc(f) || f < 0 {
		k.fail(word, "must be a whole number from 0")
		return nil
	}
	n := math.MaxInt32
	if f < float64(n) {
		n = int(f)
	}
	return &n
}

// number reads a number as JSON text; "" if there is none.
func (k *keywords) number(word string) string {
	v, ok := k.m[word]
	if !ok {
		return ""
	}
	s := numberText(v)
	if s == "" {
		k.fail(word, "must be a number")
	}
	return s
}

// numberText is the JSON text of a decoded number, or "".
func numberText(v any) string {
	switch v.(type) {
	case json.Number, float64, float32, int, int64, int32, uint64, uint32, uint, int8, int16, uint8, uint16:
	default:
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

var schemaTypes = map[string]jsonscan.Types{
	"null": jsonscan.NullType, "boolean": jsonscan.BooleanType, "number": jsonscan.NumberType, "string": jsonscan.StringType,
	"array": jsonscan.ArrayType, "object": jsonscan.ObjectType, "integer": jsonscan.IntegerType,
}

func (k *keywords) anyType() {
	if v, ok := k.m["type"]; ok {
		names := []string{}
		if s, ok := v.(string); ok {
			names = append(names, s)
		} else {
			names = k.names("type", v)
		}
		for _, name := range names {
			t, ok := schemaTypes[name]
			if !ok {
				k.fail("type", "%q is not a type", name)
			}
			if name == "integer" && k.c.o.Dialect == draft4 {
				t = jsonscan.IntegerType | jsonscan.LiteralInteger
			}
			k.s.Types |= t
		}
		if len(names) == 0 {
			k.fail("type", "names no type")
		}
	}
	if k.c.o.Dialect == openapi30 && k.m["nullable"] == true {
		k.s.NullOK = true
	}
	if v, ok := k.m["enum"]; ok {
		list, ok := v.([]any)
		if !ok {
			k.fail("enum", "must be a list")
		}
		k.s.Enum = [][]byte{}
		for _, v := range list {
			k.s.Enum = append(k.s.Enum, k.text("enum", v))
		}
	}
	if v, ok := k.m["const"]; ok && !k.c.o.Dialect.four() {
		one := k.text("const", v)
		if k.s.Enum == nil {
			k.s.Enum, k.s.Const = [][]byte{one}, true
		} else {
			k.s.AllOf = append(k.s.AllOf, &jsonscan.Schema{Enum: [][]byte{one}, Const: true})
		}
	}
}

// text is the JSON text of a decoded value.
func (k *keywords) text(word string, v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		k.fail(word, "%v", err)
	}
	return b
}

func (k *keywords) numbers() {
	s := k.s
	s.Minimum, s.Maximum, s.MultipleOf = k.number("minimum"), k.number("maximum"), k.number("multipleOf")
	if !k.c.o.Dialect.four() {
		s.ExclusiveMinimum, s.ExclusiveMaximum = k.number("exclusiveMinimum"), k.number("exclusiveMaximum")
		return
	}
	for word, bounds := range map[string][2]*string{
		"exclusiveMinimum": {&s.Minimum, &s.ExclusiveMinimum}, "exclusiveMaximum": {&s.Maximum, &s.ExclusiveMaximum},
	} {
		v, ok := k.m[word]
		if !ok {
			continue
		}
		exclusive, ok := v.(bool)
		if !ok {
			k.fail(word, "must be true or false here")
		}
		if exclusive {
			*bounds[1], *bounds[0] = *bounds[0], ""
		}
	}
}

func (k *keywords) texts() {
	k.s.MinLength, k.s.MaxLength = k.count("minLength"), k.count("maxLength")
	if v, ok := k.m["pattern"]; ok {
		k.s.Patterns = []jsonscan.Pattern{k.pattern("pattern", v)}
	}
	if v, ok := k.m["format"]; ok && k.c.o.Dialect.openAPI() {
		k.s.Format, ok = v.(string)
		if !ok {
			k.fail("format", "must be a text")
		}
	}
}

func (k *keywords) pattern(word string, v any) jsonscan.Pattern {
	source, ok := v.(string)
	if !ok {
		k.fail(word, "must be a text")
		return jsonscan.Pattern{}
	}
	p, err := compilePattern(source)
	if err != nil {
		k.fail(word, "%v", err)
	}
	return p
}

func (k *keywords) arrays() {
	s, d := k.s, k.c.o.Dialect
	s.MinItems, s.MaxItems = k.count("minItems"), k.count("maxItems")
	if v, ok := k.m["uniqueItems"]; ok {
		if s.Unique, ok = v.(bool); !ok {
			k.fail("uniqueItems", "must be true or false")
		}
	}
	if d.new() {
		s.Prefix, s.Items = k.list("prefixItems", false), k.sub("items")
		s.UnevaluatedItems = k.sub("unevaluatedItems")
		s.MinContains, s.MaxContains = k.count("minContains"), k.count("maxContains")
	} else if _, several := k.m["items"].([]any); several {
		s.Prefix, s.Items = k.list("items", false), k.sub("additionalItems")
	} else {
		s.Items = k.sub("items")
	}
	if !d.four() {
		s.Contains = k.sub("contains")
	}
}

func (k *keywords) objects() {
	s, d := k.s, k.c.o.Dialect
	s.MinProperties, s.MaxProperties = k.count("minProperties"), k.count("maxProperties")
	if parts := k.object("properties"); parts != nil {
		s.Properties = make(map[string]jsonscan.Member, len(parts))
		for name, v := range parts {
			s.Properties[name] = k.member(v, "properties", name)
		}
	}
	for source, v := range k.object("patternProperties") {
		s.PatternProperties = append(s.PatternProperties, jsonscan.PatternMember{
			Match: k.pattern("patternProperties", source), Member: k.member(v, "patternProperties", source),
		})
	}
	if v, ok := k.m["additionalProperties"]; ok {
		m := k.member(v, "additionalProperties")
		s.Additional = &m
	}
	if v, ok := k.m["required"]; ok {
		for _, name := range k.names("required", v) {
			if !slices.Contains(k.exempt, name) {
				s.Required = append(s.Required, name)
			}
		}
	}
	if !d.four() {
		s.PropertyNames = k.sub("propertyNames")
	}
	if !d.openAPI() { // later drafts say that it may still be honoured
		k.dependencies()
	}
	if !d.new() {
		return
	}
	for name, v := range k.object("dependentRequired") {
		if s.DependentRequired == nil {
			s.DependentRequired = map[string][]string{}
		}
		s.DependentRequired[name] = k.names("dependentRequired", v)
	}
	for name, v := range k.object("dependentSchemas") {
		k.dependent(name, k.part(v, k.exempt, "dependentSchemas", name))
	}
	s.UnevaluatedProperties = k.sub("unevaluatedProperties")
}

// dependencies reads the old word for two things.
func (k *keywords) dependencies() {
	for name, v := range k.object("dependencies") {
		if _, ok := v.([]any); !ok {
			k.dependent(name, k.part(v, k.exempt, "dependencies", name))
			continue
		}
		if k.s.DependentRequired == nil {
			k.s.DependentRequired = map[string][]string{}
		}
		k.s.DependentRequired[name] = k.names("dependencies", v)
	}
}

func (k *keywords) dependent(name string, s *jsonscan.Schema) {
	if k.s.DependentSchemas == nil {
		k.s.DependentSchemas = map[string]*jsonscan.Schema{}
	}
	k.s.DependentSchemas[name] = s
}

func (k *keywords) member(v any, tokens ...string) jsonscan.Member {
	m := jsonscan.Member{Schema: k.part(v, nil, tokens...)}
	if k.c.o.Dialect.openAPI() && k.err == nil {
		p := k.p.down(v, tokens...)
		m.ReadOnly = k.c.o.Request && k.c.says(p, "readOnly", 0)
		m.WriteOnly = !k.c.o.Request && k.c.says(p, "writeOnly", 0)
	}
	return m
}

func (k *keywords) applicators() {
	s, d := k.s, k.c.o.Dialect
	s.AllOf = append(s.AllOf, k.list("allOf", true)...)
	s.AnyOf, s.OneOf = k.list("anyOf", true), k.list("oneOf", true)
	s.Not = k.sub("not")
	if _, ok := k.m["if"]; ok && !d.four() {
		s.If = k.sub("if")
		if v, ok := k.m["then"]; ok {
			s.Then = k.part(v, k.exempt, "then")
		}
		if v, ok := k.m["else"]; ok {
			s.Else = k.part(v, k.exempt, "else")
		}
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		if list, ok := k.m[word].([]any); ok && len(list) == 0 {
			k.fail(word, "has no alternatives")
		}
	}
	// A reference that stands alone never comes here.
	if v, ok := k.m["$ref"]; ok {
		k.reference("$ref", v)
	}
	if v, ok := k.m["$dynamicRef"]; ok && d.new() {
		ref, _ := v.(string)
		_, name, _ := strings.Cut(ref, "#")
		if k.c.refs.dynamic[name] > 1 || k.c.refs.remote || !strings.HasPrefix(ref, "#") {
			k.c.fallback["$dynamicRef"] = true
			return
		}
		k.reference("$dynamicRef", v)
	}
}

func (k *keywords) reference(word string, v any) {
	ref, ok := v.(string)
	if !ok {
		k.fail(word, "must be a text")
		return
	}
	p, err := k.c.refs.resolve(k.p, ref)
	if err == errMetaSchema {
		k.c.fallback["$ref to a meta-schema"] = true
		return
	}
	if err != nil {
		k.fail(word, "%v", err)
		return
	}
	s, err := k.c.schema(p, k.exempt)
	if err != nil {
		k.err = err
		return
	}
	k.s.AllOf = append(k.s.AllOf, s)
}
