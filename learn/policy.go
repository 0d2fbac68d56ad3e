package learn

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Policy writes a parley.yaml that would have let pass all that succeeded: in
// report mode, with what could be told of identities, owners and members. It
// is a proposal for a person to read.
func (l *Learner) Policy() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.model()
	d := m.document()
	var b strings.Builder
	file := l.o.File
	if file == "" {
		file = "openapi.yaml"
	}
	fmt.Fprintf(&b, "# Proposed from what was seen: read each line before it is enforced.\n\napi: %s\nmode: report\n\n", quoted(file))
	rules := m.rules()
	b.WriteString(m.identity(rules))
	if len(rules) > 0 {
		b.WriteString("\nrules:\n")
		for _, r := range rules {
			// A path names the operation under one server; its ID under all.
			if len(m.bases) > 0 {
				if before, path, ok := strings.Cut(r.operation, " "); ok && before == "*" {
					r.operation = "* /**" + path
				}
				for o, id := range d.ids {
					if o.name() == r.operation {
						r.operation = m.idOf(o, id)
					}
				}
			}
			b.WriteString(r.text())
		}
	}
	b.WriteString(m.fields(d))
	return []byte(b.String())
}

// idOf is the operation's ID in the description that exists, or the learnt one
// when it does not have the operation.
func (m *model) idOf(o *operation, learnt string) string {
	if m.l.o.API != nil {
		if declared := m.l.o.API.Match(o.method, o.sample()).Operation; declared != nil {
			if declared.ID != "" {
				return declared.ID
			}
			return declared.Name
		}
	}
	return learnt
}

// A rule is a proposed line.
type rule struct {
	operation, owner, allow, except string
	hide                            bool
	// member and claim are what a rule on an answer compares; the member is
	// empty for rules on lists.
	member, claim string
}

func (r rule) text() string {
	s := "  - operation: " + quoted(r.operation) + "\n"
	if r.owner != "" {
		s += "    owner: " + r.owner
	} else {
		s += "    allow: " + quoted(r.allow)
	}
	s += "\n"
	if r.except != "" {
		s += "    unless: " + quoted(fmt.Sprintf("%q in caller.roles", r.except)) + "\n"
	}
	if r.hide {
		s += "    hide_existence: true\n"
	}
	return s
}

// quoted writes a text as YAML needs it, on one line.
func quoted(s string) string {
	b, err := encode(text(s))
	if t := strings.TrimSuffix(string(b), "\n"); err == nil && !strings.Contains(t, "\n") {
		return t
	}
	j, _ := json.Marshal(s)
	return string(j)
}

func (m *model) rules() []rule {
	covered := map[*operation]map[string]bool{}
	out := m.pathRules(covered)
	shown := map[string]map[string]rule{} // by path and member: what answers showed
	var changes []*operation
	for _, o := range m.ops {
		if _, open := m.carriersOf(o); open || o.refused {
			continue
		}
		out = append(out, m.functionRule(o)...)
		out = append(out, m.valueRules(o)...)
		if o.method != "GET" {
			changes = append(changes, o)
			continue
		}
		rs := m.replyRules(o, covered[o])
		out = append(out, rs...)
		shown[o.path] = map[string]rule{}
		for _, r := range rs {
			if r.member != "" {
				shown[o.path][r.member+" "+r.claim] = r
			}
		}
	}
	for _, o := range changes {
		if o.method == "PUT" || o.method == "PATCH" || o.method == "DELETE" {
			out = append(out, m.objectRules(o, shown[o.path], covered[o])...)
		}
	}
	return m.exceptions(out)
}

// exceptions gives all rules about the owners of one resource the exception
// that one of them has: who may see everybody's list may see one of it.
func (m *model) exceptions(rules []rule) []rule {
	resource := func(r rule) string {
		for _, o := range m.ops {
			if o.name() == r.operation {
				return o.resource()
			}
		}
		return r.operation
	}
	except := map[string]string{}
	for _, r := range rules {
		if r.except != "" && r.claim == "id" && adminLike(r.except) {
			except[resource(r)] = r.except
		}
	}
	for i, r := range rules {
		if r.claim == "id" && r.except == "" {
			rules[i].except = except[resource(r)]
		}
	}
	return rules
}

// pathRules are about values in paths. They hold for all that lies below, or
// where something there is everybody's, for what is at the path itself.
func (m *model) pathRules(covered map[*operation]map[string]bool) []rule {
	type prefix struct {
		path string
		n    int
	}
	below := map[prefix][]*operation{}
	for _, o := range m.ops {
		parts := strings.Split(o.path, "/")
		for i, s := range o.segs {
			if s.value {
				p := prefix{strings.Join(parts[:i+2], "/"), i}
				below[p] = append(below[p], o)
			}
		}
	}
	var out []rule
	keys := slices.SortedFunc(maps.Keys(below), func(a, b prefix) int { return strings.Compare(a.path, b.path) })
	for _, p := range keys {
		for _, claim := range m.claims() {
			if r, ok := m.pathRule(below[p], p.n, claim, "* "+p.path+"/**"); ok {
				out = append(out, r)
				cover(covered, below[p], claim)
				continue
			}
			at := map[string][]*operation{}
			for _, o := range below[p] {
				at[o.path] = append(at[o.path], o)
			}
			for _, path := range slices.Sorted(maps.Keys(at)) {
				if r, ok := m.pathRule(at[path], p.n, claim, "* "+path); ok {
					out = append(out, r)
					cover(covered, at[path], claim)
				}
			}
		}
	}
	return out
}

func cover(covered map[*operation]map[string]bool, ops []*operation, claim string) {
	for _, o := range ops {
		if covered[o] == nil {
			covered[o] = map[string]bool{}
		}
		covered[o][claim] = true
	}
}

// pathRule says that the value in a segment is the claim, if that held in all of
// some operations, to which nobody came without a credential.
func (m *model) pathRule(ops []*operation, n int, claim, pattern string) (r rule, ok bool) {
	sum, groups := newRelation(), map[string]int{}
	for _, o := range ops {
		if s := o.cell.relation.m[relationKey(inPath, strconv.Itoa(n), claim)]; s != nil {
			sum.merge(s)
		}
		addCounts(groups, o.cell.groups)
		if _, open := m.carriersOf(o); open {
			return r, false
		}
	}
	v := sum.verdict(groups)
	if !v.rule() || !m.comparable(ops[0], inPath, strconv.Itoa(n), claim) {
		return r, false
	}
	r = rule{operation: pattern, claim: claim, except: v.except, hide: sum.denied404 > 0 && sum.denied403 == 0}
	if len(ops) == 1 {
		r.operation = ops[0].name()
	}
	expr := "request.path." + ops[0].segs[n].word
	if claim == "id" {
		r.owner = expr
	} else {
		r.allow = expr + " == " + claimExpr(claim)
	}
	return r, true
}

// claims are all that callers had, the subject first.
func (m *model) claims() []string {
	set := map[string]bool{}
	for _, o := range m.ops {
		for key := range o.cell.relation.m {
			_, _, claim := splitRelation(key)
			set[claim] = true
		}
	}
	delete(set, "id")
	return append([]string{"id"}, slices.Sorted(maps.Keys(set))...)
}

// integerSubjects reports whether all subjects are whole numbers.
func (m *model) integerSubjects() bool {
	return m.l.tokens.subjects > 0 && m.l.tokens.textSubjects == 0
}

// comparable reports whether a value and a claim are of one type, which rules
// demand.
func (m *model) comparable(o *operation, where, name, claim string) bool {
	want := "string"
	if claim == "id" && m.integerSubjects() {
		want = "number"
	}
	var s *shape
	at := func(from *shape, path ...string) *shape {
		for _, p := range path {
			if from == nil || from.members == nil || from.members.m[p] == nil || from.kind() != "object" {
				return nil
			}
			from = from.members.m[p].shape
		}
		return from
	}
	var bodies []*shape
	switch where {
	case inPath:
		i, _ := strconv.Atoi(name)
		s = m.b.fresh()
		for _, other := range m.ops {
			if other.path == o.path && i < len(other.cell.places) {
				m.b.merge(s, other.cell.places[i])
			}
		}
		return want == "string" && s.strings > 0 || want == "number" && s.kind() == "number"
	case inQuery:
		if p := o.cell.query.m[name]; p != nil {
			s = p.shape
			return want == "string" && s.strings > 0 || want == "number" && s.kind() == "number"
		}
		return false
	case inBody:
		for _, mt := range slices.Sorted(maps.Keys(o.cell.requests.m)) {
			bodies = append(bodies, at(o.cell.requests.m[mt].shape, name))
		}
	default:
		for _, mt := range slices.Sorted(maps.Keys(o.cell.replies[200].media())) {
			body := o.cell.replies[200].m[mt].shape
			if where == inReply {
				bodies = append(bodies, at(body, strings.Split(name, ".")...))
				continue
			}
			list, member, _ := strings.Cut(name, ":")
			if list != "" {
				body = at(body, list)
			}
			if body == nil {
				return false
			}
			bodies = append(bodies, at(body.items, member))
		}
	}
	for _, s := range bodies {
		if s == nil || s.kind() != want || s.floats > 0 {
			return false
		}
	}
	return len(bodies) > 0
}

func (l *least[V]) media() map[string]V {
	if l == nil {
		return nil
	}
	return l.m
}

// functionRule says which roles may, where others were seen to be refused.
func (m *model) functionRule(o *operation) []rule {
	roles := map[string]bool{}
	for g := range o.cell.groups {
		if g == nobody || g == stranger || g == "" {
			return nil
		}
		for r := range strings.SplitSeq(g, ",") {
			roles[r] = true
		}
	}
	seen := false
	for g := range o.cell.barred {
		if g == nobody || g == stranger {
			continue
		}
		if !slices.ContainsFunc(strings.Split(g, ","), func(r string) bool { return roles[r] }) {
			seen = true
		}
	}
	if !seen || len(roles) == 0 {
		return nil
	}
	return []rule{{operation: o.name(), allow: roleExpr(slices.Sorted(maps.Keys(roles)))}}
}

func roleExpr(roles []string) string {
	if len(roles) == 1 {
		return fmt.Sprintf("%q in caller.roles", roles[0])
	}
	q := make([]string, len(roles))
	for i, r := range roles {
		q[i] = strconv.Quote(r)
	}
	return "caller.roles.exists(r, r in [" + strings.Join(q, ", ") + "])"
}

// valueRules are about parameters of the query and members of the body that
// name the caller whenever they are there.
func (m *model) valueRules(o *operation) []rule {
	var out []rule
	for _, key := range slices.Sorted(maps.Keys(o.cell.relation.m)) {
		where, name, claim := splitRelation(key)
		if where != inQuery && where != inBody {
			continue
		}
		r := o.cell.relation.m[key]
		v := r.verdict(nil)
		if !v.rule() || !m.comparable(o, where, name, claim) || !namesSomebody(name, claim) {
			continue
		}
		expr := "request." + where + "." + name
		out = append(out, rule{operation: o.name(), claim: claim, allow: "!has(" + expr + ") || " + expr + " == " + claimExpr(claim), except: v.except,
			hide: r.denied404 > 0 && r.denied403 == 0})
	}
	return out
}

// namesSomebody reports whether a value that was equal to who asked is likely to
// be more than equal by chance: its name is that of a person, or of the claim.
func namesSomebody(name, claim string) bool {
	low := strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name[strings.LastIndexByte(name, '.')+1:]))
	if low == strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(claim)) {
		return true
	}
	for _, w := range []string{"user", "owner", "author", "customer", "account", "member", "creator", "createdby", "person", "patient", "client", "subject", "sender", "employee",
		"tenant", "organization", "organisation", "company", "workspace", "team", "email", "login"} {
		if strings.Contains(low, w) {
			return true
		}
	}
	return false
}

// replyRules are about members of what is answered.
func (m *model) replyRules(o *operation, covered map[string]bool) []rule {
	var out []rule
	hide := o.cell.statuses[404] > 0 && o.cell.statuses[403] == 0
	for _, key := range slices.Sorted(maps.Keys(o.cell.relation.m)) {
		where, name, claim := splitRelation(key)
		if where != inReply && where != inList || covered[claim] && claim == "id" {
			continue
		}
		all := o.cell.objects
		if where == inList {
			all = nil
		}
		v := o.cell.relation.m[key].verdict(all)
		if !v.rule() || !m.comparable(o, where, name, claim) {
			continue
		}
		r := rule{operation: o.name(), member: name, claim: claim, except: v.except, hide: hide}
		switch {
		case where == inList:
			list, member, _ := strings.Cut(name, ":")
			from := "response"
			if list != "" {
				from += "." + list
			}
			r.member = ""
			r.allow = fmt.Sprintf("%s.all(o, o.%s == %s)", from, member, claimExpr(claim))
		case claim == "id":
			r.owner = "response." + name
		default:
			r.allow = "response." + name + " == " + claimExpr(claim)
		}
		out = append(out, r)
	}
	return out
}

// objectRules say of changes what reading showed, or what the answers to the
// changes themselves did: guard then reads the object first. Whoever changed
// something must have been one of those who fit.
func (m *model) objectRules(o *operation, read map[string]rule, covered map[string]bool) []rule {
	read = maps.Clone(read)
	if read == nil { // what anybody may read shows no owner
		read = map[string]rule{}
	}
	for _, own := range m.ops {
		if own.path == o.path && (own.method == "PUT" || own.method == "PATCH") {
			m.ownRules(own, read, covered)
		}
	}
	var out []rule
	for _, key := range slices.Sorted(maps.Keys(read)) {
		r := read[key]
		n := rule{operation: o.name(), claim: r.claim, member: r.member, except: r.except, hide: o.cell.statuses[404] > 0 && o.cell.statuses[403] == 0}
		rel := relationKey(inReply, r.member, r.claim)
		if own := o.cell.relation.m[rel]; own != nil {
			v := own.verdict(o.cell.objects)
			if v.broken || v.except != "" && r.except != "" && v.except != r.except {
				continue
			}
			if n.except == "" {
				n.except = v.except
			}
		} else if !m.fits(o, rel, r.except) {
			continue
		}
		if r.claim == "id" {
			n.owner = "object." + r.member
		} else {
			n.allow = "object." + r.member + " == " + claimExpr(r.claim)
		}
		out = append(out, n)
	}
	return out
}

// ownRules adds what the answers to a change showed of the owner, if somebody
// was refused it and reading shows the same member.
func (m *model) ownRules(o *operation, read map[string]rule, covered map[string]bool) {
	var get *operation
	for _, other := range m.ops {
		if other.path == o.path && other.method == "GET" {
			get = other
		}
	}
	if get == nil || len(o.cell.barred) == 0 && o.cell.statuses[404] == 0 {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(o.cell.relation.m)) {
		where, name, claim := splitRelation(key)
		if where != inReply || claim != "id" || covered[claim] || writerName(name) {
			continue
		}
		if _, there := read[name+" "+claim]; there {
			continue
		}
		v := o.cell.relation.m[key].verdict(o.cell.objects)
		if v.rule() && m.comparable(get, where, name, claim) {
			read[name+" "+claim] = rule{member: name, claim: claim, except: v.except}
		}
	}
}

// writerName reports whether a member names who changed an object last, who is
// always the one that asks.
func writerName(name string) bool {
	n := plainWord(name)
	for _, w := range []string{"updat", "modif", "chang", "edit", "last"} {
		if strings.Contains(n, w) {
			return true
		}
	}
	return false
}

// fits reports whether all who succeeded are callers for whom the relation held
// in another method on the path, or have the role that is the exception. Of
// many callers only the groups are compared.
func (m *model) fits(o *operation, key, except string) bool {
	groups, people, all := map[string]bool{}, map[string]bool{}, true
	for _, other := range m.ops {
		if r := other.cell.relation.m[key]; r != nil && other.path == o.path {
			for g, h := range r.groups {
				groups[g] = groups[g] || h.holds > 0
				all = all && !h.callers.over
				for id := range h.callers.m {
					people[id] = true
				}
			}
		}
	}
	for g := range o.cell.groups {
		if !groups[g] && !(except != "" && hasRole(g, except)) {
			return false
		}
	}
	for _, c := range o.cell.callers.m {
		if c.ok > 0 && all && !people[c.id] && !(except != "" && slices.Contains(c.roles, except)) {
			return false
		}
	}
	return len(o.cell.groups) > 0
}
