package call

import (
	"context"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// renewed is an Auth that can be had anew. One request gets the credential, and
// all that come meanwhile wait for it, each as long as its own time lasts.
type renewed struct {
	scheme, field string // field is where the credential will be
	get           func(context.Context) (a identity.Auth, until time.Time, err error)
	now           func() time.Time

	tries atomic.Int64  // how often it was asked for
	lock  chan struct{} // taken by whoever looks at what is below
	have  identity.Auth
	until time.Time
	taken bool  // the API answered to it with anything but 401
	err   error // why the last one was refused, for those who waited
}

func newRenewed(scheme, field string, get func(context.Context) (identity.Auth, time.Time, error), now func() time.Time) *renewed {
	return &renewed{scheme: scheme, field: field, get: get, now: now, lock: make(chan struct{}, 1)}
}

// early is how long before its end a credential is renewed.
const early = 10 * time.Second

func (r *renewed) Scheme() string { return r.scheme }

func (r *renewed) Apply(ctx context.Context, x *exchange.Request) error {
	a, err := r.current(ctx)
	if err != nil {
		return err
	}
	return a.Apply(ctx, x)
}

// current is the credential, got now if it has to be.
func (r *renewed) current(ctx context.Context) (identity.Auth, error) {
	tries := r.tries.Load()
	select {
	case r.lock <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-r.lock }()
	if r.have != nil && (r.until.IsZero() || !r.now().After(r.until.Add(-early))) {
		return r.have, nil
	}
	if tries != r.tries.Load() && r.err != nil {
		return nil, r.err // who waited does not try a wrong password once more
	}
	a, until, err := r.get(ctx)
	r.tries.Add(1)
	if r.err = err; ctx.Err() != nil {
		r.err = nil // only this one's time was over
	}
	if err != nil {
		return nil, err
	}
	r.have, r.until, r.taken = a, until, false
	return a, nil
}

// Ready gets the credential of an Auth now, where it must be got, and not with
// the first request: a person who has to log in takes longer than a call may.
func Ready(ctx context.Context, a identity.Auth) error {
	if r, ok := a.(*renewed); ok {
		_, err := r.current(ctx)
		return err
	}
	return nil
}

// Answer gives up a credential that is no longer taken, but not one that never
// was: that would be asked for without end.
func (r *renewed) Answer(ctx context.Context, sent *exchange.Request, got *exchange.Response) (bool, error) {
	r.lock <- struct{}{}
	defer func() { <-r.lock }()
	if r.have == nil {
		return got.Status == http.StatusUnauthorized, nil // somebody else gave it up
	}
	again := exchange.Request{Method: sent.Method, Target: sent.Target, Header: slices.Clone(sent.Header)}
	same := r.have.Apply(ctx, &again) == nil && again.Target == sent.Target && slices.Equal(again.Header, sent.Header)
	switch {
	case got.Status != http.StatusUnauthorized:
		r.taken = r.taken || same
		return false, nil
	case !same:
		return true, nil // there is a new one by now
	case !r.taken:
		return false, nil
	}
	r.have = nil
	return true, nil
}
