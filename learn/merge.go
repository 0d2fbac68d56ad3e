package learn

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Merge adds what was learnt to a description that a person keeps: operations,
// parameters, statuses, content and members that it lacks. Nothing that is there
// changes, and without anything new the text comes back byte for byte.
func (l *Learner) Merge(old []byte) ([]byte, error) {
	learnt, err := l.OpenAPI()
	if err != nil {
		return nil, err
	}
	return mergeText(old, func(root *yaml.Node) (bool, error) {
		var from yaml.Node
		if err := yaml.Unmarshal(learnt, &from); err != nil {
			return false, fmt.Errorf("learn: %w", err)
		}
		m := &merger{old: root, learnt: from.Content[0], components: map[string]string{}, seen: map[*yaml.Node]bool{}}
		m.paths()
		return m.changed, nil
	})
}

// blank stands for an empty line while a text is a tree, which keeps comments
// but not those.
const blank = "#  (empty line)"

// mergeText parses a text, lets change work on it, and writes it again with
// its comments and empty lines.
func mergeText(old []byte, change func(root *yaml.Node) (bool, error)) ([]byte, error) {
	try := func(text []byte) ([]byte, bool, error) {
		var doc yaml.Node
		if err := yaml.Unmarshal(text, &doc); err != nil {
			return nil, false, fmt.Errorf("learn: the file that is there: %w", err)
		}
		if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
			return nil, false, fmt.Errorf("learn: the file that is there is no mapping")
		}
		changed, err := change(doc.Content[0])
		if err != nil || !changed {
			return nil, false, err
		}
		if isJSONText(old) {
			out, err := encodeJSON(&doc)
			return out, true, err
		}
		out, err := encode(&doc)
		return out, true, err
	}
	plain, changed, err := try(old)
	if err != nil || !changed {
		return old, err
	}
	if isJSONText(old) {
		return plain, nil
	}
	marked := withMarks(old)
	if spaced, _, err := try(marked); err == nil {
		spaced = withoutMarks(spaced)
		if sameYAML(spaced, plain) && !bytes.Contains(spaced, []byte(blank)) {
			plain = spaced
		}
	}
	if restored := asWritten(plain, old); sameYAML(restored, plain) {
		return restored, nil
	}
	return plain, nil
}

// asWritten puts the lines of old in the places of those that say the same with
// other spaces and quotes.
func asWritten(text, old []byte) []byte {
	bare := func(l string) string {
		indent := len(l) - len(strings.TrimLeft(l, " "))
		return fmt.Sprint(indent, strings.NewReplacer(" ", "", "'", "", `"`, "").Replace(l))
	}
	lines := map[string][]string{}
	for l := range strings.SplitSeq(string(old), "\n") {
		lines[bare(l)] = append(lines[bare(l)], l)
	}
	out := strings.Split(string(text), "\n")
	for i, l := range out {
		if from := lines[bare(l)]; len(from) > 0 {
			out[i], lines[bare(l)] = from[0], from[1:]
		}
	}
	return []byte(strings.Join(out, "\n"))
}

// withMarks writes a mark in every empty line, as far in as the next line, so
// that it stays a part of a text over several lines.
func withMarks(text []byte) []byte {
	lines := strings.Split(string(text), "\n")
	indent := ""
	for i, l := range slices.Backward(lines[:len(lines)-1]) {
		if rest := strings.TrimLeft(l, " "); strings.TrimSpace(l) != "" {
			indent = l[:len(l)-len(rest)]
		} else {
			lines[i] = indent + blank
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

func withoutMarks(text []byte) []byte {
	var out []string
	for _, l := range strings.Split(string(text), "\n") {
		if strings.TrimSpace(l) == blank {
			l = ""
		}
		if l == "" && len(out) > 0 && out[len(out)-1] == "" {
			continue
		}
		out = append(out, l)
	}
	return []byte(strings.Join(out, "\n"))
}

func sameYAML(a, b []byte) bool {
	var x, y yaml.Node
	if yaml.Unmarshal(a, &x) != nil || yaml.Unmarshal(b, &y) != nil {
		return false
	}
	return sameNode(&x, &y)
}

func sameNode(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || a.Tag != b.Tag || a.Value != b.Value || len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !sameNode(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

// A merger carries nodes from the learnt description into the old one.
type merger struct {
	old, learnt *yaml.Node
	components  map[string]string // "schemas/Order" as learnt: its name in the old one
	seen        map[*yaml.Node]bool
	changed     bool
}

// add puts a name into a mapping.
func (m *merger) add(to *yaml.Node, name string, v *yaml.Node) {
	if to.Style&yaml.FlowStyle != 0 && len(to.Content) == 0 {
		to.Style = 0 // {} has room for nothing to be read in
	}
	put(to, name, v)
	m.changed = true
}

// child is the mapping of a name, made if it is not there.
func (m *merger) child(of *yaml.Node, name string) *yaml.Node {
	n := get(of, name)
	if n == nil {
		n = object()
		m.add(of, name, n)
	}
	if n.Tag == "!!null" { // a name without anything yet
		n.Kind, n.Tag, n.Value, n.Style = yaml.MappingNode, "!!map", "", 0
	}
	return m.follow(m.old, n)
}

// listOf is the list of a name, or nil; a name without anything is an empty one.
func listOf(of *yaml.Node, name string) *yaml.Node {
	n := get(of, name)
	if n != nil && n.Tag == "!!null" {
		n.Kind, n.Tag, n.Value, n.Style = yaml.SequenceNode, "!!seq", "", 0
	}
	return n
}

func (m *merger) paths() {
	paths := m.child(m.old, "paths")
	bases := m.bases()
	from := get(m.learnt, "paths")
	for i := 0; i+1 < len(from.Content); i += 2 {
		path, item := from.Content[i].Value, from.Content[i+1]
		have := m.item(paths, path, bases)
		if have == nil {
			name, servers := path, (*yaml.Node)(nil)
			if len(bases) > 0 && !slices.Contains(bases, "") {
				if rest, ok := strings.CutPrefix(path, bases[0]); ok && strings.HasPrefix(rest, "/") {
					name = rest
				} else {
					servers = list(flow(object("url", text("/"))))
				}
			}
			n := m.bring(item)
			if servers != nil {
				put(n, "servers", servers)
			}
			m.add(paths, name, n)
			continue
		}
		for j := 0; j+1 < len(item.Content); j += 2 {
			name, op := item.Content[j].Value, item.Content[j+1]
			if name == "parameters" {
				continue
			}
			if own := get(have, name); own != nil {
				m.operation(own, have, op)
			} else {
				m.add(have, name, m.bring(op))
			}
		}
	}
}

// bases are the paths of the old description's servers.
func (m *merger) bases() []string {
	var out []string
	if servers := get(m.old, "servers"); servers != nil {
		for _, s := range servers.Content {
			if u := get(s, "url"); u != nil {
				if p, err := url.Parse(u.Value); err == nil {
					out = append(out, strings.TrimSuffix(p.Path, "/"))
				}
			}
		}
	}
	return out
}

// item finds the path item of a template, whatever its variables are called.
func (m *merger) item(paths *yaml.Node, template string, bases []string) *yaml.Node {
	if len(bases) == 0 {
		bases = []string{""}
	}
	for i := 0; i+1 < len(paths.Content); i += 2 {
		for _, base := range bases {
			if shapeOfPath(base+paths.Content[i].Value) == shapeOfPath(template) {
				return m.follow(m.old, paths.Content[i+1])
			}
		}
	}
	return nil
}

// follow goes where a $ref of a document leads.
func (m *merger) follow(root, n *yaml.Node) *yaml.Node {
	for range 50 {
		for n != nil && n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		ref := get(n, "$ref")
		if ref == nil || !strings.HasPrefix(ref.Value, "#/") {
			return n
		}
		to := root
		for _, p := range strings.Split(ref.Value[2:], "/") {
			to = get(to, strings.NewReplacer("~1", "/", "~0", "~").Replace(p))
		}
		if to == nil {
			return n
		}
		n = to
	}
	return n
}

func (m *merger) operation(old, item, learnt *yaml.Node) {
	m.parameters(old, item, get(learnt, "parameters"))
	if body := get(learnt, "requestBody"); body != nil {
		if own := m.follow(m.old, get(old, "requestBody")); own != nil {
			m.content(own, body)
		} else {
			m.add(old, "requestBody", m.bring(body))
		}
	}
	from := get(learnt, "responses")
	responses := m.child(old, "responses")
	for i := 0; i+1 < len(from.Content); i += 2 {
		status, r := from.Content[i].Value, from.Content[i+1]
		own := get(responses, status)
		if own == nil {
			own = get(responses, status[:1]+"XX")
		}
		if own == nil && status >= "400" {
			own = get(responses, "default")
		}
		switch {
		case own != nil:
			m.content(m.follow(m.old, own), r)
		case status != "default":
			m.add(responses, status, m.bring(r))
		}
	}
}

func (m *merger) parameters(op, item, learnt *yaml.Node) {
	if learnt == nil {
		return
	}
	has := func(list *yaml.Node, in, name string) bool {
		if list == nil {
			return false
		}
		for list.Kind == yaml.AliasNode {
			list = list.Alias
		}
		return slices.ContainsFunc(list.Content, func(p *yaml.Node) bool {
			p = m.follow(m.old, p)
			i, n := get(p, "in"), get(p, "name")
			return i != nil && n != nil && i.Value == in && (n.Value == name || in == "header" && strings.EqualFold(n.Value, name))
		})
	}
	for _, p := range learnt.Content {
		in, name := get(p, "in").Value, get(p, "name").Value
		if has(get(op, "parameters"), in, name) || has(get(item, "parameters"), in, name) {
			continue
		}
		own := listOf(op, "parameters")
		if own == nil {
			own = list()
			m.add(op, "parameters", own)
		}
		own.Content = append(own.Content, m.bring(p))
		m.changed = true
	}
}

// content adds media types, and members to the schemas of those that are there.
func (m *merger) content(old, learnt *yaml.Node) {
	from := get(learnt, "content")
	if from == nil || old == nil {
		return
	}
	content := m.child(old, "content")
	for i := 0; i+1 < len(from.Content); i += 2 {
		mt, media := from.Content[i].Value, from.Content[i+1]
		own := get(content, mt)
		switch {
		case own == nil && (get(content, "*/*") != nil || get(content, mt[:strings.IndexByte(mt, '/')]+"/*") != nil):
		case own == nil:
			m.add(content, mt, m.bring(media))
		default:
			own = m.follow(m.old, own)
			if s := get(own, "schema"); s != nil && get(media, "schema") != nil {
				m.schema(s, get(media, "schema"), 0)
			}
		}
	}
}

// schema adds the members that a schema lacks. Types, bounds and what is
// required stay as the person has them.
func (m *merger) schema(old, learnt *yaml.Node, depth int) {
	old, learnt = m.follow(m.old, old), m.follow(m.learnt, learnt)
	if old == nil || learnt == nil || depth > maxDepth {
		return
	}
	parts := m.parts(old, 0)
	if items := get(learnt, "items"); items != nil {
		for _, p := range parts {
			if own := get(p, "items"); own != nil {
				m.schema(own, items, depth+1)
			}
		}
	}
	props := get(learnt, "properties")
	if props == nil {
		return
	}
	open, object := false, false
	for _, p := range parts {
		more := m.follow(m.old, get(p, "additionalProperties"))
		open = open || more != nil && more.Value != "false"
		object = object || get(p, "properties") != nil
	}
	for i := 0; i+1 < len(props.Content); i += 2 {
		name, v := props.Content[i].Value, props.Content[i+1]
		found := false
		for _, p := range parts {
			if own := get(m.follow(m.old, get(p, "properties")), name); own != nil {
				found = true
				m.schema(own, v, depth+1)
			}
		}
		if !found && !open && object {
			m.add(m.child(old, "properties"), name, m.bring(v))
		}
	}
}

// parts are a schema and those that it is put together from.
func (m *merger) parts(n *yaml.Node, depth int) []*yaml.Node {
	n = m.follow(m.old, n)
	if n == nil || depth > 8 {
		return nil
	}
	out := []*yaml.Node{n}
	for _, word := range []string{"allOf", "oneOf", "anyOf"} {
		if l := get(n, word); l != nil {
			for _, s := range l.Content {
				out = append(out, m.parts(s, depth+1)...)
			}
		}
	}
	return out
}

// bring copies a node of the learnt description, with the components that it
// refers to, and with the names that the old one has for schemes.
func (m *merger) bring(n *yaml.Node) *yaml.Node {
	if n == nil {
		return nil
	}
	c := *n
	c.Content = nil
	if ref := get(n, "$ref"); ref != nil && strings.HasPrefix(ref.Value, "#/components/") {
		return reference(m.component(strings.TrimPrefix(ref.Value, "#/components/")))
	}
	for i, e := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && n.Content[i-1].Value == "security" {
			c.Content = append(c.Content, m.security(e))
			continue
		}
		c.Content = append(c.Content, m.bring(e))
	}
	return &c
}

// component makes sure that a component is there and returns its name.
func (m *merger) component(key string) (kind, name string) {
	kind, name, _ = strings.Cut(key, "/")
	if to, done := m.components[key]; done {
		return kind, to
	}
	from := get(get(get(m.learnt, "components"), kind), name)
	to := m.child(m.child(m.old, "components"), kind)
	base, own := name, get(to, name)
	for i := 1; own != nil; i++ {
		a, err1 := encode(own)
		b, err2 := encode(from)
		if err1 == nil && err2 == nil && bytes.Equal(a, b) {
			m.components[key] = name
			return kind, name
		}
		name = base + "Learnt"
		if i > 1 {
			name = fmt.Sprint(base, "Learnt", i)
		}
		own = get(to, name)
	}
	m.components[key] = name
	m.add(to, name, m.bring(from))
	return kind, name
}

// security translates requirements.
func (m *merger) security(n *yaml.Node) *yaml.Node {
	out := flow(list())
	for _, alternative := range n.Content {
		a := flow(object())
		for i := 0; i+1 < len(alternative.Content); i += 2 {
			put(a, m.scheme(alternative.Content[i].Value), flow(list()))
		}
		out.Content = append(out.Content, a)
	}
	return out
}

// scheme is the old description's name for a learnt scheme.
func (m *merger) scheme(name string) string {
	from := get(get(get(m.learnt, "components"), "securitySchemes"), name)
	own := get(get(m.old, "components"), "securitySchemes")
	if own != nil {
		for i := 0; i+1 < len(own.Content); i += 2 {
			s := m.follow(m.old, own.Content[i+1])
			same := true
			for _, word := range []string{"type", "scheme", "in", "name"} {
				a, b := get(s, word), get(from, word)
				same = same && (a == nil) == (b == nil) && (a == nil || strings.EqualFold(a.Value, b.Value))
			}
			if same {
				return own.Content[i].Value
			}
		}
	}
	_, to := m.component("securitySchemes/" + name)
	return to
}
