package main

import (
	"errors"
	"fmt"
	"strings"

	calls "github.com/parley-project/parley/call/run"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/scan"
	"github.com/parley-project/parley/store"
)

// A scanWitness takes a scan's exchanges, without the secrets that they carry,
// and gives them to the store when it is known which of them prove something.
type scanWitness struct {
	secrets *calls.Masker
	db      *store.Store
	held    []*exchange.Exchange
	bytes   int
}

// maxHeld is how much is held back. A scan that sees more gives the oldest to
// the store as they are: then the result alone knows what they prove.
const maxHeld = 128 << 20

func (o *scanOptions) openWitness() (*scanWitness, error) {
	db, err := openStore(o.store)
	if errors.Is(err, store.ErrInUse) {
		return nil, &hintError{fmt.Errorf("%s: %w", o.store, store.ErrInUse), "does another scan run? end it, or give this one its own store with --store FILE", exitIncomplete}
	}
	if err != nil {
		return nil, err
	}
	return &scanWitness{secrets: calls.NewMasker(false), db: db}, nil
}

// Record takes an exchange.
func (w *scanWitness) Record(x *exchange.Exchange) {
	w.learn(x)
	own, known := *x, w.secrets.Values(x)
	own.Response = known.Response
	// A credential may have been sent where no name tells that it is one.
	own.Request.Target, own.Request.Body = known.Request.Target, known.Request.Body
	w.held = append(w.held, &own)
	if w.bytes += heldSize(&own); w.bytes > maxHeld {
		for _, x := range w.held[:len(w.held)/2] {
			w.bytes -= heldSize(x)
			w.db.Record(x)
		}
		w.held = append([]*exchange.Exchange(nil), w.held[len(w.held)/2:]...)
	}
}

func heldSize(x *exchange.Exchange) int {
	n := 1024 + len(x.Request.Body.Data)
	if x.Response != nil {
		n += len(x.Response.Body.Data)
	}
	return n
}

// learn remembers what a request proved who asks with, for good when that was
// somebody who may.
func (w *scanWitness) learn(x *exchange.Exchange) {
	w.secrets.Learn(&exchange.Exchange{Request: x.Request})
	if x.Server.Caller == nil {
		return
	}
	if _, token, ok := strings.Cut(x.Request.Header.Get("Authorization"), " "); ok {
		w.secrets.Know(token)
	}
	for _, f := range x.Request.Header {
		if strings.EqualFold(f.Name, "X-API-Key") {
			w.secrets.Know(f.Value)
		}
	}
}

// masked is a copy of an exchange for a result.
func (w *scanWitness) masked(x *exchange.Exchange) *exchange.Exchange {
	w.learn(x)
	return w.secrets.Exchange(x)
}

// close writes down what was seen, and closes the store.
func (w *scanWitness) close(res *scan.Result) (err error) {
	defer closeStore(w.db, &err)
	w.hand(res)
	return nil
}

// hand gives the store what was seen, with what it proves.
func (w *scanWitness) hand(res *scan.Result) {
	proves := map[exchange.ID][]exchange.Finding{}
	if res != nil {
		for _, x := range res.Exchanges() {
			proves[x.ID] = x.Findings
		}
	}
	for _, x := range w.held {
		x.Findings = proves[x.ID]
		w.db.Record(x)
	}
	w.held = nil
}
