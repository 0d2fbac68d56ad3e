package learn

import (
	"net/url"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Pieces of YAML.

func text(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}

func raw(tag, s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: s} }

func truth(b bool) *yaml.Node {
	if b {
		return raw("!!bool", "true")
	}
	return raw("!!bool", "false")
}

// object makes a mapping of names and nodes in turn; nil nodes are left out.
func object(pairs ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for i := 0; i+1 < len(pairs); i += 2 {
		put(n, pairs[i].(string), pairs[i+1].(*yaml.Node))
	}
	return n
}

func put(n *yaml.Node, name string, v *yaml.Node) {
	if v != nil {
		n.Content = append(n.Content, text(name), v)
	}
}

func list(items ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: items}
}

func words(ws ...string) *yaml.Node {
	n := list()
	n.Style = yaml.FlowStyle
	for _, w := range ws {
		n.Content = append(n.Content, text(w))
	}
	return n
}

func reference(component, name string) *yaml.Node {
	return flow(object("$ref", text("#/components/"+component+"/"+name)))
}

func flow(n *yaml.Node) *yaml.Node {
	n.Style = yaml.FlowStyle
	return n
}

// get is the value of a name in a mapping, or nil.
func get(n *yaml.Node, name string) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

// escapeWord writes a word of a path as a template has it.
func escapeWord(s string) string {
	return strings.NewReplacer("%2F", "%2F", "{", "%7B", "}", "%7D").Replace(strings.ReplaceAll(url.PathEscape(s), "%3A", ":"))
}
