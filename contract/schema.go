package contract

import (
	"fmt"
	"slices"

	"github.com/parley-project/parley/internal/jsonscan"
)

// A dialect says how the words of a schema are read.
type dialect int

const (
	draft202012 dialect = iota
	draft4
	draft7
	openapi30 // draft 4 with nullable; formats are asserted
	openapi31 // 2020-12; formats are asserted
)

// old reports whether a reference stands alone: words beside it are ignored.
func (d dialect) old() bool { return d == draft4 || d == draft7 || d == openapi30 }

// four reports whether exclusiveMinimum is a boolean.
func (d dialect) four() bool { return d == draft4 || d == openapi30 }

// new reports whether words of 2019-09 and later exist.
func (d dialect) new() bool { return d == draft202012 || d == openapi31 }

func (d dialect) openAPI() bool { return d == openapi30 || d == openapi31 }

// schemaOptions say for whom a schema is compiled.
type schemaOptions struct {
	Dialect dialect
	// Request is the direction: true makes readOnly members violations,
	// false writeOnly ones. Only OpenAPI has directions.
	Request bool
	// Closed makes members that no applicable schema declares violations.
	Closed bool
	// Resolve loads the document that a reference names; base is the URI of
	// the document with the reference, "" for the root, and ref comes without
	// its fragment. Nil: only references within the root.
	Resolve func(base, ref string) (schema any, location string, err error)
	// Marks gives the policy's numbers for members of the schema at a
	// location, such as "#/components/schemas/User" -> {"role": 1}.
	Marks func(location string) map[string]int
	// Unnamed says that the document is known to hold no $id, $anchor or
	// $dynamicAnchor, so that it need not be searched for each of its schemas.
	Unnamed bool
	// Captures are JSON Pointers of values to capture; "-" is any item.
	Captures []string
}

// compileSchema makes a program of the schema at location, a JSON Pointer
// fragment such as "#/components/schemas/User", in the document root. A
// schema that cannot be compiled is an error, never a program without checks.
func compileSchema(root any, location string, o schemaOptions) (*jsonscan.Program, error) {
	p, _, err := compileSchemaListing(root, location, o)
	return p, err
}

// compileSchemaListing also lists the keywords for which validity is asked of
// the schema library instead of our own scan; nil means none.
func compileSchemaListing(root any, location string, o schemaOptions) (*jsonscan.Program, []string, error) {
	c := &schemaCompiler{
		o: o, refs: newReferences(root, o),
		done: map[string]*jsonscan.Schema{}, fallback: map[string]bool{},
	}
	program, err := c.program(root, location)
	if err != nil {
		return nil, nil, fmt.Errorf("schema %s: %w", location, err)
	}
	var words []string
	for w := range c.fallback {
		words = append(words, w)
	}
	slices.Sort(words)
	return program, words, nil
}

// captureProgram makes a program that only captures, for bodies that have no
// schema.
func captureProgram(pointers []string) (*jsonscan.Program, error) {
	return jsonscan.Compile(nil, jsonscan.Options{Captures: pointers})
}

type schemaCompiler struct {
	o        schemaOptions
	refs     *references
	done     map[string]*jsonscan.Schema
	fallback map[string]bool
}

func (c *schemaCompiler) program(root any, location string) (*jsonscan.Program, error) {
	p, err := c.refs.find(c.refs.root, location)
	if err != nil {
		return nil, err
	}
	s, err := c.schema(p, nil)
	if err != nil {
		return nil, err
	}
	if len(c.fallback) > 0 {
		check, err := libraryCheck(root, location, c.o)
		if err != nil {
			return nil, err
		}
		judged := *s // the same schema may also stand further down
		judged.Check = check
		s = &judged
	}
	return jsonscan.Compile(s, jsonscan.Options{Closed: c.o.Closed, Captures: c.o.Captures})
}

// schema compiles the schema at p. exempt names the members that need not be
// there although they are required, since they only travel the other way.
func (c *schemaCompiler) schema(p place, exempt []string) (*jsonscan.Schema, error) {
	// A schema that is nothing but a reference is what it refers to, unless
	// policy speaks of the name it has.
	marks := map[string]int{}
	seen := map[string]bool{}
	for {
		m, ok := p.node.(map[string]any)
		if !ok {
			break
		}
		if _, ok := m["$ref"].(string); !ok || !c.alone(m) {
			break
		}
		if seen[p.location()] {
			return nil, fmt.Errorf("%s: the reference leads back to itself", p.location())
		}
		seen[p.location()] = true
		for name, n := range c.marks(p) {
			marks[name] = n
		}
		next, err := c.refs.resolve(p, m["$ref"].(string))
		if err == errMetaSchema {
			c.fallback["$ref to a meta-schema"] = true
			return &jsonscan.Schema{}, nil
		}
		if err != nil {
			return nil, err
		}
		p = next
	}
	if len(marks) == 0 {
		return c.compiled(p, exempt)
	}
	s, err := c.compiled(p, exempt)
	if err != nil {
		return nil, err
	}
	return &jsonscan.Schema{AllOf: []*jsonscan.Schema{s}, Marks: marks}, nil
}

// alone reports whether the reference in m is all that counts.
func (c *schemaCompiler) alone(m map[string]any) bool {
	if c.o.Dialect.old() {
		return true
	}
	for word := range m {
		switch word {
		case "$ref", "title", "description", "default", "deprecated", "examples", "example", "$comment", "summary",
			"readOnly", "writeOnly", "externalDocs", "xml", "$defs", "definitions":
		default:
			if len(word) < 2 || word[:2] != "x-" {
				return false
			}
		}
	}
	return true
}

func (c *schemaCompiler) marks(p place) map[string]int {
	if c.o.Marks == nil {
		return nil
	}
	return c.o.Marks(p.location())
}

func (c *schemaCompiler) compiled(p place, exempt []string) (*jsonscan.Schema, error) {
	if c.o.Dialect.openAPI() {
		exempt = c.otherWay(p, exempt, 0)
	}
	key := p.location() + fmt.Sprintf("%q", exempt)
	if s, ok := c.done[key]; ok {
		return s, nil
	}
	s := &jsonscan.Schema{}
	c.done[key] = s // before its parts, which may refer to it
	k := keywords{c: c, p: p, s: s, exempt: exempt}
	if err := k.read(); err != nil {
		return nil, err
	}
	return s, nil
}
