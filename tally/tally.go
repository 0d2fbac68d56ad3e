// Package tally is what must be counted or revoked everywhere at once: in
// memory here, in a shared engine beside it.
package tally

import (
	"hash/maphash"
	"sync"
	"time"
)

// A Memory counts in this process. The zero value is not usable; see New.
//
// Each key costs one timestamp: the generic cell rate algorithm keeps the
// moment at which the key's budget will be whole again, and nothing else. Keys
// whose moment has passed are forgotten, so memory is bounded by the keys seen
// within the longest period, and by max at any time.
type Memory struct {
	seed   maphash.Seed
	shards [64]shard
	max    int // keys a shard
}

type shard struct {
	mu    sync.Mutex
	whole map[string]time.Time
	sweep time.Time
}

// NewMemory returns a counter that remembers at most keys keys. Zero means
// one million.
func NewMemory(keys int) *Memory {
	if keys <= 0 {
		keys = 1_000_000
	}
	m := &Memory{seed: maphash.MakeSeed(), max: max(16, keys/64)}
	for i := range m.shards {
		m.shards[i].whole = map[string]time.Time{}
	}
	return m
}

// Take takes one of the count that key has in each period of length per. When
// there is none left it reports how long until there is. A key beyond the
// memory's bound is refused: a flood of keys must not lift the limit.
func (m *Memory) Take(key string, count int, per time.Duration, now time.Time) (ok bool, wait time.Duration) {
	if count <= 0 {
		return false, per
	}
	s := &m.shards[maphash.String(m.seed, key)%uint64(len(m.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()

	each := per / time.Duration(count)
	whole, known := s.whole[key]
	if !known || whole.Before(now) {
		whole = now
	}
	whole = whole.Add(each)
	if over := whole.Sub(now) - per; over > 0 {
		return false, over
	}
	if !known && len(s.whole) >= m.max {
		s.forget(now)
		if len(s.whole) >= m.max {
			return false, each
		}
	} else if now.After(s.sweep) {
		s.forget(now)
	}
	s.whole[key] = whole
	return true, 0
}

func (s *shard) forget(now time.Time) {
	for k, t := range s.whole {
		if t.Before(now) {
			delete(s.whole, k)
		}
	}
	s.sweep = now.Add(time.Minute)
}
