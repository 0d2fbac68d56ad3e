package scan

import (
	"slices"
	"strings"

	"github.com/parley-project/parley/check"
)

// Whoever is killed between a request that makes something and its answer does
// not know what was made. So it is written down beforehand where it would be, and
// which text would be in it: that text is the scan's own, and occurs nowhere else.

// intend writes down that something may be made: what has the scan's text in it
// once for each resource and person, anything else each time.
func (s *scanner) intend(a *check.Ask) {
	if s.perhaps != 0 { // it was answered
		s.journal.write(entry{N: s.perhaps, Done: true})
		s.perhaps = 0
	}
	if s.journal == nil || s.journal.file == nil || a.Method != "POST" || a.Endpoint == nil || a.Endpoint.Resource == nil {
		return
	}
	r := a.Endpoint.Resource
	if r.Remove == nil || r.List == nil || a.Endpoint.Path != r.Collection {
		return
	}
	key := r.Item + " " + a.As.String()
	if s.intents[key] != 0 {
		return
	}
	if a.As != nil && a.As.Spare {
		s.introduceToJournal(a.As)
	}
	e := entry{Target: s.base, As: a.As.String(), Among: r.Item, What: "perhaps made by the scan"}
	if strings.Contains(string(a.Body), s.markSeed) {
		e.Seed = s.markSeed
		s.intents[key] = s.journal.add(e)
		return
	}
	e.Body = a.Body
	for _, o := range s.known[r][a.As] {
		e.Had = append(e.Had, o.ID())
	}
	s.perhaps = s.journal.add(e)
}

// intended forgets all that may have been made: what was, is known by its name.
func (s *scanner) intended() {
	for _, n := range s.intents {
		s.journal.write(entry{N: n, Done: true})
	}
	clear(s.intents)
	if s.perhaps != 0 {
		s.journal.write(entry{N: s.perhaps, Done: true})
		s.perhaps = 0
	}
}

// sweep takes away what stands in a list with the text of a scan in it.
func (s *scanner) sweep(e entry, by map[string]*check.Person, out *Undone) {
	for _, r := range s.trial.Resources {
		if r.Item != e.Among || r.List == nil || r.Remove == nil {
			continue
		}
		for _, p := range append([]*check.Person{by[e.As]}, s.trial.People...) {
			if p == nil && e.As != "nobody" {
				continue
			}
			a, ok := s.request(r.List, nil, p)
			if !ok {
				continue
			}
			x := s.send(s.ctx, a, r.List.Name)
			if !check.Succeeded(x) {
				continue
			}
			var ids []string
			for _, one := range items(check.Members(x)) {
				if id := idAmong(r, one.leaves, one.at); plainID(id) && id != "" && e.means(one.leaves, one.at, id) {
					ids = append(ids, id)
				}
			}
			if e.Seed == "" && len(ids) > 1 {
				out.Failed = append(out.Failed, "one of "+strings.Join(ids, ", ")+" in "+r.Collection+" was made by the scan")
				return
			}
			for _, id := range ids {
				o := &check.Object{Resource: r, Owner: p, Made: true, Params: s.params(r, a.Target, id)}
				if s.takeAway(o) {
					out.Done++
				} else if path, ok := s.path(r.Item, o, p); ok {
					out.Failed = append(out.Failed, "DELETE "+path)
				}
			}
		}
	}
}

// means reports whether an item of a list is what an entry is about: it has the
// text of the scan in it or, where there is none, it is new and all in it is as
// it was sent.
func (e *entry) means(leaves []check.Leaf, at, id string) bool {
	item := map[string]string{}
	for _, l := range leaves {
		if rest, ok := strings.CutPrefix(l.Pointer, at+"/"); ok {
			if len(e.Seed) >= 8 && strings.Contains(l.Value, e.Seed) {
				return true
			}
			item["/"+rest] = l.Value
		}
	}
	sent := check.Leaves(e.Body)
	if e.Seed != "" || len(sent) == 0 || slices.Contains(e.Had, id) {
		return false
	}
	for _, l := range sent {
		if v, ok := item[l.Pointer]; !ok || v != l.Value {
			return false
		}
	}
	return true
}

// takeAway removes an object as its owner, or as whoever may.
func (s *scanner) takeAway(o *check.Object) bool {
	a, ok := s.request(o.Resource.Remove, o, o.Owner)
	if !ok {
		return false
	}
	a.Of = nil
	if a.Header.Has("If-Match") {
		a = a.Set("If-Match", "*")
	}
	for _, p := range append([]*check.Person{o.Owner}, s.trial.People...) {
		x := s.send(s.ctx, a.With(p), nameOf(a))
		if st := check.StatusOf(x); check.Succeeded(x) || p == o.Owner && (st == 404 || st == 410) {
			return true
		}
	}
	return false
}
