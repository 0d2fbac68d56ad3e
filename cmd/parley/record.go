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
	ids  map[string]*expected
}

// expected is an exchange that is looked for, and the one to compare it with.
type expected struct{ id, with exchange.ID }

func newFinder(next exchange.Recorder) *finder {
	return &finder{next: next, ids: map[string]*expected{}}
}

func (f *finder) Record(x *exchange.Exchange) {
	if x.Side == exchange.ClientSide {
		if name := x.Request.Header.Get("X-Request-Id"); name != "" {
			f.mu.Lock()
			if e := f.ids[name]; e != nil {
				e.id = x.ID
				if e.with != "" {
					x.Links = append(x.Links, exchange.Link{Kind: exchange.Compared, ID: e.with})
				}
			}
			f.mu.Unlock()
		}
	}
	f.next.Record(x)
}

// expect announces a request that will be looked for. If with is an exchange
// the one that is found is linked to it.
func (f *finder) expect(name string, with exchange.ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids[name] = &expected{with: with}
}

// found returns the exchange of a request that was expected, once.
func (f *finder) found(name string) exchange.ID {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.ids[name]
	delete(f.ids, name)
	if e == nil {
		return ""
	}
	return e.id
}
