// Package call makes requests and writes down every step.
//
// A Client resolves the name, connects, shakes hands, sends and receives, each
// step timed and its facts kept, whether the call succeeds or not. Certificates
// are judged after the handshake and not by it, so that a broken chain can be
// explained; no credential crosses a channel that was not verified.
package call

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// Options say how a Client calls.
type Options struct {
	// HTTP is the version: "1.1", "2", "3", or "" for the newest that the
	// server agrees on over TCP. In clear it is always 1.1; 3 is never in clear.
	HTTP string
	// Resolver gives addresses; nil asks the system.
	Resolver Resolver
	// Resolve gives the addresses of "host:port" without asking anybody.
	Resolve map[string][]netip.Addr
	// Roots are trusted; nil means the system's. More adds to them.
	Roots *x509.CertPool
	More  []*x509.Certificate
	// Certificates are shown to servers that ask for one.
	Certificates []tls.Certificate
	// Pins are base64 SHA-256 of an SPKI, with or without sha256// before; when
	// there are any, the peer's certificate must match one.
	Pins []string
	// ServerName is verified and sent instead of the URL's host.
	ServerName string
	// Untrusted is what happens to a call over a channel that did not verify.
	Untrusted Untrusted
	// Clear lets credentials cross plain HTTP to names that are not local.
	Clear bool
	// Proxy is the URL of a proxy: http, https, socks5. Empty uses none.
	Proxy string
	// Timeout bounds a whole call. Zero means 30s.
	Timeout time.Duration
	// Redirects is how many are followed. Zero follows none.
	Redirects int
	// MaxBody is how much of a response's body is kept; the rest is counted and
	// let go. Zero means 8 MiB.
	MaxBody int64
	// MaxTransfer is how much of a body is read at all. Zero means 1 GiB.
	MaxTransfer int64
	// MaxHeader bounds a response's header section. Zero means 256 KiB.
	MaxHeader int
	// Jar keeps cookies; nil keeps none.
	Jar *identity.Jar
	// Fetch gets the certificate at a URL that another one names (AIA). Nil
	// fetches nothing.
	Fetch func(ctx context.Context, url string) ([]byte, error)
	// Recorder keeps exchanges. Nil keeps none.
	Recorder exchange.Recorder
	// Source is what exchanges say they are from. Empty means call.
	Source exchange.Source
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Untrusted says what happens to a call whose channel did not verify.
type Untrusted int

const (
	// Stop ends the call before the request.
	Stop Untrusted = iota
	// Withhold sends the request without its credentials.
	Withhold
	// SendAnyway sends all of it.
	SendAnyway
)

// A Resolver turns a name into addresses.
type Resolver interface {
	// Resolve returns what was learnt of a name; the failure is in the result.
	Resolve(ctx context.Context, name string) *exchange.DNS
}

// A Request is what to send.
type Request struct {
	Method string
	URL    string
	// Header is sent in this order and in this case. Host, Content-Length and
	// User-Agent are added when they are missing.
	Header exchange.Header
	Body   []byte
	// Auth proves who asks; nil proves nothing more than Header does.
	Auth identity.Auth
	// Links are put into the exchange.
	Links []exchange.Link
	// KeepMethod sends method and body again wherever a redirect leads. Without
	// it, 301 and 302 turn a POST into GET, and 303 all but HEAD.
	KeepMethod bool
	// Bare adds no User-Agent. Nothing else is ever added that the protocol does
	// not need: no Accept, no Accept-Encoding.
	Bare bool
}
