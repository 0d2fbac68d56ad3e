package archive

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"
)

// get returns a member, or nil. Of two with a name the last one counts.
func (t *tree) get(name string) *tree {
	if t == nil {
		return nil
	}
	for i := len(t.members) - 1; i >= 0; i-- {
		if t.members[i].name == name {
			return t.members[i].value
		}
	}
	return nil
}

func (t *tree) is(kind byte) bool { return t != nil && t.kind == kind }

// list returns the items; none when it is no list.
func (t *tree) list() []*tree {
	if t == nil {
		return nil
	}
	return t.items
}

// text returns a string's text; "" when it is none.
func (t *tree) text() string {
	if !t.is('"') {
		return ""
	}
	return unquote(t.raw)
}

// any text: a string's own, and the JSON of everything else; "" for null.
func (t *tree) asText() string {
	switch {
	case t == nil || t.kind == 'n':
		return ""
	case t.kind == '"':
		return t.text()
	case t.kind == '0':
		return t.raw
	}
	return t.compact()
}

func (t *tree) isTrue() bool  { return t.is('t') }
func (t *tree) isFalse() bool { return t.is('f') }

func (t *tree) place() (line, column int) {
	if t == nil {
		return 0, 0
	}
	return int(t.line), int(t.column)
}

// with returns a copy of an object in which a member has another value; nil
// takes the member out. The original is not changed.
func (t *tree) with(name string, v *tree) *tree {
	c := &tree{kind: '{'}
	if t != nil {
		c.members = append(c.members, t.members...)
	}
	for i := len(c.members) - 1; i >= 0; i-- {
		if c.members[i].name != name {
			continue
		}
		if v == nil {
			c.members = append(c.members[:i], c.members[i+1:]...)
			continue
		}
		c.members[i].value = v
		v = nil
	}
	if v != nil {
		c.members = append(c.members, member{name, v})
	}
	return c
}

func object(ms ...member) *tree {
	t := &tree{kind: '{'}
	for _, m := range ms {
		if m.value != nil {
			t.members = append(t.members, m)
		}
	}
	return t
}

func array(items ...*tree) *tree { return &tree{kind: '[', items: items} }
func str(s string) *tree         { return &tree{kind: '"', raw: quote(s)} }
func number(n int) *tree         { return &tree{kind: '0', raw: strconv.Itoa(n)} }

func boolean(b bool) *tree {
	if b {
		return &tree{kind: 't'}
	}
	return &tree{kind: 'f'}
}

// strOrNone leaves out what is empty.
func strOrNone(s string) *tree {
	if s == "" {
		return nil
	}
	return str(s)
}

func trueOrNone(b bool) *tree {
	if !b {
		return nil
	}
	return boolean(true)
}

// treeOf makes a tree of a Go value by way of its JSON.
func treeOf(v any) *tree {
	data, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	t, err := parseTree("", data)
	if err != nil {
		return nil
	}
	return t
}

func (t *tree) compact() string {
	var b strings.Builder
	t.write(&b, "", "")
	return b.String()
}

// writeTo writes the tree with an indentation a level.
func (t *tree) writeTo(w io.Writer, indent string) error {
	var b strings.Builder
	t.write(&b, indent, "\n")
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// write appends the tree; at is the line end with the indentation here, or
// empty for a text on one line.
func (t *tree) write(b *strings.Builder, indent, at string) {
	colon := ":"
	if at != "" {
		colon = ": "
	}
	inner := at
	if at != "" {
		inner += indent
	}
	switch t.kind {
	case '{', '[':
		if len(t.members)+len(t.items) == 0 {
			b.WriteString(string(t.kind) + string(t.kind+2))
			return
		}
		b.WriteByte(t.kind)
		for i, m := range t.members {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(inner)
			b.WriteString(quote(m.name))
			b.WriteString(colon)
			m.value.write(b, indent, inner)
		}
		for i, v := range t.items {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(inner)
			v.write(b, indent, inner)
		}
		b.WriteString(at)
		b.WriteByte(t.kind + 2)
	case 't':
		b.WriteString("true")
	case 'f':
		b.WriteString("false")
	case 'n':
		b.WriteString("null")
	default:
		b.WriteString(strings.ReplaceAll(t.raw, "\t", `\t`))
	}
}
