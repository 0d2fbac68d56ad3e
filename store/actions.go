package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/parley-project/parley/exchange"
)

// ActionCount is how often guard did something, or would have, for one reason.
type ActionCount struct {
	Check     string              `json:"check"`
	Kind      exchange.ActionKind `json:"kind"`
	Rule      string              `json:"rule,omitempty"`
	Operation string              `json:"operation,omitempty"`
	Enforced  bool                `json:"enforced"`
	N         int64               `json:"n"`
	// Last is the latest exchange it happened to; empty when that was removed.
	Last   exchange.ID `json:"last,omitempty"`
	LastAt Cursor      `json:"last_at"`
}

// Actions returns counts by check, kind, rule, operation and whether it was
// enforced, the most frequent first. With since zero they cover everything
// ever recorded, also what was removed since, and come from one small table;
// else the exchanges after that cursor are counted.
func (s *Store) Actions(ctx context.Context, since Cursor) ([]ActionCount, error) {
	var cs []ActionCount
	var err error
	if since <= 0 {
		cs, err = s.actionsEver(ctx)
	} else {
		cs, err = s.actionsSince(ctx, since)
	}
	if err != nil {
		return nil, fmt.Errorf("store: actions: %w", err)
	}
	slices.SortFunc(cs, func(a, b ActionCount) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Check, b.Check), cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Kind, b.Kind), cmp.Compare(b.LastAt, a.LastAt))
	})
	return cs, nil
}

func (s *Store) actionsEver(ctx context.Context) ([]ActionCount, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT check_id, kind, rule, action_count.operation, enforced, n, last, id
		FROM action_count LEFT JOIN exchange ON seq = last`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var cs []ActionCount
	for rows.Next() {
		var c ActionCount
		var id []byte
		if err := rows.Scan(&c.Check, &c.Kind, &c.Rule, &c.Operation, &c.Enforced, &c.N, &c.LastAt, &id); err != nil {
			return nil, err
		}
		if id != nil {
			c.Last = exchangeID(id)
		}
		cs = append(cs, c)
	}
	return cs, rows.Err()
}

func (s *Store) actionsSince(ctx context.Context, since Cursor) ([]ActionCount, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT seq, detail FROM exchange CROSS JOIN shape USING (shape) WHERE seq > ? AND acted <> 0 ORDER BY seq", since)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	sums := map[actionKey]*ActionCount{}
	for rows.Next() {
		var seq, at int64
		if err := rows.Scan(&seq, &at); err != nil {
			return nil, err
		}
		x, err := s.load(ctx, at, false, false)
		if err != nil {
			return nil, err
		}
		for i := range x.Actions {
			a := &x.Actions[i]
			k := actionKey{a.Check, string(a.Kind), a.Rule, x.Server.Operation, a.Enforced}
			c := sums[k]
			if c == nil {
				c = &ActionCount{Check: a.Check, Kind: a.Kind, Rule: a.Rule, Operation: x.Server.Operation, Enforced: a.Enforced}
				sums[k] = c
			}
			c.N++
			c.Last, c.LastAt = x.ID, Cursor(seq)
		}
	}
	var cs []ActionCount
	for _, c := range sums {
		cs = append(cs, *c)
	}
	return cs, rows.Err()
}
