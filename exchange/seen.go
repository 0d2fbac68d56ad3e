package exchange

import "context"

// Seen takes what a client learnt of a connection while it sent a request, for
// whoever asked it to. What it points to belongs to the client and is not
// changed by anybody.
type Seen struct {
	DNS *DNS
	TCP *TCP
	TLS *TLS
	// Times has DNS, Connect, TLS, Send, Wait and Receive.
	Times Times
	// Retries counts the connections that turned out to be closed.
	Retries int
	// Failure says why there is no response, or why it broke off.
	Failure string
}

type seenKey struct{}

// WithSeen returns a context that asks the client which sends the request to
// fill s in. s may be read when the client has returned.
func WithSeen(ctx context.Context, s *Seen) context.Context {
	return context.WithValue(ctx, seenKey{}, s)
}

// SeenFrom returns what WithSeen put into the context, or nil.
func SeenFrom(ctx context.Context) *Seen {
	s, _ := ctx.Value(seenKey{}).(*Seen)
	return s
}

// A Witness is a response writer that wants to know what Seen holds. It says so
// without the cost of a context.
type Witness interface{ Seen() *Seen }
