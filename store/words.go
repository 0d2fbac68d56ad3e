package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"sync"
)

// maxWords is how many words are held in memory before they are forgotten.
const maxWords = 1 << 16

// words gives texts that repeat a number, for the writer.
type words struct {
	c     *conn
	ids   map[string]int64
	next  int64
	added []string // not yet written; their ids end before next
}

func newWords(c *conn) (*words, error) {
	n, err := c.int("SELECT coalesce(max(id), 0) FROM word")
	return &words{c: c, ids: map[string]int64{}, next: n + 1}, err
}

// id returns a text's number. The empty text has 0.
func (w *words) id(text string) int64 {
	if text == "" {
		return 0
	}
	if id, ok := w.ids[text]; ok {
		return id
	}
	id, err := w.c.int("SELECT id FROM word WHERE text = ?", driver.NamedValue{Ordinal: 1, Value: []byte(text)})
	text = strings.Clone(text) // lets go of what it was a part of
	if err != nil || id == 0 {
		// After a failed look-up the text may get a second number, which readers
		// do not mind.
		id = w.next
		w.next++
		w.added = append(w.added, text)
	}
	w.ids[text] = id
	return id
}

// written says that the transaction with the added words is committed.
func (w *words) written() {
	w.added = w.added[:0]
	if len(w.ids) > maxWords {
		clear(w.ids)
	}
}

// wordCache gives readers the texts back.
type wordCache struct {
	db *sql.DB
	mu sync.RWMutex
	m  map[int64]string
}

func newWordCache(db *sql.DB) *wordCache { return &wordCache{db: db, m: map[int64]string{}} }

func (w *wordCache) text(ctx context.Context, id int64) (string, error) {
	if id == 0 {
		return "", nil
	}
	w.mu.RLock()
	s, ok := w.m[id]
	w.mu.RUnlock()
	if ok {
		return s, nil
	}
	err := w.db.QueryRowContext(ctx, "SELECT text FROM word WHERE id = ?", id).Scan(&s)
	if err == sql.ErrNoRows {
		return "", corrupt("no word %d", id)
	}
	if err != nil {
		return "", err
	}
	w.mu.Lock()
	if len(w.m) > maxWords {
		clear(w.m)
	}
	w.m[id] = s
	w.mu.Unlock()
	return s, nil
}

// matching returns the numbers of the words for which ok holds.
func (w *wordCache) matching(ctx context.Context, ok func(string) bool) ([]int64, error) {
	rows, err := w.db.QueryContext(ctx, "SELECT id, text FROM word")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []int64
	if ok("") {
		ids = append(ids, 0)
	}
	var id int64
	var text sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&id, &text); err != nil {
			return nil, err
		}
		if ok(string(text)) {
			ids = append(ids, id)
		}
	}
	return ids, rows.Err()
}
