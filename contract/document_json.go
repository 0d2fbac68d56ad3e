package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/parley-project/parley/internal/config"
	"go.yaml.in/yaml/v3"
)

// parseJSONTree makes the nodes that a YAML reader would make of JSON.
func parseJSONTree(file string, data []byte) (*yaml.Node, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	line, lineStart, at := 1, 0, 0
	place := func(n *yaml.Node, offset int) {
		for ; at < offset && at < len(data); at++ {
			if data[at] == '\n' {
				line, lineStart = line+1, at+1
			}
		}
		n.Line, n.Column = line, offset-lineStart+1
	}
	start := func() int { // of the next token
		o := int(dec.InputOffset())
		for o < len(data) && strings.IndexByte(" \t\r\n,:", data[o]) >= 0 {
			o++
		}
		return o
	}
	depth := 0
	var read func() (*yaml.Node, error)
	read = func() (*yaml.Node, error) {
		n := &yaml.Node{}
		place(n, start())
		t, err := dec.Token()
		if err != nil {
			return nil, err
		}
		switch v := t.(type) {
		case json.Delim:
			if depth++; depth > 1000 {
				return nil, fmt.Errorf("nested deeper than 1000")
			}
			n.Kind, n.Tag = yaml.MappingNode, "!!map"
			if v == '[' {
				n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
			}
			for dec.More() {
				c, err := read()
				if err != nil {
					return nil, err
				}
				n.Content = append(n.Content, c)
			}
			depth--
			_, err = dec.Token()
			return n, err
		case string:
			n.Kind, n.Tag, n.Style, n.Value = yaml.ScalarNode, "!!str", yaml.DoubleQuotedStyle, v
		case json.Number:
			n.Kind, n.Tag, n.Value = yaml.ScalarNode, "!!float", v.String()
			if !strings.ContainsAny(n.Value, ".eE") {
				n.Tag = "!!int"
			}
		case bool:
			n.Kind, n.Tag, n.Value = yaml.ScalarNode, "!!bool", strconv.FormatBool(v)
		default:
			n.Kind, n.Tag, n.Value = yaml.ScalarNode, "!!null", "null"
		}
		return n, nil
	}
	n, err := read()
	if err == nil {
		if _, err = dec.Token(); err == io.EOF {
			return n, nil
		}
		err = fmt.Errorf("something follows the end of the document")
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = fmt.Errorf("the document ends too early")
	}
	bad := &yaml.Node{}
	offset := int(dec.InputOffset())
	if se, ok := err.(*json.SyntaxError); ok {
		offset = max(0, int(se.Offset)-1)
	}
	place(bad, offset)
	return nil, &config.Error{File: file, Line: bad.Line, Column: bad.Column, Text: err.Error()}
}
