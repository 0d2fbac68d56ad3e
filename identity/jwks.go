package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// How a key set that comes from a URL is kept. An unknown kid asks for the
// set again, but not more than once in retryAfter, so that a flood of made-up
// kids costs the issuer nothing. While the issuer does not answer, the old
// set stands for staleFor; after that nothing can be decided.
const (
	refreshEvery = 5 * time.Minute
	retryAfter   = 10 * time.Second
	staleFor     = 24 * time.Hour
)

// keySource holds the current key set and where it comes from.
type keySource struct {
	jwt     *JWT
	allowed []*algorithm
	file    watched
	fetch   func(ctx context.Context) ([]byte, error) // nil for a file
	timeout time.Duration
	warn    func(error) // puts the package's name before it

	set atomic.Pointer[keySet]

	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	fetched time.Time // of the set
	tried   time.Time
	failed  error // of the last try
	flight  chan struct{}
}

// use makes keys the current set. Keys that were there before stay the same
// value; those that are no longer there take their verdicts with them.
func (s *keySource) use(data []byte, now time.Time) error {
	set, err := parseKeys(data)
	if err != nil {
		return err
	}
	if s.fetch != nil {
		set.keys, set.unusable = published(set)
	}
	if err := s.check(set); err != nil {
		return err
	}
	old := s.set.Load()
	if old != nil {
		for _, o := range old.keys {
			kept := false
			for i, k := range set.keys {
				if k.print == o.print {
					set.keys[i], kept = o, true
				}
			}
			// Before the new set is visible, so that nothing proved with
			// the old key is remembered as good.
			o.gone.Store(!kept)
		}
	}
	s.set.Store(set)
	s.fetched = now
	return nil
}

// published leaves out keys that sign: whoever can fetch the set has them.
func published(set *keySet) (keys []*key, unusable []string) {
	unusable = set.unusable
	for _, k := range set.keys {
		if k.private {
			unusable = append(unusable, fmt.Sprintf("key %q is published with its private part", k.kid))
			continue
		}
		keys = append(keys, k)
	}
	return keys, unusable
}

// check wants at least one key that one of the algorithms can use.
func (s *keySource) check(set *keySet) error {
	var names []string
	for _, a := range s.allowed {
		names = append(names, a.name)
		for _, k := range set.keys {
			if (k.alg == "" || k.alg == a.name) && a.fits(k.material) == "" {
				return nil
			}
		}
	}
	e := &fitError{wanted: strings.Join(names, ", "), unusable: strings.Join(set.unusable, "; ")}
	for _, a := range algorithms {
		for _, k := range set.keys {
			if (k.alg == "" || k.alg == a.name) && a.fits(k.material) == "" && !slices.Contains(e.offered, a.name) {
				e.offered = append(e.offered, a.name)
			}
		}
	}
	return e
}

// A fitError says that no key of a set is of use.
type fitError struct {
	wanted, unusable string
	offered          []string // what the keys could be used for
}

func (e *fitError) Error() string {
	if e.unusable == "" {
		return "no key fits " + e.wanted
	}
	return "no key fits " + e.wanted + " (" + e.unusable + ")"
}

// reread looks whether the file has changed. A file that became unreadable or
// wrong leaves the old keys in force. It is not called concurrently.
func (s *keySource) reread(now time.Time) error {
	data, changed, err := s.file.read()
	if err != nil || !changed {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.use(data, now); err != nil {
		return fmt.Errorf("%s: %w", s.file.path, err)
	}
	for _, k := range s.set.Load().keys {
		if k.private && s.file.others() {
			return fmt.Errorf("%s: %w", s.file.path, errReadable)
		}
	}
	return nil
}

var errReadable = errors.New("holds a private key that everybody on this machine can read")

// key returns the key that a token may be proved with. The error is a problem
// when the token is at fault, and something else when it cannot be decided.
func (s *keySource) key(ctx context.Context, t *jws, now time.Time) (*key, error) {
	set, err := s.current(ctx, now)
	if err != nil {
		return nil, err
	}
	k, err := set.choose(t)
	if err != wrongKey || s.fetch == nil || !t.hasKid {
		return k, err
	}
	// It may be a new key. The answer that counts is that of the last try.
	if err := s.refresh(ctx, now, true); err != nil {
		return nil, err
	}
	return s.set.Load().choose(t)
}

// current returns the set, fetched again if it is old.
func (s *keySource) current(ctx context.Context, now time.Time) (*keySet, error) {
	set := s.set.Load()
	if s.fetch == nil {
		return set, nil
	}
	s.mu.Lock()
	age := now.Sub(s.fetched)
	s.mu.Unlock()
	if set != nil && age < 2*refreshEvery {
		return set, nil // upkeep fetches it in the background
	}
	err := s.refresh(ctx, now, true)
	set = s.set.Load()
	if set == nil || err != nil && age > staleFor {
		return nil, err
	}
	return set, nil
}

// upkeep is called now and then while requests come in.
func (s *keySource) upkeep(now time.Time) {
	if s.fetch == nil {
		if err := s.reread(now); err != nil {
			s.warn(err)
		}
		return
	}
	s.mu.Lock()
	old := now.Sub(s.fetched) >= refreshEvery
	s.mu.Unlock()
	if old {
		_ = s.refresh(context.Background(), now, false) // warned of in there
	}
}

// refresh fetches the set unless that was tried a moment ago; all callers
// share one fetch. With wait it returns the outcome of the last try.
func (s *keySource) refresh(ctx context.Context, now time.Time, wait bool) error {
	s.mu.Lock()
	if s.flight == nil {
		since := now.Sub(s.tried)
		if since >= 0 && since < retryAfter || s.ctx.Err() != nil {
			defer s.mu.Unlock()
			return s.failed
		}
		s.flight, s.tried = make(chan struct{}), now
		s.work.Add(1)
		go s.fly(now, s.flight)
	}
	done := s.flight
	s.mu.Unlock()
	if !wait {
		return nil
	}
	select {
	case <-done:
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.failed
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", s.jwt.Keys, ctx.Err())
	}
}

func (s *keySource) fly(now time.Time, done chan struct{}) {
	defer s.work.Done()
	ctx, cancel := context.WithTimeout(s.ctx, s.timeout)
	defer cancel()
	data, err := s.fetch(ctx)
	s.mu.Lock()
	if err == nil {
		err = s.use(data, now)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", s.jwt.Keys, err)
	}
	s.failed, s.flight = err, nil
	s.mu.Unlock()
	close(done)
	if err != nil {
		s.warn(err)
	}
}

func (s *keySource) close() {
	s.cancel()
	s.work.Wait()
}
