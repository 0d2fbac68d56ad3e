// Package store is what was seen, remembered: SQLite in the program.
//
// Record hands an exchange to a queue; one goroutine masks its secrets and
// writes up to 2000 exchanges, or what came in 50 ms, in one transaction. When
// the queue is full Record waits: nothing is dropped. What Flush has confirmed
// survives the death of the process at any moment. The death of the machine
// may cost the last transactions, never the file, unless Options.Durable is
// set, which makes every transaction wait for the disk.
//
// A row holds what lists and filters need. The rest of an exchange, and the
// bodies, lie compressed in chunks together with those of its neighbours; a
// body that was seen not long ago is referred to instead of written again.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// ErrNotFound says that the store has no such exchange.
var ErrNotFound = errors.New("store: no such exchange")

// ErrClosed says that the store was closed.
var ErrClosed = errors.New("store: closed")

// ErrInUse says that another process records into the store.
var ErrInUse = errors.New("another parley records into this store")

// Options say how a store behaves. The zero value is usable.
type Options struct {
	// Durable makes every transaction wait until the disk has it (SQLite's
	// synchronous=FULL). Otherwise (NORMAL) a power cut may cost what was
	// recorded in the last moments, but never tears or damages the file.
	Durable bool
	// ReadOnly opens a store that another process may be writing. Record
	// then loses what it is given.
	ReadOnly bool
	// KeepSecrets stores credentials and passwords as they were seen instead
	// of as placeholders.
	KeepSecrets bool
	// MaxBytes is how large the stored data may grow before the oldest
	// exchanges are removed. Zero means no limit.
	MaxBytes int64
	// MaxAge is how long exchanges are kept. Zero means for ever.
	MaxAge time.Duration
	// Queue is how many exchanges may wait to be written. Zero means 8192.
	Queue int
	// QueueBytes is how much memory those may hold. Zero means 128 MiB.
	QueueBytes int64
	// DropOnError loses exchanges, counted in Stats.Lost, while the disk
	// cannot take them. Otherwise Record waits until it can.
	DropOnError bool
	// OnError is told when writing fails, at most once a second, and with nil
	// when it works again. Nil prints nothing.
	OnError func(error)
}

// Store keeps exchanges in a file. It is safe for concurrent use.
type Store struct {
	o     Options
	file  string
	lock  *os.File
	q     *queue
	w     *writer
	read  *sql.DB
	cache *chunks
	words *wordCache

	stopped  chan struct{}
	trimNow  chan chan struct{} // tests: trim without waiting
	recorded atomic.Int64
	lost     atomic.Int64
	failing  atomic.Pointer[error]
	first    atomic.Int64 // the oldest seq; past last when there is none
	last     atomic.Int64 // the newest committed seq

	watchMu  sync.Mutex
	watchers map[chan struct{}]struct{}
}

var _ exchange.Recorder = (*Store)(nil)

// Open opens the store in file and makes it if it is not there. Whoever opened
// it must close it.
func Open(file string, o Options) (*Store, error) {
	s, err := open(file, o)
	if err != nil {
		return nil, fmt.Errorf("store: %s: %w", file, err)
	}
	return s, nil
}

func open(file string, o Options) (_ *Store, err error) {
	if o.Queue <= 0 {
		o.Queue = 8192
	}
	if o.QueueBytes <= 0 {
		o.QueueBytes = 128 << 20
	}
	s := &Store{o: o, file: file, stopped: make(chan struct{}), trimNow: make(chan chan struct{}), watchers: map[chan struct{}]struct{}{}}
	defer func() {
		if err != nil {
			s.release()
		}
	}()
	if err := prepare(file, o.ReadOnly); err != nil {
		return nil, err
	}
	if !o.ReadOnly {
		if s.lock, err = lockFile(file); err != nil {
			return nil, err
		}
		if err := s.openWriter(); err != nil {
			return nil, err
		}
	}
	s.read, err = sql.Open("sqlite", dsn(file, "query_only(1)", "busy_timeout(5000)"))
	if err != nil {
		return nil, err
	}
	s.read.SetMaxOpenConns(4)
	s.cache = newChunks(s.read)
	s.words = newWordCache(s.read)
	if o.ReadOnly {
		c, err := openConn(file, "query_only(1)", "busy_timeout(5000)")
		if err != nil {
			return nil, err
		}
		_, err = check(c)
		if err := errors.Join(err, c.close()); err != nil {
			return nil, err
		}
		close(s.stopped)
	} else {
		s.q = newQueue(o.Queue, o.QueueBytes, wakeAt)
		go s.write()
	}
	if err := s.bounds(background); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Store) openWriter() error {
	c, err := openConn(s.file, "busy_timeout(5000)")
	if err != nil {
		return err
	}
	s.w = &writer{c: c}
	if _, err := check(c); err != nil { // before the first write to it
		return err
	}
	sync := "NORMAL"
	if s.o.Durable {
		sync = "FULL"
	}
	for _, p := range []string{"page_size = 8192", "journal_mode = WAL", "synchronous = " + sync, "wal_autocheckpoint = 2000",
		"cache_size = -16384", "temp_store = MEMORY"} {
		if err := c.exec("PRAGMA " + p); err != nil {
			return err
		}
	}
	if err := migrate(c); err != nil {
		return err
	}
	var key []byte
	if !s.o.KeepSecrets {
		if key, err = readKey(s.file + ".key"); err != nil {
			return err
		}
	}
	var mask func(*exchange.Exchange)
	if key != nil {
		mask = identity.NewMasker(key).Mask
	}
	s.w, err = newWriter(c, mask)
	return err
}

// release closes what a failed Open had opened.
func (s *Store) release() {
	if s.w != nil {
		s.w.c.close()
	}
	if s.read != nil {
		s.read.Close()
	}
	if s.lock != nil {
		s.lock.Close()
	}
}

// bounds reads the oldest and the newest seq.
func (s *Store) bounds(ctx context.Context) error {
	var first, last sql.NullInt64
	err := s.read.QueryRowContext(ctx, "SELECT (SELECT min(seq) FROM exchange), (SELECT max(seq) FROM exchange)").Scan(&first, &last)
	if err != nil {
		return err
	}
	if !first.Valid {
		first.Int64 = last.Int64 + 1
	}
	s.first.Store(first.Int64)
	s.last.Store(last.Int64)
	return nil
}

// Record keeps an exchange, which belongs to the store from now on. It waits
// when the queue is full.
func (s *Store) Record(x *exchange.Exchange) {
	if s.q == nil || !s.q.put(x) {
		s.lost.Add(1)
		return
	}
	s.recorded.Add(1)
}

// Flush waits until everything that was recorded before is written. When it
// cannot be written the error says why; it is then still kept for another
// attempt, unless Options.DropOnError is set.
func (s *Store) Flush(ctx context.Context) error {
	ack := make(chan error, 1)
	if s.q == nil || !s.q.ask(ack) {
		return ErrClosed
	}
	select {
	case err := <-ack:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close writes what is still queued and closes the file. If that cannot be
// written the error says so and it is lost.
func (s *Store) Close() error {
	var errs []error
	if s.q != nil {
		s.q.close()
		<-s.stopped
		errs = append(errs, s.failure())
	}
	errs = append(errs, s.read.Close())
	if s.w != nil {
		if s.failure() == nil {
			errs = append(errs, s.w.c.exec("PRAGMA wal_checkpoint(TRUNCATE)"))
		}
		errs = append(errs, s.w.c.close())
		s.w = nil
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
		s.lock = nil
	}
	s.watchMu.Lock()
	for c := range s.watchers {
		delete(s.watchers, c)
		close(c)
	}
	s.watchMu.Unlock()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("store: %s: %w", s.file, err)
	}
	return nil
}

func (s *Store) failure() error {
	if p := s.failing.Load(); p != nil {
		return *p
	}
	return nil
}

// Watch returns a channel that gets a tick after each transaction; ticks that
// nobody took yet are one. It is closed when ctx ends or the store closes.
func (s *Store) Watch(ctx context.Context) <-chan struct{} {
	c := make(chan struct{}, 1)
	s.watchMu.Lock()
	s.watchers[c] = struct{}{}
	s.watchMu.Unlock()
	context.AfterFunc(ctx, func() {
		s.watchMu.Lock()
		defer s.watchMu.Unlock()
		if _, ok := s.watchers[c]; ok {
			delete(s.watchers, c)
			close(c)
		}
	})
	return c
}

func (s *Store) tick() {
	s.watchMu.Lock()
	for c := range s.watchers {
		signal(c)
	}
	s.watchMu.Unlock()
}

// Stats says how a store is doing.
type Stats struct {
	Rows     int64 `json:"rows"`     // exchanges in the file
	Bytes    int64 `json:"bytes"`    // of the file that are in use
	Recorded int64 `json:"recorded"` // taken since Open
	Queued   int   `json:"queued"`   // of these, not yet written
	Lost     int64 `json:"lost"`     // given after Close, or dropped because of Options.DropOnError
	// Problem says why nothing can be written now; empty when it can.
	Problem string `json:"problem,omitempty"`
	First   Cursor `json:"first"` // the oldest exchange
	Last    Cursor `json:"last"`  // the newest
}

// Stats counts.
func (s *Store) Stats(ctx context.Context) (Stats, error) {
	st := Stats{Recorded: s.recorded.Load(), Lost: s.lost.Load()}
	if s.q != nil {
		st.Queued = s.q.len()
	}
	if err := s.failure(); err != nil {
		st.Problem = err.Error()
	}
	if s.o.ReadOnly {
		if err := s.bounds(ctx); err != nil {
			return st, err
		}
	}
	st.First, st.Last = Cursor(s.first.Load()), Cursor(s.last.Load())
	st.Rows = max(0, int64(st.Last-st.First)+1)
	err := s.read.QueryRowContext(ctx, usedBytes).Scan(&st.Bytes)
	return st, err
}

const usedBytes = "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
