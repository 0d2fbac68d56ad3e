package main

import (
	"bytes"
	"encoding/json"

	"go.yaml.in/yaml/v3"
)

// references are the members by which a description names something elsewhere.
var references = map[string]bool{"$ref": true, "$dynamicRef": true, "$recursiveRef": true, "operationRef": true}

// refersTo is the first file that a description refers to, or empty. An API that
// describes itself must not say which files are read here, as what they hold
// would be sent to it: {"examples": {"a": {"$ref": "../state.json#/password"}}}.
func refersTo(data []byte) string {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if t := bytes.TrimLeft(data, " \t\r\n"); len(t) > 0 && t[0] == '{' {
		return fileInJSON(t)
	}
	var doc yaml.Node
	if yaml.Unmarshal(data, &doc) != nil {
		return "" // then it is no description either
	}
	return fileInYAML(&doc)
}

func isFile(key, to string) bool { return references[key] && to != "" && to[0] != '#' }

// fileInJSON looks at all members, those that are there twice as well.
func fileInJSON(data []byte) string {
	d := json.NewDecoder(bytes.NewReader(data))
	key, named := "", false // the member whose value comes next
	var inside []json.Delim // what is open
	for {
		t, err := d.Token()
		if err != nil {
			return ""
		}
		object := len(inside) > 0 && inside[len(inside)-1] == '{'
		switch v := t.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				inside = append(inside, v)
			} else {
				inside = inside[:len(inside)-1]
			}
			named = false
		case string:
			if object && !named {
				key, named = v, true
				continue
			}
			if object && isFile(key, v) {
				return v
			}
			named = false
		default:
			named = false
		}
	}
}

func fileInYAML(n *yaml.Node) string {
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 {
			to := c
			if to.Kind == yaml.AliasNode {
				to = to.Alias
			}
			if to.Kind == yaml.ScalarNode && isFile(n.Content[i-1].Value, to.Value) {
				return to.Value
			}
		}
		if to := fileInYAML(c); to != "" {
			return to
		}
	}
	return ""
}
