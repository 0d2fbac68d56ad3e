package serve

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// ErrSlow is what reading a request body returns when the client sends it more
// slowly than it may.
var ErrSlow error = slow{}

type slow struct{}

func (slow) Error() string { return "serve: request body comes too slowly" }
func (slow) Timeout() bool { return true }

// limit refuses headers and targets that are too large and cuts off bodies
// that come too slowly.
func limit(next http.Handler, l Limits) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if l.URLBytes > 0 && len(r.RequestURI) > l.URLBytes {
			Problem(w, http.StatusRequestURITooLong)
			return
		}
		if l.Fields > 0 && fields(r.Header) > l.Fields {
			Problem(w, http.StatusRequestHeaderFieldsTooLarge)
			return
		}
		if l.BodyRate > 0 && r.Body != nil && r.Body != http.NoBody {
			b := &pacedBody{ReadCloser: r.Body, w: w, grace: l.BodyGrace, rate: l.BodyRate}
			r.Body = b
			defer b.stop()
		}
		next.ServeHTTP(w, r)
	})
}

func fields(h http.Header) int {
	n := 1 // Host, or :authority
	for _, vs := range h {
		n += len(vs)
	}
	return n
}

// A pacedBody watches over how fast a body comes. Only the time in which
// somebody waits for it counts: a slow upstream is no fault of the client's.
type pacedBody struct {
	io.ReadCloser
	w     http.ResponseWriter
	grace time.Duration
	rate  int

	mu     sync.Mutex
	timer  *time.Timer
	since  time.Time // when the present Read began; zero between two
	waited time.Duration
	n      int64
	slow   bool
	done   bool
}

func (b *pacedBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	if b.slow {
		b.mu.Unlock()
		return 0, ErrSlow
	}
	b.since = time.Now()
	if b.timer == nil && !b.done {
		b.timer = time.AfterFunc(b.grace, b.look)
	}
	b.mu.Unlock()

	n, err := b.ReadCloser.Read(p)

	b.mu.Lock()
	defer b.mu.Unlock()
	b.waited += time.Since(b.since)
	b.since = time.Time{}
	b.n += int64(n)
	if err != nil {
		b.done = true
		if b.timer != nil {
			b.timer.Stop()
		}
		if b.slow && !errors.Is(err, io.EOF) {
			return n, ErrSlow
		}
	}
	return n, err
}

// look judges the pace so far and comes again in a second.
func (b *pacedBody) look() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done {
		return
	}
	waited := b.waited
	if !b.since.IsZero() {
		waited += time.Since(b.since)
	}
	if over := waited - b.grace; over >= 0 && b.n < int64(over.Seconds()*float64(b.rate))+1 && !b.since.IsZero() {
		b.slow = true
		// This ends the Read that waits, in every version of HTTP.
		http.NewResponseController(b.w).SetReadDeadline(time.Unix(1, 0))
		return
	}
	b.timer.Reset(min(time.Second, b.grace))
}

func (b *pacedBody) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done = true
	if b.timer != nil {
		b.timer.Stop()
	}
}
