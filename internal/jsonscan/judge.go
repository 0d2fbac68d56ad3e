package jsonscan

// run visits the value at n with schema id. Unless it is quiet, only what is
// reported counts, not what is returned.
func (m *machine) run(id int32, n uint32, want mode) bool {
	if m.steps--; m.steps < 0 {
		return m.halt()
	}
	k := &m.p.schemas[id]
	if !k.policy {
		want &^= policing
	}
	nd := &m.nodes[n]
	if want == 0 {
		return true
	}
	if want&quiet != 0 && k.shared && nd.kind >= array {
		if ok, known := m.recall(id, n); known {
			return ok
		}
		ok := m.judge(id, k, n, nd, want)
		m.remember(id, n, ok)
		return ok
	}
	if k.simple {
		return m.own(k, n, nd, want)
	}
	ok := true
	if want&judging != 0 {
		ok = m.judge(id, k, n, nd, want&^policing)
	}
	if want&policing != 0 {
		base := len(m.voices)
		m.voices = append(m.voices, voice{id, counts | binds})
		m.police(base, n)
		m.voices = m.voices[:base]
	}
	return ok
}

// judge asks a schema that has others speak of the same value.
func (m *machine) judge(id int32, k *code, n uint32, nd *node, want mode) bool {
	if k.nullOK && nd.kind == null {
		return true
	}
	if k.only {
		m.steps -= int(nd.end-nd.start) >> 4
		if keyword := k.check(m.data[nd.start:nd.end]); keyword != "" {
			return m.fail(want, keyword, "")
		}
		return true
	}
	ok := m.own(k, n, nd, want)
	if k.simple || !ok && want&quiet != 0 {
		return ok
	}
	if p := k.inPlace; p != nil {
		ok = m.applicators(p, n, want) && ok
		if !ok && want&quiet != 0 {
			return false
		}
	}
	if o := k.obj; o != nil && nd.kind == object {
		for i := range o.depSchemas {
			d := &o.depSchemas[i]
			if m.member(n, d.hash, d.name) != 0 && !m.run(d.schema, n, want) {
				ok = false
				if want&quiet != 0 {
					return false
				}
			}
		}
		if o.unevaluated >= 0 {
			ok = m.unevaluatedMembers(id, o, n, nd, want) && ok
		}
	}
	if a := k.arr; a != nil && nd.kind == array && a.unevaluated >= 0 {
		index := uint32(0)
		for c := n + 1; c < nd.next; c = m.nodes[c].next {
			if !m.evaluatesItem(id, n, c, index, true) && !m.ask(a.unevaluated, c, index, want) {
				ok = false
				if want&quiet != 0 {
					return false
				}
			}
			index++
		}
	}
	return ok
}

func (m *machine) applicators(p *inPlace, n uint32, want mode) bool {
	ok := true
	for _, id := range p.all {
		if !m.run(id, n, want) {
			ok = false
			if want&quiet != 0 {
				return false
			}
		}
	}
	if p.any != nil {
		some := false
		for _, id := range p.any {
			if m.run(id, n, judging|quiet) {
				some = true
				break
			}
		}
		if !some {
			ok = m.fail(want, "anyOf", "no alternative accepts it")
		}
	}
	if p.one != nil {
		some := 0
		for _, id := range p.one {
			if m.run(id, n, judging|quiet) {
				if some++; some > 1 {
					break
				}
			}
		}
		switch some {
		case 0:
			ok = m.fail(want, "oneOf", "no alternative accepts it")
		case 2:
			ok = m.fail(want, "oneOf", "more than one alternative accepts it")
		}
	}
	if p.not >= 0 && m.run(p.not, n, judging|quiet) {
		ok = m.fail(want, "not", "what must not be accepted is")
	}
	if p.cond >= 0 {
		next := p.orElse
		if m.run(p.cond, n, judging|quiet) {
			next = p.then
		}
		if next >= 0 && !m.run(next, n, want) {
			ok = false
		}
	}
	return ok
}

// own asks the keywords of k that are about the value itself and its parts.
func (m *machine) own(k *code, n uint32, nd *node, want mode) bool {
	ok := true
	if want&judging != 0 {
		if k.nullOK && nd.kind == null {
			return true
		}
		if k.never {
			return m.fail(want, "false", "nothing is accepted here")
		}
		if k.types != 0 && k.types&(1<<nd.kind) == 0 && !(nd.kind == number && k.types&uint8(IntegerType) != 0 && m.integer(nd, k.types)) {
			ok = m.fail(want, "type", "")
			if want&quiet != 0 {
				return false
			}
		}
		if k.enum != nil && !k.enum.has(m, n) {
			ok = m.fail(want, k.enum.keyword, "")
			if want&quiet != 0 {
				return false
			}
		}
	}
	switch nd.kind {
	case number:
		if want&judging != 0 {
			if k.num != nil && !m.number(k.num, nd, want) {
				ok = false
			}
			if k.str != nil && k.str.formatNumber != nil {
				if d := newDecimal(m.data[nd.start:nd.end]); !k.str.formatNumber(&d) {
					ok = m.fail(want, "format", k.str.formatDetail)
				}
			}
		}
	case text:
		if k.str != nil && want&judging != 0 && !m.words(k.str, nd, want) {
			ok = false
		}
	case array:
		if k.arr != nil && !m.array(k.arr, n, nd, want) {
			ok = false
		}
	case object:
		if k.obj != nil && !m.object(k.obj, n, nd, want) {
			ok = false
		}
	}
	return ok
}

func (m *machine) integer(nd *node, types uint8) bool {
	if nd.plain {
		return true
	}
	if types&uint8(LiteralInteger) != 0 {
		return false
	}
	d := newDecimal(m.data[nd.start:nd.end])
	return d.integer()
}

func (m *machine) number(r *numberRules, nd *node, want mode) bool {
	ok, raw := true, m.data[nd.start:nd.end]
	small := nd.plain && len(raw) < 19
	var whole int64
	var d decimal
	if small {
		whole = smallInt(raw)
	} else {
		m.steps -= len(raw) >> 5
	}
	known := false
	for i := range r.bounds {
		b := &r.bounds[i]
		var order int
		if small && b.isWhole {
			switch {
			case whole < b.whole:
				order = -1
			case whole > b.whole:
				order = 1
			}
		} else {
			if !known {
				d, known = newDecimal(raw), true
			}
			order = d.compare(&b.limit)
		}
		if b.upper {
			order = -order
		}
		if order < 0 || order == 0 && b.strict {
			ok = m.fail(want, b.keyword, b.detail)
		}
	}
	if r.divides {
		if !known {
			d = newDecimal(raw)
		}
		yes, can := d.multipleOf(&r.multiple)
		if !can {
			m.haltedAt = int(nd.start)
			return m.halt()
		}
		if !yes {
			ok = m.fail(want, "multipleOf", "")
		}
	}
	return ok
}

func (m *machine) words(r *textRules, nd *node, want mode) bool {
	ok := true
	if int(nd.count) < r.min {
		ok = m.fail(want, "minLength", r.minText)
	}
	if r.max >= 0 && int(nd.count) > r.max {
		ok = m.fail(want, "maxLength", r.maxText)
	}
	if r.patterns == nil && r.format == nil || !ok && want&quiet != 0 {
		return ok
	}
	m.steps -= int(nd.end-nd.start) >> 4
	b := m.plainText(nd)
	for i := range r.patterns {
		if p := &r.patterns[i]; !p.Match(b) {
			ok = m.fail(want, "pattern", p.Source)
		}
	}
	if r.format != nil && !r.format(b) {
		ok = m.fail(want, "format", r.formatDetail)
	}
	return ok
}

func (m *machine) array(r *arrayRules, n uint32, nd *node, want mode) bool {
	ok := true
	if want&judging != 0 {
		if int(nd.count) < r.min {
			ok = m.fail(want, "minItems", "")
		}
		if r.max >= 0 && int(nd.count) > r.max {
			ok = m.fail(want, "maxItems", "")
		}
		if !ok && want&quiet != 0 {
			return false
		}
	}
	if r.prefix != nil || r.rest >= 0 {
		index := uint32(0)
		for c := n + 1; c < nd.next; c = m.nodes[c].next {
			id := r.rest
			if int(index) < len(r.prefix) {
				id = r.prefix[index]
			}
			if id >= 0 && !m.ask(id, c, index, want) {
				ok = false
				if want&quiet != 0 {
					return false
				}
			}
			index++
		}
	}
	if want&judging == 0 {
		return ok
	}
	if r.unique && !m.unique(n) {
		ok = m.fail(want, "uniqueItems", "")
	}
	if r.contains >= 0 {
		found := 0
		for c := n + 1; c < nd.next; c = m.nodes[c].next {
			if m.run(r.contains, c, judging|quiet) {
				found++
			}
		}
		if found < r.minContains {
			ok = m.fail(want, "contains", "too few items match")
		}
		if r.maxContains >= 0 && found > r.maxContains {
			ok = m.fail(want, "maxContains", "too many items match")
		}
	}
	return ok
}

func (m *machine) object(o *objectRules, n uint32, nd *node, want mode) bool {
	ok := true
	m.steps -= int(nd.count)
	if want&judging != 0 {
		if int(nd.count) < o.min {
			ok = m.fail(want, "minProperties", "")
		}
		if o.max >= 0 && int(nd.count) > o.max {
			ok = m.fail(want, "maxProperties", "")
		}
		if !ok && want&quiet != 0 {
			return false
		}
	}
	missing := len(o.required)
	index := uint32(0)
	for c := n + 1; c < nd.next; c, index = m.nodes[c].next, index+1 {
		x := &m.nodes[c]
		if e := m.lookup(o, x); e != nil {
			if e.required {
				missing--
			}
			if e.flagged && want&policing != 0 {
				m.flag(e, n, c, index)
			}
			if e.declared {
				if e.schema >= 0 && !m.ask(e.schema, c, index, want) {
					ok = false
					if want&quiet != 0 {
						return false
					}
				}
				if o.patterns == nil && o.names < 0 {
					continue
				}
				if !m.byPattern(o, n, c, index, want, nil) {
					ok = false
				}
				if o.names >= 0 && want&judging != 0 && !m.name(o.names, x, want) {
					ok = false
				}
				continue
			}
		}
		covered := false
		if o.patterns != nil && !m.byPattern(o, n, c, index, want, &covered) {
			ok = false
		}
		if o.names >= 0 && want&judging != 0 && !m.name(o.names, x, want) {
			ok = false
		}
		if !ok && want&quiet != 0 {
			return false
		}
		if covered {
			continue
		}
		if !o.hasAddition {
			if want&policing != 0 && m.p.closed && o.declares {
				m.cut(Undeclared, n, c, index, "properties", 0)
			}
			continue
		}
		e := &o.additional
		if e.schema >= 0 && m.p.schemas[e.schema].never {
			switch {
			case want&quiet != 0:
				return false
			case !m.p.closed:
				if want&judging != 0 {
					m.path = append(m.path, step{c, index})
					ok = m.fail(want, "additionalProperties", "")
					m.path = m.path[:len(m.path)-1]
				}
			case want&policing != 0:
				m.cut(Undeclared, n, c, index, "additionalProperties", 0)
			}
			continue
		}
		if e.flagged && want&policing != 0 {
			m.flag(e, n, c, index)
		}
		if e.schema >= 0 && !m.ask(e.schema, c, index, want) {
			ok = false
			if want&quiet != 0 {
				return false
			}
		}
	}
	if want&judging == 0 {
		return ok
	}
	if missing > 0 {
		ok = false
		if want&quiet != 0 {
			return false
		}
		for _, name := range o.required {
			if m.member(n, hashBytes([]byte(name)), name) == 0 {
				m.fail(want, "required", name)
			}
		}
	}
	for i := range o.dependent {
		d := &o.dependent[i]
		if m.member(n, d.hash, d.name) == 0 {
			continue
		}
		for _, name := range d.needs {
			if m.member(n, hashBytes([]byte(name)), name) == 0 {
				ok = m.fail(want, "dependentRequired", name)
			}
		}
	}
	return ok
}

// byPattern asks the patternProperties whose pattern the name of c matches.
func (m *machine) byPattern(o *objectRules, n, c, index uint32, want mode, covered *bool) bool {
	ok := true
	for i := range o.patterns {
		p := &o.patterns[i]
		if !m.matches(p, &m.nodes[c]) {
			continue
		}
		if covered != nil {
			*covered = true
		}
		if p.flagged && want&policing != 0 {
			m.flag(&p.entry, n, c, index)
		}
		if p.schema >= 0 && !m.ask(p.schema, c, index, want) {
			ok = false
			if want&quiet != 0 {
				return false
			}
		}
	}
	return ok
}

func (m *machine) matches(p *patternEntry, x *node) bool {
	m.steps -= int(x.keyEnd-x.keyStart) >> 4
	return p.match.Match(m.plainKey(x))
}

// name asks schema id of a member's name, as if it stood there as a value.
func (m *machine) name(id int32, x *node, want mode) bool {
	k := node{start: x.keyStart - 1, end: x.keyEnd + 1, kind: text, escaped: x.keyEscaped}
	k.count = points(m.key(x))
	m.nodes = append(m.nodes, k)
	n := uint32(len(m.nodes) - 1)
	m.nodes[n].next = n + 1
	ok := m.run(id, n, judging|quiet)
	m.nodes = m.nodes[:n]
	if !ok {
		return m.fail(want, "propertyNames", "")
	}
	return true
}

// points counts the code points of a proven string text.
func points(b []byte) uint32 {
	n := uint32(0)
	for len(b) > 0 {
		_, k := nextRune(b)
		b = b[k:]
		n++
	}
	return n
}
