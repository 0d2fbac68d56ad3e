package store

import (
	"database/sql/driver"
	"time"
)

// trimEvery is how often the limits on size and age are looked at.
const trimEvery = 5 * time.Second

// write is the goroutine that masks, packs and writes until the queue closes.
func (s *Store) write() {
	defer close(s.stopped)
	linger := time.NewTimer(time.Hour)
	linger.Stop()
	trim := time.NewTicker(trimEvery)
	defer trim.Stop()
	for {
		select {
		case <-s.q.first:
		case <-trim.C:
			s.trim()
			continue
		case done := <-s.trimNow:
			s.trim()
			close(done)
			continue
		}
		if !s.gather(linger) {
			return
		}
		select {
		case <-trim.C:
			s.trim()
		default:
		}
	}
}

// gather takes exchanges as they come, while they are warm in the processor's
// memory, and commits when there are many, when the first has waited long
// enough, or when somebody waits for them. It returns false at the end of all.
func (s *Store) gather(linger *time.Timer) bool {
	linger.Reset(maxDelay)
	s.w.busy = false
	for more := true; ; {
		select {
		case <-s.q.now:
		case <-linger.C:
			more = false
		}
		items, acks, closed := s.q.take()
		s.w.busy = s.w.busy || len(items) >= busyBatch
		for _, x := range items {
			s.w.add(x)
			if s.w.full() {
				acks = s.commit(acks)
			}
		}
		if items != nil {
			s.q.giveBack(items)
		}
		if more && acks == nil && !closed {
			continue
		}
		for _, a := range s.commit(acks) {
			a <- nil
		}
		if closed && len(items) == 0 {
			return false
		}
		if closed {
			signal(s.q.first) // once more, for what was put meanwhile
		}
		return true
	}
}

// commit writes the batch, again and again if need be. It returns those who
// still wait to hear that all is written; a failure they are told at once.
func (s *Store) commit(acks []chan error) []chan error {
	var told time.Time
	for {
		n := len(s.w.rows)
		err := s.w.commit()
		if err == nil {
			if s.failing.Swap(nil) != nil && s.o.OnError != nil {
				s.o.OnError(nil)
			}
			if n > 0 {
				s.last.Store(s.w.seq - 1)
				s.tick()
			}
			return acks
		}
		s.failing.Store(&err)
		if s.o.OnError != nil && time.Since(told) >= retryAfter {
			s.o.OnError(err)
			told = time.Now()
		}
		for _, a := range append(acks, s.q.waitingAcks()...) {
			a <- err
		}
		acks = nil
		if s.o.DropOnError || s.q.isClosed() {
			s.lost.Add(int64(n))
			s.w.drop()
			return nil
		}
		select {
		case <-time.After(retryAfter):
		case <-s.q.now: // somebody flushes, or the store closes
			time.Sleep(time.Millisecond) // a full queue signals without end
		}
	}
}

// drop gives the batch up. Nothing that only it would have written may be
// referred to later.
func (w *writer) drop() {
	w.seq = w.base
	w.clearBatch()
	w.words.added = w.words.added[:0]
	clear(w.words.ids)
	w.shapes.drop()
	w.body.forget()
}

// trim removes the oldest exchanges when the store is too large or they are
// too old, in small transactions, and never the newest.
func (s *Store) trim() {
	if s.o.MaxBytes <= 0 && s.o.MaxAge <= 0 || s.failure() != nil {
		return
	}
	for range 16 {
		first, last := s.first.Load(), s.last.Load()
		if last-first < 1 {
			return
		}
		cut := min(first+max(250, (last-first)/32), last-1)
		over := false
		if s.o.MaxBytes > 0 {
			used, err := s.w.c.int(usedBytes)
			over = err == nil && used > s.o.MaxBytes
		}
		if !over && s.o.MaxAge > 0 {
			oldest := time.Now().Add(-s.o.MaxAge).UnixNano()
			young, err := s.w.c.int("SELECT coalesce(min(seq), ?) FROM (SELECT seq FROM exchange WHERE seq <= ? AND start >= ?)",
				driver.NamedValue{Ordinal: 1, Value: cut + 1}, driver.NamedValue{Ordinal: 2, Value: cut}, driver.NamedValue{Ordinal: 3, Value: oldest})
			cut = young - 1
			over = err == nil && cut >= first
		}
		if !over {
			return
		}
		if err := s.w.trim(cut); err != nil {
			if s.o.OnError != nil {
				s.o.OnError(err)
			}
			return
		}
		s.first.Store(cut + 1)
	}
}

// trim removes everything up to cut.
func (w *writer) trim(cut int64) (err error) {
	if err := w.c.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			w.c.exec("ROLLBACK")
		}
	}()
	arg := []driver.NamedValue{{Ordinal: 1, Value: cut}}
	for _, sql := range []string{
		"DELETE FROM exchange WHERE seq <= ?",
		"DELETE FROM id_range WHERE part < ? >> 10",
		"DELETE FROM link WHERE seq <= ?",
		"DELETE FROM chunk WHERE id IN (SELECT id FROM chunk_use WHERE until <= ?)",
		"DELETE FROM chunk_use WHERE until <= ?",
	} {
		if err := w.c.run(sql, arg); err != nil {
			return err
		}
	}
	if err := w.c.exec("COMMIT"); err != nil {
		return err
	}
	w.body.trimmed(cut + 1)
	return nil
}
