// Package diagnose is certificate chains and DNS answers explained. It does no
// I/O: what it must fetch is passed in.
package diagnose

import (
	"context"
	"crypto/x509"
	"time"

	"github.com/parley-project/parley/exchange"
)

// ChainOptions say how a chain is judged.
type ChainOptions struct {
	// Name is the host name or address that the certificate must be for; empty
	// is not judged.
	Name string
	Now  time.Time
	// Roots are trusted; nil means the system's.
	Roots *x509.CertPool
	// More are trusted beside Roots.
	More []*x509.Certificate
	// Fetch gets the certificate at a URL (AIA); nil fetches nothing.
	Fetch func(ctx context.Context, url string) ([]byte, error)
	// Pins are base64 SHA-256 of an SPKI, one of which the peer's must be.
	Pins []string
	// Purpose is what the leaf must be good for; zero means server
	// authentication.
	Purpose x509.ExtKeyUsage
}

// Chain explains a chain as it was sent, the peer's certificate first, in DER.
// It returns the certificates' facts and what was made of them; it never
// fails: what cannot be read is a problem of its own.
func Chain(ctx context.Context, sent [][]byte, o ChainOptions) ([]exchange.Certificate, *exchange.Trust) {
	return nil, nil
}
