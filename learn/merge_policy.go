package learn

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// MergePolicy adds what is proposed to a policy that a person keeps: rules,
// fields and sections that it lacks. openapi is the description that it names;
// what speaks of schemas that are not there is left out. Empty means the one
// that was learnt, and an empty old a new policy.
func (l *Learner) MergePolicy(old, openapi []byte) ([]byte, error) {
	var proposed yaml.Node
	text := l.Policy()
	if err := yaml.Unmarshal(text, &proposed); err != nil {
		return nil, fmt.Errorf("learn: %w", err)
	}
	known := func(string, string) bool { return true }
	if len(openapi) > 0 {
		var doc yaml.Node
		if err := yaml.Unmarshal(openapi, &doc); err != nil || len(doc.Content) == 0 {
			return nil, fmt.Errorf("learn: the description: %w", err)
		}
		m := &merger{old: doc.Content[0]}
		known = func(schema, member string) bool {
			s := get(get(get(doc.Content[0], "components"), "schemas"), schema)
			return slices.ContainsFunc(m.parts(s, 0), func(p *yaml.Node) bool {
				return member == "" || get(m.follow(m.old, get(p, "properties")), member) != nil
			})
		}
	}
	if len(old) == 0 {
		return mergeText(text, func(root *yaml.Node) (bool, error) { return dropUnknown(root, known), nil })
	}
	return mergeText(old, func(root *yaml.Node) (bool, error) {
		from := proposed.Content[0]
		dropUnknown(from, known)
		m := &merger{old: root}
		if id := get(from, "identity"); id != nil && get(root, "identity") == nil {
			m.add(root, "identity", id)
		}
		m.rules(get(from, "rules"))
		m.fieldRules(get(from, "fields"))
		return m.changed, nil
	})
}

// dropUnknown takes out what speaks of schemas and members that are not there.
func dropUnknown(policy *yaml.Node, known func(schema, member string) bool) (changed bool) {
	fields := get(policy, "fields")
	if fields == nil {
		return false
	}
	fields.Content = slices.DeleteFunc(fields.Content, func(f *yaml.Node) bool {
		schema := get(f, "schema").Value
		if n := get(f, "never_send"); n != nil {
			before := len(n.Content)
			n.Content = slices.DeleteFunc(n.Content, func(e *yaml.Node) bool { return !known(schema, e.Value) })
			changed = changed || len(n.Content) < before
		}
		if w := get(f, "writable_by"); w != nil {
			for i := 0; i+1 < len(w.Content); {
				if known(schema, w.Content[i].Value) {
					i += 2
					continue
				}
				w.Content = slices.Delete(w.Content, i, i+2)
				changed = true
			}
		}
		for i := 2; i+1 < len(f.Content); {
			if len(f.Content[i+1].Content) > 0 {
				i += 2
				continue
			}
			f.Content = slices.Delete(f.Content, i, i+2)
		}
		return len(f.Content) <= 2
	})
	if len(fields.Content) == 0 {
		i := slices.Index(policy.Content, fields)
		policy.Content = slices.Delete(policy.Content, i-1, i+1)
		changed = true
	}
	return changed
}

// rules adds those that say something that no rule says yet of the operation.
func (m *merger) rules(proposed *yaml.Node) {
	if proposed == nil {
		return
	}
	says := func(r *yaml.Node) [2]string {
		for _, word := range []string{"allow", "owner"} {
			if e := get(r, word); e != nil {
				if o := get(r, "operation"); o != nil {
					return [2]string{o.Value, word + " " + e.Value}
				}
			}
		}
		return [2]string{}
	}
	own := listOf(m.old, "rules")
	there := map[[2]string]bool{}
	if own != nil {
		for _, r := range own.Content {
			there[says(r)] = true
		}
	}
	for _, r := range proposed.Content {
		if there[says(r)] {
			continue
		}
		if own == nil {
			own = list()
			m.add(m.old, "rules", own)
		}
		own.Content = append(own.Content, r)
		m.changed = true
	}
}

func (m *merger) fieldRules(proposed *yaml.Node) {
	if proposed == nil {
		return
	}
	own := listOf(m.old, "fields")
	for _, f := range proposed.Content {
		var have *yaml.Node
		if own != nil {
			for _, e := range own.Content {
				if s := get(e, "schema"); s != nil && s.Value == get(f, "schema").Value {
					have = e
				}
			}
		}
		switch {
		case own == nil:
			own = list(f)
			m.add(m.old, "fields", own)
		case have == nil:
			own.Content = append(own.Content, f)
			m.changed = true
		default:
			m.fieldRule(have, f)
		}
	}
}

func (m *merger) fieldRule(have, f *yaml.Node) {
	if n := get(f, "never_send"); n != nil {
		own := get(have, "never_send")
		if own == nil {
			m.add(have, "never_send", n)
		} else {
			for _, e := range n.Content {
				if !slices.ContainsFunc(own.Content, func(x *yaml.Node) bool { return x.Value == e.Value }) {
					own.Content = append(own.Content, e)
					m.changed = true
				}
			}
		}
	}
	if w := get(f, "writable_by"); w != nil {
		own := get(have, "writable_by")
		if own == nil {
			m.add(have, "writable_by", w)
			return
		}
		for i := 0; i+1 < len(w.Content); i += 2 {
			if get(own, w.Content[i].Value) == nil {
				m.add(own, w.Content[i].Value, w.Content[i+1])
			}
		}
	}
}
