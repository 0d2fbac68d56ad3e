package learn

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A relation is that a value of the call and a claim of the caller are the same.
// It may name the owner of an object, or be an accident: what tells is that it
// holds for several callers and never breaks.
type relation struct {
	groups map[string]*held
	// What became of requests in which it did not hold.
	denied403, denied404 int
}

// held counts for one group of callers, in requests that succeeded.
type held struct {
	holds, breaks int
	callers       *least[bool] // for whom it held
}

// maxHolders is for how many callers it is kept by name that a relation held.
const maxHolders = 8

func newRelation() *relation { return &relation{groups: map[string]*held{}} }

func (r *relation) merge(o *relation) {
	r.denied403 += o.denied403
	r.denied404 += o.denied404
	for g, h := range o.groups {
		to := r.group(g)
		to.holds += h.holds
		to.breaks += h.breaks
		joinLeast(to.callers, h.callers, func() bool { return true }, func(bool, bool) {})
	}
}

func (r *relation) group(g string) *held {
	h := r.groups[g]
	if h == nil {
		if len(r.groups) >= maxGroups {
			g = stranger
			if h = r.groups[g]; h != nil {
				return h
			}
		}
		h = &held{callers: newLeast[bool](maxHolders)}
		r.groups[g] = h
	}
	return h
}

// Where the value stands.
const (
	inPath  = "path"  // the number of the segment
	inQuery = "query" // the name
	inBody  = "body"  // the member
	inReply = "reply" // the members, joined by dots
	inList  = "list"  // the list's member, a colon, the element's
)

// relationKey names a relation; the parts hold no zero byte.
func relationKey(where, name, claim string) string { return where + "\x00" + name + "\x00" + claim }

func splitRelation(key string) (where, name, claim string) {
	p := strings.Split(key, "\x00")
	return p[0], p[1], p[2]
}

// compare notes for each claim whether values, of which there is at least one,
// are all equal to it.
func (c *cell) compare(w *who, status int, where, name string, values ...string) {
	if len(values) == 0 {
		return
	}
	for claim, v := range w.claims {
		same := !slices.ContainsFunc(values, func(x string) bool { return x != v })
		if status >= 400 && (same || status != 403 && status != 404) {
			continue
		}
		r, ok := c.relation.at(relationKey(where, name, claim), newRelation)
		if !ok {
			continue
		}
		switch {
		case status == 403:
			r.denied403++
		case status == 404:
			r.denied404++
		case same:
			h := r.group(w.group())
			h.holds++
			h.callers.at(w.claims["id"], func() bool { return true })
		default:
			r.group(w.group()).breaks++
		}
	}
}

// relate compares what a call says with who made it.
func (c *cell) relate(w *who, status int, segments []string, query []parameter, request, reply any) {
	if !w.known || status < 200 || status >= 400 && status != 403 && status != 404 {
		return
	}
	for i, s := range segments {
		if i > 0 && s != "" && len(s) <= maxValue {
			c.compare(w, status, inPath, strconv.Itoa(i), s)
		}
	}
	for _, p := range query {
		if !p.secret && sayable(p.name) && p.value != "" && len(p.value) <= maxValue {
			c.compare(w, status, inQuery, p.name, p.value)
		}
	}
	if o, ok := request.(map[string]any); ok && status < 300 {
		c.scalars(o, "", func(name, v string) { c.compare(w, status, inBody, name, v) })
	}
	if status >= 300 {
		return
	}
	switch v := reply.(type) {
	case []any:
		countGroup(c.objects, w.group())
		c.relateList(w, status, "", v)
	case map[string]any:
		countGroup(c.objects, w.group())
		c.scalars(v, "", func(name, v string) { c.compare(w, status, inReply, name, v) })
		for name, e := range v {
			if !sayable(name) {
				continue
			}
			switch e := e.(type) {
			case map[string]any:
				c.scalars(e, name+".", func(name, v string) { c.compare(w, status, inReply, name, v) })
			case []any:
				c.relateList(w, status, name, e)
			}
		}
	}
}

// relateList compares the members that all elements of a list have.
func (c *cell) relateList(w *who, status int, list string, elements []any) {
	values := map[string][]string{}
	for i, e := range elements {
		o, ok := e.(map[string]any)
		if !ok || i == 1000 {
			return
		}
		c.scalars(o, "", func(name, v string) { values[name] = append(values[name], v) })
	}
	for name, vs := range values {
		if len(vs) < len(elements) {
			vs = append(vs, "\x00") // one lacks it, so it does not hold
		}
		c.compare(w, status, inList, list+":"+name, vs...)
	}
}

// scalars calls f for up to 40 members that could name somebody, in order.
func (c *cell) scalars(o map[string]any, prefix string, f func(name, v string)) {
	n := 0
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if v, ok := scalar(o[name]); ok && v != "" && sayable(name) && !masked(v) {
			if n++; n > 40 {
				return
			}
			f(prefix+name, v)
		}
	}
}

// verdict says what a relation is worth.
type verdict struct {
	// except is the role of all callers for whom it broke; empty when it held
	// for everybody.
	except string
	// broken: it broke for callers without a role in common. It is no rule.
	broken bool
	// shown: it held often enough, or for several callers.
	shown bool
}

func (v verdict) rule() bool { return v.shown && !v.broken }

// verdict judges. all counts the answers that could have shown it, by group of
// callers; nil when it need not be in every one.
func (r *relation) verdict(all map[string]int) (v verdict) {
	var broken []string
	for g, h := range r.groups {
		if h.breaks > 0 || all != nil && all[g] > h.holds+h.breaks {
			broken = append(broken, g)
		}
	}
	for g, n := range all {
		if r.groups[g] == nil && n > 0 && g != stranger && g != nobody {
			broken = append(broken, g)
		}
	}
	if len(broken) > 0 {
		v.except = commonRole(broken)
		v.broken = v.except == ""
	}
	holds, people := 0, map[string]bool{}
	for g, h := range r.groups {
		if v.except != "" && hasRole(g, v.except) {
			continue
		}
		holds += h.holds
		for id := range h.callers.m {
			people[id] = true
		}
	}
	v.shown = holds >= 2 || len(people) >= 2 || holds == 1 && r.denied403 > 0
	return v
}

// commonRole is a role that every one of some groups has, one that sounds
// like an administrator's if there is a choice, or "".
func commonRole(groups []string) string {
	var common []string
	for i, g := range groups {
		if g == nobody || g == stranger {
			return ""
		}
		roles := strings.Split(g, ",")
		if i == 0 {
			common = roles
			continue
		}
		common = slices.DeleteFunc(common, func(r string) bool { return !slices.Contains(roles, r) })
	}
	slices.Sort(common)
	for _, r := range common {
		if adminLike(r) {
			return r
		}
	}
	if len(common) > 0 {
		return common[0]
	}
	return ""
}

func hasRole(group, role string) bool {
	return group != nobody && group != stranger && slices.Contains(strings.Split(group, ","), role)
}

// adminLike reports whether a role sounds like one that may do more.
func adminLike(role string) bool {
	l := strings.ToLower(role)
	for _, w := range []string{"admin", "owner", "root", "super", "manager", "operator", "staff", "support", "moderator", "editor", "system", "internal", "maintainer"} {
		if strings.Contains(l, w) {
			return true
		}
	}
	return false
}

// claimExpr is a claim in the language of rules.
func claimExpr(claim string) string {
	if claim == "id" {
		return "caller.id"
	}
	return fmt.Sprintf("caller.claims.%s", claim)
}

// reserved are words that a rule cannot have for a name (CEL keeps them).
var reserved = []string{"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop", "namespace", "null", "package",
	"return", "true", "var", "void", "while"}

// sayable reports whether a rule can name a member.
func sayable(name string) bool { return nameOnly.MatchString(name) && !slices.Contains(reserved, name) }
