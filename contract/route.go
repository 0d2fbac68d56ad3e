package contract

import (
	"fmt"
	"slices"
	"strings"
)

// A router finds the operation of a request. It is a tree with a level for
// each segment of the path; at each level a literal segment wins over one with
// literal parts ("{id}.json"), and that over a variable. The path decides
// first and the method afterwards, as OpenAPI has it: DELETE /users/me is not
// DELETE /users/{id} when /users/me is declared.
type router struct {
	root node
	any  bool
}

type node struct {
	literal  map[string]*node
	mixed    []*mixedNode // those with more literal text first
	variable *node
	end      *terminal
}

type mixedNode struct {
	pattern segment
	node
}

// terminal is a whole path template, with its operations.
type terminal struct {
	path    string
	methods []methodNames
	allow   string
}

type methodNames struct {
	method string
	o      *Operation
	names  []string // of the variables, in the order of the path
}

// A segment is part of a path template: literal text and variables in turn.
// It begins and ends with a literal, which may be empty.
type segment struct {
	literals  []string
	variables []string
}

// parseTemplate cuts a path template into segments.
func parseTemplate(template string) ([]segment, error) {
	var out []segment
	for _, text := range strings.Split(strings.TrimPrefix(template, "/"), "/") {
		var s segment
		for {
			i := strings.IndexAny(text, "{}")
			if i < 0 {
				break
			}
			j := strings.IndexAny(text[i+1:], "{}")
			if text[i] == '}' || j < 0 || text[i+1+j] == '{' {
				return nil, fmt.Errorf("its braces do not match")
			}
			if len(s.variables) > 0 && i == 0 {
				return nil, fmt.Errorf("two variables stand side by side")
			}
			if j == 0 {
				return nil, fmt.Errorf("a variable has no name")
			}
			s.literals = append(s.literals, text[:i])
			s.variables = append(s.variables, text[i+1:i+1+j])
			text = text[i+j+2:]
		}
		s.literals = append(s.literals, text)
		for i, l := range s.literals {
			if d, ok := decodeSegment(l); ok {
				s.literals[i] = d
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// match reports whether text fits, appending the values of the variables. A
// variable is as short as it can be, but the last takes all that is left.
func (s *segment) match(text string, values []string) ([]string, bool) {
	if !strings.HasPrefix(text, s.literals[0]) {
		return values, false
	}
	text = text[len(s.literals[0]):]
	last := len(s.literals) - 1
	for i := 1; i <= last; i++ {
		at := 0
		if i == last {
			if !strings.HasSuffix(text, s.literals[i]) {
				return values, false
			}
			at = len(text) - len(s.literals[i])
		} else if at = strings.Index(text, s.literals[i]); at < 0 {
			return values, false
		}
		if at <= 0 {
			return values, false // a variable is never empty
		}
		values = append(values, text[:at])
		text = text[at+len(s.literals[i]):]
	}
	return values, true
}

func (s *segment) weight() int {
	n := 0
	for _, l := range s.literals {
		n += len(l)
	}
	return n
}

// newRouter makes the tree. Operations that no request can reach, because
// another has the same path and method, are returned.
func newRouter(ops []*Operation) (*router, []*Operation) {
	r := &router{}
	var lost []*Operation
	for _, o := range ops {
		segments, err := parseTemplate(o.Path)
		if err != nil {
			lost = append(lost, o)
			continue
		}
		n := &r.root
		var names []string
		for _, s := range segments {
			names = append(names, s.variables...)
			n = n.child(s)
		}
		if n.end == nil {
			n.end = &terminal{path: o.Path}
		}
		if slices.ContainsFunc(n.end.methods, func(m methodNames) bool { return m.method == o.Method }) {
			lost = append(lost, o)
			continue
		}
		n.end.methods = append(n.end.methods, methodNames{o.Method, o, names})
		r.any = true
	}
	r.root.finish()
	return r, lost
}

func (n *node) child(s segment) *node {
	switch {
	case len(s.variables) == 0:
		if n.literal == nil {
			n.literal = map[string]*node{}
		}
		if n.literal[s.literals[0]] == nil {
			n.literal[s.literals[0]] = &node{}
		}
		return n.literal[s.literals[0]]
	case len(s.variables) == 1 && s.weight() == 0:
		if n.variable == nil {
			n.variable = &node{}
		}
		return n.variable
	}
	for _, m := range n.mixed {
		if slices.Equal(m.pattern.literals, s.literals) {
			return &m.node
		}
	}
	m := &mixedNode{pattern: s}
	n.mixed = append(n.mixed, m)
	slices.SortStableFunc(n.mixed, func(a, b *mixedNode) int { return b.pattern.weight() - a.pattern.weight() })
	return &m.node
}

// finish writes down the Allow field of each path.
func (n *node) finish() {
	for _, c := range n.literal {
		c.finish()
	}
	for _, c := range n.mixed {
		c.finish()
	}
	if n.variable != nil {
		n.variable.finish()
	}
	if n.end == nil {
		return
	}
	allow := []string{"OPTIONS"}
	for _, m := range n.end.methods {
		if m.method == "GET" {
			allow = append(allow, "HEAD")
		}
		allow = append(allow, m.method)
	}
	slices.Sort(allow)
	n.end.allow = strings.Join(slices.Compact(allow), ", ")
}

const maxSegments = 64 // no API has deeper paths

// Match finds the operation of a method on a raw path (undecoded, without its
// query). HEAD is GET where only GET is declared (RFC 9110, 9.3.2). A path
// that is ambiguous is not matched at all.
func (c *Contract) Match(method, rawPath string) Match {
	if c.router == nil || !c.router.any {
		return Match{}
	}
	if _, bad := AmbiguousPath(rawPath); bad {
		return Match{}
	}
	return c.router.match(method, rawPath)
}

func (r *router) match(method, rawPath string) Match {
	if rawPath == "*" {
		return Match{}
	}
	escaped := strings.IndexByte(rawPath, '%') >= 0
	var room [8]string
	end, values := r.root.find(rawPath[1:], escaped, maxSegments, room[:0])
	if end == nil {
		return Match{}
	}
	m := Match{Known: true, Allow: end.allow}
	found := end.method(method)
	if found == nil && method == "HEAD" {
		found = end.method("GET")
	}
	if found == nil {
		return m
	}
	m.Operation = found.o
	if len(values) > 0 {
		m.Params = make([]Param, len(values))
		for i, v := range values {
			m.Params[i] = Param{found.names[i], v}
		}
	}
	return m
}

func (t *terminal) method(name string) *methodNames {
	for i := range t.methods {
		if t.methods[i].method == name {
			return &t.methods[i]
		}
	}
	return nil
}

// find goes down the tree along what is left of the path.
func (n *node) find(rest string, escaped bool, room int, values []string) (*terminal, []string) {
	if room == 0 {
		return nil, values
	}
	text, more := rest, false
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		text, rest, more = rest[:i], rest[i+1:], true
	}
	if escaped {
		var ok bool
		if text, ok = decodeSegment(text); !ok {
			return nil, values
		}
	}
	next := func(c *node, values []string) (*terminal, []string) {
		if !more {
			return c.end, values
		}
		return c.find(rest, escaped, room-1, values)
	}
	if c := n.literal[text]; c != nil {
		if end, vs := next(c, values); end != nil {
			return end, vs
		}
	}
	for _, c := range n.mixed {
		if vs, ok := c.pattern.match(text, values); ok {
			if end, vs := next(&c.node, vs); end != nil {
				return end, vs
			}
		}
	}
	if n.variable != nil && text != "" {
		if end, vs := next(n.variable, append(values, text)); end != nil {
			return end, vs
		}
	}
	return nil, values
}
