package jsonscan

import (
	"strconv"
	"sync"
	"unicode/utf8"
)

// mode says what a visit is for.
type mode uint8

const (
	judging  mode = 1 << iota // is the value valid?
	policing                  // is there anything undeclared, read-only, marked?
	quiet                     // a branch on trial: nothing is reported, the first failure ends it
)

const (
	mostViolations = 64
	mostCuts       = 10_000

	// Steps that a scan may take, besides one for each byte: one is a schema
	// asked of a value, or 16 bytes matched with a pattern. Real contracts take
	// below ten for each value; only branches within branches on hostile
	// documents come near.
	freeSteps    = 50_000
	stepsPerNode = 1_000

	// Memory that is not kept from one scan to the next.
	mostNodesKept  = 1 << 16
	mostBytesKept  = 1 << 16
	mostMemo       = 1 << 13
	longestPointer = 1 << 10
	longestToken   = 1 << 7
)

// A machine is the memory of one scan. It is used again.
type machine struct {
	lexer
	p         *Program
	r         *Result
	path      []step
	voices    []voice
	unescaped []byte
	items64   []item
	memo      []answer
	memoUsed  int
	round     uint32
	steps     int
	cuts      int
	halted    FaultKind
	haltedAt  int
}

// A step of the way down: a member or item and its index.
type step struct{ node, index uint32 }

// An answer is whether a schema, on trial, accepted a container.
type answer struct {
	question uint64
	round    uint32
	ok       bool
}

var machines = sync.Pool{New: func() any { return new(machine) }}

// Scan reads data once and says in r what is wrong with it. A nil Program
// checks only the text: well-formed, UTF-8, duplicates, depth and counts.
func (p *Program) Scan(data []byte, l Limits, r *Result) {
	r.Fault, r.More = nil, false
	r.Violations, r.Captures = r.Violations[:0], r.Captures[:0]
	m := machines.Get().(*machine)
	m.p, m.r = p, r
	m.data, m.nodes = data, m.nodes[:0]
	if cap(m.nodes) == 0 {
		m.nodes = make([]node, 0, 64)
	}
	if !m.lexer.run(l) {
		if p != nil {
			for range p.captures {
				r.Captures = append(r.Captures, Span{})
			}
		}
		r.Fault = &Fault{Kind: m.fault, Offset: m.at, Pointer: m.openPointer()}
	} else if p != nil {
		m.scan()
	}
	m.release()
}

func (m *machine) scan() {
	p, r := m.p, m.r
	for _, c := range p.captures {
		r.Captures = append(r.Captures, m.find(c, 0))
	}
	if !p.judges {
		return
	}
	m.path, m.voices = m.path[:0], m.voices[:0]
	m.steps = freeSteps + stepsPerNode*len(m.nodes) + len(m.data)
	m.cuts, m.halted, m.memoUsed = 0, "", 0
	m.round++
	want := judging
	if p.policy {
		want |= policing
	}
	m.run(0, 0, want)
	if m.halted != "" {
		r.Fault = &Fault{Kind: m.halted, Offset: m.haltedAt}
		r.Violations = r.Violations[:0]
	}
}

func (m *machine) release() {
	m.p, m.r, m.data = nil, nil, nil
	if cap(m.nodes) > mostNodesKept {
		m.nodes = nil
	}
	if cap(m.scratch) > mostBytesKept {
		m.scratch = nil
	}
	if cap(m.unescaped) > mostBytesKept {
		m.unescaped = nil
	}
	if cap(m.table) > mostNodesKept {
		m.table = nil
	}
	if cap(m.items64) > mostNodesKept {
		m.items64 = nil
	}
	machines.Put(m)
}

// halt ends the judging: what was not judged must not pass.
func (m *machine) halt() bool {
	if m.halted == "" {
		m.halted = TooCostly
	}
	m.steps = -1
	return false
}

// find walks to the place that ts names, below node n.
func (m *machine) find(ts []token, n uint32) Span {
	x := &m.nodes[n]
	if len(ts) == 0 {
		return Span{int(x.start), int(x.end)}
	}
	t := &ts[0]
	switch x.kind {
	case object:
		if c := m.member(n, t.hash, t.name); c != 0 {
			return m.find(ts[1:], c)
		}
	case array:
		i := 0
		for c := n + 1; c < x.next; c = m.nodes[c].next {
			if t.any || t.item == i {
				if s := m.find(ts[1:], c); s.Found() || !t.any {
					return s
				}
			}
			i++
		}
	}
	return Span{}
}

// member returns the node of the member with that name, or 0.
func (m *machine) member(n, hash uint32, name string) uint32 {
	m.steps -= int(m.nodes[n].count) >> 5
	for c := n + 1; c < m.nodes[n].next; c = m.nodes[c].next {
		if x := &m.nodes[c]; x.hash == hash && m.named(x, name) {
			return c
		}
	}
	return 0
}

func (m *machine) named(x *node, name string) bool {
	if !x.keyEscaped {
		return string(m.data[x.keyStart:x.keyEnd]) == name
	}
	return string(m.plainKey(x)) == name
}

// lookup returns what o says of the member x by name, or nil.
func (m *machine) lookup(o *objectRules, x *node) *entry {
	if o.slots == nil {
		return nil
	}
	for slot := x.hash & o.mask; ; slot = (slot + 1) & o.mask {
		i := o.slots[slot]
		if i == 0 {
			return nil
		}
		if e := &o.entries[i-1]; e.hash == x.hash && m.named(x, e.name) {
			return e
		}
	}
}

// ask visits the part of a value at c with schema id.
func (m *machine) ask(id int32, c, index uint32, want mode) bool {
	if want&quiet != 0 {
		return m.run(id, c, want)
	}
	m.path = append(m.path, step{c, index})
	ok := m.run(id, c, want)
	m.path = m.path[:len(m.path)-1]
	return ok
}

// fail reports an invalid value.
func (m *machine) fail(want mode, keyword, detail string) bool {
	if want&quiet != 0 {
		return false
	}
	if len(m.r.Violations)-m.cuts >= mostViolations {
		m.r.More = true
		return false
	}
	m.r.Violations = append(m.r.Violations, Violation{Kind: Invalid, Pointer: m.pointer(), Keyword: keyword, Detail: detail})
	return false
}

// cut reports the member c of the object n as one to take away.
func (m *machine) cut(k ViolationKind, n, c uint32, index uint32, keyword string, mark int) {
	if m.cuts >= mostCuts {
		if m.halted == "" {
			m.halted, m.haltedAt = TooMany, int(m.nodes[c].start)
		}
		m.steps = -1
		return
	}
	m.cuts++
	m.path = append(m.path, step{c, index})
	v := Violation{Kind: k, Pointer: m.pointer(), Keyword: keyword, Mark: mark}
	m.path = m.path[:len(m.path)-1]
	v.Start, v.End = m.span(n, c)
	m.r.Violations = append(m.r.Violations, v)
}

// span is what to cut to remove the member c of the object n: with the comma
// before it, or for the first with all up to the next name.
func (m *machine) span(n, c uint32) (start, end int) {
	x := &m.nodes[c]
	start, end = int(x.keyStart)-1, int(x.end)
	if c == n+1 {
		if x.next < m.nodes[n].next {
			end = int(m.nodes[x.next].keyStart) - 1
		}
		return start, end
	}
	for start--; m.data[start] != ','; start-- {
	}
	return start, end
}

// pointer spells the way down (RFC 6901). It is cut short where a document's
// names would make it very long, since a document may have many violations.
func (m *machine) pointer() string {
	var room [128]byte
	b := room[:0]
	for i, s := range m.path {
		b = append(b, '/')
		parent := uint32(0)
		if i > 0 {
			parent = m.path[i-1].node
		}
		if m.nodes[parent].kind == object {
			b = appendToken(b, m.plainKey(&m.nodes[s.node]))
		} else {
			b = strconv.AppendUint(b, uint64(s.index), 10)
		}
		if len(b) > longestPointer {
			return string(append(b, "/…"...))
		}
	}
	return string(b)
}

func appendToken(b, name []byte) []byte {
	for i, c := range name {
		if i >= longestToken && utf8.RuneStart(c) {
			return append(b, "…"...)
		}
		switch c {
		case '~':
			b = append(b, "~0"...)
		case '/':
			b = append(b, "~1"...)
		default:
			b = append(b, c)
		}
	}
	return b
}

// openPointer is where the reading of the text stopped.
func (m *machine) openPointer() string {
	var open []uint32
	for n := m.open; n != noParent; n = m.nodes[n].next {
		if open = append(open, n); len(open) > longestPointer {
			break
		}
	}
	var b []byte
	for i := len(open) - 1; i >= 0; i-- {
		if n := &m.nodes[open[i]]; i < len(open)-1 {
			b = append(b, '/')
			if parent := &m.nodes[open[i+1]]; parent.kind == object {
				b = appendToken(b, m.plainKey(n))
			} else {
				b = strconv.AppendUint(b, uint64(parent.count), 10)
			}
		}
		if len(b) > longestPointer {
			return string(append(b, "/…"...))
		}
	}
	if m.fault == Duplicate {
		// The name starts after the quote at m.at; the lexer has seen its end.
		end, _, escaped := m.text(m.at + 1)
		name := m.data[m.at+1 : end]
		if escaped {
			name = unescape(nil, name)
		}
		b = appendToken(append(b, '/'), name)
	}
	return string(b)
}

// recall and remember keep answers of branches on trial for schemas that can
// meet themselves below: without it, choices within choices would double the
// work with every level.
func (m *machine) recall(id int32, n uint32) (ok, known bool) {
	if len(m.memo) == 0 {
		return false, false
	}
	q := uint64(id)<<32 | uint64(n)
	a := &m.memo[(q*prime1)>>51&uint64(len(m.memo)-1)]
	return a.ok, a.round == m.round && a.question == q
}

func (m *machine) remember(id int32, n uint32, ok bool) {
	if len(m.memo) == 0 {
		m.memo = make([]answer, mostMemo)
	}
	q := uint64(id)<<32 | uint64(n)
	m.memo[(q*prime1)>>51&uint64(len(m.memo)-1)] = answer{q, m.round, ok}
}
