package identity

import (
	"encoding/hex"
	"sync"
	"time"

	"github.com/parley-project/parley/exchange"
)

// Verified tokens are remembered under the SHA-256 of the whole token, for
// nobody must be able to make another token with the same name. What is
// remembered are proofs only, never refusals: those cost the one who sends
// them, and remembering them would let anybody fill the memory.
//
// An entry dies when the token expires, when the key that proved it leaves
// the key set, when it is revoked, and after verdictTTL whatever happens.
const (
	verdictTTL    = 10 * time.Minute
	defaultCache  = 65536
	cacheShards   = 64
	evictionTries = 8
)

type entry struct {
	caller      *exchange.Caller
	key         *key
	id          string
	fingerprint string
	expires     time.Time
	from, dies  int64 // unix nanoseconds
}

func (e *entry) alive(now int64) bool {
	return now >= e.from && now < e.dies && !e.key.gone.Load()
}

type cache struct {
	perShard int
	shards   [cacheShards]shard
}

type shard struct {
	mu      sync.RWMutex
	entries map[[32]byte]*entry
	_       [32]byte // keeps neighbours off one cache line
}

func newCache(size int) *cache {
	if size <= 0 {
		size = defaultCache
	}
	return &cache{perShard: max(1, size/cacheShards)}
}

// get returns a living entry, or nil.
func (c *cache) get(sum *[32]byte, now int64) *entry {
	s := &c.shards[sum[0]%cacheShards]
	s.mu.RLock()
	e := s.entries[*sum]
	s.mu.RUnlock()
	if e == nil || e.alive(now) {
		return e
	}
	s.mu.Lock()
	if s.entries[*sum] == e && now >= e.from {
		delete(s.entries, *sum)
	}
	s.mu.Unlock()
	return nil
}

// put remembers an entry. A full shard gives up the first dead entry of a
// few, or the one of them that would die first.
func (c *cache) put(sum *[32]byte, e *entry, now int64) {
	s := &c.shards[sum[0]%cacheShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries == nil {
		s.entries = map[[32]byte]*entry{}
	}
	if len(s.entries) >= c.perShard {
		var victim [32]byte
		soonest, tries := int64(0), 0
		for k, o := range s.entries { // begins anywhere
			if dead := !o.alive(now); dead || tries == 0 || o.dies < soonest {
				victim, soonest = k, o.dies
				if dead {
					break
				}
			}
			if tries++; tries == evictionTries {
				break
			}
		}
		delete(s.entries, victim)
	}
	s.entries[*sum] = e
}

// len counts the entries.
func (c *cache) len() int {
	n := 0
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.RLock()
		n += len(s.entries)
		s.mu.RUnlock()
	}
	return n
}

// fingerprint names a credential without revealing it: 12 hex digits of its
// SHA-256.
func fingerprint(sum *[32]byte) string { return hex.EncodeToString(sum[:6]) }
