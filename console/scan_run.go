package console

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/parley-project/parley/scan"
)

// scanning is the one scan that may run, and what those that ran here found.
type scanning struct {
	mu       sync.Mutex
	name     string // of the one that runs; empty when none does
	started  time.Time
	progress scan.Progress
	stopping bool
	cancel   context.CancelFunc
	results  map[string]*scan.Result
	faults   map[string]error
	changed  chan struct{} // closed and made anew at each change
	running  sync.WaitGroup
}

// runningView is how far a scan is.
type runningView struct {
	Name     string  `json:"name"`
	Time     float64 `json:"time"` // milliseconds so far
	Phase    string  `json:"phase"`
	Asking   string  `json:"asking,omitempty"`
	Requests int     `json:"requests"`
	Done     int     `json:"done"`
	Of       int     `json:"of"`
	Findings int     `json:"findings"`
	Stopping bool    `json:"stopping,omitempty"`
}

func (s *scanning) view() *runningView {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.name == "" {
		return nil
	}
	p := s.progress
	return &runningView{s.name, float64(time.Since(s.started).Microseconds()) / 1000, p.Phase, p.Asking, p.Requests, p.Done, p.Of, p.Findings, s.stopping}
}

func (s *scanning) last(name string) (*scan.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.results[name], s.faults[name]
}

// change does something to what is known and wakes who waits for it.
func (s *scanning) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// wait returns what is closed at the next change.
func (s *scanning) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

// begin takes the one place, unless it is taken.
func (s *scanning) begin(name string, cancel context.CancelFunc) bool {
	free := false
	s.change(func() {
		if free = s.name == ""; free {
			s.name, s.started, s.cancel, s.progress, s.stopping = name, time.Now(), cancel, scan.Progress{Phase: "starting"}, false
		}
	})
	return free
}

// startScan starts one. It goes on when the page is left, and ends with the
// console.
func (c *Console) startScan(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Scan string `json:"scan"`
	}
	if !readJSON(w, r, &q) {
		return
	}
	var s *Scan
	for i := range c.o.Scans {
		if c.o.Scans[i].Name == q.Scan && c.o.Scans[i].Run != nil {
			s = &c.o.Scans[i]
		}
	}
	if s == nil {
		problem(w, http.StatusNotFound, "there is no scan of that name to be started from here")
		return
	}
	k := &c.scanning
	ctx, cancel := context.WithCancel(c.closing)
	if !k.begin(s.Name, cancel) {
		cancel()
		problem(w, http.StatusConflict, "a scan is running: wait for it, or stop it first")
		return
	}
	k.running.Add(1)
	go func() {
		defer k.running.Done()
		defer cancel()
		res, err := s.Run(ctx, func(p scan.Progress) { k.change(func() { k.progress = p }) })
		if err == nil && res == nil {
			err = errors.New("the scan ended without a result")
		}
		k.change(func() {
			k.name = ""
			if k.results == nil {
				k.results, k.faults = map[string]*scan.Result{}, map[string]error{}
			}
			if k.faults[s.Name] = err; err == nil {
				k.results[s.Name] = whole(res)
			}
		})
	}()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	writeJSON(w, struct{}{})
}

// stopScan ends the one that runs: it takes away what it made, and keeps what it
// found until then.
func (c *Console) stopScan(w http.ResponseWriter, r *http.Request) {
	var q struct{}
	if !readJSON(w, r, &q) {
		return
	}
	k := &c.scanning
	k.change(func() {
		if k.name != "" {
			k.stopping = true
			k.cancel()
		}
	})
	writeJSON(w, struct{}{})
}

// WaitScans returns when no scan that was started here runs any more. After
// Close that is as soon as the last one has taken away what it made.
func (c *Console) WaitScans() { c.scanning.running.Wait() }

// scanLive is the event stream of the scan that runs, at most ten events a
// second: progress {…} while one runs, idle {} when none does, bye.
func (c *Console) scanLive(w http.ResponseWriter, r *http.Request) {
	s, done, ok := c.openStream(w, r)
	if !ok {
		return
	}
	defer done()
	l := &eventStream{w, http.NewResponseController(w)}
	alive := time.NewTicker(alivePeriod)
	defer alive.Stop()
	for {
		changed := c.scanning.wait() // before looking: what changes meanwhile wakes
		var err error
		if v := c.scanning.view(); v != nil {
			err = l.send("progress", v)
		} else {
			err = l.send("idle", struct{}{})
		}
		if err != nil {
			return
		}
	waiting:
		for {
			select {
			case <-changed:
				break waiting
			case <-alive.C:
				if l.write(": alive\n\n") != nil {
					return
				}
			case <-r.Context().Done():
				return
			case <-c.closing.Done():
				l.send("bye", struct{}{})
				return
			case <-s.end:
				l.send("bye", struct{}{})
				return
			}
		}
		select {
		case <-time.After(livePeriod):
		case <-r.Context().Done():
			return
		}
	}
}

// An eventStream writes server-sent events.
type eventStream struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func (l *eventStream) send(event string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return l.write("event: " + event + "\ndata: " + string(b) + "\n\n")
}

// write gives up on a reader that does not read: it must not hold on for ever.
func (l *eventStream) write(s string) error {
	l.rc.SetWriteDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(l.w, s); err != nil {
		return err
	}
	return l.rc.Flush()
}
