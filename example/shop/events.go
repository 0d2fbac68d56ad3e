package shop

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// events tells whoever listens how orders change.
type events struct {
	mu        sync.Mutex
	listeners map[chan Order]int64 // to the order's ID
	done      chan struct{}
}

func newEvents() *events {
	return &events{listeners: map[chan Order]int64{}, done: make(chan struct{})}
}

func (e *events) listen(orderID int64) chan Order {
	ch := make(chan Order, 8)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.listeners[ch] = orderID
	return ch
}

func (e *events) leave(ch chan Order) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.listeners, ch)
}

// publish never waits: a listener that is eight changes behind misses one.
func (e *events) publish(o Order) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for ch, id := range e.listeners {
		if id == o.ID {
			select {
			case ch <- o:
			default:
			}
		}
	}
}

func (e *events) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case <-e.done:
	default:
		close(e.done)
	}
}

// heartbeat keeps what stands between from taking the stream for dead.
const heartbeat = 15 * time.Second

// orderEvents streams the status of an order, now and at each change, until it
// is delivered or cancelled (server-sent events).
func (s *Shop) orderEvents(w http.ResponseWriter, r *request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	changes := s.events.listen(id) // before it is read, so that no change falls between
	defer s.events.leave(changes)
	row, err := s.theOrder(r, "")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	if r.Method == http.MethodHead {
		return nil
	}
	flush := http.NewResponseController(w)
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for o := row.Order; ; {
		data, err := json.Marshal(map[string]any{"order_id": o.ID, "status": o.Status})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "event: status\ndata: %s\n\n", data); err != nil || flush.Flush() != nil {
			return nil // the client has gone
		}
		if o.Status == "delivered" || o.Status == "cancelled" {
			return nil
		}
	wait:
		for {
			select {
			case o = <-changes:
				break wait
			case <-tick.C:
				if _, err := fmt.Fprint(w, ": still here\n\n"); err != nil || flush.Flush() != nil {
					return nil
				}
			case <-r.Context().Done():
				return nil
			case <-s.events.done:
				return nil
			}
		}
	}
}
