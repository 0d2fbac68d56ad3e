package console

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/parley-project/parley/store"
)

const (
	livePeriod  = 100 * time.Millisecond // the least time between two batches
	liveBatch   = 500                    // rows of one batch; beyond, the page is told to read again
	alivePeriod = 15 * time.Second
	lookPeriod  = 2 * time.Second
)

// openStream begins an event stream for whoever has a session, if not too many
// are open. Otherwise, and for HEAD, it has answered.
func (c *Console) openStream(w http.ResponseWriter, r *http.Request) (s session, done func(), ok bool) {
	if s, ok = c.doors.find(r); !ok {
		problem(w, http.StatusUnauthorized, "no session")
		return s, nil, false
	}
	w.Header().Set("Content-Type", "text/event-stream")
	if r.Method == http.MethodHead {
		return s, nil, false
	}
	select {
	case c.streams <- struct{}{}:
	default:
		problem(w, http.StatusTooManyRequests, "too many pages of this console are open")
		return s, nil, false
	}
	w.Header().Set("X-Accel-Buffering", "no")
	return s, func() { <-c.streams }, true
}

// live is the event stream: rows that are newer than the cursor, in batches
// of at most ten a second. Without a listener nothing is asked of the store.
//
// Events: rows {rows, newer, again}, stats {…}, fault {…}, bye. "again" says
// that there were more new rows than a batch holds and the list is to be read
// anew.
func (c *Console) live(w http.ResponseWriter, r *http.Request) {
	q, ok := rowsQuery(w, r)
	if !ok {
		return
	}
	if q.Before != 0 {
		problem(w, http.StatusBadRequest, "the event stream goes forward only")
		return
	}
	s, done, ok := c.openStream(w, r)
	if !ok {
		return
	}
	defer done()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(c.closing, cancel)()

	l := &listener{eventStream{w, http.NewResponseController(w)}, c, q}
	l.q.Limit, l.q.Budget = liveBatch, time.Second

	ticks := c.source.Watch(ctx)
	alive, look := time.NewTicker(alivePeriod), time.NewTicker(lookPeriod)
	defer alive.Stop()
	defer look.Stop()
	err := l.batch(ctx) // what was recorded since the page read the list
	for err == nil {
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-s.end:
			err = context.Canceled
		case <-alive.C:
			err = l.write(": alive\n\n")
		case <-look.C:
			// Another process may be writing the store: nobody ticks then.
			var st store.Stats
			if st, err = c.source.Stats(ctx); err == nil && st.Last > l.q.After {
				err = l.batch(ctx)
			}
		case _, open := <-ticks:
			if !open {
				ticks, err = nil, ctx.Err()
				break
			}
			if err = l.batch(ctx); err != nil {
				break
			}
			select { // ticks in the meantime become one
			case <-time.After(livePeriod):
			case <-ctx.Done():
			}
		}
	}
	if r.Context().Err() != nil {
		return
	}
	if errors.Is(err, context.Canceled) {
		l.send("bye", struct{}{})
		return
	}
	l.send("fault", Problem{Status: 500, Title: "the live list stopped", Detail: err.Error()})
}

// A listener is one open event stream.
type listener struct {
	eventStream
	c *Console
	q store.Query
}

// batch sends what is new.
func (l *listener) batch(ctx context.Context) error {
	for {
		forward := l.q.After != 0
		p, err := l.c.source.List(ctx, l.q)
		if err != nil {
			return err
		}
		// From an empty store on there is no cursor to go forward from: the
		// page is then the newest rows, and others may lie before them.
		again := !forward && p.Next != 0
		l.q.After = max(l.q.After, p.Prev)
		if len(p.Rows) > 0 || again {
			err = l.send("rows", struct {
				Rows  []rowView `json:"rows"`
				Newer string    `json:"newer"`
				Again bool      `json:"again,omitempty"`
			}{viewRows(p.Rows), cursor(l.q.After), again})
			if err != nil {
				return err
			}
		}
		if forward && (p.Partial || len(p.Rows) == l.q.Limit) {
			select {
			case <-time.After(livePeriod):
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		st, err := l.c.source.Stats(ctx)
		if err != nil {
			return err
		}
		return l.send("stats", st)
	}
}
