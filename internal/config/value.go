package config

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Kind says what a section is: "fields", "list", "text", "number", "bool",
// "nothing", or "" when it is not in the file.
func (s Section) Kind() string {
	if s.node == nil {
		return ""
	}
	n := resolve(s.node)
	switch n.Kind {
	case yaml.MappingNode:
		return "fields"
	case yaml.SequenceNode:
		return "list"
	}
	switch n.Tag {
	case "!!null":
		return "nothing"
	case "!!bool":
		return "bool"
	case "!!int", "!!float":
		return "number"
	}
	return "text"
}

// LineColumn returns line and column of the section.
func (s Section) LineColumn() (line, column int) {
	if s.node == nil {
		return 0, 0
	}
	return s.node.Line, s.node.Column
}

// maxJSON bounds what JSON makes: aliases can mean a thousand times what the
// file says.
const maxJSON = 16 << 20

// JSON returns the section as JSON, its members in their order.
func (s Section) JSON() ([]byte, error) {
	var b bytes.Buffer
	if s.node == nil {
		return []byte("null"), nil
	}
	if err := s.json(&b, s.node); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (s Section) json(b *bytes.Buffer, n *yaml.Node) error {
	n = resolve(n)
	if b.Len() > maxJSON {
		return s.at(n, "", "means more than %d MiB", maxJSON>>20)
	}
	switch n.Kind {
	case yaml.MappingNode:
		fs, err := Section{s.File, n}.Fields()
		if err != nil {
			return err
		}
		b.WriteByte('{')
		for i, f := range fs {
			if i > 0 {
				b.WriteByte(',')
			}
			b.Write(quoteJSON(f.Name))
			b.WriteByte(':')
			if err := s.json(b, f.Value.node); err != nil {
				return err
			}
		}
		b.WriteByte('}')
		return nil
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, c := range n.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := s.json(b, c); err != nil {
				return err
			}
		}
		b.WriteByte(']')
		return nil
	}
	switch n.Tag {
	case "!!null":
		b.WriteString("null")
	case "!!bool":
		var v bool
		if err := n.Decode(&v); err != nil {
			return s.at(n, "", "is no true or false")
		}
		b.WriteString(strconv.FormatBool(v))
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			b.WriteString(n.Value)
			return nil
		}
		var v float64
		if err := n.Decode(&v); err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
			return s.at(n, "quote it to mean the text", "%s is no number that JSON knows", n.Value)
		}
		b.Write(strconv.AppendFloat(nil, v, 'f', -1, 64))
	default:
		b.Write(quoteJSON(n.Value))
	}
	return nil
}

func quoteJSON(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil {
		return []byte(`""`)
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// Value returns the section in the types of JSON.
func (s Section) Value() (any, error) {
	data, err := s.JSON()
	if err != nil {
		return nil, err
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, s.Errorf("", "has no meaning in JSON: %v", err)
	}
	return v, nil
}
