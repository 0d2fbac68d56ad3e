package store

import (
	"sync"

	"github.com/parley-project/parley/exchange"
)

// queue stands between those who record and the writer. Producers append
// under a lock and the writer takes all there is at once, so that one exchange
// costs two short locked sections and hardly ever a wake-up.
type queue struct {
	mu    sync.Mutex
	room  sync.Cond
	items []*exchange.Exchange
	spare []*exchange.Exchange
	bytes int64
	acks  []chan error

	maxItems int
	maxBytes int64
	batch    int
	waiting  bool // somebody waits for room, so the writer must not linger
	closed   bool

	first chan struct{} // something is here
	now   chan struct{} // enough is here, or somebody waits
}

func newQueue(items int, bytes int64, batch int) *queue {
	q := &queue{maxItems: items, maxBytes: bytes, batch: batch, first: make(chan struct{}, 1), now: make(chan struct{}, 1)}
	q.room.L = &q.mu
	return q
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// weight is about what an exchange holds in memory beyond the small parts.
func weight(x *exchange.Exchange) int64 {
	n := int64(1024 + cap(x.Request.Body.Data))
	if x.Response != nil {
		n += int64(cap(x.Response.Body.Data))
	}
	return n
}

// put waits for room. It returns false when the queue was closed.
func (q *queue) put(x *exchange.Exchange) bool {
	w := weight(x)
	q.mu.Lock()
	for !q.closed && len(q.items) > 0 && (len(q.items) >= q.maxItems || q.bytes+w > q.maxBytes) {
		q.waiting = true
		signal(q.now)
		q.room.Wait()
	}
	if q.closed {
		q.mu.Unlock()
		return false
	}
	q.items = append(q.items, x)
	q.bytes += w
	n := len(q.items)
	q.mu.Unlock()
	switch n {
	case 1:
		signal(q.first)
	case q.batch:
		signal(q.now)
	}
	return true
}

// ask has ack told when everything put before is written.
func (q *queue) ask(ack chan error) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.acks = append(q.acks, ack)
	signal(q.first)
	signal(q.now)
	return true
}

// take returns what there is. The slice of items may be given back.
func (q *queue) take() (items []*exchange.Exchange, acks []chan error, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	items, acks = q.items, q.acks
	q.items, q.acks, q.bytes = q.spare, nil, 0
	q.spare = nil
	if q.waiting {
		q.waiting = false
		q.room.Broadcast()
	}
	return items, acks, q.closed
}

// giveBack returns a slice from take for use again.
func (q *queue) giveBack(items []*exchange.Exchange) {
	clear(items)
	q.mu.Lock()
	if q.spare == nil {
		q.spare = items[:0]
	}
	q.mu.Unlock()
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.room.Broadcast()
	q.mu.Unlock()
	signal(q.first)
	signal(q.now)
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// waitingAcks returns who waits for what is being written to be written.
func (q *queue) waitingAcks() []chan error {
	q.mu.Lock()
	defer q.mu.Unlock()
	acks := q.acks
	q.acks = nil
	return acks
}

func (q *queue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}
