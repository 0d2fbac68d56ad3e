package learn

import (
	"bytes"
	"encoding/json"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// isJSONText reports whether a file is JSON, which stays JSON.
func isJSONText(text []byte) bool {
	t := bytes.TrimLeft(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), " \t\r\n")
	return len(t) > 0 && t[0] == '{' && json.Valid(t)
}

// encodeJSON writes a tree as JSON in its order, indented by two.
func encodeJSON(n *yaml.Node) ([]byte, error) {
	var b bytes.Buffer
	if err := writeJSON(&b, n, 0); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b.Bytes(), "", "  "); err != nil {
		return nil, fmt.Errorf("learn: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func writeJSON(b *bytes.Buffer, n *yaml.Node, depth int) error {
	if depth > 1000 {
		return fmt.Errorf("learn: the file is nested too deeply")
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return writeJSON(b, n.Content[0], depth+1)
	case yaml.AliasNode:
		return writeJSON(b, n.Alias, depth+1)
	case yaml.MappingNode, yaml.SequenceNode:
		ends := "{}"
		if n.Kind == yaml.SequenceNode {
			ends = "[]"
		}
		b.WriteByte(ends[0])
		for i, e := range n.Content {
			named := n.Kind == yaml.MappingNode && i%2 == 1
			switch {
			case named:
				b.WriteByte(':')
			case i > 0:
				b.WriteByte(',')
			}
			if n.Kind == yaml.MappingNode && !named {
				if err := writeText(b, e.Value); err != nil {
					return err
				}
			} else if err := writeJSON(b, e, depth+1); err != nil {
				return err
			}
		}
		b.WriteByte(ends[1])
		return nil
	}
	switch n.Tag {
	case "!!int", "!!float", "!!bool", "!!null":
		if json.Valid([]byte(n.Value)) {
			b.WriteString(n.Value)
			return nil
		}
	}
	return writeText(b, n.Value)
}

// writeText writes a text without the escapes that only HTML needs.
func writeText(b *bytes.Buffer, s string) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return fmt.Errorf("learn: %w", err)
	}
	b.Truncate(b.Len() - 1) // the line's end
	return nil
}
