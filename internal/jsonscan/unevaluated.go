package jsonscan

// unevaluatedMembers asks unevaluatedProperties of the members that nothing
// in schema id, or beside it, has spoken of.
func (m *machine) unevaluatedMembers(id int32, o *objectRules, n uint32, nd *node, want mode) bool {
	never := m.p.schemas[o.unevaluated].never
	if never && m.p.closed && want&quiet == 0 {
		return true // police reports these, as undeclared
	}
	ok, index := true, uint32(0)
	for c := n + 1; c < nd.next; c, index = m.nodes[c].next, index+1 {
		if m.evaluatesMember(id, n, c, true) {
			continue
		}
		if !m.ask(o.unevaluated, c, index, want) {
			ok = false
			if want&quiet != 0 {
				return false
			}
		}
	}
	return ok
}

// evaluatesMember reports whether schema id, which accepts the object n,
// speaks of its member c. self leaves out unevaluatedProperties of id itself.
func (m *machine) evaluatesMember(id int32, n, c uint32, self bool) bool {
	if m.steps--; m.steps < 0 {
		return m.halt()
	}
	k, x := &m.p.schemas[id], &m.nodes[c]
	if o := k.obj; o != nil {
		if o.hasAddition || !self && o.unevaluated >= 0 {
			return true
		}
		if e := m.lookup(o, x); e != nil && e.declared {
			return true
		}
		for i := range o.patterns {
			if m.matches(&o.patterns[i], x) {
				return true
			}
		}
		for i := range o.depSchemas {
			d := &o.depSchemas[i]
			if m.member(n, d.hash, d.name) != 0 && m.evaluatesMember(d.schema, n, c, false) {
				return true
			}
		}
	}
	return k.inPlace != nil && m.someSpeaks(k.inPlace, n, func(id int32) bool { return m.evaluatesMember(id, n, c, false) })
}

// evaluatesItem is the same for the item c, with its index, of the array n.
func (m *machine) evaluatesItem(id int32, n, c, index uint32, self bool) bool {
	if m.steps--; m.steps < 0 {
		return m.halt()
	}
	k := &m.p.schemas[id]
	if a := k.arr; a != nil {
		if a.rest >= 0 || int(index) < len(a.prefix) || !self && a.unevaluated >= 0 {
			return true
		}
		if a.contains >= 0 && m.run(a.contains, c, judging|quiet) {
			return true
		}
	}
	return k.inPlace != nil && m.someSpeaks(k.inPlace, n, func(id int32) bool { return m.evaluatesItem(id, n, c, index, false) })
}

// someSpeaks asks the schemas that apply to the value n beside one another:
// alternatives only where they accept it.
func (m *machine) someSpeaks(p *inPlace, n uint32, speaks func(int32) bool) bool {
	for _, id := range p.all {
		if speaks(id) {
			return true
		}
	}
	for _, list := range [2][]int32{p.any, p.one} {
		for _, id := range list {
			if speaks(id) && m.run(id, n, judging|quiet) {
				return true
			}
		}
	}
	if p.cond < 0 {
		return false
	}
	if m.run(p.cond, n, judging|quiet) {
		return speaks(p.cond) || p.then >= 0 && speaks(p.then)
	}
	return p.orElse >= 0 && speaks(p.orElse)
}
