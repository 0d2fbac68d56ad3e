//go:build !race

// With the race detector on, sync.Pool forgets on purpose.

package jsonscan

import (
	"regexp"
	"testing"
)

func TestNoAllocation(t *testing.T) {
	user := recordType()
	one, fifty := 1, 50
	user.Properties["mail"] = Member{Schema: &Schema{Types: StringType, Format: "email", MinLength: &one, MaxLength: &fifty}}
	user.Properties["code"] = Member{Schema: &Schema{Patterns: []Pattern{{All: []*regexp.Regexp{regexp.MustCompile(`^[A-Z]{3}\d+$`)}}}}}
	user.Properties["kind"] = Member{Schema: &Schema{Enum: [][]byte{[]byte(`"a"`), []byte(`"b"`), []byte(`{"x":[1]}`)}}}
	user.Properties["price"] = Member{Schema: &Schema{Types: NumberType, Minimum: "0", ExclusiveMaximum: "1e6", MultipleOf: "0.01"}}
	user.Properties["tags"] = Member{Schema: &Schema{Types: ArrayType, Unique: true, Items: &Schema{AnyOf: []*Schema{{Types: StringType}, {Types: ObjectType, Properties: map[string]Member{"z": {}}}}}}}
	p := mustCompile(t, &Schema{AllOf: []*Schema{user, {MinProperties: &one}}}, Options{Closed: true, Captures: []string{"/name", "/friends/-/name"}})
	data := []byte(`{"name":"\u00e9 x","mail":"a@b.example","code":"ABC123","kind":{"x":[1.0]},"price":19.99,
		"tags":["a","b",{"z":1},"\u0061b"],"friends":[{"name":"y","friends":[]},{"name":"z"}]}`)
	var r Result
	p.Scan(data, Limits{}, &r)
	if got := found(&r); got != "" {
		t.Fatalf("found %q, want a sound document", got)
	}
	if n := testing.AllocsPerRun(200, func() { p.Scan(data, Limits{}, &r) }); n != 0 {
		t.Errorf("%v allocations in a scan of a sound document, want 0", n)
	}
}
