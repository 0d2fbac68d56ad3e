package jsonscan

import "regexp"

// Types is a set of JSON types.
type Types uint8

const (
	NullType Types = 1 << iota
	BooleanType
	NumberType
	StringType
	ArrayType
	ObjectType
	IntegerType    // numbers without a fraction: 1 and 1.0
	LiteralInteger // with IntegerType: only those written so: 1, not 1.0
)

// A Schema says what a value must be. It is what Compile reads: references
// are pointers, so a recursive schema is a graph. The zero Schema accepts
// everything.
type Schema struct {
	// Never accepts nothing: the schema `false`.
	Never bool
	// Types the value may have; 0 means all.
	Types Types
	// NullOK accepts null whatever else is said (OpenAPI 3.0's nullable).
	NullOK bool

	// Enum holds JSON texts of which the value must equal one. Const names
	// the keyword when it is reported.
	Enum  [][]byte
	Const bool

	Minimum, Maximum                   string // JSON numbers; empty: none
	ExclusiveMinimum, ExclusiveMaximum string
	MultipleOf                         string

	MinLength, MaxLength *int
	// Patterns of which all must match.
	Patterns []Pattern
	// Format names a format to assert; unknown ones are not asserted.
	Format string

	MinItems, MaxItems       *int
	Prefix                   []*Schema
	Items                    *Schema // of the items after Prefix
	Contains                 *Schema
	MinContains, MaxContains *int
	Unique                   bool
	UnevaluatedItems         *Schema

	MinProperties, MaxProperties *int
	Properties                   map[string]Member
	PatternProperties            []PatternMember
	// Marks are policy's numbers for members that other schemas declare.
	Marks map[string]int
	// Additional is asked for members that neither Properties nor
	// PatternProperties name. Nil: absent.
	Additional            *Member
	Required              []string
	PropertyNames         *Schema
	DependentRequired     map[string][]string
	DependentSchemas      map[string]*Schema
	UnevaluatedProperties *Schema

	AllOf, AnyOf, OneOf []*Schema
	Not, If, Then, Else *Schema

	// Check judges what this package has no word for. It is given the JSON
	// text of the value and returns the keyword that failed, or "". The other
	// fields are then for policy only: Check has the say on validity.
	Check func(value []byte) (keyword string)
}

// A Member is what a schema says of one member of an object.
type Member struct {
	Schema *Schema // nil: anything
	// ReadOnly and WriteOnly report the member as such wherever it stands:
	// whoever compiles sets them for the direction in which it may not.
	ReadOnly, WriteOnly bool
	Mark                int // policy's number, from 1; 0: none
}

// A PatternMember speaks of the members whose names match.
type PatternMember struct {
	Match Pattern
	Member
}

// A Pattern decides on text. Source is what is shown.
type Pattern struct {
	Source string
	// All must match and None must not.
	All, None []*regexp.Regexp
	// shape says the same as All, when that is one expression that has one.
	shape *shape
}

// prepare makes matching as cheap as it can be.
func (p *Pattern) prepare() {
	if len(p.All) == 1 {
		p.shape = shapeOf(p.All[0])
	}
}

// Match reports whether the pattern accepts b.
func (p *Pattern) Match(b []byte) bool {
	if p.shape != nil {
		if !p.shape.match(b) {
			return false
		}
	} else if !p.all(b) {
		return false
	}
	for _, re := range p.None {
		if re.Match(b) {
			return false
		}
	}
	return true
}

func (p *Pattern) all(b []byte) bool {
	for _, re := range p.All {
		if !re.Match(b) {
			return false
		}
	}
	return true
}

// Options say what a program looks for besides validity.
type Options struct {
	// Closed reports members that no applicable schema declares, where one
	// declares any.
	Closed bool
	// Captures are JSON Pointers (RFC 6901); "-" is any item of an array. The
	// value of the n-th is Result.Captures[n].
	Captures []string
}
