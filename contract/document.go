package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/parley-project/parley/internal/config"
	"go.yaml.in/yaml/v3"
)

// OpenAPI documents are read as trees of YAML nodes, JSON ones too: a node
// keeps its line and column, and a document that is half wrong can still be
// read for the half that is right. doc/decisions/010 says why no model of a
// library stands between.

// A document is one file of an API description.
type document struct {
	file string // as errors name it
	base string // "" for the first file, else its path beside that: what locations begin with
	root *yaml.Node
	made map[*yaml.Node]any // values decoded so far
	// unnamed: no schema here has an $id or an anchor.
	unnamed bool
}

// documents are the files that an API description is made of.
type documents struct {
	first *document
	byKey map[string]*document // by absolute file name
}

// A cursor is a place in a document.
type cursor struct {
	doc     *document
	node    *yaml.Node // nil: nothing is here
	pointer string     // JSON Pointer from the root
	key     *yaml.Node // the name it was found under, when it was listed by members
}

func openDocuments(file string) (*documents, error) {
	ds := &documents{byKey: map[string]*document{}}
	d, err := readDocument(file)
	if err != nil {
		return nil, err
	}
	ds.first = d
	ds.byKey[absolute(file)] = d
	return ds, nil
}

func absolute(file string) string {
	if a, err := filepath.Abs(file); err == nil {
		return a
	}
	return file
}

func readDocument(file string) (*document, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		if pe, ok := err.(*os.PathError); ok {
			err = pe.Err
		}
		return nil, &config.Error{File: file, Text: "cannot be read: " + err.Error(), Hint: config.HintFile}
	}
	root, err := parseTree(file, data)
	if err != nil {
		return nil, err
	}
	return &document{file: file, root: root, made: map[*yaml.Node]any{}}, nil
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// parseTree reads JSON or YAML. JSON has its own reader: YAML's knows no
// surrogate pairs and takes tabs amiss.
func parseTree(file string, data []byte) (*yaml.Node, error) {
	text := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if t := bytes.TrimLeft(text, " \t\r\n"); len(t) > 0 && t[0] == '{' {
		return parseJSONTree(file, text)
	}
	var doc yaml.Node
	err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&doc)
	if err == io.EOF || err == nil && len(doc.Content) == 0 {
		return nil, &config.Error{File: file, Text: "is empty"}
	}
	if err != nil {
		e := &config.Error{File: file, Text: strings.TrimPrefix(err.Error(), "yaml: ")}
		if m := yamlLine.FindStringSubmatch(e.Text); m != nil {
			e.Line, _ = strconv.Atoi(m[1])
			e.Text = e.Text[len(m[0]):]
		}
		return nil, e
	}
	return doc.Content[0], nil
}

func (d *document) top() cursor { return cursor{doc: d, node: d.root} }

// errorf makes an error at the cursor's place.
func (c cursor) errorf(hint, format string, args ...any) *config.Error {
	e := &config.Error{File: c.doc.file, Text: fmt.Sprintf(format, args...), Hint: hint}
	if c.node != nil {
		e.Line, e.Column = c.node.Line, c.node.Column
	}
	return e
}

// place is "openapi.yaml:120": short enough to be stored with each finding.
func (c cursor) place() string {
	if c.node == nil {
		return filepath.Base(c.doc.file)
	}
	return filepath.Base(c.doc.file) + ":" + strconv.Itoa(c.node.Line)
}

// location names the place for the schema compiler: "#/components/schemas/User".
func (c cursor) location() string { return c.doc.base + "#" + c.pointer }

func (c cursor) ok() bool { return c.node != nil }

func unalias(n *yaml.Node) *yaml.Node {
	for i := 0; n != nil && n.Kind == yaml.AliasNode && i < 100; i++ {
		n = n.Alias
	}
	return n
}

func (c cursor) isMap() bool  { return c.node != nil && unalias(c.node).Kind == yaml.MappingNode }
func (c cursor) isList() bool { return c.node != nil && unalias(c.node).Kind == yaml.SequenceNode }

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// get returns the member of a mapping, or a cursor with nothing.
func (c cursor) get(key string) cursor {
	return cursor{doc: c.doc, node: lookup(c.node, key, 0), pointer: c.pointer + "/" + pointerEscapes.Replace(key)}
}

func lookup(n *yaml.Node, key string, depth int) *yaml.Node {
	n = unalias(n)
	if n == nil || n.Kind != yaml.MappingNode || depth > 20 {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Tag == "!!merge" {
			m := unalias(n.Content[i+1])
			if m.Kind == yaml.SequenceNode {
				for _, e := range m.Content {
					if v := lookup(e, key, depth+1); v != nil {
						return v
					}
				}
			} else if v := lookup(m, key, depth+1); v != nil {
				return v
			}
		}
	}
	return nil
}

type member struct {
	name  string
	value cursor
}

// atName is the place of the name that c was found under.
func (c cursor) atName() cursor {
	if c.key != nil {
		c.node = c.key
	}
	return c
}

// members returns the members of a mapping in the order of the file.
func (c cursor) members() []member {
	var ms []member
	seen := map[string]bool{}
	var add func(n *yaml.Node, depth int)
	add = func(n *yaml.Node, depth int) {
		n = unalias(n)
		if n == nil || n.Kind != yaml.MappingNode || depth > 20 {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			if k.Tag != "!!merge" && !seen[k.Value] {
				seen[k.Value] = true
				ms = append(ms, member{k.Value, cursor{c.doc, n.Content[i+1], c.pointer + "/" + pointerEscapes.Replace(k.Value), k}})
			}
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Tag == "!!merge" {
				m := unalias(n.Content[i+1])
				if m.Kind == yaml.SequenceNode {
					for _, e := range m.Content {
						add(e, depth+1)
					}
				} else {
					add(m, depth+1)
				}
			}
		}
	}
	add(c.node, 0)
	return ms
}

// items returns the items of a sequence.
func (c cursor) items() []cursor {
	n := unalias(c.node)
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	out := make([]cursor, len(n.Content))
	for i, e := range n.Content {
		out[i] = cursor{doc: c.doc, node: e, pointer: c.pointer + "/" + strconv.Itoa(i)}
	}
	return out
}

// text returns a scalar's text, or "".
func (c cursor) text() string {
	n := unalias(c.node)
	if n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	return n.Value
}

func (c cursor) isTrue() bool { return c.text() == "true" }

func (c cursor) texts() []string {
	var out []string
	for _, i := range c.items() {
		out = append(out, i.text())
	}
	return out
}

// follow returns what the cursor's $ref stands for, through any number of
// them, or the cursor itself when it has none.
func (ds *documents) follow(c cursor) (cursor, error) {
	for range 100 {
		r := c.get("$ref")
		if !c.isMap() || !r.ok() || unalias(r.node).Kind != yaml.ScalarNode {
			return c, nil
		}
		to, err := ds.resolve(c.doc, r.text(), r)
		if err != nil {
			return c, err
		}
		c = to
	}
	return c, c.errorf("", "the reference leads back to itself")
}

// A remoteReference is a reference to something that would have to be fetched.
type remoteReference struct{ where *config.Error }

func (r *remoteReference) Error() string { return r.where.Error() }
func (r *remoteReference) Unwrap() error { return r.where }

// resolve finds what a reference names. at is where it stands.
func (ds *documents) resolve(from *document, ref string, at cursor) (cursor, error) {
	if ref == "" {
		return cursor{}, at.errorf("", "the reference is empty")
	}
	name, fragment, _ := strings.Cut(ref, "#")
	d := from
	if name != "" {
		if u, err := url.Parse(name); err != nil || u.Scheme != "" || u.Host != "" {
			return cursor{}, &remoteReference{at.errorf("save the file beside this one and refer to it by name",
				"the reference %q leads out of this machine and is not fetched", ref)}
		}
		if un, err := url.PathUnescape(name); err == nil {
			name = un
		}
		file := filepath.Join(filepath.Dir(from.file), filepath.FromSlash(name))
		d = ds.byKey[absolute(file)]
		if d == nil {
			var err error
			if d, err = readDocument(file); err != nil {
				return cursor{}, at.errorf("", "the reference %q: %v", ref, err)
			}
			if d.base, err = filepath.Rel(filepath.Dir(ds.first.file), file); err != nil {
				d.base = file
			}
			d.base = filepath.ToSlash(d.base)
			ds.byKey[absolute(file)] = d
		}
	}
	if un, err := url.PathUnescape(fragment); err == nil {
		fragment = un
	}
	c := d.top()
	if fragment == "" {
		return c, nil
	}
	if !strings.HasPrefix(fragment, "/") {
		if found := findAnchor(c, fragment, 0); found.ok() {
			return found, nil
		}
		return cursor{}, at.errorf("", "nothing is at %q", ref)
	}
	for _, part := range strings.Split(fragment[1:], "/") {
		name := strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		next := cursor{doc: d, pointer: c.pointer + "/" + part}
		if c.isList() {
			if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(unalias(c.node).Content) {
				next.node = unalias(c.node).Content[i]
			}
		} else {
			next = c.get(name)
			if !next.ok() && c.get("$ref").ok() {
				// The path leads through another reference.
				if through, err := ds.follow(c); err == nil {
					next = through.get(name)
				}
			}
		}
		if !next.ok() {
			hint := ""
			var names []string
			for _, m := range c.members() {
				names = append(names, m.name)
			}
			if near := config.Nearest(name, names); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			return cursor{}, at.errorf(hint, "nothing is at %q", ref)
		}
		c = next
	}
	return c, nil
}

// findAnchor looks for a schema with the given $anchor or $dynamicAnchor.
func findAnchor(c cursor, name string, depth int) cursor {
	if depth > 200 || c.node == nil || c.node.Kind == yaml.AliasNode {
		return cursor{}
	}
	if c.get("$anchor").text() == name || c.get("$dynamicAnchor").text() == name {
		return c
	}
	for _, m := range c.members() {
		if f := findAnchor(m.value, name, depth+1); f.ok() {
			return f
		}
	}
	for _, i := range c.items() {
		if f := findAnchor(i, name, depth+1); f.ok() {
			return f
		}
	}
	return cursor{}
}

// value decodes a document into maps, slices, strings, json.Number, bool and
// nil. What an anchor names is decoded once and shared, so that aliases of
// aliases cannot grow without bound.
func (c cursor) value() any { return c.doc.decode(c.node, 0) }

func (d *document) decode(n *yaml.Node, depth int) any {
	n = unalias(n)
	if n == nil || depth > 1000 {
		return nil
	}
	if v, ok := d.made[n]; ok {
		return v
	}
	switch n.Kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		d.made[n] = m // before its members: an alias may lead back here
		for _, e := range (cursor{doc: d, node: n}).members() {
			m[e.name] = d.decode(e.value.node, depth+1)
		}
		return m
	case yaml.SequenceNode:
		s := make([]any, len(n.Content))
		d.made[n] = s
		for i, e := range n.Content {
			s[i] = d.decode(e, depth+1)
		}
		return s
	case yaml.ScalarNode:
		return scalar(n)
	}
	return nil
}

func scalar(n *yaml.Node) any {
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		var b bool
		if n.Decode(&b) == nil {
			return b
		}
	case "!!int":
		if json.Valid([]byte(n.Value)) {
			return json.Number(n.Value)
		}
		var i int64
		if n.Decode(&i) == nil {
			return json.Number(strconv.FormatInt(i, 10))
		}
	case "!!float":
		if json.Valid([]byte(n.Value)) {
			return json.Number(n.Value)
		}
		var f float64
		if n.Decode(&f) == nil && f-f == 0 { // neither infinite nor NaN
			return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
		}
	}
	return n.Value
}
