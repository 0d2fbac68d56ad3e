package tally

import (
	"hash/maphash"
	"sync"
	"time"
)

// A Distinct counts how many different things each key was seen with of late:
// one caller with how many objects, one token with how many clients. It keeps
// hashes only. See NewDistinct.
type Distinct struct {
	seed   maphash.Seed
	per    time.Duration
	shards [16]distinctShard
	max    int // keys a shard
}

type distinctShard struct {
	mu   sync.Mutex
	seen map[uint64]*seen
}

type seen struct {
	began time.Time
	n     int
	with  [maxDistinct]uint64
}

// maxDistinct is how far Distinct counts.
const maxDistinct = 32

// NewDistinct returns a counter that looks back over windows of length per and
// remembers at most keys keys. Zero means 16,384.
func NewDistinct(keys int, per time.Duration) *Distinct {
	if keys <= 0 {
		keys = 16_384
	}
	d := &Distinct{seed: maphash.MakeSeed(), per: per, max: max(4, keys/16)}
	for i := range d.shards {
		d.shards[i].seen = map[uint64]*seen{}
	}
	return d
}

// Add notes that key was seen with thing. It returns with how many different
// things it was seen in this window, at most 32, and whether this one is new.
// Beyond the bound of keys somebody is forgotten: what is told by this count
// is told late, and nothing is refused by it.
func (d *Distinct) Add(key, thing string, now time.Time) (n int, fresh bool) {
	k, t := maphash.String(d.seed, key), maphash.String(d.seed, thing)
	s := &d.shards[k%uint64(len(d.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.seen[k]
	if e == nil {
		if len(s.seen) >= d.max {
			s.forget(now, d.per)
		}
		e = &seen{began: now}
		s.seen[k] = e
	}
	if age := now.Sub(e.began); age > d.per || age < 0 {
		e.began, e.n = now, 0
	}
	for _, w := range e.with[:e.n] {
		if w == t {
			return e.n, false
		}
	}
	if e.n == maxDistinct {
		return e.n, false
	}
	e.with[e.n] = t
	e.n++
	return e.n, true
}

// forget makes room: those whose window is over go, and one at least.
func (s *distinctShard) forget(now time.Time, per time.Duration) {
	full := len(s.seen)
	for k, e := range s.seen {
		if now.Sub(e.began) > per {
			delete(s.seen, k)
		}
	}
	if len(s.seen) < full {
		return
	}
	for k := range s.seen {
		delete(s.seen, k)
		return
	}
}
