package store

import "errors"

// TrimNow has the writer do what it does every few seconds.
func TrimNow(s *Store) {
	for range 20 {
		done := make(chan struct{})
		s.trimNow <- done
		<-done
	}
}

// FailWrites makes every transaction fail until mend is called.
func FailWrites(s *Store) (mend func()) {
	s.w.broken.Store(&errBroken)
	return func() { s.w.broken.Store(nil) }
}

var errBroken = errors.New("no space left on device")
