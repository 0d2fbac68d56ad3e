package main

import (
	"sync"

	"github.com/parley-project/parley/exchange"
)

// later is a recorder for whoever must be built before the store is opened: so
// that a configuration that is wrong leaves no file behind.
type later struct{ recorder exchange.Recorder }

func (l *later) Record(x *exchange.Exchange) {
	if l.recorder != nil {
		l.recorder.Record(x)
	}
}

// finder hands exchanges on, and remembers those whose request carries an
// X-Request-Id that somebody waits for.
type finder struct {
	next exchange.Recorder
	mu   sync.Mutex
	ids  map[string]exchange.ID
}

func newFinder(next exchange.Recorder) *finder {
	return &finder{next: next, ids: map[string]exchange.ID{}}
}

func (f *finder) Record(x *exchange.Exchange) {
	if x.Side == exchange.ClientSide {
		f.mu.Lock()
		if name := x.Request.Header.Get("X-Request-Id"); name != "" {
			if _, wanted := f.ids[name]; wanted {
				f.ids[name] = x.ID
			}
		}
		f.mu.Unlock()
	}
	f.next.Record(x)
}

// expect announces a request that will be looked for.
func (f *finder) expect(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids[name] = ""
}

// found returns the exchange of a request that was expected, once.
func (f *finder) found(name string) exchange.ID {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := f.ids[name]
	delete(f.ids, name)
	return id
}
