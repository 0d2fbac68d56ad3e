package contract

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/parley-project/parley/internal/jsonscan"
)

func schemaOf(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := decodeJSON([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// verdict scans data and writes what was found, sorted.
func verdict(p *jsonscan.Program, data string) string {
	var r jsonscan.Result
	p.Scan([]byte(data), jsonscan.Limits{}, &r)
	if r.Fault != nil {
		return "fault: " + string(r.Fault.Kind)
	}
	var s []string
	for _, v := range r.Violations {
		line := fmt.Sprintf("%v %s", v.Kind, v.Pointer)
		switch {
		case v.Mark != 0:
			line += fmt.Sprint(" ", v.Mark)
		case v.Kind == jsonscan.Invalid:
			line += " " + v.Keyword
			if v.Keyword == "required" {
				line += " " + v.Detail
			}
		}
		s = append(s, line)
	}
	slices.Sort(s)
	return strings.Join(s, ", ")
}

func TestSchemaOpenAPI(t *testing.T) {
	for _, test := range []struct {
		what    string
		dialect dialect
		request bool
		schemas string // components.schemas; the one judged is S
		data    string
		want    string
	}{
		{"nullable", openapi30, true, `{"S":{"type":"string","nullable":true,"enum":["a"]}}`, `null`, ""},
		{"nullable around a reference", openapi30, true, `{"S":{"nullable":true,"allOf":[{"$ref":"#/components/schemas/T"}]},"T":{"type":"object"}}`, `null`, ""},
		{"not nullable", openapi30, true, `{"S":{"type":"string"}}`, `null`, "invalid  type"},
		{"nullable means nothing in 3.1", openapi31, true, `{"S":{"type":"string","nullable":true}}`, `null`, "invalid  type"},
		{"types", openapi31, true, `{"S":{"type":["string","null"]}}`, `null`, ""},
		{"exclusive as a boolean", openapi30, true, `{"S":{"minimum":1,"exclusiveMinimum":true}}`, `1`, "invalid  exclusiveMinimum"},
		{"exclusive as a number", openapi31, true, `{"S":{"exclusiveMinimum":1}}`, `1`, "invalid  exclusiveMinimum"},
		{"1.0 is an integer", openapi30, true, `{"S":{"type":"integer","format":"int32"}}`, `1.0`, ""},
		{"int32", openapi30, true, `{"S":{"type":"integer","format":"int32"}}`, `2147483648`, "invalid  format"},
		{"formats", openapi31, true, `{"S":{"type":"string","format":"date-time"}}`, `"yesterday"`, "invalid  format"},
		{"unknown formats say nothing", openapi31, true, `{"S":{"type":"string","format":"iban"}}`, `"x"`, ""},

		{"read-only sent", openapi31, true, `{"S":{"properties":{"id":{"readOnly":true},"n":{}},"required":["id","n"]}}`, `{"id":1}`, "invalid  required n, read-only /id"},
		{"read-only need not be sent", openapi31, true, `{"S":{"properties":{"id":{"readOnly":true}},"required":["id"]}}`, `{}`, ""},
		{"read-only is required in the answer", openapi31, false, `{"S":{"properties":{"id":{"readOnly":true}},"required":["id"]}}`, `{}`, "invalid  required id"},
		{"read-only by reference", openapi30, true, `{"S":{"properties":{"id":{"$ref":"#/components/schemas/ID"}},"required":["id"]},"ID":{"type":"integer","readOnly":true}}`, `{"id":1}`, "read-only /id"},
		{"read-only beside a reference", openapi31, true, `{"S":{"properties":{"id":{"$ref":"#/components/schemas/ID","readOnly":true}}},"ID":{"type":"integer"}}`, `{"id":1}`, "read-only /id"},
		{"read-only in one part, required in another", openapi30, true, `{"S":{"allOf":[{"properties":{"id":{"readOnly":true}}},{"required":["id"]}]}}`, `{}`, ""},
		{"required elsewhere stays required", openapi30, true, `{"S":{"allOf":[{"properties":{"id":{"readOnly":true},"t":{"$ref":"#/components/schemas/T"}}}]},"T":{"required":["id"],"properties":{"id":{}}}}`, `{"t":{}}`, "invalid /t required id"},
		{"write-only answered", openapi31, false, `{"S":{"properties":{"password":{"writeOnly":true}},"required":["password"]}}`, `{"password":"x"}`, "write-only /password"},
		{"write-only is not missed", openapi31, false, `{"S":{"properties":{"password":{"writeOnly":true}},"required":["password"]}}`, `{}`, ""},
		{"write-only sent", openapi31, true, `{"S":{"properties":{"password":{"writeOnly":true}},"required":["password"]}}`, `{"password":"x"}`, ""},

		{"marks by name of the schema", openapi31, true, `{"S":{"properties":{"user":{"$ref":"#/components/schemas/User"}}},"User":{"properties":{"role":{},"name":{}}}}`, `{"user":{"role":"admin","name":"x"}}`, "marked /user/role 1"},
		{"marks of an alias", openapi31, true, `{"S":{"$ref":"#/components/schemas/User"},"User":{"$ref":"#/components/schemas/Base"},"Base":{"properties":{"role":{},"name":{}}}}`, `{"role":"admin"}`, "marked /role 1"},
		{"marks of a whole on its parts", openapi31, true, `{"S":{"items":{"$ref":"#/components/schemas/User"}},"User":{"allOf":[{"$ref":"#/components/schemas/Base"}]},"Base":{"properties":{"role":{},"name":{}}}}`, `[{"\u0072ole":"admin","x":1}]`, "marked /0/role 1, undeclared /0/x"},
		{"recursive", openapi31, true, `{"S":{"type":"object","properties":{"next":{"$ref":"#/components/schemas/S"}}}}`, `{"next":{"next":{"next":1,"x":2}}}`, "invalid /next/next/next type, undeclared /next/next/x"},
		{"no properties, open", openapi31, true, `{"S":{"type":"object","properties":{}}}`, `{"x":1}`, ""},
		{"names with a slash", openapi31, true, `{"S":{"$ref":"#/components/schemas/a~1b%20c"},"a/b c":{"type":"integer"}}`, `""`, "invalid  type"},
	} {
		root := map[string]any{"components": map[string]any{"schemas": schemaOf(t, test.schemas)}}
		p, words, err := compileSchemaListing(root, "#/components/schemas/S", schemaOptions{
			Dialect: test.dialect, Request: test.request, Closed: true,
			Marks: func(location string) map[string]int {
				if location == "#/components/schemas/User" {
					return map[string]int{"role": 1}
				}
				return nil
			},
		})
		if err != nil {
			t.Errorf("%s: %v", test.what, err)
			continue
		}
		if len(words) > 0 {
			t.Errorf("%s: %v went to the library", test.what, words)
		}
		if got := verdict(p, test.data); got != test.want {
			t.Errorf("%s: %s: found %q, want %q", test.what, test.data, got, test.want)
		}
	}
}

// What cannot be compiled is an error that says where, never a program that
// checks nothing.
func TestSchemaErrors(t *testing.T) {
	for schema, want := range map[string]string{
		`{"type":"objct"}`:                           `"objct" is not a type`,
		`{"properties":{"a":{"minLength":"3"}}}`:     "#/properties/a: minLength",
		`{"properties":{"a":{"required":true}}}`:     "#/properties/a: required",
		`{"pattern":"(a)\\1"}`:                       "back-references",
		`{"pattern":"a(?<!b)"}`:                      "pattern",
		`{"pattern":"["}`:                            "pattern",
		`{"$ref":"#/nowhere"}`:                       "names nothing",
		`{"$ref":"other.json"}`:                      "it leads out of the document",
		`{"$ref":"#"}`:                               "back to itself",
		`{"allOf":[{"anyOf":[{"$ref":"#"}]}]}`:       "without end",
		`{"allOf":{}}`:                               "must be a list",
		`{"properties":{"a":3}}`:                     "must be an object or a boolean",
		`{"multipleOf":0}`:                           "not above 0",
		`{"enum":3}`:                                 "must be a list",
		`{"not":{"additionalProperties":"no"}}`:      "must be an object or a boolean",
		`{"properties":{"a":{"$dynamicRef":"#/x"}}}`: "names nothing",
	} {
		p, err := compileSchema(schemaOf(t, schema), "#", schemaOptions{})
		if p != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("compileSchema(%s) = %v, %v; want an error with %q", schema, p, err, want)
		}
	}
}

func TestSchemaResolve(t *testing.T) {
	files := map[string]string{
		"common/types.json": `{"Id":{"$ref":"more.json#/Small"},"User":{"properties":{"id":{"$ref":"#/Id"}}}}`,
		"common/more.json":  `{"Small":{"type":"integer","maximum":9}}`,
	}
	p, err := compileSchema(schemaOf(t, `{"$ref":"common/types.json#/User"}`), "#", schemaOptions{
		Dialect: openapi31, Closed: true,
		Resolve: func(base, ref string) (any, string, error) {
			name := join(base, ref)
			text, ok := files[name]
			if !ok {
				return nil, "", fmt.Errorf("%s is not there", name)
			}
			return schemaOf(t, text), name, nil
		},
		Marks: func(location string) map[string]int {
			if location == "common/types.json#/User" {
				return map[string]int{"id": 4}
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := verdict(p, `{"id":10,"x":1}`), "invalid /id maximum, marked /id 4, undeclared /x"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
}

// When the library decides, captures, marks and the closed world are still
// ours.
func TestSchemaByTheLibrary(t *testing.T) {
	p, words, err := compileSchemaListing(schemaOf(t, `{
		"$id":"http://x.test/s","$ref":"#/$defs/list","properties":{"a":{"type":"integer"}},
		"$defs":{"item":{"$dynamicAnchor":"node","type":"string"},
			"list":{"$id":"list","properties":{"b":{"$dynamicRef":"#node"}},"$defs":{"any":{"$dynamicAnchor":"node"}}}}}`),
		"#", schemaOptions{Closed: true, Captures: []string{"/a"}})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(words, []string{"$dynamicRef"}) {
		t.Errorf("%v went to the library", words)
	}
	for data, want := range map[string]string{
		`{"a":1,"b":"x"}`:       "",
		`{"a":"1","b":"x"}`:     "invalid  type",
		`{"a":1,"b":"","c":""}`: "undeclared /c",
		`{"a":1,"a":2}`:         "fault: duplicate member",
	} {
		if got := verdict(p, data); got != want {
			t.Errorf("%s: found %q, want %q", data, got, want)
		}
	}
}

func TestPatterns(t *testing.T) {
	for _, test := range []struct {
		pattern, yes, no string
	}{
		{`^[a-z]+$`, "abc", "abc\n"},
		{`^a.c$`, "abc", "a\nc"},
		{`^\d+$`, "12", "१२"},
		{`^\s$`, "\u00a0", "x"},
		{`^[\s]$`, "\ufeff", "x"},
		{`^\S+$`, "ab", "a\u2028b"},
		{`^\u00e9\u{1F600}$`, "é😀", "e"},
		{`^\uD83D\uDE00$`, "😀", "x"},
		{`^\cA$`, "\x01", "A"},
		{`^[\b]$`, "\b", "b"},
		{`^a\/b\-c$`, "a/b-c", "a\\/b"},
		{`^[\w\-\.]+$`, "a-b.c", "a b"},
		{`^[[]x]$`, "[x]", "[:"},
		{`^[^]$`, "\n", ""},
		{`^\p{Letter}+$`, "é", "1"},
		{`^\p{Script=Greek}$`, "α", "a"},
		{`^(?<year>\d{4})$`, "2026", "26"},
		{`^(?=.*[A-Z])(?=.*\d).{8,}$`, "Abcdefg1", "abcdefg1"},
		{`^(?=.*[A-Z])(?=.*\d).{8,}$`, "Abcdefg1", "Abc1"},
		{`^(?!admin$)[a-z]+$`, "administrator", "admin"},
		{`^(?!.*\.\.)(?=.{1,5}$)[a-z.]+$`, "a.b", "a..b"},
		{`a|b`, "xb", "c"},
		{`]`, "]", "["},
	} {
		p, err := compilePattern(test.pattern)
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		if !p.Match([]byte(test.yes)) || p.Match([]byte(test.no)) {
			t.Errorf("%s matches %q: %v, %q: %v; want true, false", test.pattern, test.yes, p.Match([]byte(test.yes)), test.no, p.Match([]byte(test.no)))
		}
	}
	for _, pattern := range []string{`(a)\1`, `\k<x>`, `a(?=b)`, `(?<=a)b`, `^(?=a)b|c`, `\`, `\u12`} {
		if p, err := compilePattern(pattern); err == nil {
			t.Errorf("%s compiles to %v", pattern, p)
		}
	}
}
