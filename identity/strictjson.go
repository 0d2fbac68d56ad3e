package identity

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// maxDepth bounds how deep tokens and key sets may nest.
const maxDepth = 16

var (
	errDuplicate = errors.New("a member is given twice")
	errDepth     = errors.New("it nests too deep")
	errNotObject = errors.New("it is not a JSON object")
	errNotUTF8   = errors.New("it is not UTF-8")
	errTrailing  = errors.New("something follows the JSON object")
)

// object reads one JSON object and nothing else. Unlike encoding/json into a
// struct it refuses members that are given twice, tells names that differ in
// case apart, and refuses text that is not UTF-8: two readers must not see two
// meanings. Numbers stay json.Number.
func object(data []byte) (map[string]any, error) {
	if !utf8.Valid(data) {
		return nil, errNotUTF8
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	v, err := value(dec, 0)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, errNotObject
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errTrailing
	}
	return m, nil
}

func value(dec *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch tok {
	case json.Delim('{'):
		m := map[string]any{}
		for dec.More() {
			name, err := dec.Token()
			if err != nil {
				return nil, err
			}
			n := name.(string) // the decoder gives nothing else here
			if _, ok := m[n]; ok {
				return nil, errDuplicate
			}
			if m[n], err = value(dec, depth+1); err != nil {
				return nil, err
			}
		}
		_, err := dec.Token()
		return m, err
	case json.Delim('['):
		s := []any{}
		for dec.More() {
			v, err := value(dec, depth+1)
			if err != nil {
				return nil, err
			}
			s = append(s, v)
		}
		_, err := dec.Token()
		return s, err
	}
	return tok, nil
}

// text returns a string member: "" and false when it is not there, an error
// when it is something else.
func text(m map[string]any, name string) (string, bool, error) {
	v, ok := m[name]
	if !ok {
		return "", false, nil
	}
	s, ok := v.(string)
	if !ok {
		return "", false, errors.New(name + " is not text")
	}
	return s, true, nil
}
