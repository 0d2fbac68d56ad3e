package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/parley-project/parley/internal/jsonscan"
)

var propertyNames = []string{"a", "b", "c", "aa", "x/y", "é"}

func drawNumber(t *rapid.T) json.Number {
	return json.Number(rapid.SampledFrom([]string{"0", "1", "2", "-1", "1.0", "0.5", "1e1", "10", "3.75", "-0", "1e-2", "9007199254740993", "9007199254740992.0"}).Draw(t, "number"))
}

func drawValue(t *rapid.T, depth int) any {
	kinds := 6
	if depth == 0 {
		kinds = 4
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return drawNumber(t)
	case 3:
		return rapid.SampledFrom([]string{"", "a", "b", "aa", "ab", "é", "😀", "1", "null"}).Draw(t, "text")
	case 4:
		items := []any{}
		for range rapid.IntRange(0, 4).Draw(t, "items") {
			items = append(items, drawValue(t, depth-1))
		}
		return items
	}
	m := map[string]any{}
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(propertyNames), 0, 4, rapid.ID[string]).Draw(t, "names") {
		m[name] = drawValue(t, depth-1)
	}
	return m
}

// drawSchema makes a schema of any words of the draft. References go to
// $defs/0 to 2, but only from below a value, so that none loops.
func drawSchema(t *rapid.T, d dialect, depth int, below bool) any {
	if depth == 0 {
		if below && rapid.IntRange(0, 2).Draw(t, "refer") == 0 {
			return map[string]any{"$ref": fmt.Sprintf("#/$defs/%d", rapid.IntRange(0, 2).Draw(t, "def"))}
		}
		if d == draft202012 && rapid.IntRange(0, 4).Draw(t, "boolean") == 0 {
			return rapid.Bool().Draw(t, "schema")
		}
	}
	here := func() any { return drawSchema(t, d, max(depth-1, 0), below && depth > 0) }
	part := func() any { return drawSchema(t, d, max(depth-1, 0), true) }
	count := func() any { return json.Number(fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "count"))) }
	name := func() string { return rapid.SampledFrom(propertyNames).Draw(t, "name") }
	names := func() any {
		list := []any{}
		for _, n := range rapid.SliceOfNDistinct(rapid.SampledFrom(propertyNames), 1, 2, rapid.ID[string]).Draw(t, "names") {
			list = append(list, n)
		}
		return list
	}
	some := func(draw func() any) any {
		list := []any{}
		for range rapid.IntRange(1, 3).Draw(t, "length") {
			list = append(list, draw())
		}
		return list
	}
	members := func(draw func() any) any {
		m := map[string]any{}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			m[name()] = draw()
		}
		return m
	}
	pattern := func() string { return rapid.SampledFrom([]string{"^a", "b$", "^.$", "[^a]", ""}).Draw(t, "pattern") }

	words := []string{"type", "types", "enum", "minimum", "maximum", "multipleOf", "minLength", "maxLength", "pattern",
		"minItems", "maxItems", "uniqueItems", "items", "minProperties", "maxProperties", "required", "properties", "properties",
		"patternProperties", "additionalProperties"}
	if depth > 0 {
		words = append(words, "allOf", "anyOf", "oneOf", "not")
	}
	if d == draft202012 {
		words = append(words, "const", "exclusiveMinimum", "exclusiveMaximum", "prefixItems", "contains", "minContains", "maxContains",
			"propertyNames", "dependentRequired", "dependentSchemas", "if", "then", "else", "unevaluatedProperties", "unevaluatedItems")
	} else {
		words = append(words, "itemsList", "additionalItems", "dependencies")
	}
	types := []string{"null", "boolean", "number", "string", "array", "object", "object"}
	if d != draft4 { // where 1.0 is no integer for us, and one for the library
		types[0], types[2] = "integer", "null"
		types = append(types, "number")
	}
	s := map[string]any{}
	for range rapid.IntRange(1, 4).Draw(t, "words") {
		switch word := rapid.SampledFrom(words).Draw(t, "word"); word {
		case "type":
			s["type"] = rapid.SampledFrom(types).Draw(t, "type")
		case "types":
			s["type"] = []any{"object", rapid.SampledFrom(types[:5]).Draw(t, "type")}
		case "enum":
			s["enum"] = some(func() any { return drawValue(t, 1) })
			if unique := s["enum"].([]any); d == draft4 {
				s["enum"] = unique[:1] // draft 4 wants them to differ
			}
		case "const":
			s["const"] = drawValue(t, 1)
		case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
			s[word] = drawNumber(t)
		case "multipleOf":
			s[word] = json.Number(rapid.SampledFrom([]string{"1", "2", "0.5", "0.01", "1e1"}).Draw(t, "multiple"))
		case "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains", "maxContains":
			s[word] = count()
		case "pattern":
			s[word] = pattern()
		case "uniqueItems":
			s[word] = true
		case "required":
			s[word] = names()
		case "properties":
			s[word] = members(part)
		case "patternProperties":
			s[word] = map[string]any{pattern(): part()}
		case "additionalProperties", "items", "contains", "unevaluatedProperties", "unevaluatedItems":
			s[word] = part()
			if word == "additionalProperties" && rapid.Bool().Draw(t, "shut") {
				s[word] = false
			}
		case "additionalItems":
			s[word] = part()
		case "propertyNames":
			s[word] = part()
		case "itemsList":
			s["items"] = some(part)
		case "prefixItems":
			s[word] = some(part)
		case "dependentRequired":
			s[word] = map[string]any{name(): names()}
		case "dependentSchemas", "dependencies":
			s[word] = map[string]any{name(): here()}
		case "allOf", "anyOf", "oneOf":
			s[word] = some(here)
		case "not", "if", "then", "else":
			s[word] = here()
		}
	}
	return s
}

// Our verdict is the library's, for any schema and any document; and what is
// found does not depend on the closed world being asked about as well.
func TestVerdictIsTheLibrarys(t *testing.T) {
	valid, invalid := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		d, draft := draft202012, jsonschema.Draft2020
		if rapid.IntRange(0, 3).Draw(t, "draft") == 0 {
			d, draft = draft4, jsonschema.Draft4
		}
		root := map[string]any{"$defs": map[string]any{}, "allOf": []any{drawSchema(t, d, 3, false)}}
		for i := range 3 {
			root["$defs"].(map[string]any)[fmt.Sprint(i)] = drawSchema(t, d, 2, false)
		}
		text, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		c.DefaultDraft(draft)
		if err := c.AddResource("schema.json", root); err != nil {
			t.Fatal(err)
		}
		library, err := c.Compile("schema.json")
		if err != nil {
			t.Fatalf("the library does not compile %s: %v", text, err)
		}
		ours, err := compileSchema(root, "#", schemaOptions{Dialect: d})
		if err != nil {
			t.Fatalf("compileSchema(%s): %v", text, err)
		}
		closed, err := compileSchema(root, "#", schemaOptions{Dialect: d, Closed: true})
		if err != nil {
			t.Fatalf("compileSchema(%s), closed: %v", text, err)
		}
		for range 8 {
			value := drawValue(t, 3)
			data, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			decoded, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			want := library.Validate(decoded) == nil
			var r jsonscan.Result
			ours.Scan(data, jsonscan.Limits{}, &r)
			if r.Fault != nil {
				t.Fatalf("Scan(%s): %v", data, r.Fault)
			}
			if got := len(r.Violations) == 0; got != want {
				t.Fatalf("schema %s\ndocument %s\nvalid %v, want %v: %+v", text, data, got, want, r.Violations)
			}
			var rc jsonscan.Result
			closed.Scan(data, jsonscan.Limits{}, &rc)
			if rc.Fault != nil || !want && len(rc.Violations) == 0 {
				t.Fatalf("schema %s\ndocument %s\nclosed: fault %v, violations %v, want some", text, data, rc.Fault, rc.Violations)
			}
			cut := 0
			for _, v := range rc.Violations {
				if v.Kind == jsonscan.Undeclared {
					cut++
				}
			}
			if out := jsonscan.Cut(data, rc.Violations); !json.Valid(out) || cut > 0 && len(out) >= len(data) {
				t.Fatalf("Cut(%s) made %s", data, out)
			}
			if want {
				valid++
			} else {
				invalid++
			}
		}
	})
	if valid < 10 || invalid < 10 {
		t.Errorf("%d valid and %d invalid documents: the test asks too little", valid, invalid)
	}
}

// wrapped says the same as the schema, through one more allOf at each place,
// so that no schema speaks alone.
func wrapped(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := map[string]any{}
	for word, v := range m {
		switch x := v.(type) {
		case map[string]any:
			switch word {
			case "properties", "patternProperties", "dependentSchemas", "$defs":
				parts := map[string]any{}
				for name, part := range x {
					parts[name] = wrapped(part)
				}
				out[word] = parts
			case "const", "dependentRequired":
				out[word] = v
			default:
				out[word] = wrapped(v)
			}
		case []any:
			switch word {
			case "allOf", "anyOf", "oneOf", "prefixItems":
				list := []any{}
				for _, part := range x {
					list = append(list, wrapped(part))
				}
				out[word] = list
			default:
				out[word] = v
			}
		default:
			out[word] = v
		}
	}
	return map[string]any{"allOf": []any{out}}
}

// A schema that speaks alone is judged on a shorter way than several that
// speak together. Both must find the same members undeclared.
func TestClosedWorldIsTheSameBothWays(t *testing.T) {
	undeclared := 0
	rapid.Check(t, func(t *rapid.T) {
		root := map[string]any{"$defs": map[string]any{}}
		for i := range 3 {
			root["$defs"].(map[string]any)[fmt.Sprint(i)] = drawSchema(t, draft202012, 2, false)
		}
		together := map[string]any{"$defs": map[string]any{}}
		for name, s := range root["$defs"].(map[string]any) {
			together["$defs"].(map[string]any)[name] = wrapped(s)
		}
		text, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		o := schemaOptions{Closed: true}
		alone, err := compileSchema(root, "#/$defs/0", o)
		if err != nil {
			t.Fatal(err)
		}
		several, err := compileSchema(together, "#/$defs/0", o)
		if err != nil {
			t.Fatal(err)
		}
		for range 8 {
			data, err := json.Marshal(drawValue(t, 3))
			if err != nil {
				t.Fatal(err)
			}
			var found [2]string
			for i, p := range []*jsonscan.Program{alone, several} {
				var r jsonscan.Result
				p.Scan(data, jsonscan.Limits{}, &r)
				for _, v := range r.Violations {
					if v.Kind == jsonscan.Undeclared {
						found[i] += fmt.Sprintln(v.Pointer, v.Start, v.End)
						undeclared++
					}
				}
			}
			if found[0] != found[1] {
				t.Fatalf("schema %s\ndocument %s\nalone:\n%stogether:\n%s", text, data, found[0], found[1])
			}
		}
	})
	if undeclared < 1 {
		t.Errorf("%d undeclared members: the test asks too little", undeclared)
	}
}
