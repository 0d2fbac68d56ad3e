package jsonscan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// recordType is a closed object with a member of each policy kind.
func recordType() *Schema {
	name := &Schema{Types: StringType}
	user := &Schema{Types: ObjectType, Required: []string{"name"}, Properties: map[string]Member{
		"name": {Schema: name}, "id": {Schema: &Schema{Types: IntegerType}, ReadOnly: true}, "role": {Mark: 1},
	}}
	user.Properties["friends"] = Member{Schema: &Schema{Types: ArrayType, Items: user}}
	return user
}

func found(r *Result) string {
	if r.Fault != nil {
		return "fault " + string(r.Fault.Kind)
	}
	var s []string
	for _, v := range r.Violations {
		line := fmt.Sprintf("%v %s %s", v.Kind, v.Pointer, v.Keyword)
		if v.Mark != 0 {
			line = fmt.Sprintf("%v %s %d", v.Kind, v.Pointer, v.Mark)
		}
		s = append(s, line)
	}
	slices.Sort(s)
	return strings.Join(s, "; ")
}

func mustCompile(t testing.TB, s *Schema, o Options) *Program {
	t.Helper()
	p, err := Compile(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPolicy(t *testing.T) {
	text := &Schema{Types: StringType}
	props := func(names ...string) *Schema {
		s := &Schema{Types: ObjectType, Properties: map[string]Member{}}
		for _, n := range names {
			s.Properties[n] = Member{Schema: text}
		}
		return s
	}
	need := func(s *Schema, names ...string) *Schema { s.Required = names; return s }
	mark := func(s *Schema, name string) *Schema {
		s.Properties[name] = Member{Schema: text, Mark: 7}
		return s
	}
	shut := func(s *Schema) *Schema { s.Additional = &Member{Schema: &Schema{Never: true}}; return s }
	wide := func(s *Schema) *Schema { s.Additional = &Member{}; return s }
	either := func(ss ...*Schema) *Schema { return &Schema{AnyOf: ss} }
	both := func(ss ...*Schema) *Schema { return &Schema{AllOf: ss} }

	for _, test := range []struct {
		what   string
		schema *Schema
		data   string
		want   string
	}{
		{"sound", recordType(), `{"name":"x","friends":[{"name":"y"}]}`, ""},
		{"undeclared", recordType(), `{"name":"x","a":1,"friends":[{"name":"y","b":2}]}`, "undeclared /a properties; undeclared /friends/0/b properties"},
		{"hidden below a cut", recordType(), `{"name":"x","a":{"b":{"c":1}}}`, "undeclared /a properties"},
		{"read-only and marked", recordType(), `{"name":"x","id":1,"role":"admin"}`, "marked /role 1; read-only /id readOnly"},
		{"escaped names", recordType(), `{"\u006eame":"x","\u0072ole":"admin","friends":[]}`, "marked /role 1"},
		{"escaped name of the wrong type", recordType(), `{"\u006eame":1}`, "invalid /name type"},
		{"wrong type keeps policy", recordType(), `{"name":1,"role":2}`, "invalid /name type; marked /role 1"},
		{"missing", recordType(), `{}`, "invalid  required"},
		{"declares nothing", &Schema{Types: ObjectType}, `{"a":1}`, ""},
		{"open", wide(props("a")), `{"b":1}`, ""},
		{"shut", shut(props("a")), `{"b":1}`, "undeclared /b additionalProperties"},
		{"shut, declares nothing", shut(&Schema{}), `{"b":1}`, "undeclared /b additionalProperties"},

		{"allOf is a union", both(props("a"), props("b")), `{"a":"","b":"","c":""}`, "undeclared /c properties"},
		{"allOf, one open", both(props("a"), wide(props("b"))), `{"c":""}`, ""},
		{"allOf, one shut", both(props("a"), shut(props("b"))), `{"a":"","b":""}`, "undeclared /a additionalProperties"},
		{"anyOf is a union", either(props("a"), props("b")), `{"a":"","b":"","c":""}`, "undeclared /c properties"},
		{"anyOf: both shut", either(shut(props("a")), shut(props("b"))), `{"a":"","c":""}`, "invalid  anyOf; undeclared /c properties"},
		{"a branch that does not apply still protects", either(mark(need(props("x"), "x"), "role"), props("y")), `{"role":"a"}`, "marked /role 7"},
		{"a branch that applies allows", either(mark(need(props("x"), "x"), "role"), props("role")), `{"role":"a"}`, ""},
		{"marked by both", both(mark(props(), "role"), props("role")), `{"role":"a"}`, "marked /role 7"},
		{"marked twice", both(mark(props(), "role"), mark(props(), "role")), `{"role":"a"}`, "marked /role 7"},
		{"mark on a member of another", both(&Schema{Marks: map[string]int{"role": 7}}, props("role")), `{"role":"a"}`, "marked /role 7"},
		{"if and then", &Schema{If: need(props("a"), "a"), Then: props("b"), Else: props("c")}, `{"a":"","b":"","c":""}`, "undeclared /c properties"},
		{"if and else", &Schema{If: need(props("a"), "a"), Then: props("b"), Else: props("c")}, `{"b":"","c":""}`, "undeclared /b properties"},
		{"not declares nothing", both(props("a"), &Schema{Not: need(props("b"), "z")}), `{"b":""}`, "undeclared /b properties"},
		{"dependent", &Schema{Properties: map[string]Member{"a": {}}, DependentSchemas: map[string]*Schema{"a": props("b")}}, `{"a":1,"b":""}`, ""},
		{"dependent, absent", &Schema{Properties: map[string]Member{"a": {}}, DependentSchemas: map[string]*Schema{"a": props("b")}}, `{"b":""}`, "undeclared /b properties"},
		{"in items of branches", either(&Schema{Items: props("a")}, &Schema{Items: props("b")}), `[{"a":"","b":"","c":""}]`, "undeclared /0/c properties"},
		{"unevaluated", &Schema{AllOf: []*Schema{props("a")}, UnevaluatedProperties: &Schema{Never: true}}, `{"a":"","c":""}`, "undeclared /c additionalProperties"},
		{"unevaluated is open", &Schema{AllOf: []*Schema{props("a")}, UnevaluatedProperties: &Schema{}}, `{"a":"","c":""}`, ""},
		{"nested in additional", &Schema{Additional: &Member{Schema: props("a")}}, `{"x":{"b":1}}`, "undeclared /x/b properties"},
	} {
		p := mustCompile(t, test.schema, Options{Closed: true})
		var r Result
		p.Scan([]byte(test.data), Limits{}, &r)
		if got := found(&r); got != test.want {
			t.Errorf("%s: Scan(%s) found %q, want %q", test.what, test.data, got, test.want)
		}
	}
}

func TestOpenWorld(t *testing.T) {
	p := mustCompile(t, &Schema{Properties: map[string]Member{"a": {}}, Additional: &Member{Schema: &Schema{Never: true}}}, Options{})
	var r Result
	p.Scan([]byte(`{"b":1}`), Limits{}, &r)
	if got := found(&r); got != "invalid /b additionalProperties" {
		t.Errorf("found %q", got)
	}
}

func TestCaptures(t *testing.T) {
	p := mustCompile(t, nil, Options{Captures: []string{"", "/a", "/a/b~1c", "/list/-/id", "/list/1/id", "/list/9", "/no", "/a/-"}})
	data := `{"a":{"b\/c":"x","-":7},"list":[{},{"id":2},{"id":3}]}`
	var r Result
	p.Scan([]byte(data), Limits{}, &r)
	want := []string{data, `{"b\/c":"x","-":7}`, `"x"`, "2", "2", "", "", "7"}
	for i, s := range r.Captures {
		if got := data[s.Start:s.End]; got != want[i] || s.Found() != (want[i] != "") {
			t.Errorf("capture %d is %q, want %q", i, got, want[i])
		}
	}
	if len(r.Captures) != len(want) {
		t.Errorf("%d captures, want %d", len(r.Captures), len(want))
	}
}

func TestNumbers(t *testing.T) {
	for _, test := range []struct {
		schema Schema
		data   string
		valid  bool
	}{
		{Schema{Maximum: "9007199254740993"}, "9007199254740993", true},
		{Schema{Maximum: "9007199254740993"}, "9007199254740994", false},
		{Schema{Maximum: "9007199254740993"}, "9007199254740993.0000000000000000000001", false},
		{Schema{ExclusiveMaximum: "1e400"}, "9.99e399", true},
		{Schema{ExclusiveMaximum: "1e400"}, "1" + strings.Repeat("0", 400), false},
		{Schema{Minimum: "-1e-400"}, "-1e-401", true},
		{Schema{Minimum: "-1e-400"}, "-1e-399", false},
		{Schema{Minimum: "0"}, "-0.0e5", true},
		{Schema{Minimum: "1"}, "0e999999999999999999999", false},
		{Schema{MultipleOf: "0.01"}, "19.99", true},
		{Schema{MultipleOf: "0.01"}, "19.999", false},
		{Schema{MultipleOf: "0.0001"}, "0.0075", true},
		{Schema{MultipleOf: "3"}, "1e999999999", false},
		{Schema{MultipleOf: "5"}, "1e999999999", true},
		{Schema{MultipleOf: "1e-8"}, "12391239123", true},
		{Schema{MultipleOf: "7"}, "700000000000000000000000000000000000000007", true},
		{Schema{MultipleOf: "7"}, "700000000000000000000000000000000000000008", false},
		{Schema{Types: IntegerType}, "1.0", true},
		{Schema{Types: IntegerType}, "1.5e1", true},
		{Schema{Types: IntegerType}, "1.55e1", false},
		{Schema{Types: IntegerType}, "1e-1", false},
		{Schema{Types: IntegerType}, "100e-2", true},
		{Schema{Types: IntegerType}, "0.0e-7", true},
		{Schema{Format: "int32"}, "2147483647", true},
		{Schema{Format: "int32"}, "2147483648", false},
		{Schema{Format: "int64"}, "-9223372036854775808", true},
		{Schema{Format: "int64"}, "-9223372036854775809", false},
		{Schema{Enum: [][]byte{[]byte("1.0"), []byte("[1e2]")}}, "1", true},
		{Schema{Enum: [][]byte{[]byte("1.0"), []byte("[1e2]")}}, "[100]", true},
		{Schema{Unique: true}, "[1,1.0]", false},
		{Schema{Unique: true}, `[{"a":1,"b":[2]},{"b":[2.0],"\u0061":1}]`, false},
		{Schema{Unique: true}, `[0,false,"",null,[],{},"a","\u0041",1,true]`, true},
	} {
		p := mustCompile(t, &test.schema, Options{})
		var r Result
		p.Scan([]byte(test.data), Limits{}, &r)
		if got := found(&r); (got == "") != test.valid {
			t.Errorf("%+v: Scan(%.60s) found %q, want valid %v", test.schema, test.data, got, test.valid)
		}
	}
}

func TestFormats(t *testing.T) {
	good := map[string]string{
		"date-time": "2024-02-29T23:59:60Z 2024-01-01T00:00:00.5+05:30 1990-12-31T15:59:60-08:00",
		"date":      "2000-02-29 1999-12-31",
		"time":      "10:00:00Z 23:59:59.999-00:00",
		"duration":  "P3Y6M4DT12H30M5S P4W PT1M P1Y",
		"uuid":      "123e4567-e89b-12d3-a456-426614174000",
		"email":     "a@b.co a.b+c@x-y.example \"a@b\"@c.de a@[127.0.0.1] a@[IPv6:::1]",
		"hostname":  "a a-b.example 1.2",
		"ipv4":      "0.0.0.0 255.255.255.255",
		"ipv6":      ":: ::1 1::2 1:2:3:4:5:6:7:8 ::ffff:1.2.3.4 1:: 1:2:3:4:5:6:1.2.3.4",
		"uri":       "http://a/b?c#d urn:x:y http://[::1]:80/ mailto:a@b http://u:p@h:1/%20",
		"byte":      "YWI= YWJj AA==",
	}
	bad := map[string]string{
		"date-time": "2023-02-29T00:00:00Z 2024-01-01T24:00:00Z 2024-01-01T00:00:00 2024-01-01 2024-01-01T00:00:60Z",
		"date":      "2023-02-29 1900-02-29 2023-13-01 2023-00-01 23-01-01",
		"time":      "10:00:00 10:00Z 10:00:00.Z 10:60:00Z",
		"duration":  "P PT P1 1Y P1Y2W P1YT P1H PT1Y P1Y1D",
		"uuid":      "123e4567e89b12d3a456426614174000 123e4567-e89b-12d3-a456-42661417400g",
		"email":     "a @b a@ .a@b a.@b a..b@c a@-b a@b@c",
		"hostname":  "-a a- a..b a_b .",
		"ipv4":      "1.2.3 1.2.3.4.5 256.1.1.1 01.2.3.4 1.2.3.4. 1..2.3",
		"ipv6":      ": ::: 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 1::2::3 12345:: ::1.2.3 1:2:3:4:5:6:7:1.2.3.4 1:",
		"uri":       "a //a/b http://a/%zz 1:a http://[::/ a:b#c#d http://a:b:c/",
		"byte":      "YWI YW=I A=== a_b=",
	}
	for want, lists := range map[bool]map[string]string{true: good, false: bad} {
		for format, list := range lists {
			p := mustCompile(t, &Schema{Format: format}, Options{})
			for _, s := range strings.Fields(list) {
				var r Result
				p.Scan([]byte(`"`+strings.ReplaceAll(s, `"`, `\"`)+`"`), Limits{}, &r)
				if got := found(&r) == ""; got != want {
					t.Errorf("%s: %s is accepted: %v, want %v", format, s, got, want)
				}
			}
		}
	}
}

// Choices within choices must neither take forever nor pass unjudged.
func TestWorkIsBounded(t *testing.T) {
	leaf := &Schema{Types: StringType}
	tree := &Schema{}
	for i := 0; i < 4; i++ {
		tree.AnyOf = append(tree.AnyOf, &Schema{Types: ArrayType, Prefix: []*Schema{tree}, MinItems: new(int), Items: leaf})
	}
	tree.AnyOf = append(tree.AnyOf, leaf)
	p := mustCompile(t, tree, Options{Closed: true})
	var r Result
	p.Scan([]byte(strings.Repeat("[", 60)+`1`+strings.Repeat("]", 60)), Limits{}, &r)
	if got := found(&r); got != "invalid  anyOf" {
		t.Errorf("a deep choice: found %q", got)
	}

	// Branches doubled at every level, without recursion.
	inner := leaf
	for i := 0; i < 60; i++ {
		inner = &Schema{OneOf: []*Schema{{Prefix: []*Schema{inner}}, {Prefix: []*Schema{inner}}}}
	}
	p = mustCompile(t, inner, Options{})
	p.Scan([]byte(strings.Repeat("[", 60)+`1`+strings.Repeat("]", 60)), Limits{}, &r)
	if got := found(&r); got != "invalid  oneOf" {
		t.Errorf("2 to the 60 branches: found %q", got)
	}

	// More work than any contract needs is refused, not passed.
	wide := &Schema{}
	for i := 0; i < 5000; i++ {
		wide.AnyOf = append(wide.AnyOf, &Schema{Items: &Schema{Types: NumberType}})
	}
	p = mustCompile(t, wide, Options{})
	p.Scan([]byte(`[`+strings.Repeat("1,", 200)+`""]`), Limits{}, &r)
	if got := found(&r); got != "fault too costly to judge" {
		t.Errorf("5000 alternatives for 200 items: found %q", got)
	}

	loop := &Schema{}
	loop.AllOf = []*Schema{{AnyOf: []*Schema{loop}}}
	if _, err := Compile(loop, Options{}); err == nil {
		t.Error("a schema that leads back to itself compiles")
	}
}

// However many there are, a member to cut is never left out.
func TestManyViolations(t *testing.T) {
	p := mustCompile(t, &Schema{Items: recordType()}, Options{Closed: true})
	doc := func(n int) []byte {
		return []byte(`[` + strings.Repeat(`{"name":1,"x":2},`, n) + `{"name":""}]`)
	}
	var r Result
	p.Scan(doc(1000), Limits{}, &r)
	if len(r.Violations) != 1000+mostViolations || !r.More {
		t.Errorf("%d violations, more %v", len(r.Violations), r.More)
	}
	p.Scan(doc(10_001), Limits{Members: 50_000}, &r)
	if kindOf(r.Fault) != TooMany {
		t.Errorf("found %v, want too many", r.Fault)
	}
}
