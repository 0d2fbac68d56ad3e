package shop

import (
	"sync"
	"time"
)

// A limiter lets each key through so many times in any stretch of time.
type limiter struct {
	count int
	per   time.Duration

	mu   sync.Mutex
	seen map[string][]time.Time
}

// maxKeys bounds the memory that strangers can make the limiter use.
const maxKeys = 10_000

func newLimiter(count int, per time.Duration) *limiter {
	return &limiter{count: count, per: per, seen: map[string][]time.Time{}}
}

// allow counts one more try, or says how long to wait for the next.
func (l *limiter) allow(key string, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.seen) >= maxKeys {
		for k, ts := range l.seen {
			if now.Sub(ts[len(ts)-1]) >= l.per {
				delete(l.seen, k)
			}
		}
		if len(l.seen) >= maxKeys {
			return l.per, false
		}
	}
	ts := l.seen[key]
	for len(ts) > 0 && now.Sub(ts[0]) >= l.per {
		ts = ts[1:]
	}
	if len(ts) >= l.count {
		l.seen[key] = ts
		return l.per - now.Sub(ts[0]), false
	}
	l.seen[key] = append(ts, now)
	return 0, true
}
