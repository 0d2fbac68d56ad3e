package call

import (
	"context"

	"github.com/parley-project/parley/exchange"
)

// A Client makes calls. It keeps connections and is safe for concurrent use.
type Client struct{ o Options }

// New returns a Client, or says which option cannot be meant.
func New(o Options) (*Client, error) { return &Client{o: o}, nil }

// Close lets go of all connections.
func (c *Client) Close() {}

// Do makes one call, following redirects, and returns the exchange of each
// request it sent, the last one last. There is always at least one; a call that
// broke off has Failure and FailedAt.
func (c *Client) Do(ctx context.Context, r *Request) []*exchange.Exchange { return nil }

// Offers asks a TLS server for everything that it takes: versions, suites,
// groups, protocols. It opens up to a few hundred connections.
func (c *Client) Offers(ctx context.Context, rawURL string) (*exchange.Offers, error) { return nil, nil }
