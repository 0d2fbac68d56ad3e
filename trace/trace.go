// Package trace follows one call from the name lookup to the client.
package trace

import (
	"context"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// Options say what is looked at beside the call itself.
type Options struct {
	// Client is how the call is made.
	Client call.Options
	// Compare are resolvers that are asked for the name beside the one in use.
	Compare []call.Resolver
	// Deep asks the server for everything that it takes in TLS.
	Deep bool
	// Contract is what the API promises; nil when that is not known.
	Contract *contract.Contract
	// Probes are further requests that show what the server decides by.
	Probes []Probe
}

// A Probe is a further request, whose answer says something of the server.
type Probe struct {
	Name    string // "no credential", "broken signature", "as rajan"
	Request *call.Request
	Want    []int // the statuses that are right
}

// A Result is what became of a call.
type Result struct {
	// Exchange has the call's facts and the findings.
	Exchange *exchange.Exchange
	// Probed are the exchanges of the probes, in their order.
	Probed []*exchange.Exchange
}

// Follow makes a call and judges every step. It fails only when there is
// nothing to tell; a call that broke off is a Result with a Failure.
func Follow(ctx context.Context, r *call.Request, o Options) (*Result, error) {
	return &Result{}, nil
}
