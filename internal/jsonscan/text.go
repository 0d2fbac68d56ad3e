package jsonscan

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"unicode/utf8"
)

// The text is read exactly once, by lexer.run. It proves the bytes to be JSON
// (RFC 8259, strictly) and leaves one node for each value, in document order.
// Everything after that, however often a schema asks, walks the nodes and
// touches bytes only where a keyword is about them.

type kind uint8

const (
	null kind = iota
	boolean
	number
	text
	array
	object
)

// A node is one value. A container's nodes follow it directly; next is the
// first one after them.
type node struct {
	start, end       uint32 // of the value's text
	keyStart, keyEnd uint32 // of the member's name, quotes excluded
	hash             uint32 // of the member's name, unescaped
	next             uint32 // while a container is open: its parent
	count            uint32 // code points of a text; members or items
	kind             kind
	escaped          bool // the text holds escapes
	keyEscaped       bool
	plain            bool // a number of digits and perhaps a minus only
}

// seed makes the hashes of names unforeseeable, so that nobody can send names
// that fall on each other.
var seed = maphash.MakeSeed()

func hashBytes(b []byte) uint32 { return uint32(maphash.Bytes(seed, b)) }

const (
	defaultDepth   = 64
	defaultMembers = 10_000
	defaultItems   = 1_000_000
	noParent       = ^uint32(0)
)

// document is JSON text with its nodes.
type document struct {
	data  []byte
	nodes []node
}

func (d *document) key(n *node) []byte   { return d.data[n.keyStart:n.keyEnd] }
func (d *document) inner(n *node) []byte { return d.data[n.start+1 : n.end-1] }

type lexer struct {
	document
	scratch []byte
	table   []uint32 // for the names of large objects: node numbers plus one
	members int
	items   int
	fault   FaultKind // empty while all is well
	at      int
	open    uint32 // the innermost container that is open
}

func (x *lexer) fail(k FaultKind, at int) bool {
	if x.fault == "" {
		x.fault, x.at = k, at
	}
	return false
}

// blank is a table of the four bytes that may stand between tokens.
var blank = [256]bool{' ': true, '\t': true, '\n': true, '\r': true}

// run reads all of data. False: x.fault says why not.
func (x *lexer) run(l Limits) bool {
	depthLeft := l.Depth
	if depthLeft <= 0 {
		depthLeft = defaultDepth
	}
	members, items := defaultMembers, defaultItems
	if l.Members > 0 {
		members, items = l.Members, l.Members
	}
	x.members, x.items, x.fault, x.open = members, items, "", noParent
	if uint64(len(x.data)) > 1<<32-16 {
		return x.fail(TooMany, 0)
	}
	data, i := x.data, 0
	var n node // the value about to be read, with its name

value:
	for i < len(data) && blank[data[i]] {
		i++
	}
	if i >= len(data) {
		return x.fail(Malformed, i)
	}
	n.start, n.count, n.escaped, n.plain = uint32(i), 0, false, false
	switch c := data[i]; c {
	case '{', '[':
		if depthLeft == 0 {
			return x.fail(TooDeep, i)
		}
		depthLeft--
		n.kind, n.next = array, x.open
		if c == '{' {
			n.kind = object
		}
		x.open = uint32(len(x.nodes))
		x.nodes = append(x.nodes, n)
		i++
		for i < len(data) && blank[data[i]] {
			i++
		}
		if i >= len(data) {
			return x.fail(Malformed, i)
		}
		if c == '{' {
			if data[i] == '}' {
				goto closed
			}
			goto name
		}
		if data[i] == ']' {
			goto closed
		}
		if x.items--; x.items < 0 {
			return x.fail(TooMany, i)
		}
		n.keyStart, n.keyEnd, n.hash, n.keyEscaped = 0, 0, 0, false
		goto value
	case '"':
		end, points, escaped := x.text(i + 1)
		if end < 0 {
			return false
		}
		n.kind, n.count, n.escaped = text, uint32(points), escaped
		i = end + 1
	case 't':
		if len(data)-i < 4 || string(data[i:i+4]) != "true" {
			return x.fail(Malformed, i)
		}
		n.kind = boolean
		i += 4
	case 'f':
		if len(data)-i < 5 || string(data[i:i+5]) != "false" {
			return x.fail(Malformed, i)
		}
		n.kind = boolean
		i += 5
	case 'n':
		if len(data)-i < 4 || string(data[i:i+4]) != "null" {
			return x.fail(Malformed, i)
		}
		n.kind = null
		i += 4
	default:
		end, plain := lexNumber(data, i)
		if end < 0 {
			return x.fail(Malformed, ^end)
		}
		n.kind, n.plain = number, plain
		i = end
	}
	n.end = uint32(i)
	n.next = uint32(len(x.nodes)) + 1
	x.nodes = append(x.nodes, n)

after:
	for i < len(data) && blank[data[i]] {
		i++
	}
	if x.open == noParent {
		if i < len(data) {
			return x.fail(Malformed, i)
		}
		return true
	}
	if i >= len(data) {
		return x.fail(Malformed, i)
	}
	x.nodes[x.open].count++
	if x.nodes[x.open].kind == array {
		switch data[i] {
		case ',':
			i++
			if x.items--; x.items < 0 {
				return x.fail(TooMany, i)
			}
			n.keyStart, n.keyEnd, n.hash, n.keyEscaped = 0, 0, 0, false
			goto value
		case ']':
			goto closed
		}
		return x.fail(Malformed, i)
	}
	switch data[i] {
	case ',':
		i++
		for i < len(data) && blank[data[i]] {
			i++
		}
		if i >= len(data) {
			return x.fail(Malformed, i)
		}
		goto name
	case '}':
		goto closed
	}
	return x.fail(Malformed, i)

name:
	{
		if data[i] != '"' {
			return x.fail(Malformed, i)
		}
		if x.members--; x.members < 0 {
			return x.fail(TooMany, i)
		}
		end, _, escaped := x.text(i + 1)
		if end < 0 {
			return false
		}
		n.keyStart, n.keyEnd, n.keyEscaped = uint32(i+1), uint32(end), escaped
		name := data[i+1 : end]
		if escaped {
			x.scratch = unescape(x.scratch[:0], name)
			name = x.scratch
		}
		n.hash = hashBytes(name)
		i = end + 1
		for i < len(data) && blank[data[i]] {
			i++
		}
		if i >= len(data) || data[i] != ':' {
			return x.fail(Malformed, i)
		}
		i++
		goto value
	}

closed:
	{
		o := &x.nodes[x.open]
		i++
		o.end = uint32(i)
		if o.kind == object && o.count > 1 && !x.distinct(x.open, len(x.nodes)) {
			return false
		}
		x.open, o.next = o.next, uint32(len(x.nodes))
		depthLeft++
		goto after
	}
}

// few is how many names are compared each with each; more go through a table.
const few = 12

// distinct reports whether the names of the object at o, whose nodes end at
// end, all differ.
func (x *lexer) distinct(o uint32, end int) bool {
	nodes := x.nodes
	if nodes[o].count <= few {
		var seen [few]uint32 // hashes
		var at [few]uint32
		n := 0
		for c := o + 1; c < uint32(end); c = nodes[c].next {
			h := nodes[c].hash
			for j := 0; j < n; j++ {
				if seen[j] == h && x.sameKey(&nodes[at[j]], &nodes[c]) {
					return x.duplicate(c)
				}
			}
			seen[n], at[n] = h, c
			n++
		}
		return true
	}
	size := 1 << bits.Len32(nodes[o].count*2)
	if cap(x.table) < size {
		x.table = make([]uint32, size)
	}
	table := x.table[:size]
	clear(table)
	mask := uint32(size - 1)
	for c := o + 1; c < uint32(end); c = nodes[c].next {
		h := nodes[c].hash
		slot := h & mask
		for table[slot] != 0 {
			d := table[slot] - 1
			if nodes[d].hash == h && x.sameKey(&nodes[d], &nodes[c]) {
				return x.duplicate(c)
			}
			slot = (slot + 1) & mask
		}
		table[slot] = c + 1
	}
	return true
}

func (x *lexer) duplicate(c uint32) bool {
	return x.fail(Duplicate, int(x.nodes[c].keyStart)-1)
}

func (x *lexer) sameKey(a, b *node) bool {
	if !a.keyEscaped && !b.keyEscaped {
		return string(x.key(a)) == string(x.key(b))
	}
	x.scratch = unescape(x.scratch[:0], x.key(a))
	half := len(x.scratch)
	x.scratch = unescape(x.scratch, x.key(b))
	return string(x.scratch[:half]) == string(x.scratch[half:])
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// text reads a string whose first byte is at i and returns where its closing
// quote is, or -1.
func (x *lexer) text(i int) (end, points int, escaped bool) {
	data, from := x.data, i
	less := 0 // bytes that are not code points of their own
	for {
		// Eight bytes at a time while none is a quote, a backslash, a control
		// or beyond ASCII.
		for i+8 <= len(data) {
			w := binary.LittleEndian.Uint64(data[i:])
			q, b := w^(ones*'"'), w^(ones*'\\')
			m := (w | (w - ones*0x20) | (q - ones) | (b - ones)) & highs
			if m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		if i >= len(data) {
			x.fail(Malformed, i)
			return -1, 0, false
		}
		switch c := data[i]; {
		case c == '"':
			return i, i - from - less, escaped
		case c == '\\':
			escaped = true
			n, units := x.escape(i)
			if n < 0 {
				return -1, 0, false
			}
			less += n - units
			i += n
		case c < 0x20:
			x.fail(Malformed, i)
			return -1, 0, false
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && n <= 1 {
				x.fail(BadText, i)
				return -1, 0, false
			}
			less += n - 1
			i += n
		}
	}
}

// escape checks the escape at i; it is n bytes long and makes one code point.
func (x *lexer) escape(i int) (n, points int) {
	data := x.data
	if i+1 >= len(data) {
		x.fail(Malformed, len(data))
		return -1, 0
	}
	switch data[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, 1
	case 'u':
		u := hex4(data, i+2)
		switch {
		case u < 0:
			x.fail(Malformed, i)
			return -1, 0
		case u < 0xD800 || u > 0xDFFF:
			return 6, 1
		case u < 0xDC00 && i+7 < len(data) && data[i+6] == '\\' && data[i+7] == 'u':
			if low := hex4(data, i+8); low >= 0xDC00 && low <= 0xDFFF {
				return 12, 1
			}
		}
		x.fail(BadText, i)
		return -1, 0
	}
	x.fail(Malformed, i)
	return -1, 0
}

// hex4 reads four hexadecimal digits at i, or returns -1.
func hex4(data []byte, i int) rune {
	if i+4 > len(data) {
		return -1
	}
	var u rune
	for _, c := range data[i : i+4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		u = u<<4 | rune(c)
	}
	return u
}

// unescape appends to dst what the proven string text s stands for.
func unescape(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c != '\\' {
			dst = append(dst, c)
			i++
			continue
		}
		switch c = s[i+1]; c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hex4(s, i+2)
			i += 6
			if r >= 0xD800 && r <= 0xDFFF {
				r = (r-0xD800)<<10 + hex4(s, i+2) - 0xDC00 + 0x10000
				i += 6
			}
			dst = utf8.AppendRune(dst, r)
			continue
		}
		dst = append(dst, c)
		i += 2
	}
	return dst
}

// lexNumber returns the end of the number at i, and whether it is only digits
// after an optional minus. A negative end is the complement of where it broke.
func lexNumber(data []byte, i int) (end int, plain bool) {
	if data[i] == '-' {
		i++
	}
	switch {
	case i < len(data) && data[i] == '0':
		i++
	case i < len(data) && data[i] >= '1' && data[i] <= '9':
		i++
		for i < len(data) && data[i]-'0' <= 9 {
			i++
		}
	default:
		return ^i, false
	}
	plain = true
	if i < len(data) && data[i] == '.' {
		plain = false
		i++
		if i >= len(data) || data[i]-'0' > 9 {
			return ^i, false
		}
		for i < len(data) && data[i]-'0' <= 9 {
			i++
		}
	}
	if i < len(data) && (data[i] == 'e' || data[i] == 'E') {
		plain = false
		i++
		if i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		if i >= len(data) || data[i]-'0' > 9 {
			return ^i, false
		}
		for i < len(data) && data[i]-'0' <= 9 {
			i++
		}
	}
	return i, plain
}
