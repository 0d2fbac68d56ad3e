package jsonscan

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// An enumRule is `enum` or `const`.
type enumRule struct {
	keyword string
	values  []document
	texts   map[string]bool // the values that are texts
}

func newEnumRule(values [][]byte, isConst bool) (*enumRule, error) {
	e := &enumRule{keyword: "enum", texts: map[string]bool{}}
	if isConst {
		e.keyword = "const"
	}
	for _, v := range values {
		d, err := parse(v)
		if err != nil {
			return nil, fmt.Errorf("jsonscan: %s: %w", e.keyword, err)
		}
		if n := &d.nodes[0]; n.kind == text {
			e.texts[string(unescape(nil, d.inner(n)))] = true
		} else {
			e.values = append(e.values, d)
		}
	}
	return e, nil
}

// parse reads a constant of a schema.
func parse(b []byte) (document, error) {
	x := lexer{document: document{data: b}}
	if !x.run(Limits{Depth: 10_000, Members: 10_000_000}) {
		return document{}, &Fault{Kind: x.fault, Offset: x.at}
	}
	return x.document, nil
}

func (e *enumRule) has(m *machine, n uint32) bool {
	if nd := &m.nodes[n]; nd.kind == text {
		return e.texts[string(m.plainText(nd))]
	}
	for i := range e.values {
		if m.equal(&m.document, n, &e.values[i], 0) {
			return true
		}
	}
	return false
}

// numberRules are the keywords for numbers.
type numberRules struct {
	bounds   []numberBound
	multiple decimal
	divides  bool
}

type numberBound struct {
	keyword string
	limit   decimal
	whole   int64 // the limit, if it is a small integer
	isWhole bool
	upper   bool
	strict  bool
	detail  string
}

func newNumberRules(s *Schema) (*numberRules, error) {
	r := &numberRules{}
	for _, b := range []numberBound{
		{keyword: "minimum", detail: s.Minimum},
		{keyword: "exclusiveMinimum", detail: s.ExclusiveMinimum, strict: true},
		{keyword: "maximum", detail: s.Maximum, upper: true},
		{keyword: "exclusiveMaximum", detail: s.ExclusiveMaximum, upper: true, strict: true},
	} {
		if b.detail == "" {
			continue
		}
		if !isNumber(b.detail) {
			return nil, fmt.Errorf("jsonscan: %s: %q is not a number", b.keyword, b.detail)
		}
		b.limit = newDecimal([]byte(b.detail))
		if _, plain := lexNumber([]byte(b.detail), 0); plain && len(b.detail) < 19 {
			b.whole, b.isWhole = smallInt([]byte(b.detail)), true
		}
		if b.upper {
			b.detail = "above " + b.detail
		} else {
			b.detail = "below " + b.detail
		}
		r.bounds = append(r.bounds, b)
	}
	if s.MultipleOf != "" {
		if !isNumber(s.MultipleOf) {
			return nil, fmt.Errorf("jsonscan: multipleOf: %q is not a number", s.MultipleOf)
		}
		r.multiple, r.divides = newDecimal([]byte(s.MultipleOf)), true
		if r.multiple.zero() || r.multiple.negative {
			return nil, fmt.Errorf("jsonscan: multipleOf: %s is not above 0", s.MultipleOf)
		}
	}
	if r.bounds == nil && !r.divides {
		return nil, nil
	}
	return r, nil
}

func isNumber(s string) bool {
	end, _ := lexNumber([]byte(s), 0)
	return end == len(s)
}

// textRules are the keywords for strings, and formats of numbers.
type textRules struct {
	min, max         int // max -1: none
	minText, maxText string
	patterns         []Pattern
	format           func([]byte) bool
	formatNumber     func(*decimal) bool
	formatDetail     string
}

func newTextRules(s *Schema) (*textRules, error) {
	r := &textRules{min: bound(s.MinLength, 0), max: bound(s.MaxLength, -1), patterns: slices.Clone(s.Patterns)}
	for i := range r.patterns {
		r.patterns[i].prepare()
	}
	r.format, r.formatNumber = formats[s.Format], numberFormats[s.Format]
	if r.min <= 0 && r.max < 0 && len(r.patterns) == 0 && r.format == nil && r.formatNumber == nil {
		return nil, nil
	}
	r.minText, r.maxText = fmt.Sprintf("shorter than %d", r.min), fmt.Sprintf("longer than %d", r.max)
	r.formatDetail = "not of format " + s.Format
	return r, nil
}

// plainText returns what the text stands for. It is valid until the next call.
func (m *machine) plainText(n *node) []byte {
	if !n.escaped {
		return m.inner(n)
	}
	m.unescaped = unescape(m.unescaped[:0], m.inner(n))
	return m.unescaped
}

// plainKey returns the member's name. It is valid until the next call.
func (m *machine) plainKey(n *node) []byte {
	if !n.keyEscaped {
		return m.key(n)
	}
	m.unescaped = unescape(m.unescaped[:0], m.key(n))
	return m.unescaped
}

// equal reports whether two values are the same by JSON Schema's reading:
// numbers by value, objects without order.
func (m *machine) equal(a *document, i uint32, b *document, j uint32) bool {
	m.steps--
	if m.steps < 0 {
		m.halt()
		return false
	}
	x, y := &a.nodes[i], &b.nodes[j]
	if x.kind != y.kind {
		return false
	}
	switch x.kind {
	case null:
		return true
	case boolean:
		return x.end-x.start == y.end-y.start
	case number:
		if x.plain && y.plain && x.end-x.start < 19 && y.end-y.start < 19 {
			return smallInt(a.data[x.start:x.end]) == smallInt(b.data[y.start:y.end])
		}
		p, q := newDecimal(a.data[x.start:x.end]), newDecimal(b.data[y.start:y.end])
		return p.compare(&q) == 0
	case text:
		return x.count == y.count && sameText(a.inner(x), x.escaped, b.inner(y), y.escaped)
	case array:
		if x.count != y.count {
			return false
		}
		for i, j = i+1, j+1; i < x.next; i, j = a.nodes[i].next, b.nodes[j].next {
			if !m.equal(a, i, b, j) {
				return false
			}
		}
		return true
	}
	if x.count != y.count {
		return false
	}
	// Mostly the members come in the same order: look first where the last
	// one was found.
	at := j + 1
	for i = i + 1; i < x.next; i = a.nodes[i].next {
		found := false
		for tries := uint32(0); tries < y.count; tries++ {
			if at >= y.next {
				at = j + 1
			}
			m.steps--
			p, q := &a.nodes[i], &b.nodes[at]
			same := at
			at = q.next
			if p.hash == q.hash && sameText(a.key(p), p.keyEscaped, b.key(q), q.keyEscaped) {
				if !m.equal(a, i, b, same) {
					return false
				}
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// sameText compares two proven string texts without room for either.
func sameText(a []byte, aEscaped bool, b []byte, bEscaped bool) bool {
	if !aEscaped && !bEscaped {
		return string(a) == string(b)
	}
	for len(a) > 0 && len(b) > 0 {
		r, n := nextRune(a)
		s, k := nextRune(b)
		if r != s {
			return false
		}
		a, b = a[n:], b[k:]
	}
	return len(a) == len(b)
}

func nextRune(b []byte) (rune, int) {
	if b[0] != '\\' {
		return utf8.DecodeRune(b)
	}
	n := 2
	if b[1] == 'u' {
		n = 6
		if u := hex4(b, 2); u >= 0xD800 && u <= 0xDFFF {
			n = 12
		}
	}
	var room [4]byte
	r, _ := utf8.DecodeRune(unescape(room[:0], b[:n]))
	return r, n
}

const (
	prime1 = 0x9E3779B185EBCA87
	prime2 = 0xC2B2AE3D27D4EB4F
)

// digest is equal for values that are equal.
func (m *machine) digest(i uint32) uint64 {
	if m.steps--; m.steps < 0 {
		m.halt()
		return 0
	}
	x := &m.nodes[i]
	h := uint64(x.kind) * prime1
	switch x.kind {
	case boolean:
		h ^= uint64(x.end - x.start)
	case number:
		d := newDecimal(m.data[x.start:x.end])
		h ^= d.digest()
	case text:
		h ^= uint64(hashBytes(m.plainText(x)))
	case array:
		for c := i + 1; c < x.next; c = m.nodes[c].next {
			h = (h ^ m.digest(c)) * prime2
			h ^= h >> 29
		}
	case object:
		for c := i + 1; c < x.next; c = m.nodes[c].next {
			y := (uint64(m.nodes[c].hash)*prime1 ^ m.digest(c)) * prime2
			h += y ^ y>>31
		}
	}
	return h*prime1 ^ h>>32
}

// unique reports whether no two items of the array at n are equal.
func (m *machine) unique(n uint32) bool {
	x := &m.nodes[n]
	if x.count < 2 {
		return true
	}
	size := 4
	for size < int(x.count)*2 {
		size *= 2
	}
	if cap(m.items64) < size {
		m.items64 = make([]item, size)
	}
	table := m.items64[:size]
	clear(table)
	mask := uint64(size - 1)
	for c := n + 1; c < x.next; c = m.nodes[c].next {
		h := m.digest(c)
		slot := h & mask
		for ; table[slot].node != 0; slot = (slot + 1) & mask {
			if table[slot].digest == h && m.equal(&m.document, table[slot].node, &m.document, c) {
				return false
			}
		}
		table[slot] = item{h, c}
	}
	return true
}

type item struct {
	digest uint64
	node   uint32
}
