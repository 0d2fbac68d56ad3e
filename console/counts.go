package console

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/store"
)

// counts are the actions after a place in the store, added up as they come:
// each exchange is looked at once, however often the page asks.
type counts struct {
	turn chan struct{} // held by whoever adds
	mu   sync.Mutex
	upTo store.Cursor
	sums map[countKey]store.ActionCount
}

type countKey struct {
	check, rule, operation string
	kind                   exchange.ActionKind
	enforced               bool
}

func newCounts(since store.Cursor) *counts {
	return &counts{turn: make(chan struct{}, 1), upTo: since, sums: map[countKey]store.ActionCount{}}
}

// actionCounts are the counts since the cursor of the options, or ever. When
// there is much to add it goes on after the request's time is over, and the next
// request finds it done.
func (c *Console) actionCounts(ctx context.Context) ([]store.ActionCount, error) {
	k := c.counts
	if k == nil {
		return c.source.Actions(ctx, 0)
	}
	select {
	case k.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	done := make(chan error, 1)
	go func() {
		defer func() { <-k.turn }()
		more, err := c.source.Actions(c.closing, k.upTo)
		if err == nil {
			k.add(more)
		}
		done <- err
	}()
	select {
	case err := <-done:
		return k.list(), err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (k *counts) add(more []store.ActionCount) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, a := range more {
		key := countKey{a.Check, a.Rule, a.Operation, a.Kind, a.Enforced}
		a.N += k.sums[key].N
		k.sums[key] = a
		k.upTo = max(k.upTo, a.LastAt)
	}
}

// list is in the order of store.Actions.
func (k *counts) list() []store.ActionCount {
	k.mu.Lock()
	defer k.mu.Unlock()
	as := make([]store.ActionCount, 0, len(k.sums))
	for _, a := range k.sums {
		as = append(as, a)
	}
	slices.SortFunc(as, func(a, b store.ActionCount) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Check, b.Check), cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Kind, b.Kind), cmp.Compare(b.LastAt, a.LastAt))
	})
	return as
}
