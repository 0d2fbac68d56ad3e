package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/parley-project/parley/exchange"
)

// seqsOf finds the exchanges with an ID, by the parts of the order of recording
// that may hold it.
const seqsOf = `SELECT seq FROM id_range CROSS JOIN exchange ON seq BETWEEN part << 10 AND (part << 10) + 1023
	WHERE ?1 BETWEEN low AND high AND +id = ?1` // +: or SQLite would make an index for it

// Get returns an exchange, the latest if several were recorded with that ID,
// or ErrNotFound.
func (s *Store) Get(ctx context.Context, id exchange.ID) (*exchange.Exchange, error) {
	var at int64
	k := keyOf(id)
	err := s.read.QueryRowContext(ctx, "SELECT detail FROM exchange WHERE seq = (SELECT max(seq) FROM ("+seqsOf+"))", k.value()).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("store: %s: %w", id, err)
	}
	x, err := s.load(ctx, at, true, true)
	if err == nil && x.ID != id {
		err = corrupt("it says it is %q", x.ID)
	}
	if err != nil {
		return nil, fmt.Errorf("store: %s: %w", id, err)
	}
	return x, nil
}

// load reads an exchange where a row says it is. Without own it shares memory
// with cached chunks: for a look only.
func (s *Store) load(ctx context.Context, at int64, withBodies, own bool) (*exchange.Exchange, error) {
	d, err := s.cache.details(ctx, at>>24)
	if err != nil {
		return nil, err
	}
	dec := decoder{d: d, copy: own}
	x, where, err := dec.exchange(int(at & (1<<24 - 1)))
	if err != nil || !withBodies {
		return x, err
	}
	for _, l := range where {
		if err := s.fetch(ctx, l, own); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// fetch puts a body's pieces together.
func (s *Store) fetch(ctx context.Context, l located, own bool) error {
	var data []byte
	for _, p := range l.pieces {
		u, err := s.cache.raw(ctx, p.chunk)
		if err != nil {
			return err
		}
		if uint64(p.off)+uint64(p.len) > uint64(len(u.raw)) {
			return corrupt("chunk %d has no %d bytes at %d", p.chunk, p.len, p.off)
		}
		part := u.raw[p.off : p.off+p.len]
		if !own && len(l.pieces) == 1 {
			data = bytesOf(part)
			break
		}
		data = append(data, part...)
	}
	l.body.Data = data
	return nil
}

// Linked is an exchange that another has to do with.
type Linked struct {
	Kind exchange.LinkKind `json:"kind"`
	ID   exchange.ID       `json:"id"`
	// From is true when that exchange names the asked one, false when the
	// asked one names it.
	From bool `json:"from,omitempty"`
}

// linked finds links in both places where they are kept: that of
// shape.forwarded is its exchange's last.
var linked = fmt.Sprintf(`
	WITH named(seq) AS MATERIALIZED (%[3]s), latest(seq) AS MATERIALIZED (SELECT max(seq) FROM named)
	SELECT 0, (SELECT text FROM word WHERE word.id = kind), dst, seq, n FROM latest JOIN link USING (seq)
	UNION ALL
	SELECT 1, (SELECT text FROM word WHERE word.id = kind), exchange.id, seq, n FROM link JOIN exchange USING (seq) WHERE dst = ?1
	UNION ALL
	SELECT 0, '%[1]s', other.id, x.seq, 1 << 32
		FROM latest CROSS JOIN exchange AS x ON x.seq = latest.seq JOIN shape USING (shape) JOIN exchange AS other ON other.seq = x.seq - forwarded
		WHERE forwarded <> 0
	UNION ALL
	SELECT 1, '%[1]s', other.id, other.seq, 1 << 32
		FROM named CROSS JOIN exchange AS other ON other.seq BETWEEN named.seq + 1 AND named.seq + %[2]d JOIN shape USING (shape)
		WHERE forwarded = other.seq - named.seq
	ORDER BY 1, 4, 5`, exchange.Forwarded, near, seqsOf)

// Linked returns the exchanges that id names and those that name it, in the
// order of recording.
func (s *Store) Linked(ctx context.Context, id exchange.ID) ([]Linked, error) {
	k := keyOf(id)
	rows, err := s.read.QueryContext(ctx, linked, k.value())
	if err != nil {
		return nil, fmt.Errorf("store: %s: links: %w", id, err)
	}
	defer rows.Close()
	var ls []Linked
	for rows.Next() {
		var l Linked
		var kind, other []byte
		var seq, n int64
		if err := rows.Scan(&l.From, &kind, &other, &seq, &n); err != nil {
			return nil, fmt.Errorf("store: %s: links: %w", id, err)
		}
		l.Kind, l.ID = exchange.LinkKind(kind), exchangeID(other)
		ls = append(ls, l)
	}
	return ls, rows.Err()
}
