// Package gateway is guard as a server: listeners, upstreams, limits, reload.
//
// It listens with HTTP/1.1, 2 and 3 in front of any handler, and its Upstream
// is the handler at the end that forwards to the API. It knows nothing of
// rules. What could be understood in two ways is refused before the handler
// sees it, in every mode.
package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/parley-project/parley/internal/serve"
)

// Limits are what a client may take; see the fields for the defaults.
type Limits = serve.Limits

// Options say where to listen and what answers.
type Options struct {
	// Address is where HTTPS is spoken. Empty: nowhere.
	Address string
	// PlainAddress is where HTTP without TLS is spoken. Empty: nowhere.
	PlainAddress string
	// Move and MovePlain take the next free port when Address or PlainAddress
	// is taken.
	Move, MovePlain bool
	// HTTP3 serves HTTP/3 on the UDP port of the same number as Address.
	HTTP3 bool
	// Quiet does not announce HTTP/3 on the other versions.
	Quiet bool
	// Metrics is where whoever builds the gateway is to answer scrapes, without
	// TLS. Empty: nowhere. New does not listen there.
	Metrics string
	// Certificate is asked on every handshake. Required with Address.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// Handler answers. Required. SetHandler puts another in its place.
	Handler http.Handler
	// Limits are what a client may take. Zero fields mean the defaults.
	Limits Limits
	// AllowUnderscores lets field names with an underscore pass that resemble
	// no name that matters. They are refused otherwise: many servers cannot
	// tell them from dashes.
	AllowUnderscores bool
	// Drain is the time that running requests get to finish. Zero means 30 s.
	Drain time.Duration
	// Log takes what the servers have to say. Nil discards.
	Log *slog.Logger
	// Refused is told of requests that were ambiguous, and why. May be nil.
	Refused func(r *http.Request, status int, reason string)
}

// A Gateway listens. It is made by New.
type Gateway struct {
	server  *serve.Server
	handler atomic.Pointer[http.Handler]
	drain   time.Duration
}

// New takes the ports; nobody is answered until Serve is called. A port that is
// taken is an error for which errors.Is(err, syscall.EADDRINUSE) holds.
func New(o Options) (*Gateway, error) {
	if o.Handler == nil {
		return nil, errors.New("gateway: no handler")
	}
	g := &Gateway{drain: o.Drain}
	def(&g.drain, 30*time.Second)
	g.SetHandler(o.Handler)
	current := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*g.handler.Load()).ServeHTTP(w, r) })
	var err error
	g.server, err = serve.Listen(serve.Config{
		Address: o.Address, PlainAddress: o.PlainAddress, Move: o.Move, MovePlain: o.MovePlain, HTTP3: o.HTTP3, Quiet: o.Quiet,
		Certificate: o.Certificate, Limits: o.Limits, Log: o.Log,
		Handler: serve.Hygiene(current, serve.HygieneOptions{AllowUnderscores: o.AllowUnderscores, Refused: o.Refused}),
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

// SetHandler puts another handler in place of the present one. Requests that
// are under way finish with the one they began with.
func (g *Gateway) SetHandler(h http.Handler) { g.handler.Store(&h) }

// Serve answers until ctx ends, then drains: no new connections, running
// requests get Options.Drain to finish, and what still runs is cut off. It
// returns nil after a drain in which nothing was cut off.
func (g *Gateway) Serve(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- g.server.Serve() }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.Background(), g.drain)
	defer cancel()
	err := g.server.Shutdown(drain)
	if serr := <-served; serr != nil {
		return serr
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return ErrCut
	}
	return err
}

// ErrCut says that requests were cut off because they outlasted the drain.
var ErrCut = errors.New("gateway: requests that outlasted the drain were cut off")

// Addr is where HTTPS is spoken, or nil.
func (g *Gateway) Addr() net.Addr { return g.server.Addr() }

// PlainAddr is where HTTP without TLS is spoken, or nil.
func (g *Gateway) PlainAddr() net.Addr { return g.server.PlainAddr() }

// Moved says in words which ports were taken and what is used instead.
func (g *Gateway) Moved() []string { return g.server.Moved() }

// Close gives the ports back at once and cuts everything off.
func (g *Gateway) Close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	g.server.Shutdown(ctx)
	return nil
}
