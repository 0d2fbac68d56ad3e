package console

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/filter"
	"github.com/parley-project/parley/store"
)

const (
	followPage = 250
	followTime = 400 * time.Millisecond // of one look
)

// A follower reads a store once through, a while at each look: first what is
// new, then what is older, the newest first, so that the first look has
// something to show at once. It is not safe for concurrent use.
type follower struct {
	filter *filter.Expr
	most   int // exchanges that are read

	begun  bool
	newest store.Cursor // all after it is still to be read
	oldest store.Cursor // all before it is still to be read; zero when nothing is
	read   int
	full   bool // there were more than most
}

// more reads on and hands over what it reads.
func (k *follower) more(ctx context.Context, from source, take func(*exchange.Exchange)) error {
	until := time.Now().Add(followTime)
	q := store.Query{Filter: k.filter, Limit: followPage, Budget: followTime}
	for k.begun {
		if q.After = k.newest; q.After == 0 { // it was empty: begin again
			k.begun = false
			break
		}
		p, err := from.List(ctx, q)
		if err != nil {
			return err
		}
		for i := range slices.Backward(p.Rows) { // the oldest first
			if err := k.one(ctx, from, p.Rows[i].ID, take); err != nil {
				return err
			}
			k.newest = p.Rows[i].Cursor // what comes after may fail
		}
		k.newest = max(k.newest, p.Prev)
		if !p.Partial && len(p.Rows) < q.Limit || time.Now().After(until) {
			break
		}
	}
	for q.After = 0; !k.begun || k.oldest != 0; {
		q.Before, q.Limit = k.oldest, max(1, min(followPage, k.most-k.read))
		p, err := from.List(ctx, q)
		if err != nil {
			return err
		}
		if !k.begun {
			k.begun, k.newest, k.oldest = true, p.Prev, p.Prev+1
		}
		for i := range p.Rows {
			if err := k.one(ctx, from, p.Rows[i].ID, take); err != nil {
				return err
			}
			k.oldest = p.Rows[i].Cursor
		}
		if k.oldest = p.Next; k.read >= k.most && k.oldest != 0 {
			k.oldest, k.full = 0, true
		}
		if time.Now().After(until) {
			break
		}
	}
	return nil
}

// reading reports whether older ones are still to be read.
func (k *follower) reading() bool { return !k.begun || k.oldest != 0 }

func (k *follower) one(ctx context.Context, from source, id exchange.ID, take func(*exchange.Exchange)) error {
	x, err := from.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil // deleted since
	}
	if err != nil {
		return err
	}
	k.read++
	take(x)
	return nil
}
