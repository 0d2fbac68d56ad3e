package learn

import (
	"maps"
	"slices"
	"strings"
)

// An Inventory lists the operations of an API: those that were seen, those that
// its description declares, and those that pages and scripts name.
type Inventory struct {
	Operations []Entry `json:"operations"`
	// NeverSend lists members of answers that are secrets: "User.password_hash".
	NeverSend []string `json:"never_send,omitempty"`
	// Left says what was not learnt for want of room.
	Left string `json:"left,omitempty"`
}

// An Entry is one operation.
type Entry struct {
	Operation string `json:"operation"`
	// Seen: it was asked for. Declared: the description has it. Neither:
	// it is only named in a page or script.
	Seen     bool `json:"seen"`
	Declared bool `json:"declared"`
	// Shadow: seen, and not declared although there is a description.
	Shadow bool `json:"shadow"`
	// Unused: declared, and not seen.
	Unused bool `json:"unused"`
	// Named: in HTML or JavaScript that passed by, and never called.
	Named    bool        `json:"named"`
	Count    int         `json:"count"`
	Statuses map[int]int `json:"statuses,omitempty"`
	Callers  []Caller    `json:"callers,omitempty"`
	// Credentials are the ways to prove who one is that succeeded: "bearer",
	// "cookie session", "header X-API-Key".
	Credentials []string `json:"credentials,omitempty"`
	// Open: somebody without a credential succeeded.
	Open bool `json:"open"`
	// Refused: nobody succeeded.
	Refused bool `json:"refused,omitempty"`
}

// A Caller is somebody who asked.
type Caller struct {
	Subject string   `json:"subject"`
	Roles   []string `json:"roles,omitempty"`
	Count   int      `json:"count"`
	// Succeeded counts answers below 400.
	Succeeded int `json:"succeeded"`
}

// Inventory lists the operations, by path and method.
func (l *Learner) Inventory() *Inventory {
	left := l.Left()
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.model()
	inv := &Inventory{Left: left}
	declared := map[string]bool{}
	if l.o.API != nil {
		for _, o := range l.o.API.Operations {
			declared[o.Name] = true
		}
	}
	used := map[string]bool{}
	for _, o := range m.ops {
		e := Entry{Operation: o.name(), Seen: true, Count: o.cell.count, Statuses: maps.Clone(o.cell.statuses), Refused: o.refused}
		if a := l.o.API; a != nil {
			if match := a.Match(o.method, o.sample()); match.Operation != nil {
				e.Declared = true
				used[match.Operation.Name] = true
			}
			for _, base := range m.bases {
				if match := a.Match(o.method, base+o.sample()); match.Operation != nil {
					used[match.Operation.Name] = true
				}
			}
			e.Shadow = !e.Declared
		}
		for _, c := range slices.Sorted(maps.Keys(o.cell.carriers)) {
			if c != "" && o.cell.carriers[c].ok > 0 {
				e.Credentials = append(e.Credentials, strings.Replace(string(c), ":", " ", 1))
			}
		}
		if t := o.cell.carriers[""]; t != nil && t.ok > 0 && o.cell.statuses[written] < t.ok {
			e.Open = true
		}
		for _, name := range slices.Sorted(maps.Keys(o.cell.callers.m)) {
			c := o.cell.callers.m[name]
			e.Callers = append(e.Callers, Caller{name, c.roles, c.ok + c.refused + c.failed, c.ok})
		}
		inv.Operations = append(inv.Operations, e)
	}
	for name := range declared {
		if !used[name] {
			inv.Operations = append(inv.Operations, Entry{Operation: name, Declared: true, Unused: true})
		}
	}
	for _, path := range m.linked() {
		inv.Operations = append(inv.Operations, Entry{Operation: "? " + path, Named: true})
	}
	slices.SortStableFunc(inv.Operations, func(a, b Entry) int {
		am, ap, _ := strings.Cut(a.Operation, " ")
		bm, bp, _ := strings.Cut(b.Operation, " ")
		if c := strings.Compare(ap, bp); c != 0 {
			return c
		}
		return strings.Compare(methodOrder(am), methodOrder(bm))
	})
	secrets := m.document().secrets
	for _, schema := range slices.Sorted(maps.Keys(secrets)) {
		for _, name := range slices.Sorted(maps.Keys(secrets[schema])) {
			inv.NeverSend = append(inv.NeverSend, schema+"."+name)
		}
	}
	return inv
}

// sample is a path that fits the operation's template.
func (o *operation) sample() string {
	parts := make([]string, len(o.segs))
	for i, s := range o.segs {
		parts[i] = escapeWord(s.word)
		if s.value {
			parts[i] = "1"
		}
	}
	return "/" + strings.Join(parts, "/")
}

// linked are the paths of pages and scripts that begin like the API's, and that
// nobody asked for.
func (m *model) linked() []string {
	begins := map[string]bool{}
	called := map[string]bool{}
	take := func(path string) {
		parts := strings.Split(path, "/")
		if len(parts) > 2 {
			begins[parts[1]] = true
		}
		called[shapeOfPath(path)] = true
	}
	for _, o := range m.ops {
		take(o.path)
	}
	if a := m.l.o.API; a != nil {
		for _, o := range a.Operations {
			take(o.Path)
		}
	}
	out := map[string]bool{}
	for p := range m.l.links.m {
		segs, ok := split(p)
		if !ok || len(segs) < 2 || !begins[segs[0]] {
			continue
		}
		var path strings.Builder
		for i, s := range steps(segs) {
			switch {
			case s.hint != "":
				path.WriteString("/{" + s.hint + "}")
			case s.value && i > 0:
				path.WriteString("/{" + variableName(singular(segs[i-1])) + "}")
			default:
				path.WriteString("/" + s.word)
			}
		}
		known := called[shapeOfPath(path.String())] || m.find(segs)
		if !known {
			out[path.String()] = true
		}
	}
	return slices.Sorted(maps.Keys(out))
}

// find reports whether an operation has a path.
func (m *model) find(segs []string) bool {
	return slices.ContainsFunc(m.ops, func(o *operation) bool {
		if len(o.segs) != len(segs) {
			return false
		}
		for i, s := range o.segs {
			if !s.value && s.word != segs[i] {
				return false
			}
		}
		return true
	})
}

// shapeOfPath is a template without the names of its variables.
func shapeOfPath(template string) string {
	parts := strings.Split(template, "/")
	for i, p := range parts {
		if strings.Contains(p, "{") {
			parts[i] = "{}"
		}
	}
	return strings.Join(parts, "/")
}
