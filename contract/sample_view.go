package contract

// A view is all that is said of one value: the schema, those that it refers to,
// and those of allOf.
type view []cursor

func (s *sampler) view(c cursor, a attempt, depth int) view { return s.viewOf([]cursor{c}, a, depth) }

func (s *sampler) viewOf(cs []cursor, a attempt, depth int) view {
	var v view
	seen := map[string]bool{}
	var add func(c cursor, depth int)
	add = func(c cursor, depth int) {
		if !c.ok() || depth > deepest || len(v) > 200 || seen[c.location()] {
			return
		}
		seen[c.location()] = true
		to, err := s.ds.follow(c)
		if err != nil || !to.isMap() {
			return
		}
		if to.location() != c.location() {
			if !s.old && c.get("$ref").ok() && len(c.members()) > 1 {
				v = append(v, c) // OpenAPI 3.1: words beside a reference count
			}
			if seen[to.location()] {
				return
			}
			seen[to.location()] = true
		}
		v = append(v, to)
		for _, i := range to.get("allOf").items() {
			add(i, depth+1)
		}
		for _, word := range []string{"oneOf", "anyOf"} {
			list := to.get(word).items()
			// Null is what a value may be too; it is the last to try.
			var useful []cursor
			for _, i := range list {
				if i.get("type").text() != "null" {
					useful = append(useful, i)
				}
			}
			if len(useful) > 0 {
				add(useful[a.choice%len(useful)], depth+1)
			}
		}
	}
	for _, c := range cs {
		add(c, depth)
	}
	return v
}

// first returns the first value of a word, or nothing.
func (v view) first(word string) cursor {
	for _, c := range v {
		if w := c.get(word); w.ok() {
			return w
		}
	}
	return cursor{}
}

func (v view) required() map[string]bool {
	out := map[string]bool{}
	for _, c := range v {
		for _, n := range c.get("required").texts() {
			out[n] = true
		}
	}
	return out
}

func (v view) property(name string) []cursor {
	var out []cursor
	for _, c := range v {
		if p := c.get("properties").get(name); p.ok() {
			out = append(out, p)
		}
	}
	return out
}

// kind is the JSON type to make.
func (v view) kind() string {
	for _, c := range v {
		t := c.get("type")
		if s := t.text(); s != "" && s != "null" {
			return s
		}
		for _, s := range t.texts() {
			if s != "null" {
				return s
			}
		}
		if t.text() == "null" && len(v) == 1 {
			return "null"
		}
	}
	for _, c := range v {
		switch {
		case c.get("properties").ok() || c.get("additionalProperties").ok() || c.get("required").ok() || c.get("minProperties").ok():
			return "object"
		case c.get("items").ok() || c.get("prefixItems").ok():
			return "array"
		case c.get("pattern").ok() || c.get("format").ok() || c.get("minLength").ok() || c.get("maxLength").ok():
			return "string"
		case c.get("minimum").ok() || c.get("maximum").ok() || c.get("multipleOf").ok():
			return "number"
		}
	}
	return ""
}
