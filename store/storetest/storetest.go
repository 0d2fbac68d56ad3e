// Package storetest proves a store: whatever keeps exchanges passes it.
package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/filter"
	"github.com/parley-project/parley/store"
	"pgregory.net/rapid"
)

// Store is what the suite asks of a store.
type Store interface {
	exchange.Recorder
	Flush(context.Context) error
	Get(context.Context, exchange.ID) (*exchange.Exchange, error)
	List(context.Context, store.Query) (store.Page, error)
	Watch(context.Context) <-chan struct{}
	Linked(context.Context, exchange.ID) ([]store.Linked, error)
	Actions(context.Context, store.Cursor) ([]store.ActionCount, error)
	Stats(context.Context) (store.Stats, error)
}

var ctx = context.Background()

// Run proves the stores that open makes, each empty. One that keeps secrets
// must give back what it was given, to the byte.
func Run(t *testing.T, open func(t testing.TB, keepSecrets bool) Store) {
	t.Run("equality", func(t *testing.T) { equality(t, open(t, true)) })
	t.Run("order", func(t *testing.T) { order(t, open(t, true)) })
	t.Run("filter", func(t *testing.T) { filters(t, open(t, true)) })
	t.Run("cursors", func(t *testing.T) { cursors(t, open(t, true)) })
	t.Run("links", func(t *testing.T) { links(t, open(t, true)) })
	t.Run("ids", func(t *testing.T) { ids(t, open(t, true)) })
	t.Run("actions", func(t *testing.T) { actions(t, open(t, true)) })
	t.Run("watch", func(t *testing.T) { watch(t, open(t, true)) })
	t.Run("absent", func(t *testing.T) { absent(t, open(t, true)) })
}

func flush(t interface{ Fatal(...any) }, s Store) {
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

func show(x *exchange.Exchange) string {
	b, err := json.Marshal(x)
	if err != nil {
		return fmt.Sprintf("%+v", x)
	}
	return string(b)
}

// equality records generated exchanges and wants them back as they were.
func equality(t *testing.T, s Store) {
	rapid.Check(t, func(t *rapid.T) {
		var want []*exchange.Exchange
		for range rapid.IntRange(1, 5).Draw(t, "count") {
			x := Exchanges().Draw(t, "exchange")
			want = append(want, x)
			s.Record(Clone(x))
		}
		flush(t, s)
		page, err := s.List(ctx, store.Query{Limit: len(want)})
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range want {
			got, err := s.Get(ctx, x.ID)
			if err != nil {
				t.Fatal(err)
			}
			if w := Kept(x); !reflect.DeepEqual(got, w) {
				t.Fatalf("Get(%s) = %s, want %s", x.ID, show(got), show(w))
			}
			row := page.Rows[len(want)-1-i]
			row.Cursor = 0
			if w := RowOf(x); !reflect.DeepEqual(row, w) {
				t.Fatalf("List has %+v, want %+v", row, w)
			}
		}
	})
}

// RowOf is the row of an exchange.
func RowOf(x *exchange.Exchange) store.Row {
	r := store.Row{ID: x.ID, Start: x.Start.UTC().Round(0), Source: x.Source, Side: x.Side, Method: x.Request.Method,
		Authority: x.Request.Authority, Target: x.Request.Target, Operation: x.Server.Operation, MediaType: filter.MediaType(x),
		Failed: x.Failure != "", Request: x.Request.Body.Size, Total: x.Times.Total}
	if x.Response != nil {
		r.Status, r.Response = x.Response.Status, x.Response.Body.Size
	}
	if c := x.Server.Caller; c != nil {
		r.Known, r.Subject, r.Caller = true, c.Subject, c.Name
	}
	if x.TLS != nil {
		r.TLS = "yes"
		if x.TLS.Clear {
			r.TLS = "no"
		}
	}
	for _, f := range x.Findings {
		if f.Severity >= 0 && int(f.Severity) < len(r.Findings) {
			r.Findings[f.Severity]++
		}
	}
	for _, a := range x.Actions {
		name := string(a.Kind)
		if !slices.Contains([]string{"refuse", "strip", "repair"}, name) {
			continue
		}
		if !a.Enforced {
			name = "would " + name
		}
		if r.Actions == nil {
			r.Actions = map[string]int{}
		}
		r.Actions[name]++
	}
	if len(x.Actions) > 0 {
		r.Check = x.Actions[0].Check
	} else if len(x.Findings) > 0 {
		r.Check = x.Findings[0].Check
	}
	return r
}

func order(t *testing.T, s Store) {
	var ids []exchange.ID
	for i := range 1300 {
		x := Simple(i)
		ids = append(ids, x.ID)
		s.Record(x)
	}
	flush(t, s)
	slices.Reverse(ids)
	var got []exchange.ID
	for q := (store.Query{Limit: 111}); ; {
		page, err := s.List(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Rows {
			got = append(got, r.ID)
		}
		if q.Before = page.Next; q.Before == 0 {
			break
		}
	}
	if !slices.Equal(got, ids) {
		t.Fatalf("paging gave %d exchanges in another order or number than the %d recorded", len(got), len(ids))
	}
	st, err := s.Stats(ctx)
	if err != nil || st.Rows != 1300 || st.Recorded != 1300 || st.Queued != 0 || st.Lost != 0 || st.Bytes == 0 {
		t.Errorf("Stats = %+v, %v", st, err)
	}
}

// filters compares List with the predicate over the exchanges themselves.
func filters(t *testing.T, s Store) {
	var all []*exchange.Exchange
	for i := range 700 {
		x := Exchanges().Example(i)
		all = append(all, Kept(x))
		s.Record(Clone(x))
	}
	flush(t, s)
	slices.Reverse(all)
	compare := func(t interface {
		Fatal(...any)
		Fatalf(string, ...any)
	}, e *filter.Expr) {
		var want, got []exchange.ID
		for _, x := range all {
			if e.Match(x) {
				want = append(want, x.ID)
			}
		}
		for q := (store.Query{Filter: e, Limit: 50}); ; {
			page, err := s.List(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Rows {
				got = append(got, r.ID)
			}
			if q.Before = page.Next; q.Before == 0 {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("List(%s) gave %d exchanges, the predicate %d", e, len(got), len(want))
		}
	}
	for _, text := range filterTexts {
		e, err := filter.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, e)
	}
	rapid.Check(t, func(t *rapid.T) {
		e, err := filter.New(tree(2).Draw(t, "filter"))
		if err != nil {
			t.Fatal(err)
		}
		compare(t, e)
	})
}

var filterTexts = []string{"", "orders", "method:GET", "-method:GET", "status:4xx", "status>=500 OR is:error", "status!=200", "host:shop", "path:/v1",
	"path:ORDERS", "path:%", "path:_", `path:\`, "path:/o.d/", "identity:priya", "-identity:priya", "identity!=priya", `identity:""`, "type:json",
	"is:refused", "is:would -is:repaired", "is:finding", "is:unauthenticated", "check:authz", "check!=authz-object", "finding!=tls-version", "tls:yes",
	"tls:no", "tls:unknown", "tls:1.3", "tls!=1.3", "size>10", "size!=0", "larger-than:5", "time<1s", "time!=0ms", "source:guard", "side!=client",
	"step:tls", "step!=tls", "rule:parley", "rule!=x", "header.content-type:json", "req.body:user", "resp.body:/o[rd]+/", "(method:GET OR status:5xx) -orders",
	"operation:orders", "operation=\"get /v1/orders\"", "id:01", "proto:h2"}

func tree(depth int) *rapid.Generator[filter.Node] {
	return rapid.Custom(func(t *rapid.T) filter.Node {
		kind := 0
		if depth > 0 {
			kind = rapid.IntRange(0, 4).Draw(t, "kind")
		}
		switch kind {
		case 2:
			return filter.Not{Node: tree(depth-1).Draw(t, "not")}
		case 3:
			return filter.And{tree(depth-1).Draw(t, "a"), tree(depth-1).Draw(t, "b")}
		case 4:
			return filter.Or{tree(depth-1).Draw(t, "a"), tree(depth-1).Draw(t, "b")}
		}
		e, err := filter.Parse(rapid.SampledFrom(filterTexts[1:]).Draw(t, "term"))
		if err != nil {
			t.Fatal(err)
		}
		return e.Root
	})
}

// cursors pages while others record, from the newest down and from a place up.
func cursors(t *testing.T, s Store) {
	for i := range 200 {
		s.Record(Simple(i))
	}
	flush(t, s)
	first, err := s.List(ctx, store.Query{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 500 {
				s.Record(Simple(1000 + g*1000 + i))
			}
		})
	}
	seen := map[exchange.ID]bool{}
	n := 0
	for q := (store.Query{Limit: 7, Before: first.Prev + 1}); ; {
		page, err := s.List(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Rows {
			if seen[r.ID] {
				t.Fatalf("%s came twice", r.ID)
			}
			seen[r.ID] = true
			n++
		}
		if q.Before = page.Next; q.Before == 0 {
			break
		}
	}
	if n != 200 {
		t.Errorf("paging down while others recorded gave %d exchanges, want 200", n)
	}
	tick := s.Watch(ctx)
	wg.Wait()
	flush(t, s)
	<-tick
	up := first.Prev
	for {
		page, err := s.List(ctx, store.Query{After: up, Limit: 33})
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range page.Rows {
			if seen[r.ID] {
				t.Fatalf("%s came twice", r.ID)
			}
			if r.Cursor <= up || i > 0 && r.Cursor >= page.Rows[i-1].Cursor {
				t.Fatalf("cursor %d after %d", r.Cursor, up)
			}
			seen[r.ID] = true
		}
		if len(page.Rows) == 0 {
			break
		}
		up = page.Prev
	}
	if len(seen) != 2200 {
		t.Errorf("following gave %d exchanges in all, want 2200", len(seen))
	}
	both, err := s.List(ctx, store.Query{After: 10, Before: 15})
	if err != nil || len(both.Rows) != 4 || both.Rows[0].Cursor != 14 {
		t.Errorf("List(after 10, before 15) = %d rows, %v, want 14 to 11", len(both.Rows), err)
	}
}

func links(t *testing.T, s Store) {
	a, b, c := Simple(1), Simple(2), Simple(3)
	b.Links = []exchange.Link{{Kind: exchange.Forwarded, ID: a.ID}}
	c.Links = []exchange.Link{{Kind: exchange.Replay, ID: a.ID}, {Kind: exchange.Retry, ID: b.ID}}
	for _, x := range []*exchange.Exchange{a, b, c} {
		s.Record(Clone(x))
	}
	flush(t, s)
	for _, w := range []struct {
		id   exchange.ID
		want []store.Linked
	}{
		{a.ID, []store.Linked{{Kind: exchange.Forwarded, ID: b.ID, From: true}, {Kind: exchange.Replay, ID: c.ID, From: true}}},
		{b.ID, []store.Linked{{Kind: exchange.Forwarded, ID: a.ID}, {Kind: exchange.Retry, ID: c.ID, From: true}}},
		{c.ID, []store.Linked{{Kind: exchange.Replay, ID: a.ID}, {Kind: exchange.Retry, ID: b.ID}}},
	} {
		got, err := s.Linked(ctx, w.id)
		if err != nil || !reflect.DeepEqual(got, w.want) {
			t.Errorf("Linked(%s) = %v, %v, want %v", w.id, got, err, w.want)
		}
	}
}

// ids looks for exchanges whose IDs come in any order and form, and for links
// to near and far ones.
func ids(t *testing.T, s Store) {
	var xs []*exchange.Exchange
	add := func(id exchange.ID) {
		x := Simple(len(xs))
		x.ID = id
		xs = append(xs, x)
	}
	for i := range 3000 { // from the newest to the oldest, with others between
		add(exchange.NewID(time.Date(2026, 1, 1, 0, 0, 3000-i, 0, time.UTC)))
		switch i {
		case 0, 1022, 1023, 1024, 2999:
			add(exchange.ID(fmt.Sprintf("odd %d", i)))
			add(exchange.ID(strings.ToLower(string(exchange.NewID(time.Now())))))
			add("00000000000000000000000000")
			add("7ZZZZZZZZZZZZZZZZZZZZZZZZZ")
			add("")
		}
	}
	last := map[exchange.ID]int{}
	named := map[exchange.ID][]store.Linked{}
	for i, x := range xs {
		if far := []int{1, 2, 15, 16, 17, 500}[i%6]; i >= far {
			to := xs[i-far]
			x.Links = []exchange.Link{{Kind: exchange.Forwarded, ID: to.ID}}
			named[to.ID] = append(named[to.ID], store.Linked{Kind: exchange.Forwarded, ID: x.ID, From: true})
		}
		last[x.ID] = i
		s.Record(Clone(x))
	}
	flush(t, s)
	for id, i := range last {
		x, err := s.Get(ctx, id)
		if err != nil || x.Request.Target != xs[i].Request.Target {
			t.Fatalf("Get(%q) = %v, %v, want %s", id, x, err, xs[i].Request.Target)
		}
		if i%7 != 0 {
			continue
		}
		got, err := s.Linked(ctx, id)
		var want []store.Linked
		for _, l := range xs[i].Links {
			want = append(want, store.Linked{Kind: l.Kind, ID: l.ID})
		}
		if want = append(want, named[id]...); err != nil || !slices.Equal(got, want) {
			t.Fatalf("Linked(%q) = %v, %v, want %v", id, got, err, want)
		}
	}
}

func actions(t *testing.T, s Store) {
	act := func(i int, as ...exchange.Action) *exchange.Exchange {
		x := Simple(i)
		x.Server.Operation, x.Actions = "GET /v1/orders", as
		return x
	}
	refuse := exchange.Action{Kind: exchange.Refused, Check: "authz-object", Enforced: true, Rule: "parley.yaml:14", Status: 403}
	would := refuse
	would.Enforced = false
	repair := exchange.Action{Kind: exchange.Repaired, Check: "response-hsts"}
	s.Record(act(1, refuse, repair))
	s.Record(act(2, would, repair))
	flush(t, s)
	page, err := s.List(ctx, store.Query{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	since := page.Rows[0].Cursor
	last := act(3, would, repair)
	id := last.ID
	s.Record(last)
	flush(t, s)
	for _, w := range []struct {
		since store.Cursor
		want  []string
	}{
		{0, []string{"repair response-hsts 3", "refuse authz-object 2 parley.yaml:14", "refuse authz-object 1 parley.yaml:14 enforced"}},
		{since, []string{"refuse authz-object 1 parley.yaml:14", "repair response-hsts 1"}},
	} {
		cs, err := s.Actions(ctx, w.since)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range cs {
			line := fmt.Sprintf("%s %s %d", c.Kind, c.Check, c.N)
			if c.Rule != "" {
				line += " " + c.Rule
			}
			if c.Enforced {
				line += " enforced"
			} else if c.Last != id {
				t.Errorf("Actions(%d): %s last happened to %s, want %s", w.since, c.Check, c.Last, id)
			}
			if c.Operation != "GET /v1/orders" {
				t.Errorf("Actions(%d): operation %q", w.since, c.Operation)
			}
			got = append(got, line)
		}
		if !slices.Equal(got, w.want) {
			t.Errorf("Actions(%d) = %q, want %q", w.since, got, w.want)
		}
	}
}

func watch(t *testing.T, s Store) {
	c, cancel := context.WithCancel(ctx)
	tick := s.Watch(c)
	s.Record(Simple(1))
	<-tick
	page, err := s.List(ctx, store.Query{})
	if err != nil || len(page.Rows) != 1 {
		t.Fatalf("after the tick the list has %d rows, %v, want 1", len(page.Rows), err)
	}
	for i := range 50 {
		s.Record(Simple(2 + i))
		flush(t, s)
	}
	<-tick
	select {
	case <-tick:
		t.Error("ticks that nobody took were not made one")
	default:
	}
	cancel()
	for range tick { // closed, or this never ends
	}
}

func absent(t *testing.T, s Store) {
	if _, err := s.Get(ctx, exchange.NewID(time.Now())); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get of what is not there: %v, want ErrNotFound", err)
	}
	if ls, err := s.Linked(ctx, "nothing"); err != nil || len(ls) != 0 {
		t.Errorf("Linked of what is not there: %v, %v", ls, err)
	}
	page, err := s.List(ctx, store.Query{})
	if err != nil || len(page.Rows) != 0 || page.Next != 0 {
		t.Errorf("List of an empty store: %+v, %v", page, err)
	}
	if cs, err := s.Actions(ctx, 0); err != nil || len(cs) != 0 {
		t.Errorf("Actions of an empty store: %v, %v", cs, err)
	}
}
