package check

import (
	"maps"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// A place is where forged credentials are shown: an endpoint that answers a
// person and refuses nobody, so that its answer tells whether a credential was
// believed.
type place struct {
	endpoint *Endpoint
	person   *Person
	ask      *Ask // says nothing of who asks
	// yes is the answer to the person's own credential, no the answer to none.
	yes, no *exchange.Exchange
	noise   map[string]bool
	// random and forged are the answers to a credential that means nothing and,
	// of tokens, to the person's own with a signature by somebody else.
	random, forged *exchange.Exchange
}

// maxTried is how many endpoints are tried out as a place.
const maxTried = 3

// place returns where a person's credential can be told from others, or nil.
func (t *Trial) place(p *Person) *place {
	if p == nil || p.Field == "" || p.Token == "" {
		return nil
	}
	if pl, ok := t.known.places[p]; ok {
		return pl
	}
	if t.known.places == nil {
		t.known.places = map[*Person]*place{}
	}
	pl := t.findPlace(p)
	t.known.places[p] = pl
	return pl
}

func (t *Trial) findPlace(p *Person) *place {
	var all []*Endpoint
	for _, e := range t.Endpoints {
		if byContract, needed := t.needsSomebody(e); byContract && !needed { // a bad credential counts as none
			continue
		}
		if e.Method == "GET" && e.Answered(p) && !slices.Contains(e.Produces, "text/event-stream") && rankAsPlace(e, p) > 0 {
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b *Endpoint) int { return rankAsPlace(b, p) - rankAsPlace(a, p) })
	for _, e := range all[:min(len(all), maxTried)] {
		a, ok := t.Request(e, nil, p)
		if !ok {
			continue
		}
		pl := &place{endpoint: e, person: p, ask: a}
		pl.ask.Control = true
		own := secretOf(p)
		first := t.Ask(pl.with(own))
		pl.yes = t.Ask(pl.with(own))
		// What succeeds may move by itself: it is asked for now.
		if pl.no = e.Honest[nil]; pl.no == nil || pl.no.Request.Target != a.Target || Succeeded(pl.no) {
			pl.no = t.Ask(pl.ask.With(nil))
		}
		if !Succeeded(first) || !Succeeded(pl.yes) || len(Text(pl.yes)) == 0 {
			continue
		}
		pl.noise = map[string]bool{}
		maps.Copy(pl.noise, Differences(first, pl.yes))
		if StatusOf(e.Honest[p]) == StatusOf(first) {
			maps.Copy(pl.noise, Differences(e.Honest[p], pl.yes))
		}
		// An answer that is never twice the same, and one that nobody gets as
		// well, tell nothing.
		if pl.noise[""] || StatusOf(pl.no) == 0 || Alike(pl.yes, pl.no, pl.noise) {
			continue
		}
		// Two answers to anybody differ by chance, unless one names the person.
		if Succeeded(pl.no) && !namesPerson(pl.yes, pl.no, p) {
			continue
		}
		return pl
	}
	return nil
}

// namesPerson reports whether an answer has something that is known of a person,
// and another one has not.
func namesPerson(yes, no *exchange.Exchange, p *Person) bool {
	known := []string{p.Subject}
	for _, v := range p.Facts {
		known = append(known, v)
	}
	return slices.ContainsFunc(known, func(v string) bool { return len(v) >= 3 && namesIt(yes, v) && !namesIt(no, v) })
}

// rankAsPlace says how well an endpoint tells who asks: it is cheap, about the
// person, and says nothing of the credential itself, such as when it ends.
func rankAsPlace(e *Endpoint, p *Person) int {
	size := len(Text(e.Honest[p]))
	switch no := StatusOf(e.Honest[nil]); {
	case size == 0 || size > 256<<10, slices.Contains(e.Statuses(), "101"):
		return 0
	case no >= 200 && no < 300 && string(Text(e.Honest[nil])) == string(Text(e.Honest[p])):
		return 0
	case no == 401 || no == 403:
		size = 0
	}
	rank := 10
	if size == 0 {
		rank += 20
	}
	if e.Role == Own {
		rank += 8
	}
	if e.Personal != "" {
		rank += 4
	}
	if e.Resource == nil {
		rank += 2
	}
	path := strings.ToLower(e.Path)
	if strings.Contains(path, "session") || strings.Contains(path, "token") {
		rank -= 10
	}
	if slices.Contains(e.Statuses(), "429") {
		rank -= 6
	}
	if len(Text(e.Honest[p])) < 4096 {
		rank++
	}
	return max(rank, 1)
}

// with is the place's request with a credential in the place of the person's
// own.
func (pl *place) with(secret string) *Ask { return present(pl.ask, pl.person, secret) }

// show asks with a forged credential.
func (pl *place) show(t *Trial, secret string) *exchange.Exchange {
	a := pl.with(secret)
	a.Control = false
	return t.Ask(a)
}

// believes reports whether an answer is what the person gets and nobody else.
func (pl *place) believes(x *exchange.Exchange) bool {
	return Succeeded(x) && Alike(pl.yes, x, pl.noise) && !Alike(pl.no, x, pl.noise)
}

// refusesRandom reports whether a credential that means nothing is refused:
// without that nothing is proved by one that is believed.
func (pl *place) refusesRandom(t *Trial) bool {
	if pl.random == nil {
		random := t.Mark()
		if parseToken(secretOf(pl.person)) != nil {
			random += "." + t.Mark() + "." + t.Mark()
		}
		pl.random = t.Ask(pl.with(random))
	}
	return StatusOf(pl.random) != 0 && !pl.believes(pl.random)
}

// report reports what a place believed. Controls go before it.
func (pl *place) report(t *Trial, says string, x *exchange.Exchange, controls ...*exchange.Exchange) {
	t.Report(&Flaw{Endpoint: pl.endpoint, By: pl.person, Evidence: []exchange.Evidence{CredentialSays(says)},
		Proof: append(append([]*exchange.Exchange{pl.yes, pl.no}, controls...), x)})
}

// secretOf is what of a person's credential can be forged: the token, key or
// cookie's value without what goes before it.
func secretOf(p *Person) string {
	s := string(p.Token)
	if strings.EqualFold(p.Field, "Cookie") {
		s, _, _ = strings.Cut(s, ";")
		if name, value, ok := strings.Cut(s, "="); ok && !strings.Contains(string(p.Cookies), "="+s) {
			_, s = name, value
		}
		return strings.TrimSpace(s)
	}
	if _, rest, ok := strings.Cut(s, " "); ok {
		return strings.TrimSpace(rest)
	}
	return s
}

// present proves who asks with a secret in the place of the person's own, in
// the way in which that travels.
func present(a *Ask, p *Person, secret string) *Ask {
	b := a.With(p)
	b.Bare, b.ByCookie = true, false
	switch own := secretOf(p); {
	case strings.EqualFold(p.Field, "Cookie"):
		line := string(p.Cookies)
		if !strings.Contains(line, own) {
			line = string(p.Token)
		}
		return b.Set("Cookie", strings.Replace(line, own, secret, 1))
	case own == string(p.Token) && strings.EqualFold(p.Field, "Authorization"):
		return b.Set(p.Field, "Bearer "+secret)
	default:
		return b.Set(p.Field, strings.TrimSuffix(string(p.Token), own)+secret)
	}
}
