package identity

import (
	"context"

	"github.com/parley-project/parley/exchange"
)

// An Auth puts a credential into the requests of a client. It is safe for
// concurrent use.
type Auth interface {
	// Scheme names it as Credential does.
	Scheme() string
	// Apply puts the credential into a request that is about to be sent.
	Apply(ctx context.Context, r *exchange.Request) error
	// Answer looks at what came back and reports whether the request is worth
	// sending again: a challenge can be answered now, a token was renewed.
	Answer(ctx context.Context, r *exchange.Request, got *exchange.Response) (again bool, err error)
}
