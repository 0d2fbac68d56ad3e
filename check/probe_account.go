package check

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
)

// A telling is how a door tells who has an account.
type telling struct {
	endpoint *Endpoint
	says     string
	missing  string // the control that is, when it is only likely
	who      *Person
	known    *exchange.Exchange // the answer about somebody who exists
	stranger *exchange.Exchange
}

// tries is how often each address is tried at a door: what a log-in that locks
// an account lets through. That of somebody who was given is tried less, and at
// one door: several may count together.
const (
	tries      = 3
	triesGiven = 2
)

// tellings asks each door about somebody who exists and about somebody who does
// not, in turns. It does so once a trial, before anybody is locked out.
func (t *Trial) tellings() []telling {
	if t.known.told {
		return t.known.tellings
	}
	t.known.told = true
	given := map[*Person]bool{}
	for _, d := range t.doors(true) {
		who, name := t.somebody(d)
		if name == "" || given[who] {
			continue
		}
		n := tries
		if !who.Spare {
			given[who], n = true, triesGiven
		}
		if tl, ok := t.listen(d, name, n); ok {
			tl.who = who
			t.known.tellings = append(t.known.tellings, tl)
		}
	}
	return t.known.tellings
}

// somebody is a person who has an account, and its address: of a spare one if
// there is one. Only theirs are asked to be reset.
func (t *Trial) somebody(d door) (*Person, string) {
	last := t.knocker()
	for _, p := range append(slices.Clone(t.People), last) {
		if p != nil && p.Spare && p.Email != "" && (p != last || !slices.ContainsFunc(t.People, func(q *Person) bool { return q != last && q.Spare && q.Email != "" })) {
			return p, p.Email
		}
	}
	if d.password.in == "" || !isAddress(d.name.word()) {
		return nil, ""
	}
	for _, p := range []*Person{t.Attacker, t.Victim} {
		if p != nil && strings.Contains(p.Facts["email"], "@") {
			return p, p.Facts["email"]
		}
	}
	return nil, ""
}

// listen compares the answers about two addresses.
func (t *Trial) listen(d door, name string, tries int) (telling, bool) {
	stranger, password := t.stranger(name), "Aa1!"+t.Mark()
	var known, strange []*exchange.Exchange
	for i := range tries {
		order := []string{name, stranger}
		if i%2 == 1 {
			slices.Reverse(order)
		}
		for _, n := range order {
			x := d.try(t, n, password)
			switch StatusOf(x) {
			case 0, 405, 415, 429, 501, 503: // it was not looked at, or no longer is
				return telling{}, false
			}
			if n == name {
				known = append(known, x)
			} else {
				strange = append(strange, x)
			}
		}
		if tellApart(known, strange, name, stranger, password) == "" && slower(known, strange) == "" {
			return telling{}, false // the usual case: one pair is enough to see it
		}
	}
	says := tellApart(known, strange, name, stranger, password)
	out := telling{endpoint: d.endpoint, says: says, known: known[tries-1], stranger: strange[tries-1]}
	if says == "" {
		out.says, out.missing = slower(known, strange), "time alone does not prove it"
		return out, out.says != ""
	}
	// Chance, or something about that one address, is not what it was.
	other := t.stranger(name)
	var others []*exchange.Exchange
	for range tries {
		others = append(others, d.try(t, other, password))
	}
	return out, tellApart(known, others, name, other, password) == says
}

// tellApart says in which way all answers of one kind differ from all of another,
// apart from what they repeat of the request.
func tellApart(known, strange []*exchange.Exchange, name, stranger, password string) string {
	same := func(xs []*exchange.Exchange, of func(*exchange.Exchange) string) (string, bool) {
		first := of(xs[0])
		return first, !slices.ContainsFunc(xs, func(x *exchange.Exchange) bool { return of(x) != first })
	}
	status := func(x *exchange.Exchange) string { return statusText(StatusOf(x)) }
	a, ok1 := same(known, status)
	b, ok2 := same(strange, status)
	switch {
	case !ok1 || !ok2:
		return ""
	case a != b:
		return "is " + a + " for somebody who has an account and " + b + " for somebody who has none"
	}
	said := []string{name, stranger, password}
	text := func(x *exchange.Exchange) string { return string(unechoed(x, said...)) }
	if a, ok1 := same(known, text); ok1 {
		if b, ok2 := same(strange, text); ok2 && a != b {
			return "says something else of somebody who has no account"
		}
	}
	leaf := func(pointer string) func(*exchange.Exchange) string {
		return func(x *exchange.Exchange) string {
			for _, l := range Leaves(unechoed(x, said...)) {
				if l.Pointer == pointer {
					return l.Kind + " " + l.Value
				}
			}
			return ""
		}
	}
	pointers := map[string]bool{}
	for _, x := range []*exchange.Exchange{known[0], strange[0]} {
		for _, l := range Leaves(unechoed(x, said...)) {
			pointers[l.Pointer] = true
		}
	}
	for _, p := range slices.Sorted(maps.Keys(pointers)) {
		a, ok1 := same(known, leaf(p))
		b, ok2 := same(strange, leaf(p))
		if ok1 && ok2 && a != b {
			return "has another " + p + " for somebody who has no account"
		}
	}
	return ""
}

// slower says that every answer about one address took much longer than all
// about the other.
func slower(known, strange []*exchange.Exchange) string {
	wait := func(a, b *exchange.Exchange) int { return int(a.Times.Wait - b.Times.Wait) }
	least := slices.MinFunc(known, wait).Times.Wait
	most := slices.MaxFunc(strange, wait).Times.Wait
	if least > 3*most && least-most > 200*time.Millisecond {
		return "takes more than three times as long for somebody who has an account"
	}
	return ""
}

func statusText(status int) string { return strconv.Itoa(status) }
