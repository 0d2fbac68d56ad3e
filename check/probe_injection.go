package check

import (
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
)

// A pair is a condition that is true and one that is not, in the syntax of a
// query. Both are of the same letters: to whoever looks them up as text they are
// as good as the same, and only who reads them as a query answers otherwise.
type pair struct {
	says string
	// make writes one; x<y says whether it is true.
	make func(value string, x, y int) input
	// trueIsHonest says which of the two answers as the honest value does.
	trueIsHonest bool
}

func pairsFor(in input) []pair {
	to := func(format string) func(string, int, int) input {
		return func(value string, x, y int) input {
			return input{in.in, in.name, strings.NewReplacer("{v}", value, "{x}", strconv.Itoa(x), "{y}", strconv.Itoa(y)).Replace(format)}
		}
	}
	if in.number() {
		return []pair{{"a condition beside a number", to("{v} AND {x}<{y}"), true}}
	}
	quoted := pair{"a condition in quotation marks", to("{v}' AND '{x}'<'{y}"), true}
	if identifier.MatchString(in.value) {
		return []pair{quoted}
	}
	all := []pair{
		quoted,
		{"a condition in quotation marks", to("{v}' OR '{x}'<'{y}"), false},
	}
	if column, down := strings.CutPrefix(in.value, "-"); columnName.MatchString(column) { // sorted by, up or down
		format := "(CASE WHEN {x}<{y} THEN " + column + " ELSE -" + column + " END)"
		if down {
			format = "(CASE WHEN {x}<{y} THEN -" + column + " ELSE " + column + " END)"
		}
		all = append(all, pair{"an expression to sort by", to(format), true})
	}
	if in.in == "query" {
		// Frameworks make an operator of name[$gt]: all texts are greater than
		// none, and none is less.
		operator := func(_ string, x, y int) input {
			if x < y {
				return input{in.in, in.name + "[$gt]", ""}
			}
			return input{in.in, in.name + "[$lt]", ""}
		}
		all = append(all, pair{"an operator of a database", operator, false})
	}
	return all
}

var columnName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// injected reports whether an input is read as part of a query or a template.
func (t *Trial) injected(e *Endpoint, a *Ask, in input) bool {
	for _, p := range pairsFor(in) {
		if x, proof := t.tells(a, in, p); proof != nil {
			t.reportInjected(e, a.As, in, "is read as part of a query: "+p.says+" is worked out", append(proof, x))
			return true
		}
	}
	if in.number() || identifier.MatchString(in.value) {
		return false // a template takes no numbers, and what is looked up answers at once
	}
	return t.worksOut(e, a, in) || !t.Gentle && t.sleeps(e, a, in)
}

func (t *Trial) reportInjected(e *Endpoint, by *Person, in input, says string, proof []*exchange.Exchange) {
	t.Report(&Flaw{Endpoint: e, Parameter: in.String(), By: by, Proof: proof,
		Evidence: []exchange.Evidence{{Where: in.place(), Name: in.name, Says: says}}})
}

func (i input) place() string {
	switch i.in {
	case "query", "path":
		return i.in
	}
	return "request body"
}

// tells asks with a pair, and if its answers differ with another of the same
// meaning and with the honest value: each must answer as is predicted.
func (t *Trial) tells(a *Ask, in input, p pair) (last *exchange.Exchange, proof []*exchange.Exchange) {
	noise := map[string]bool{}
	ask := func(x, y int) *exchange.Exchange {
		i := p.make(in.value, x, y)
		b := a
		if i.name != in.name {
			b = a.drop(in)
		}
		got := t.Ask(b.put(i, i.value))
		for _, l := range Members(got) { // what repeats the question says nothing
			if i.value != "" && slices.ContainsFunc(spellings(i.value), func(s string) bool { return strings.Contains(l.Value, s) }) {
				noise[l.Shape] = true
			}
		}
		return got
	}
	yes, no := ask(3, 5), ask(5, 3)
	if StatusOf(yes) == 0 || StatusOf(no) == 0 || Alike(yes, no, noise) {
		return nil, nil
	}
	plain := a.put(in, in.value)
	plain.Control = true
	honest, again := t.Ask(plain), t.Ask(plain)
	maps.Copy(noise, Differences(honest, again))
	no2, yes2 := ask(7, 4), ask(4, 7)
	like, unlike, other := yes, no, no2
	if !p.trueIsHonest {
		like, unlike, other = no, yes, yes2
	}
	switch {
	case !Succeeded(honest) || !Succeeded(like) || noise[""], !Alike(honest, again, noise):
	case !Alike(yes, yes2, noise) || !Alike(no, no2, noise): // it is chance
	case !Alike(honest, like, noise) || Alike(honest, unlike, noise) || Alike(honest, other, noise):
	default:
		return unlike, []*exchange.Exchange{honest, like}
	}
	return nil, nil
}

// spellings are the ways in which an answer may repeat a text.
func spellings(s string) []string {
	return []string{s, url.QueryEscape(s), url.PathEscape(s), html.EscapeString(s)}
}

// drop is a request without an input of its query.
func (a *Ask) drop(in input) *Ask {
	b := a.With(a.As)
	path, query, _ := strings.Cut(a.Target, "?")
	var kept []string
	for _, i := range pairs("query", query) {
		if i.name != in.name {
			kept = append(kept, url.QueryEscape(i.name)+"="+url.QueryEscape(i.value))
		}
	}
	if b.Target = path; len(kept) > 0 {
		b.Target += "?" + strings.Join(kept, "&")
	}
	return b
}

// arithmetic is a product in the syntax of several templates.
func arithmetic(mark string, x, y int) string {
	return fmt.Sprintf("%[1]s{{%[2]d*%[3]d}}%[1]s${%[2]d*%[3]d}%[1]s#{%[2]d*%[3]d}%[1]s<%%=%[2]d*%[3]d%%>", mark, x, y)
}

// worksOut reports a value that comes back worked out.
func (t *Trial) worksOut(e *Endpoint, a *Ask, in input) bool {
	var proof []*exchange.Exchange
	for _, f := range [][2]int{{7, 191}, {13, 419}} {
		mark := t.Mark()
		x := t.Ask(a.put(in, arithmetic(mark, f[0], f[1])))
		if !Contains(x, mark+strconv.Itoa(f[0]*f[1])) {
			return false
		}
		proof = append(proof, x)
	}
	t.reportInjected(e, a.As, in, "is read as part of a template: a product is worked out", proof)
	return true
}

// naps are how databases are told to wait.
var naps = []string{"{v}' AND SLEEP({n}) AND '1'='1", "{v}'||(SELECT pg_sleep({n}))||'", "{v}'; WAITFOR DELAY '0:0:{n}'--"}

// sleeps reports an input that makes the answer take as long as it says.
func (t *Trial) sleeps(e *Endpoint, a *Ask, in input) bool {
	for _, nap := range naps {
		ask := func(seconds int) *exchange.Exchange {
			return t.Ask(a.put(in, strings.NewReplacer("{v}", in.value, "{n}", strconv.Itoa(seconds)).Replace(nap)))
		}
		slept := func(x *exchange.Exchange, seconds int) bool {
			d := time.Duration(seconds) * time.Second
			return StatusOf(x) != 0 && x.Times.Wait >= d && x.Times.Wait < d+800*time.Millisecond
		}
		one := ask(1)
		if !slept(one, 1) {
			continue
		}
		none, two, noneAgain, oneAgain := ask(0), ask(2), ask(0), ask(1)
		if none.Times.Wait < time.Second/2 && noneAgain.Times.Wait < time.Second/2 && slept(two, 2) && slept(oneAgain, 1) {
			t.reportInjected(e, a.As, in, "is read as part of a query: the database waits as long as it says", []*exchange.Exchange{none, one, two})
			return true
		}
	}
	return false
}

// pathTexts are the last segment of a path where it is a variable.
func pathTexts(a *Ask) []input {
	if a == nil || a.Endpoint == nil || !strings.HasSuffix(a.Endpoint.Path, "}") {
		return nil
	}
	path, _, _ := strings.Cut(a.Target, "?")
	value, err := url.PathUnescape(path[strings.LastIndexByte(path, '/')+1:])
	if err != nil || value == "" {
		return nil
	}
	name := a.Endpoint.Path[strings.LastIndexByte(a.Endpoint.Path, '{')+1:]
	return []input{{"path", strings.TrimSuffix(name, "}"), value}}
}

// number reports whether an input's honest value is one.
func (i input) number() bool {
	_, err := strconv.ParseFloat(i.value, 64)
	return err == nil
}

// identifier is a UUID or the like, which takes a syntax of its own.
var identifier = regexp.MustCompile(`^[0-9a-fA-F-]{16,}$`)

// operatorLetsIn reports a log-in that takes an operator for a password: one that
// every password meets lets in, and one that none does not.
func (t *Trial) operatorLetsIn(d door) {
	who := t.knocker()
	if who == nil || d.password.in != "body" {
		return
	}
	ask := func(operator string) *exchange.Exchange {
		value, _ := json.Marshal(map[string]string{operator: t.Mark()})
		a := d.ask.put(d.name, who.Email)
		a.Body, a.Bare = SetMember(a.Body, d.password.name, value), true
		return t.Ask(a)
	}
	yes := ask("$ne")
	if !Succeeded(yes) {
		return
	}
	if no := ask("$eq"); StatusOf(no) != 0 && !Succeeded(no) {
		t.reportInjected(d.endpoint, nil, d.password, "is read as part of a query: an operator of a database is worked out", []*exchange.Exchange{no, yes})
	}
}

// evaluates reports members of an object made for the trial that its owner reads
// back worked out.
func (t *Trial) evaluates(r *Resource) {
	e := r.Update
	if e == nil {
		return
	}
	var o *Object
	for _, p := range t.People {
		if c := r.Of(p); o == nil && c != nil && c.Made && c.Seen != nil {
			o = c
		}
	}
	if o == nil {
		return
	}
	plain, ok := t.Request(e, o, o.Owner)
	if !ok {
		return
	}
	mark := t.Mark()
	a, changed := plain, []input(nil)
	for _, in := range plain.inputs() {
		if in.in == "body" && slices.ContainsFunc(o.Marks, func(m string) bool { return strings.Contains(in.value, m) }) && !strings.Contains(in.value, "@") {
			a = a.put(in, arithmetic(mark, 7, 191))
			changed = append(changed, in)
		}
	}
	if len(changed) == 0 {
		return
	}
	x := t.Ask(a.whatever())
	if !Succeeded(x) {
		return
	}
	seen := t.Look(o)
	t.Ask(plain.whatever())
	if Contains(seen, mark+"1337") {
		t.reportInjected(e, o.Owner, changed[0], "is read as part of a template: a product is worked out", []*exchange.Exchange{o.Seen, x, seen})
	}
}
