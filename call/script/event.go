// Package script runs the programs of a collection: JavaScript that knows pm.
//
// A program is compiled once and run any number of times, also at the same
// time. All that it sees and may change is in the Event that it is given: it
// opens no socket and no file of its own.
package script

import (
	"context"
	"time"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// A Program is a script that was compiled. It is safe for concurrent use; a
// pool of its own keeps runtimes.
type Program interface {
	// Run runs it on an event, which it changes. An error is what the program
	// threw and did not catch, with its line, or that ctx came to its end. What
	// it did before stays done. Nothing of the program runs after Run returns:
	// callbacks and timers have been waited for.
	Run(ctx context.Context, e *Event) error
}

// An Event is one occasion for a script: before a request is sent, or after
// its response has come. It is used by one program at a time.
type Event struct {
	// When is "prerequest" or "test".
	When string
	// Item is the request's name, ID its id in the collection, Path the names of
	// the folders it is in.
	Item, ID string
	Path     []string
	// Iteration counts from 0; there are Iterations.
	Iteration, Iterations int

	// Scopes are the variables. Changes are seen by what comes after.
	Scopes *Scopes

	// Request is the request: before it is sent as it was written, with its
	// {{names}}, and what the program changes of it is sent; afterwards as it was
	// sent, and changes change nothing. It is never nil.
	Request *archive.Request
	// Sent is what crossed the wire; nil before.
	Sent *exchange.Request
	// Response is what came back; nil before, and when nothing came.
	Response *exchange.Response
	// Body is the response's content with its codings undone.
	Body []byte
	// Times are those of the call.
	Times exchange.Times
	// URL is where the request went to, or would go to with the variables as they
	// are; for the cookies of pm.cookies.
	URL string
	// Jar has the cookies of the run; nil when none are kept.
	Jar *identity.Jar

	// Send makes another request, whose text may name variables. Nil when
	// scripts may not.
	Send func(ctx context.Context, r *archive.Request) (*Answer, error)
	// Print takes what the program wrote to the console: level "log", "info",
	// "warn" or "error". Nil drops it.
	Print func(level, text string)
	// Now is the clock. Nil means time.Now.
	Now func() time.Time

	// Assertions are what the program tested, in order. It appends to them.
	Assertions []Assertion
	// Next is what the program wants next; nil if it said nothing.
	Next *Next
	// Skip is set by a program before the request that wants it not to be sent.
	Skip bool
	// Visual is what pm.visualizer was given; empty for nothing. It is kept, not
	// shown.
	Visual string
}

// An Answer is what a request of a script got.
type Answer struct {
	Response *exchange.Response
	Body     []byte // codings undone
	Times    exchange.Times
}

// An Assertion is one thing that a program tested.
type Assertion struct {
	Name    string
	Passed  bool
	Skipped bool
	// Message says why it failed.
	Message string
}

// Next says which request comes next: the one with a name or an id, or none,
// which ends the iteration.
type Next struct {
	Name string
	End  bool
}

// Scopes are the variables a program sees, the narrow ones first: a name is
// looked up in Local, Data, Environment, Collection and Globals, in this order.
// None is nil.
type Scopes struct {
	Local, Data, Environment, Collection, Globals *Variables
	// Given are those of the command line: they count before all others and
	// cannot be changed.
	Given *Variables
	// Secret is told of values that came out of the program's environment. Nil
	// tells nobody.
	Secret func(value string)
}

// Lookup finds a variable in the narrowest scope that has it.
func (s *Scopes) Lookup(name string) (value any, ok bool) {
	for _, v := range [...]*Variables{s.Given, s.Local, s.Data, s.Environment, s.Collection, s.Globals} {
		if v == nil {
			continue
		}
		if x, ok := v.Get(name); ok {
			return x, true
		}
	}
	return nil, false
}
