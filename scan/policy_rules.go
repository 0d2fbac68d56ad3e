package scan

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
)

// A fact is what ties things to one person: the subject, or a claim.
type fact struct {
	value string
	// expr is what a rule compares with: "caller.id" or "caller.claims.tenant".
	expr   string
	tenant bool
}

// facts are what an owner has and an attacker has not: whom they work for first,
// for those of one tenant may see each other's as long as nothing else is proved.
func (d *draft) facts(of, by *check.Person) []fact {
	owner, other := d.who.callers[of], d.who.callers[by]
	if owner == nil {
		return nil
	}
	var tenants, rest []fact
	for _, name := range d.who.claimNames() {
		v := fmt.Sprint(owner.claims[name])
		if owner.claims[name] == nil || v == "" || other != nil && fmt.Sprint(other.claims[name]) == v || !isWordOfCEL(name) {
			continue
		}
		f := fact{value: v, expr: "caller.claims." + name, tenant: check.NamesTenant(name)}
		if f.tenant {
			tenants = append(tenants, f)
		} else {
			rest = append(rest, f)
		}
	}
	if owner.known && (other == nil || other.subject != owner.subject) {
		tenants = append(tenants, fact{value: owner.subject, expr: "caller.id"})
	}
	return append(tenants, rest...)
}

var celWord = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// reserved are words that CEL keeps for itself.
var reserved = []string{"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop", "namespace", "null", "package",
	"return", "true", "var", "void", "while"}

func isWordOfCEL(s string) bool { return celWord.MatchString(s) && !slices.Contains(reserved, s) }

// member is the CEL expression of a JSON Pointer below a root, or false when it
// cannot be written plainly.
func member(root, pointer string) (string, bool) {
	for part := range strings.SplitSeq(strings.Trim(pointer, "/"), "/") {
		if part == "" {
			continue
		}
		if !isWordOfCEL(part) {
			return "", false
		}
		root += "." + part
	}
	return root, true
}

// fits reports whether a member's name says that it holds such a fact.
func (f fact) fits(l check.Leaf, people bool) bool {
	switch {
	case f.tenant:
		return check.NamesTenant(l.Name)
	case f.expr == "caller.id":
		return check.NamesOwner(l.Name) || isOwnerName(l.Name) || people && (l.Name == "id" || l.Name == "uuid") || len(f.value) >= 8
	}
	return len(f.value) >= 6
}

// equals are the ways to say that a value is the caller's, the plainest first.
// Numbers and texts are compared as texts where their kinds differ.
func (f fact) equals(expr string) []string {
	if f.expr != "caller.id" {
		return []string{"allow: " + quoted(expr+" == "+f.expr), "allow: " + quoted("string("+expr+") == string("+f.expr+")")}
	}
	return []string{"owner: " + quoted(expr), "allow: " + quoted(expr+" == string(caller.id)"), "allow: " + quoted("string("+expr+") == string(caller.id)")}
}

// condition is the same within a longer expression.
func (f fact) conditions(expr string) []string {
	return []string{expr + " == " + f.expr, expr + " == string(" + f.expr + ")", "string(" + expr + ") == string(" + f.expr + ")"}
}

// ties are the rules that tie an answer, or the object that was read before, to
// its owner: every item of it where it is a list.
func (f fact) ties(root string, leaves []check.Leaf, people bool) []string {
	var out []string
	add := func(more ...string) {
		for _, m := range more {
			if !slices.Contains(out, m) {
				out = append(out, m)
			}
		}
	}
	for _, l := range leaves {
		if l.Value != f.value || !f.fits(l, people) {
			continue
		}
		before, after, list := strings.Cut(l.Shape, "/*")
		if !list {
			if expr, ok := member(root, l.Pointer); ok {
				add(parties(f, root, l, leaves)...)
				add(f.equals(expr)...)
			}
			continue
		}
		items, ok1 := member(root, before)
		inner, ok2 := member("o", after)
		if !ok1 || !ok2 || after == "" || strings.Contains(after, "*") {
			continue
		}
		for _, c := range f.conditions(inner) {
			add("allow: " + quoted(items+".all(o, "+c+")"))
		}
	}
	return out
}

// parties is the rule for what has two sides, each of whom it belongs to: who
// paid and who was paid.
func parties(f fact, root string, l check.Leaf, leaves []check.Leaf) []string {
	if f.expr != "caller.id" || !strings.HasPrefix(plainWord(l.Name), "from") && !strings.HasPrefix(plainWord(l.Name), "sender") {
		return nil
	}
	at := l.Pointer[:strings.LastIndexByte(l.Pointer, '/')+1]
	for _, m := range leaves {
		low := plainWord(m.Name)
		if m.Pointer != at+m.Name || !strings.HasPrefix(low, "to") && !strings.HasPrefix(low, "receiver") && !strings.HasPrefix(low, "recipient") || !isIDName(m.Name) {
			continue
		}
		one, ok1 := member(root, l.Pointer)
		two, ok2 := member(root, m.Pointer)
		if ok1 && ok2 {
			a, b := f.conditions(one), f.conditions(two)
			return []string{"allow: " + quoted(a[0]+" || "+b[0]), "allow: " + quoted(a[1]+" || "+b[1])}
		}
	}
	return nil
}

func plainWord(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s))
}

// tieObject writes the rule that ties what is asked for to the caller.
func (d *draft) tieObject(f *Finding) error {
	attack, ok := d.attackOf(f)
	if !ok || f.flaw.Of == nil {
		return d.left(f, "what was asked is not known well enough; write: rules: - {operation: %s, owner: ...}", quoted(f.Operation))
	}
	if r := d.refusing(d.now, attack, nil); r != nil {
		return d.stopped(f, "refused by the rule "+r.Source)
	}
	e := f.flaw.Endpoint
	tries := d.tries(e, f.flaw.Of, f.flaw.By, attack)
	hide := f.Check != "authz-object-list" && d.hides(e)
	if err := d.tiePath(f, e, hide, attack); err != nil {
		return err
	}
	for _, t := range tries {
		if ok, err := d.tryRule(f, e, t, hide, attack); ok || err != nil {
			if err == nil && strings.Contains(t, "caller.claims.") {
				err = d.tieMaker(f, e, hide, attack)
			}
			if err == nil {
				err = d.tieSiblings(f, hide)
			}
			return err
		}
	}
	if d.refusing(d.now, attack, nil) != nil {
		return nil // by the path alone
	}
	if len(tries) == 0 {
		return d.left(f, "nothing in what was answered names %s, whose it is; say whose by hand: - {operation: %s, owner: ...}", f.Of, quoted(f.Operation))
	}
	return d.left(f, "no rule stops it and lets the owner through; say whose it is by hand: - {operation: %s, owner: ...}", quoted(f.Operation))
}

// tries are the rules that may tie what is asked for to its owner, the best
// first.
func (d *draft) tries(e *check.Endpoint, of, by *check.Person, attack sight) []string {
	people := e.Resource != nil && isPeople(e.Resource.Name)
	var out []string
	for _, fact := range d.facts(of, by) {
		if e.Method == "GET" {
			out = append(out, fact.ties("response", check.Members(attack.x), people)...)
		} else if attack.object != nil {
			out = append(out, fact.ties("object", check.Members(attack.object), people)...)
		}
		for _, p := range d.s.o.Contract.Match(attack.x.Request.Method, attack.x.Request.Path()).Params {
			if p.Value == fact.value && isWordOfCEL(p.Name) && !fact.tenant {
				out = append(out, fact.equals("request.path."+p.Name)...)
			}
		}
	}
	return out
}

// tieSiblings writes the same for what is done to the same object at endpoints
// that were not asked any more once one of them was found open.
func (d *draft) tieSiblings(f *Finding, hide bool) error {
	e := f.flaw.Endpoint
	r, owner, by := e.Resource, f.flaw.Of, f.flaw.By
	if r == nil {
		return nil
	}
	var siblings []*check.Endpoint
	switch f.Check {
	case "authz-object-write":
		siblings = []*check.Endpoint{r.Update, r.Replace}
	case "authz-object":
		siblings = append([]*check.Endpoint{r.Read}, r.Others...)
		if strings.Contains(r.Collection, "{") {
			siblings = append(siblings, r.List)
		}
	}
	for _, g := range siblings {
		if g == nil || g == e || g.Few != "" || f.Check == "authz-object" && g.Method != "GET" {
			continue
		}
		o := r.Of(owner)
		if o == nil {
			continue
		}
		v := sight{as: by, object: d.objectOf(g, owner, nil)}
		if g.Method == "GET" { // what its owner was shown, had somebody else asked
			if v.x = g.Honest[owner]; g == r.Read {
				v.x = o.Seen
			}
		} else if a, ok := d.s.request(g, o, by); ok {
			v.x = asked(a, g)
		}
		if v.x == nil || d.refusing(d.now, v, nil) != nil {
			continue
		}
		if err := d.tiePath(f, g, hide, v); err != nil {
			return err
		}
		for _, t := range d.tries(g, owner, by, v) {
			ok, err := d.tryRule(f, g, t, hide, v)
			if err != nil {
				return err
			}
			if ok {
				if strings.Contains(t, "caller.claims.") {
					if err := d.tieMaker(f, g, hide, v); err != nil {
						return err
					}
				}
				break
			}
		}
	}
	return nil
}

// tiePath writes that a path names only whom the caller works for. It is asked
// before the object is, which the path of one tenant may name of another.
func (d *draft) tiePath(f *Finding, e *check.Endpoint, hide bool, attack sight) error {
	for _, fact := range d.facts(f.flaw.Of, f.flaw.By) {
		if !fact.tenant {
			continue
		}
		for _, p := range d.s.o.Contract.Match(attack.x.Request.Method, attack.x.Request.Path()).Params {
			if p.Value != fact.value || !isWordOfCEL(p.Name) || !check.NamesTenant(p.Name) {
				continue
			}
			for _, t := range fact.equals("request.path." + p.Name) {
				if ok, err := d.tryRule(f, e, t, hide, attack); ok || err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// tieMaker writes, beside whom people work for, that only who made something
// changes it, where the API refused colleagues to.
func (d *draft) tieMaker(f *Finding, e *check.Endpoint, hide bool, attack sight) error {
	owner := d.who.callers[f.flaw.Of]
	if e.Method == "GET" || !d.s.peersRefused[e.Resource] || attack.object == nil || owner == nil || !owner.known {
		return nil
	}
	for _, t := range (fact{value: owner.subject, expr: "caller.id"}).ties("object", check.Members(attack.object), false) {
		if ok, err := d.tryRule(f, e, t, false, attack); ok || err != nil {
			return err
		}
	}
	return nil
}

// hides reports whether the API answers 404 for what is somebody else's, as far
// as it refuses it.
func (d *draft) hides(e *check.Endpoint) bool {
	told, hidden := d.s.ofOthers[403], d.s.ofOthers[404]
	if told == hidden {
		return e.Response(404) != nil
	}
	return hidden > told
}

// tryRule writes a rule for a finding if it stops the attack and lets honest
// people through; people of higher rank by an exception.
func (d *draft) tryRule(f *Finding, e *check.Endpoint, rule string, hide bool, attack sight) (bool, error) {
	lines := func(unless string) addition {
		t := "operation: " + quoted(e.Name) + "\n" + rule
		if unless != "" {
			t += "\nunless: " + quoted(unless)
		}
		if hide {
			t += "\nhide_existence: true"
		}
		return addition{section: "rules", comment: d.about(f), text: t}
	}
	had := map[*contract.Rule]bool{}
	compile := func(unless string) (addition, *contract.Contract, func(*contract.Rule) bool, error) {
		a := lines(unless)
		k, err := d.load([]addition{a})
		if err != nil {
			return a, nil, nil, err
		}
		n := 0
		for _, op := range k.Operations {
			if op.Name == e.Name {
				n = len(op.Rules)
				clear(had)
				if n > 0 {
					had[op.Rules[n-1]] = true
				}
			}
		}
		return a, k, func(r *contract.Rule) bool { return had[r] }, nil
	}
	a, k, added, err := compile("")
	if err != nil {
		return false, asInline(err)
	}
	if d.refusing(k, attack, added) == nil {
		return false, nil
	}
	for _, h := range d.honest(e, f) {
		if d.refusing(k, h, added) != nil && !d.ranks(h.as) {
			return false, nil
		}
	}
	var roles []string
	for _, h := range append(d.above(e, f.flaw.Of), d.honest(e, f)...) {
		if d.ranks(h.as) && d.refusing(k, h, added) != nil {
			for _, r := range d.rankRoles(h.as) {
				if !slices.Contains(roles, r) && !slices.Contains(attackRoles(d, attack), r) {
					roles = append(roles, r)
				}
			}
		}
	}
	says := rule
	if len(roles) > 0 {
		slices.Sort(roles)
		b, k2, _, err := compile(hasRole(roles))
		if err != nil {
			return false, asInline(err)
		}
		a, k = b, k2
		says += ", unless " + hasRole(roles)
	}
	if e != f.flaw.Endpoint {
		says = e.Name + ": " + says
	}
	d.accept(k, a)
	return true, d.written(f, says)
}

func attackRoles(d *draft, v sight) []string {
	if c := d.who.callers[v.as]; c != nil {
		return c.roles
	}
	return nil
}

// asInline lets a candidate that does not load be none, and tells of a policy
// that nothing can be added to.
func asInline(err error) error {
	if e, ok := err.(*InlineError); ok {
		return e
	}
	return nil
}

// hasRole is the expression that asks for one of some roles.
func hasRole(roles []string) string {
	if len(roles) == 1 {
		return strconv.Quote(roles[0]) + " in caller.roles"
	}
	var q []string
	for _, r := range roles {
		q = append(q, strconv.Quote(r))
	}
	return "caller.roles.exists(r, r in [" + strings.Join(q, ", ") + "])"
}

// tieValue writes the rule for whom a query or a body names.
func (d *draft) tieValue(f *Finding) error {
	attack, ok := d.attackOf(f)
	if !ok {
		return d.left(f, "what was asked is not known well enough")
	}
	if r := d.refusing(d.now, attack, nil); r != nil {
		return d.stopped(f, "refused by the rule "+r.Source)
	}
	expr, value := input(f, attack)
	if expr != "" {
		for _, fact := range d.facts(f.flaw.Of, f.flaw.By) {
			if fact.value != value {
				continue
			}
			for _, c := range fact.conditions(expr) {
				if ok, err := d.tryRule(f, f.flaw.Endpoint, "allow: "+quoted("!has("+expr+") || "+c), false, attack); ok || err != nil {
					return err
				}
			}
		}
		// Whoever it was given for may have been registered for the scan only.
		for _, c := range (fact{expr: "caller.id"}).conditions(expr) {
			if ok, err := d.tryRule(f, f.flaw.Endpoint, "allow: "+quoted("!has("+expr+") || "+c), false, attack); ok || err != nil {
				return err
			}
		}
	}
	return d.left(f, "no rule on %s stops it; say by hand whom it may name: - {operation: %s, allow: ...}", f.Parameter, quoted(f.Operation))
}

// input is the expression of what a finding says was changed, "query user_id" or
// "request body /url", and the value that the attack gave it.
func input(f *Finding, attack sight) (expr, value string) {
	if name, ok := strings.CutPrefix(f.flaw.Parameter, "query "); ok {
		if expr, ok = member("request.query", name); !ok {
			return "", ""
		}
		_, query, _ := strings.Cut(attack.x.Request.Target, "?")
		values, _ := url.ParseQuery(query)
		return expr, values.Get(name)
	}
	if pointer, ok := strings.CutPrefix(f.flaw.Parameter, "request body "); ok {
		if expr, ok = member("request.body", pointer); !ok {
			return "", ""
		}
		for _, l := range check.Leaves(attack.x.Request.Body.Data) {
			if l.Pointer == pointer {
				value = l.Value
			}
		}
	}
	return expr, value
}

// addresses writes that only encrypted addresses may be named. It is not the
// whole remedy: whoever fetches them has to refuse those that are not public.
func (d *draft) addresses(f *Finding) error {
	attack, ok := d.attackOf(f)
	if !ok {
		return d.left(f, "what was asked is not known well enough")
	}
	if r := d.refusing(d.now, attack, nil); r != nil {
		return d.stopped(f, "refused by the rule "+r.Source)
	}
	if expr, _ := input(f, attack); expr != "" {
		for _, t := range []string{expr + `.startsWith("https://")`, "!has(" + expr + ") || " + expr + `.startsWith("https://")`} {
			if ok, err := d.tryRule(f, f.flaw.Endpoint, "allow: "+quoted(t), false, attack); ok || err != nil {
				d.patch.Notes = append(d.patch.Notes, f.Operation+": the rule keeps plain http:// out, where the neighbours are; name the hosts that may be called, and have the API refuse addresses that are not public")
				return err
			}
		}
	}
	return d.left(f, "no rule on %s stops it; name by hand which addresses may be called: - {operation: %s, allow: ...}", f.Parameter, quoted(f.Operation))
}

// tieRoles writes who may use a function.
func (d *draft) tieRoles(f *Finding) error {
	attack, ok := d.attackOf(f)
	if !ok {
		return d.left(f, "what was asked is not known well enough")
	}
	if r := d.refusing(d.now, attack, nil); r != nil {
		return d.stopped(f, "refused by the rule "+r.Source)
	}
	roles := d.meant(f.flaw.Endpoint, attack)
	if len(roles) == 0 {
		return d.left(f, "it is not known which role it is for: scan as somebody who has it, or write by hand: - {operation: %s, allow: '\"...\" in caller.roles'}", quoted(f.Operation))
	}
	if ok, err := d.tryRule(f, f.flaw.Endpoint, "allow: "+quoted(hasRole(roles)), false, attack); ok || err != nil {
		return err
	}
	return d.left(f, "whoever got in has the roles %s, too", strings.Join(roles, ", "))
}

// meant are the roles that an operation is for: of those who were answered and
// of whom its words speak.
func (d *draft) meant(e *check.Endpoint, attack sight) []string {
	known := map[string]bool{}
	for _, p := range d.s.trial.People {
		for _, r := range p.Roles {
			known[r] = true
		}
	}
	has := attackRoles(d, attack)
	var out, words []string
	add := func(r string) {
		if !slices.Contains(out, r) && !slices.Contains(has, r) {
			out = append(out, r)
		}
	}
	few := e.Few
	if few == "" && e.Resource != nil && e.Resource.Create != nil {
		few = e.Resource.Create.Few
	}
	for w := range strings.FieldsFuncSeq(strings.ToLower(few), func(r rune) bool { return r == ' ' || r == ',' || r == '.' || r == ':' }) {
		word := fewWord(w)
		if word == "" {
			continue
		}
		found := false
		for r := range known {
			if low := strings.ToLower(r); strings.HasPrefix(low, word) || strings.HasPrefix(word, low) {
				add(r)
				found = true
			}
		}
		if !found {
			words = append(words, word)
		}
	}
	if len(out) > 0 {
		for _, w := range words { // named like those that are known
			add(w)
		}
	}
	if len(out) == 0 { // nobody named: whoever of higher rank was let in
		for _, p := range d.s.trial.People {
			if d.ranks(p) && (e.Answered(p) || e.Honest[p] == nil) {
				for _, r := range d.rankRoles(p) {
					add(r)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// hide writes that what is somebody else's, or who has an account, is not told.
func (d *draft) hide(f *Finding) error {
	e := f.flaw.Endpoint
	if e == nil {
		return d.left(f, "it was found at no operation of the description")
	}
	at := []*check.Endpoint{e}
	if r := e.Resource; r != nil && f.Check == "authz-existence" {
		for _, g := range append([]*check.Endpoint{r.Read}, r.Others...) {
			if g != nil && g != e && g.Method == "GET" && g.Few == "" {
				at = append(at, g) // asked no more once one told
			}
		}
	}
	hidden := map[string]bool{}
	for _, op := range d.now.Operations {
		hidden[op.Name] = op.HideExistence
	}
	if hidden[e.Name] {
		return d.stopped(f, "hidden by a line of the policy")
	}
	for _, g := range at {
		if hidden[g.Name] {
			continue
		}
		a := addition{section: "rules", comment: d.about(f), text: "operation: " + quoted(g.Name) + "\nhide_existence: true"}
		k, err := d.load([]addition{a})
		if err != nil {
			return err
		}
		d.accept(k, a)
		says := "hide_existence: true"
		if g != e {
			says = g.Name + ": " + says
		}
		d.written(f, says)
	}
	return nil
}
