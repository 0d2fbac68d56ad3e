package console

import (
	"context"
	"net/http"
	"strconv"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/filter"
	"github.com/parley-project/parley/report"
	"github.com/parley-project/parley/store"
)

// about is what the frame of the page shows.
func (c *Console) about(w http.ResponseWriter, r *http.Request) {
	var st store.Stats
	if !c.query(w, r, func(ctx context.Context) (err error) { st, err = c.source.Stats(ctx); return err }) {
		return
	}
	a := struct {
		Title    string         `json:"title"`
		Version  string         `json:"version,omitempty"`
		Mode     contract.Mode  `json:"mode,omitempty"`
		Open     string         `json:"open,omitempty"`
		Guarded  string         `json:"guarded,omitempty"`
		CA       string         `json:"ca,omitempty"`
		Attacks  bool           `json:"attacks"`
		Contract bool           `json:"contract"`
		Stats    store.Stats    `json:"stats"`
		Keys     []filter.Field `json:"keys"`
		Steps    []string       `json:"steps"`
		Reports  []reportView   `json:"reports"`
		Facts    []string       `json:"facts"` // of the conversation: number 1 first
		Call     bool           `json:"call"`  // calls can be made from here
		Names    []string       `json:"names,omitempty"`
	}{
		Title: c.o.Title, Version: c.o.Version, Mode: c.o.Mode, Open: c.o.Open, Guarded: c.o.Guarded, CA: quoted(c.o.CA),
		Attacks: c.o.Attacks != nil, Contract: c.o.Contract != nil, Stats: st, Keys: filter.Fields(),
	}
	if a.Title == "" && c.o.Contract != nil {
		a.Title = c.o.Contract.Title
	}
	if a.Call = c.o.Client != nil; a.Call {
		a.Names = c.o.Client.Names
	}
	for _, s := range exchange.Steps {
		a.Steps = append(a.Steps, s.String())
	}
	for _, f := range report.Formats {
		a.Reports = append(a.Reports, reportView{f.Name, f.Extension})
	}
	for _, f := range check.Facts {
		a.Facts = append(a.Facts, f.Says)
	}
	writeJSON(w, a)
}

// rows is a window of the list, newest first.
func (c *Console) rows(w http.ResponseWriter, r *http.Request) {
	q, ok := rowsQuery(w, r)
	if !ok {
		return
	}
	var p store.Page
	if !c.query(w, r, func(ctx context.Context) (err error) { p, err = c.source.List(ctx, q); return err }) {
		return
	}
	writeJSON(w, struct {
		Rows []rowView `json:"rows"`
		// Older and Newer are for before and after. There may be older rows
		// though this page has few: the search for them was long.
		Older string `json:"older,omitempty"`
		Newer string `json:"newer,omitempty"`
	}{viewRows(p.Rows), cursor(p.Next), cursor(p.Prev)})
}

// rowsQuery reads filter, side, before, after and limit.
func rowsQuery(w http.ResponseWriter, r *http.Request) (store.Query, bool) {
	q := store.Query{Limit: 200}
	bad := func(what string) (store.Query, bool) {
		problem(w, http.StatusBadRequest, what)
		return q, false
	}
	v := r.URL.Query()
	text := v.Get("filter")
	if len(text) > maxFilter {
		return bad("the filter is longer than " + strconv.Itoa(maxFilter) + " bytes")
	}
	e, why := readFilter(text)
	if why != nil {
		writeProblem(w, *why)
		return q, false
	}
	side := v.Get("side")
	if side == "" {
		side = "all"
	}
	if side != "client" && side != "upstream" && side != "all" {
		return bad("side must be client, upstream or all")
	}
	var err error
	if q.Filter, err = ofSide(e, side); err != nil {
		return bad(err.Error())
	}
	for name, to := range map[string]*store.Cursor{"before": &q.Before, "after": &q.After} {
		if s := v.Get(name); s != "" {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil || n < 0 {
				return bad(name + " is not a cursor")
			}
			*to = store.Cursor(n)
		}
	}
	if q.Before != 0 && q.After != 0 {
		return bad("before and after exclude each other")
	}
	if s := v.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > maxRows {
			return bad("limit must be from 1 to " + strconv.Itoa(maxRows))
		}
		q.Limit = n
	}
	return q, true
}

type linkedExchange struct {
	Kind     exchange.LinkKind  `json:"kind"`
	To       bool               `json:"to"`
	Exchange *exchange.Exchange `json:"exchange"`
	Cut      cut                `json:"cut"`
	Steps    []stepView         `json:"steps"`
	Curl     string             `json:"curl"`
}

// exchange is everything about one: itself, those it is linked with, and what
// every finding and action means.
func (c *Console) exchange(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	if len(id) != 26 {
		problem(w, http.StatusNotFound, "no such exchange: an ID has 26 characters")
		return
	}
	most := int64(bodyShown)
	if r.URL.Query().Get("bodies") == "all" {
		most = bodyMost
	}
	v := struct {
		Schema   string                  `json:"schema"`
		Exchange *exchange.Exchange      `json:"exchange"`
		Cut      cut                     `json:"cut"`
		Steps    []stepView              `json:"steps"`
		Curl     string                  `json:"curl"`
		Linked   []linkedExchange        `json:"linked"`
		Explain  map[string]*Explanation `json:"explain"`
	}{Schema: "parley.exchange/1", Linked: []linkedExchange{}, Explain: map[string]*Explanation{}}
	if !c.query(w, r, func(ctx context.Context) error {
		x, err := c.source.Get(ctx, id)
		if err != nil {
			return err
		}
		v.Steps, v.Curl = c.steps(x), Curl(&x.Request)
		c.explainAll(v.Explain, x)
		v.Exchange, v.Cut = shorten(x, most)
		ls, err := c.source.Linked(ctx, id)
		if err != nil {
			return err
		}
		for i, l := range ls {
			if i == maxLinked {
				break
			}
			y, err := c.source.Get(ctx, l.ID)
			if err != nil {
				continue // deleted since: the link alone says nothing
			}
			c.explainAll(v.Explain, y)
			le := linkedExchange{Kind: l.Kind, To: !l.From, Steps: c.steps(y), Curl: Curl(&y.Request)}
			le.Exchange, le.Cut = shorten(y, most)
			v.Linked = append(v.Linked, le)
		}
		return nil
	}) {
		return
	}
	writeJSON(w, v)
}

func (c *Console) explainAll(m map[string]*Explanation, x *exchange.Exchange) {
	add := func(id string) {
		if _, ok := m[id]; ok || id == "" {
			return
		}
		if e := c.explain(id); e != nil {
			m[id] = e
		}
	}
	for i := range x.Findings {
		add(x.Findings[i].Check)
	}
	for i := range x.Actions {
		add(x.Actions[i].Check)
	}
}

// cut says which bodies were shortened for this answer.
type cut struct {
	Request  bool `json:"request,omitempty"`
	Response bool `json:"response,omitempty"`
}

// shorten returns x, or a copy of it with bodies of at most n bytes.
func shorten(x *exchange.Exchange, n int64) (*exchange.Exchange, cut) {
	var k cut
	y := *x
	if int64(len(y.Request.Body.Data)) > n {
		y.Request.Body.Data, k.Request = y.Request.Body.Data[:n], true
	}
	if y.Response != nil && int64(len(y.Response.Body.Data)) > n {
		resp := *y.Response
		resp.Body.Data, k.Response = resp.Body.Data[:n], true
		y.Response = &resp
	}
	return &y, k
}

// An actionView says how often guard did something, or would have.
type actionView struct {
	Check     string              `json:"check"`
	Kind      exchange.ActionKind `json:"kind"`
	Rule      string              `json:"rule,omitempty"`
	Operation string              `json:"operation,omitempty"`
	Enforced  bool                `json:"enforced"`
	Count     int64               `json:"count"`
	Last      exchange.ID         `json:"last,omitempty"`
	Filter    string              `json:"filter"` // finds these exchanges
}

// actions counts what guard did, or in report mode would have done.
func (c *Console) actions(w http.ResponseWriter, r *http.Request) {
	var as []store.ActionCount
	if !c.query(w, r, func(ctx context.Context) (err error) { as, err = c.actionCounts(ctx); return err }) {
		return
	}
	v := struct {
		Actions []actionView            `json:"actions"`
		Run     bool                    `json:"run,omitempty"` // only of this run, not of earlier ones
		Cut     bool                    `json:"cut,omitempty"` // there are more than are shown
		Explain map[string]*Explanation `json:"explain"`
	}{make([]actionView, 0, len(as)), c.counts != nil, false, map[string]*Explanation{}}
	if len(as) > maxRows {
		as, v.Cut = as[:maxRows], true
	}
	for i := range as {
		a := &as[i]
		v.Actions = append(v.Actions, actionView{a.Check, a.Kind, a.Rule, a.Operation, a.Enforced, a.N, a.Last, actionFilter(a)})
		if e := c.explain(a.Check); e != nil {
			v.Explain[a.Check] = e
		}
	}
	writeJSON(w, v)
}

func (c *Console) attacks(w http.ResponseWriter, r *http.Request) {
	v := struct {
		Attacks []Attack                `json:"attacks"`
		Explain map[string]*Explanation `json:"explain"`
	}{[]Attack{}, map[string]*Explanation{}}
	if c.o.Attacks != nil {
		v.Attacks = append(v.Attacks, c.o.Attacks()...)
	}
	for i := range v.Attacks {
		if e := c.explain(v.Attacks[i].Check); e != nil {
			v.Explain[e.ID] = e
		}
	}
	writeJSON(w, v)
}

func (c *Console) stats(w http.ResponseWriter, r *http.Request) {
	var st store.Stats
	if c.query(w, r, func(ctx context.Context) (err error) { st, err = c.source.Stats(ctx); return err }) {
		writeJSON(w, st)
	}
}

// contract lists the operations and what is not judged.
func (c *Console) contract(w http.ResponseWriter, r *http.Request) {
	type rule struct {
		Source string `json:"source"`
		Owner  bool   `json:"owner,omitempty"`
		Place  string `json:"place"`
	}
	type operation struct {
		Name     string `json:"name"`
		Place    string `json:"place,omitempty"`
		Public   bool   `json:"public,omitempty"`
		Rules    []rule `json:"rules,omitempty"`
		Unjudged bool   `json:"unjudged,omitempty"`
	}
	v := struct {
		File       string           `json:"file,omitempty"`
		Title      string           `json:"title,omitempty"`
		Version    string           `json:"version,omitempty"`
		Mode       contract.Mode    `json:"mode,omitempty"`
		Default    contract.Default `json:"default,omitempty"`
		Operations []operation      `json:"operations"`
		NotJudged  []string         `json:"not_judged"`
	}{Operations: []operation{}, NotJudged: []string{}}
	if k := c.o.Contract; k != nil {
		v.File, v.Title, v.Version, v.Mode, v.Default = k.File, k.Title, k.Version, k.Mode, k.Default
		v.NotJudged = append(v.NotJudged, k.NotJudged...)
		un := map[*contract.Operation]bool{}
		for _, o := range k.Unjudged {
			un[o] = true
		}
		for _, o := range k.Operations {
			p := operation{Name: o.Name, Place: o.Place, Public: o.Public, Unjudged: un[o]}
			for _, l := range o.Rules {
				p.Rules = append(p.Rules, rule{l.Source, l.Owner, l.Place})
			}
			v.Operations = append(v.Operations, p)
		}
	}
	writeJSON(w, v)
}

// checks is the catalogue.
func (c *Console) checks(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, struct {
		Checks []*Explanation `json:"checks"`
	}{catalogue()})
}

// readable says whether a filter can be read, without running it.
func (c *Console) readable(w http.ResponseWriter, r *http.Request) {
	text := r.URL.Query().Get("text")
	if len(text) > maxFilter {
		problem(w, http.StatusBadRequest, "the filter is longer than "+strconv.Itoa(maxFilter)+" bytes")
		return
	}
	if _, why := readFilter(text); why != nil {
		writeProblem(w, *why)
		return
	}
	writeJSON(w, struct{}{})
}
