package serve

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Files is a certificate and its key in two files, read again when they
// change. Its method Certificate fits Config.Certificate.
type Files struct {
	cert, key string
	say       func(error)
	now       func() time.Time

	current atomic.Pointer[tls.Certificate]
	checked atomic.Int64 // when the files were last looked at, Unix seconds

	mu      sync.Mutex
	stamp   string // the files that current came from
	refused string // the files that were last found broken
}

// NewFiles reads the pair. Later on, a new pair that is broken leaves the old
// one in place and is told to say (which may be nil), once.
func NewFiles(cert, key string, say func(error)) (*Files, error) {
	f := &Files{cert: cert, key: key, say: say, now: time.Now}
	if err := f.Check(); err != nil {
		return nil, err
	}
	return f, nil
}

// Certificate returns the pair in use, after a look at the files when the last
// one is more than a second ago. Looking costs a handshake two calls of stat;
// a watcher would cost more code than that.
func (f *Files) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if now := f.now().Unix(); f.checked.Swap(now) != now {
		f.check(true)
	}
	return f.current.Load(), nil
}

// Check reads the files if they changed and returns what is wrong with them.
// The pair in use stays in that case.
func (f *Files) Check() error { return f.check(false) }

// check leaves a pair that cannot be used a second look before it speaks of
// it, when it is patient: the two files are rarely written at one instant.
func (f *Files) check(patient bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	stamp, err := f.stat()
	if err == nil && stamp == f.stamp {
		return nil
	}
	var pair tls.Certificate
	if err == nil {
		pair, err = tls.LoadX509KeyPair(f.cert, f.key)
		if err == nil && f.now().After(pair.Leaf.NotAfter) {
			err = fmt.Errorf("expired %s", pair.Leaf.NotAfter.Format(time.DateOnly))
		}
	}
	if err != nil {
		err = fmt.Errorf("serve: certificate %s: %w", f.cert, err)
		switch {
		case f.refused == stamp+"!": // said
		case patient && f.refused != stamp:
			f.refused = stamp
		default:
			f.refused = stamp + "!"
			if f.say != nil && f.current.Load() != nil {
				f.say(err)
			}
		}
		return err
	}
	f.stamp, f.refused = stamp, ""
	f.current.Store(&pair)
	return nil
}

// stat returns what tells two versions of the files apart.
func (f *Files) stat() (string, error) {
	c, err := os.Stat(f.cert)
	if err != nil {
		return "gone", err
	}
	k, err := os.Stat(f.key)
	if err != nil {
		return "gone", err
	}
	return fmt.Sprint(c.ModTime().UnixNano(), c.Size(), k.ModTime().UnixNano(), k.Size()), nil
}
