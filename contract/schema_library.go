package contract

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// libraryRoot is the name that the root document has for the library when it
// gives itself none.
const libraryRoot = "root:///schema"

// libraryCheck asks the schema library about the whole value: for the few
// words that depend on the way by which a schema was reached.
func libraryCheck(root any, location string, o schemaOptions) (func([]byte) string, error) {
	c := jsonschema.NewCompiler()
	switch o.Dialect {
	case draft4, openapi30:
		c.DefaultDraft(jsonschema.Draft4)
	case draft7:
		c.DefaultDraft(jsonschema.Draft7)
	default:
		c.DefaultDraft(jsonschema.Draft2020)
	}
	if o.Dialect.openAPI() {
		c.AssertFormat()
	}
	c.UseLoader(libraryLoader{o})
	if err := c.AddResource(libraryRoot, root); err != nil {
		return nil, err
	}
	s, err := c.Compile(libraryRoot + location)
	if err != nil {
		return nil, err
	}
	return func(value []byte) string {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
		if err != nil {
			return "schema"
		}
		if err = s.Validate(v); err == nil {
			return ""
		}
		var invalid *jsonschema.ValidationError
		if !errors.As(err, &invalid) {
			return "schema"
		}
		for len(invalid.Causes) > 0 {
			invalid = invalid.Causes[0]
		}
		if words := invalid.ErrorKind.KeywordPath(); len(words) > 0 {
			return words[0]
		}
		return "schema"
	}, nil
}

type libraryLoader struct{ o schemaOptions }

// Load implements jsonschema.URLLoader.
func (l libraryLoader) Load(uri string) (any, error) {
	if l.o.Resolve == nil {
		return nil, fmt.Errorf("%s: not part of the document", uri)
	}
	v, _, err := l.o.Resolve("", strings.TrimPrefix(uri, libraryRoot))
	return v, err
}
