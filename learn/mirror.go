package learn

import (
	"maps"
	"slices"
	"strconv"
)

// An API often answers under a second base path as well, behind a gateway:
// /ledger/api/status is /api/status. What was seen under both is one.

// mirror folds first words under which everything repeats what stands without
// them, and notes them as servers.
func (m *model) mirror(root *place) {
	for _, w := range slices.Sorted(maps.Keys(root.words)) {
		sub := root.words[w]
		if n := root.repeats(sub, w); n < 2 || len(root.words) < 2 {
			continue
		}
		delete(root.words, w)
		m.fold(root, sub)
		m.bases = append(m.bases, "/"+w)
	}
}

// repeats counts the operations below a place that stand at this one, too, with
// answers of the same members; 0 when one does not.
func (p *place) repeats(sub *place, except string) int {
	n := 0
	for method, c := range sub.cells {
		own := p.cells[method]
		switch {
		case !c.succeeded():
		case own == nil || !alike(own, c):
			return -1
		default:
			n++
		}
	}
	for w, child := range sub.words {
		if p.words[w] == nil || w == except {
			return -1
		}
		k := p.words[w].repeats(child, "")
		if k < 0 {
			return -1
		}
		n += k
	}
	if sub.value != nil {
		if p.value == nil {
			return -1
		}
		k := p.value.repeats(sub.value, "")
		if k < 0 {
			return -1
		}
		n += k
	}
	return n
}

// alike reports whether the answers of two cells have members in common, as far
// as both were seen.
func alike(a, b *cell) bool {
	for status, media := range a.replies {
		for mt, x := range media.m {
			y := b.replies[status].media()[mt]
			if status >= 300 || y == nil || x.shape == nil || y.shape == nil || x.shape.members == nil || y.shape.members == nil {
				continue
			}
			for name := range y.shape.members.m {
				if x.shape.members.m[name] == nil {
					return false
				}
			}
		}
	}
	return true
}

func (m *model) fold(to, from *place) {
	for method, c := range from.cells {
		if to.cells[method] == nil {
			to.cells[method] = newCell()
		}
		m.b.mergeCell(to.cells[method], c.shifted())
	}
	for w, child := range from.words {
		if to.words[w] == nil {
			to.words[w] = &place{words: map[string]*place{}, cells: map[string]*cell{}, hints: map[string]bool{}}
		}
		m.fold(to.words[w], child)
	}
	if from.value != nil {
		if to.value == nil {
			to.value = &place{words: map[string]*place{}, cells: map[string]*cell{}, hints: map[string]bool{}}
		}
		maps.Copy(to.value.hints, from.value.hints)
		m.fold(to.value, from.value)
	}
}

// shifted is the cell with the first segment of its path left out.
func (c *cell) shifted() *cell {
	s := *c
	if len(s.places) > 0 {
		s.places = s.places[1:]
	}
	s.relation = newLeast[*relation](maxRelations)
	for key, r := range c.relation.m {
		if where, name, claim := splitRelation(key); where == inPath {
			i, _ := strconv.Atoi(name)
			key = relationKey(where, strconv.Itoa(i-1), claim)
		}
		s.relation.at(key, func() *relation { return r })
	}
	if e := c.example; e != nil && len(e.segments) > 0 {
		shifted := *e
		shifted.segments = e.segments[1:]
		s.example = &shifted
	}
	return &s
}
