package console

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/filter"
	"github.com/parley-project/parley/learn"
	"github.com/parley-project/parley/store"
)

// Learnt is what was learnt of an API, for the page Learn. Its functions are
// called at each look, from several goroutines.
type Learnt struct {
	// Inventory lists the operations.
	Inventory func() *learn.Inventory
	// Changes are what was seen and the description does not have.
	Changes func() []learn.Change
	// OpenAPI writes the description of what was seen.
	OpenAPI func() ([]byte, error)
	// CatchUp learns what is new, for a while, and reports whether there is more
	// to be learnt. Nil: it learns by itself.
	CatchUp func(context.Context) (more bool, err error)
	// Described says that there is a description to compare with. Without one
	// all that was seen is new.
	Described bool
}

// LearntBy shows what a learner learns.
func LearntBy(l *learn.Learner, described bool) *Learnt {
	return &Learnt{Inventory: l.Inventory, Changes: l.Diff, OpenAPI: l.OpenAPI, Described: described}
}

// LearnStore learns from what a store holds, when somebody looks: of what is
// recorded by guard or another program. The contract is what it is compared
// with, and may be nil.
func LearnStore(db *store.Store, k *contract.Contract) *Learnt {
	l := learn.New(learn.Options{API: k})
	v := LearntBy(l, k != nil)
	e, _ := filter.New(clients)
	follow := follower{filter: e, most: maxLearnt}
	turn := make(chan struct{}, 1)
	v.CatchUp = func(ctx context.Context) (bool, error) {
		select {
		case turn <- struct{}{}:
			defer func() { <-turn }()
			err := follow.more(ctx, db, l.Add)
			return follow.reading(), err
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	return v
}

// Limits of what is shown, and of what is read for it.
const (
	maxLearnt  = 200_000 // exchanges
	maxEntries = 3000
	maxChanges = 3000
)

type entryView struct {
	learn.Entry
	// Filter finds the exchanges; empty for what was never seen.
	Filter string `json:"filter,omitempty"`
}

type changeView struct {
	learn.Change
	Filter string `json:"filter,omitempty"`
	// Name is the member, parameter or status that Place ends with.
	Name string `json:"name"`
}

// learnt is the difference between what was seen and what is described.
func (c *Console) learnt(w http.ResponseWriter, r *http.Request) {
	v := struct {
		On         bool         `json:"on"` // something is learning
		Described  bool         `json:"described"`
		Operations []entryView  `json:"operations"`
		Changes    []changeView `json:"changes"`
		NeverSend  []string     `json:"never_send,omitempty"`
		Left       string       `json:"left,omitempty"`
		Reading    bool         `json:"reading,omitempty"` // there is more to be learnt from
		Cut        bool         `json:"cut,omitempty"`
	}{Operations: []entryView{}, Changes: []changeView{}}
	l := c.o.Learnt
	if l == nil {
		writeJSON(w, v)
		return
	}
	v.On, v.Described = true, l.Described
	if l.CatchUp != nil && !c.query(w, r, func(ctx context.Context) (err error) { v.Reading, err = l.CatchUp(ctx); return err }) {
		return
	}
	inv := l.Inventory()
	v.NeverSend, v.Left = inv.NeverSend, inv.Left
	for _, e := range inv.Operations {
		if len(v.Operations) == maxEntries {
			v.Cut = true
			break
		}
		ev := entryView{Entry: e}
		if e.Seen {
			ev.Filter = seenFilter(e.Operation)
		}
		v.Operations = append(v.Operations, ev)
	}
	for _, ch := range l.Changes() {
		if len(v.Changes) == maxChanges {
			v.Cut = true
			break
		}
		name := ch.Place[strings.LastIndexByte(ch.Place, '/')+1:]
		v.Changes = append(v.Changes, changeView{ch, changeFilter(&ch), strings.NewReplacer("~1", "/", "~0", "~").Replace(name)})
	}
	writeJSON(w, v)
}

// example finds the newest exchange of an operation that was seen: one that
// clients made.
func (c *Console) example(w http.ResponseWriter, r *http.Request) {
	q, ok := rowsQuery(w, r)
	if !ok {
		return
	}
	q.Limit, q.After = 1, 0
	var p store.Page
	if !c.query(w, r, func(ctx context.Context) (err error) { p, err = c.source.List(ctx, q); return err }) {
		return
	}
	v := struct {
		ID exchange.ID `json:"id,omitempty"`
	}{}
	if len(p.Rows) > 0 {
		v.ID = p.Rows[0].ID
	}
	writeJSON(w, v)
}

// learntDescription is the OpenAPI of what was seen, as a download.
func (c *Console) learntDescription(w http.ResponseWriter, r *http.Request) {
	if c.o.Learnt == nil {
		problem(w, http.StatusNotFound, "nothing is learning from this traffic")
		return
	}
	b, err := c.o.Learnt.OpenAPI()
	if err != nil {
		problem(w, http.StatusInternalServerError, err.Error())
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/yaml")
	h.Set("Content-Disposition", `attachment; filename="openapi.yaml"`)
	w.Write(b)
}

// clients leaves out what learners leave out: a scan's questions, and the
// upstream's side of what was seen on the client's.
var clients = filter.And{
	filter.Not{Node: filter.Term{Key: "source", Op: filter.Is, Value: string(exchange.FromScan)}},
	filter.Not{Node: filter.Term{Key: "side", Op: filter.Is, Value: string(exchange.UpstreamSide)}},
}

// seenFilter finds the exchanges of an operation that the description may not
// have: by the method and the shape of the path.
func seenFilter(operation string) string {
	return filter.Text(append(byShape(operation), clients...))
}

func byShape(operation string) filter.And {
	method, path, _ := strings.Cut(operation, " ")
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if parts[i] = regexp.QuoteMeta(p); strings.Contains(p, "{") {
			parts[i] = `[^/?]+`
		}
	}
	return filter.And{
		filter.Term{Key: "method", Op: filter.Is, Value: method},
		filter.Term{Key: "path", Op: filter.Matches, Value: "^" + strings.Join(parts, "/") + `(\?|$)`},
	}
}

// changeFilter finds exchanges that may have a change: those of the operation,
// with the status where the change is in an answer.
func changeFilter(ch *learn.Change) string {
	ts := filter.And{filter.Term{Key: "operation", Op: filter.Is, Value: ch.Operation}}
	if ch.What == "new operation" {
		ts = byShape(ch.Operation)
	}
	if rest, ok := strings.CutPrefix(ch.Place, "/responses/"); ok {
		status, _, _ := strings.Cut(rest, "/")
		ts = append(ts, filter.Term{Key: "status", Op: filter.Has, Value: status})
	}
	return filter.Text(append(ts, clients...))
}
