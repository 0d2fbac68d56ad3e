package jsonscan

// Policy is judged over all schemas that speak of one value together, since a
// member that one of them declares is declared. A branch that does not accept
// the value still counts as a declaration, and still protects what it marks,
// unless a branch that accepts the value declares the same member without
// the mark: else a body could choose the branch that suits it.

// A voice is a schema that speaks of the value being visited.
type voice struct {
	schema int32
	say    say
}

type say uint8

const (
	counts say = 1 << iota // it accepts the value, or is not on trial
	binds                  // the value is invalid when it is not accepted
)

// flag reports what e says of the member c of the object n.
func (m *machine) flag(e *entry, n, c, index uint32) {
	if e.readOnly {
		m.cut(ReadOnly, n, c, index, "readOnly", 0)
	}
	if e.writeOnly {
		m.cut(WriteOnly, n, c, index, "writeOnly", 0)
	}
	if e.mark != 0 {
		m.cut(Marked, n, c, index, "", e.mark)
	}
}

// police visits the value at n with the voices from base on.
func (m *machine) police(base int, n uint32) {
	m.gather(base, n)
	switch m.nodes[n].kind {
	case object:
		m.policeObject(base, n)
	case array:
		m.policeArray(base, n)
	}
}

// add adds a voice, once.
func (m *machine) add(base int, id int32, s say) {
	if id < 0 {
		return
	}
	m.steps -= 1 + (len(m.voices)-base)>>4
	v := voice{id, s}
	for _, w := range m.voices[base:] {
		if w == v {
			return
		}
	}
	m.voices = append(m.voices, v)
}

// gather adds the schemas that speak of the value n beside the voices.
func (m *machine) gather(base int, n uint32) {
	for i := base; i < len(m.voices); i++ { // grows while it is read
		if m.steps--; m.steps < 0 {
			m.halt()
			return
		}
		v := m.voices[i]
		k := &m.p.schemas[v.schema]
		if k.obj != nil && m.nodes[n].kind == object {
			for j := range k.obj.depSchemas {
				if d := &k.obj.depSchemas[j]; m.member(n, d.hash, d.name) != 0 {
					m.add(base, d.schema, v.say)
				}
			}
		}
		p := k.inPlace
		if p == nil {
			continue
		}
		for _, id := range p.all {
			m.add(base, id, v.say)
		}
		for _, list := range [2][]int32{p.any, p.one} {
			for _, id := range list {
				m.add(base, id, m.onTrial(id, n, v.say))
			}
		}
		if p.cond >= 0 {
			// The branch that does not apply is left out: it declares nothing
			// for this value. Its marks are of another case.
			if m.run(p.cond, n, judging|quiet) {
				m.add(base, p.cond, v.say&^binds)
				m.add(base, p.then, v.say)
			} else {
				m.add(base, p.cond, 0)
				m.add(base, p.orElse, v.say)
			}
		}
	}
}

// onTrial is what a branch may say of the value n.
func (m *machine) onTrial(id int32, n uint32, s say) say {
	if s&counts != 0 && !m.run(id, n, judging|quiet) {
		return 0
	}
	return s & counts
}

// one reports whether the voices from base on are a single plain one, whose
// schema can be visited by itself.
func (m *machine) one(base int) (id int32, ok bool) {
	if len(m.voices) != base+1 || m.voices[base].say != counts|binds {
		return 0, false
	}
	return m.voices[base].schema, true
}

// descend visits a part of the value with the voices from base on, and drops
// them.
func (m *machine) descend(base int, c, index uint32) {
	if m.nodes[c].kind >= array && m.concerned(base) {
		m.path = append(m.path, step{c, index})
		if id, ok := m.one(base); ok {
			m.voices = m.voices[:base]
			m.run(id, c, policing)
		} else {
			m.police(base, c)
		}
		m.path = m.path[:len(m.path)-1]
	}
	m.voices = m.voices[:base]
}

// concerned reports whether one of the voices from base on has something for
// policy, here or further down.
func (m *machine) concerned(base int) bool {
	for _, v := range m.voices[base:] {
		if m.p.schemas[v.schema].policy {
			return true
		}
	}
	return false
}

func (m *machine) policeObject(base int, n uint32) {
	end := len(m.voices)
	declares := false
	for _, v := range m.voices[base:end] {
		if o := m.p.schemas[v.schema].obj; o != nil && o.declares {
			declares = true
		}
	}
	index := uint32(0)
	for c := n + 1; c < m.nodes[n].next; c, index = m.nodes[c].next, index+1 {
		if m.steps -= end - base; m.steps < 0 {
			m.halt()
			return
		}
		h := m.hear(base, end, n, c)
		if h.forbidden || m.p.closed && declares && !h.declared && !h.open {
			m.voices = m.voices[:end]
			keyword := "properties"
			if h.forbidden {
				keyword = "additionalProperties"
			}
			m.cut(Undeclared, n, c, index, keyword, 0)
			continue
		}
		if h.readOnly&counts != 0 || h.readOnly != 0 && !h.plain {
			m.cut(ReadOnly, n, c, index, "readOnly", 0)
		}
		if h.writeOnly&counts != 0 || h.writeOnly != 0 && !h.plain {
			m.cut(WriteOnly, n, c, index, "writeOnly", 0)
		}
		if h.marked {
			m.marks(base, end, n, c, index, h.plain)
		}
		m.descend(end, c, index)
	}
}

// on is set beside a say, so that a branch that says it without counting is
// not nothing.
const on say = 1 << 7

// hearing is what the voices say of one member.
type hearing struct {
	declared, open, forbidden bool
	plain                     bool // declared by a branch that accepts, unmarked
	marked                    bool
	readOnly, writeOnly       say
}

// hear asks the voices from base to end about the member c, and adds those
// that speak of its value.
func (m *machine) hear(base, end int, n, c uint32) hearing {
	var h hearing
	x := &m.nodes[c]
	said := func(e *entry, s say) {
		if e.readOnly {
			h.readOnly |= s | on
		}
		if e.writeOnly {
			h.writeOnly |= s | on
		}
		if e.mark != 0 {
			h.marked = true
		}
		if !e.flagged && s&counts != 0 {
			h.plain = true
		}
		m.add(end, e.schema, s)
	}
	for i := base; i < end; i++ {
		v := m.voices[i]
		o := m.p.schemas[v.schema].obj
		if o == nil {
			continue
		}
		own := false
		if e := m.lookup(o, x); e != nil {
			if e.declared {
				own, h.declared = true, true
			}
			if e.declared || e.flagged {
				said(e, v.say)
			}
		}
		for j := range o.patterns {
			if p := &o.patterns[j]; m.matches(p, x) {
				own, h.declared = true, true
				said(&p.entry, v.say)
			}
		}
		if own {
			continue
		}
		if o.hasAddition {
			switch e := &o.additional; {
			case e.schema < 0 || !m.p.schemas[e.schema].never:
				h.open = true
				if e.flagged || e.schema >= 0 {
					// Only a schema that says something is a declaration that
					// outweighs a mark; `true` is silence.
					if e.flagged {
						said(e, v.say)
					} else {
						m.add(end, e.schema, v.say)
					}
				}
			case v.say&binds != 0 && m.p.closed:
				h.forbidden = true
			}
			continue
		}
		if o.unevaluated >= 0 && !m.evaluatesMember(v.schema, n, c, true) {
			switch {
			case !m.p.schemas[o.unevaluated].never:
				h.open = true
				m.add(end, o.unevaluated, v.say)
			case v.say&binds != 0 && m.p.closed:
				h.forbidden = true
			}
		}
	}
	return h
}

// marks reports the marks on the member c, each once.
func (m *machine) marks(base, end int, n, c, index uint32, plain bool) {
	first := len(m.r.Violations)
	x := &m.nodes[c]
	said := func(e *entry, s say) {
		if e.mark == 0 || s&counts == 0 && plain {
			return
		}
		for _, v := range m.r.Violations[first:] {
			if v.Mark == e.mark {
				return
			}
		}
		m.cut(Marked, n, c, index, "", e.mark)
	}
	for i := base; i < end; i++ {
		v := m.voices[i]
		o := m.p.schemas[v.schema].obj
		if o == nil {
			continue
		}
		own := false
		if e := m.lookup(o, x); e != nil {
			own = e.declared
			said(e, v.say)
		}
		for j := range o.patterns {
			if p := &o.patterns[j]; m.matches(p, x) {
				own = true
				said(&p.entry, v.say)
			}
		}
		if !own && o.hasAddition {
			said(&o.additional, v.say)
		}
	}
}

func (m *machine) policeArray(base int, n uint32) {
	end := len(m.voices)
	index := uint32(0)
	for c := n + 1; c < m.nodes[n].next; c, index = m.nodes[c].next, index+1 {
		if m.steps -= end - base; m.steps < 0 {
			m.halt()
			return
		}
		if m.nodes[c].kind < array {
			continue
		}
		for i := base; i < end; i++ {
			v := m.voices[i]
			a := m.p.schemas[v.schema].arr
			if a == nil {
				continue
			}
			if int(index) < len(a.prefix) {
				m.add(end, a.prefix[index], v.say)
			} else {
				m.add(end, a.rest, v.say)
			}
			if a.contains >= 0 {
				m.add(end, a.contains, m.onTrial(a.contains, c, v.say))
			}
			if a.unevaluated >= 0 && !m.evaluatesItem(v.schema, n, c, index, true) {
				m.add(end, a.unevaluated, v.say)
			}
		}
		m.descend(end, c, index)
	}
}
