package learn

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
)

// A model is what all counts together say: the operations, with places of
// paths that are values told from those that are words.
type model struct {
	l   *Learner
	b   *shapes // for what is put together here, without a bound: all of it was bounded before
	ops []*operation
	// bases are further paths under which all operations stand.
	bases []string
	// floats and maps are names of members that somewhere hold numbers with a
	// fraction, and objects with free names.
	floats, maps map[string]bool
	// named holds, by the name of a member, all that was seen under it anywhere:
	// what one place saw too little of, others may have seen.
	named map[string]*shape
}

// An operation is a method on a path template.
type operation struct {
	method string
	path   string // "/v1/orders/{order}"
	segs   []segment
	cell   *cell
	// refused: nobody succeeded, and it is there all the same.
	refused bool
}

type segment struct {
	word  string // or the variable's name
	value bool
}

// name is "GET /v1/orders/{order}", as contract calls it.
func (o *operation) name() string { return o.method + " " + o.path }

// A place is a node with its children sorted into words and values.
type place struct {
	words map[string]*place
	value *place
	cells map[string]*cell
	hints map[string]bool
}

func (l *Learner) model() *model {
	m := &model{l: l, b: &shapes{}, floats: map[string]bool{}, maps: map[string]bool{}, named: map[string]*shape{}}
	root := m.place([]*node{l.root}, "", false)
	m.takeMisses(root)
	m.mirror(root)
	m.list(root, nil)
	sort.Slice(m.ops, func(i, j int) bool {
		a, b := m.ops[i], m.ops[j]
		if a.path != b.path {
			return a.path < b.path
		}
		return methodOrder(a.method) < methodOrder(b.method)
	})
	for _, o := range m.ops {
		m.names(o.cell)
	}
	return m
}

func methodOrder(m string) string {
	if i := slices.Index(methods, m); i >= 0 {
		return fmt.Sprintf("%02d", i)
	}
	return m
}

var methods = []string{"GET", "PUT", "POST", "DELETE", "PATCH"}

// place puts nodes that are one place together.
func (m *model) place(ns []*node, parent string, afterValue bool) *place {
	p := &place{words: map[string]*place{}, cells: map[string]*cell{}, hints: map[string]bool{}}
	words := map[string][]*node{}
	var values []*node
	for _, n := range ns {
		for method, c := range n.cells {
			if method == "HEAD" {
				method = "GET"
			}
			if p.cells[method] == nil {
				p.cells[method] = newCell()
			}
			m.b.mergeCell(p.cells[method], c)
		}
		maps.Copy(p.hints, n.hints)
		for w, child := range n.words {
			words[w] = append(words[w], child)
		}
		if n.value != nil {
			values = append(values, n.value)
		}
	}
	for _, w := range slices.Sorted(maps.Keys(m.l.valuesAmong(words, values, parent, afterValue))) {
		values = append(values, words[w]...)
		delete(words, w)
	}
	for _, w := range slices.Sorted(maps.Keys(words)) {
		p.words[w] = m.place(words[w], w, false)
	}
	if len(values) > 0 {
		p.value = m.place(values, "", true)
	}
	return p
}

// valuesAmong picks the words at a place that are values in truth: answers
// and tokens say so, or others stand in the same place with the same behind
// them.
func (l *Learner) valuesAmong(words map[string][]*node, values []*node, parent string, afterValue bool) map[string]bool {
	out := map[string]bool{}
	noun := singular(parent)
	if parent == "" || afterValue || version.MatchString(parent) || strings.EqualFold(parent, "api") {
		return out
	}
	plural := noun != parent
	signs := map[string]string{}
	like := map[string][]string{}
	for w, ns := range words {
		if isEveryday(w) || slices.ContainsFunc(ns, func(n *node) bool { return n.fixed }) || w == "" {
			continue
		}
		signs[w] = sign(ns)
		like[signs[w]] = append(like[signs[w]], w)
		if in := l.values.m[w]; in != nil && saysValue(in, noun, plural) {
			out[w] = true
		}
	}
	known := map[string]bool{}
	for w := range out {
		known[signs[w]] = true
	}
	if len(values) > 0 {
		known[sign(values)] = true
	}
	for s, ws := range like {
		deep := strings.Split(s, "|")[1] != ""
		if known[s] || plural && (len(ws) >= 3 || len(ws) == 2 && deep) {
			for _, w := range ws {
				out[w] = true
			}
		}
	}
	return out
}

// saysValue reports whether a word stood in a member that names what the path
// names there: tenant, tenantId, or only slug after /tenants/.
func saysValue(in *least[bool], noun string, plural bool) bool {
	n := plainWord(noun)
	for name := range in.m {
		switch strings.TrimPrefix(name, n) {
		case "", "id", "slug", "key", "code", "name", "uuid", "ref", "handle":
			if name != "name" && (strings.HasPrefix(name, n) || plural) {
				return true
			}
		case "username", "subject", "sub", "login":
			if plural {
				return true
			}
		}
	}
	return false
}

// sign says in a line what stands at and behind a place: alike ones are of the
// same kind.
func sign(ns []*node) string {
	methods, children, props := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, n := range ns {
		for method, c := range n.cells {
			methods[method] = true
			if media := c.replies[200]; media != nil && method == "GET" {
				for mt, content := range media.m {
					props[mt] = true
					if content.shape != nil && content.shape.members != nil {
						for name := range content.shape.members.m {
							props["."+name] = true
						}
					}
				}
			}
		}
		for w := range n.words {
			children["/"+w] = true
		}
		if n.value != nil {
			children["/{}"] = true
		}
	}
	line := func(m map[string]bool) string { return strings.Join(slices.Sorted(maps.Keys(m)), " ") }
	return line(methods) + "|" + line(children) + "|" + line(props)
}

// takeMisses adds what failed to the operation that it was meant for. Failures
// alone make an operation only when they could not come of a path or method
// that does not exist.
func (m *model) takeMisses(root *place) {
	var rest []*miss
	for _, key := range slices.Sorted(maps.Keys(m.l.misses.m)) {
		miss := m.l.misses.m[key]
		method := miss.method
		if method == "HEAD" {
			method = "GET"
		}
		at := root.find(miss.path)
		if at != nil && at.cells[method] != nil {
			m.b.mergeCell(at.cells[method], miss.cell)
			continue
		}
		if existsThough(miss.cell, at != nil && len(at.cells) > 0) {
			rest = append(rest, miss)
		}
	}
	for _, miss := range rest {
		at := root.make(miss.path)
		method := miss.method
		if method == "HEAD" {
			method = "GET"
		}
		if at.cells[method] == nil {
			at.cells[method] = newCell()
		}
		m.b.mergeCell(at.cells[method], miss.cell)
	}
}

// existsThough reports whether failures show that there is an operation. On a
// path that others methods have, being refused does; on others, only what no
// router and no guard at the door would say.
func existsThough(c *cell, path bool) bool {
	found := false
	for s := range c.statuses {
		switch {
		case s == 404 || s == 405 || s == 501:
			return false
		case s == 400 || s == 406 || s == 415 || s >= 500:
		case s == 401 || s == 403:
			found = found || path
		default:
			found = true
		}
	}
	return found
}

func (p *place) find(path []step) *place {
	for _, s := range path {
		next := p.words[s.word]
		if next == nil || s.value {
			next = p.value
		}
		if next == nil {
			return nil
		}
		p = next
	}
	return p
}

func (p *place) make(path []step) *place {
	fresh := func() *place {
		return &place{words: map[string]*place{}, cells: map[string]*cell{}, hints: map[string]bool{}}
	}
	for _, s := range path {
		next := p.words[s.word]
		if next == nil || s.value {
			next = p.value
		}
		if next == nil {
			next = fresh()
			if s.value {
				p.value = next
			} else {
				p.words[s.word] = next
			}
		}
		p = next
	}
	return p
}

// list makes operations of the places. Every value is named after the noun
// before it: /orders/{order}. Only a name that somebody gave comes first.
func (m *model) list(p *place, segs []segment) {
	var path strings.Builder
	for _, s := range segs {
		if s.value {
			path.WriteString("/{" + s.word + "}")
		} else {
			path.WriteString("/" + escapeWord(s.word))
		}
	}
	if path.Len() == 0 {
		path.WriteByte('/')
	}
	for method, c := range p.cells {
		m.ops = append(m.ops, &operation{method: method, path: path.String(), segs: slices.Clone(segs), cell: c, refused: !c.succeeded()})
	}
	for w, child := range p.words {
		m.list(child, append(slices.Clone(segs), segment{w, false}))
	}
	if p.value != nil {
		m.list(p.value, append(slices.Clone(segs), segment{p.value.nameAfter(segs), true}))
	}
}

func (p *place) nameAfter(segs []segment) string {
	name := ""
	if len(p.hints) == 1 {
		for h := range p.hints {
			name = h
		}
	} else if n := len(segs); n > 0 && !segs[n-1].value && !version.MatchString(segs[n-1].word) {
		name = variableName(singular(segs[n-1].word))
	}
	if name == "" {
		name = "id"
	}
	base := name
	for i := 2; slices.ContainsFunc(segs, func(s segment) bool { return s.value && s.word == name }); i++ {
		name = fmt.Sprint(base, i)
	}
	return name
}

// names notes what members of a name hold anywhere.
func (m *model) names(c *cell) {
	for _, content := range c.requests.m {
		m.namesIn(content.shape)
	}
	for _, media := range c.replies {
		for _, content := range media.m {
			m.namesIn(content.shape)
		}
	}
}

func (m *model) namesIn(s *shape) {
	if s == nil {
		return
	}
	m.namesIn(s.items)
	if s.members == nil {
		return
	}
	for name, e := range s.members.m {
		if e.shape.floats > 0 {
			m.floats[plainWord(name)] = true
		}
		if e.shape.objects > 0 && e.shape.isMap(name) {
			m.maps[plainWord(name)] = true
		}
		m.namesIn(e.shape)
		if m.named[name] == nil {
			m.named[name] = m.b.fresh()
		}
		m.b.merge(m.named[name], e.shape)
	}
}
