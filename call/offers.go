package call

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/wire"
)

// What is asked of a server at most. Each question is a connection.
const (
	offersParallel = 16
	offersMost     = 200
	offersPatience = 5 * time.Second // for one connection
)

// Offers asks a TLS server for everything that it takes: versions, suites,
// groups, protocols. It opens up to 200 connections, 16 at a time, and sends
// nothing but hellos; the Options' Timeout bounds the whole. It fails when no
// connection can be made at all. A server that answers none of the hellos, or
// not with TLS, has Offers without versions, and Incomplete says what it did.
func (c *Client) Offers(ctx context.Context, rawURL string) (*exchange.Offers, error) {
	to, err := placeOf(rawURL)
	if err != nil {
		return nil, fmt.Errorf("call: %w", err)
	}
	if to.scheme != "https" {
		return nil, errors.New("call: only https has TLS to ask for")
	}
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	dial, err := c.wayTo(ctx, &to)
	if err != nil {
		return nil, fmt.Errorf("call: %w", err)
	}
	p := &prober{dial: dial, name: c.o.ServerName, most: offersMost, patience: offersPatience, slots: make(chan struct{}, offersParallel)}
	if _, err := netip.ParseAddr(to.host); err != nil && p.name == "" {
		p.name = to.host
	}
	return p.offers(ctx)
}

// wayTo returns how connections to a place are made. Its name is looked up
// once, and the address that answered first is kept to: others may be other
// servers.
func (c *Client) wayTo(ctx context.Context, to *place) (func(context.Context) (net.Conn, error), error) {
	own := &Client{o: c.o, now: c.now, given: c.given, proxy: c.proxy, dialer: c.dialer}
	if c.proxy != nil {
		return func(ctx context.Context) (net.Conn, error) {
			nc, _, err := own.reach(ctx, &channel{}, to)
			return nc, err
		}, nil
	}
	_, as, err := c.lookup(ctx, to.host, to.port)
	if err != nil {
		return nil, err
	}
	own.given = map[string][]netip.Addr{strings.ToLower(to.address()): as}
	var first atomic.Value
	return func(ctx context.Context) (net.Conn, error) {
		if a, ok := first.Load().(string); ok {
			return c.dialer.DialContext(ctx, "tcp", a)
		}
		nc, _, err := own.reach(ctx, &channel{}, to)
		if err == nil {
			first.CompareAndSwap(nil, nc.RemoteAddr().String())
		}
		return nc, err
	}, nil
}

// A prober asks one server many questions.
type prober struct {
	dial     func(context.Context) (net.Conn, error)
	name     string // for server_name; empty sends none
	most     int
	patience time.Duration
	slots    chan struct{}

	mu          sync.Mutex
	connections int
	answered    bool   // in TLS, once
	incomplete  string // the first reason
	failed      error  // the first connection that could not be made
	silence     error  // what came instead of an answer, the first time
	features    map[string]bool
}

// offers asks for all versions at once, then for all that is to be known of
// those that are taken.
func (p *prober) offers(ctx context.Context) (*exchange.Offers, error) {
	began := time.Now()
	p.features = map[string]bool{}
	versions := []wire.Version{wire.TLS13, wire.TLS12, wire.TLS11, wire.TLS10, wire.SSL30, wire.SSL20}
	found := make([]*taken, len(versions))
	inParallel(len(versions), func(i int) { found[i] = p.version(ctx, versions[i]) })
	found = slices.DeleteFunc(found, func(t *taken) bool { return t == nil })

	o := &exchange.Offers{}
	jobs := []func(){func() { p.rest(ctx, found, o) }}
	for _, t := range found {
		if t.version == wire.SSL20 {
			continue // the answer lists all
		}
		jobs = append(jobs, func() { p.suites(ctx, t) })
		if t.version == wire.TLS13 {
			jobs = append(jobs, func() { p.groups13(ctx, t) })
		}
	}
	inParallel(len(jobs), func(i int) { jobs[i]() })
	for _, t := range found {
		o.Versions = append(o.Versions, t.offer())
	}
	for _, f := range []string{"extended-master-secret", "secure-renegotiation", "fallback-scsv", "compression"} {
		if p.features[f] {
			o.Features = append(o.Features, f)
		}
	}
	o.Connections, o.Time, o.Incomplete = p.connections, time.Since(began), p.incomplete
	switch {
	case len(found) > 0:
	case !p.answered && p.silence == nil && p.failed != nil:
		return nil, fmt.Errorf("call: %w", p.failed)
	case p.silence != nil:
		o.Incomplete = p.silence.Error()
	case o.Incomplete == "":
		o.Incomplete = "the server refused every hello"
	}
	return o, nil
}

// taken is what a server takes in one version.
type taken struct {
	version     wire.Version
	first       wire.Suite
	suites      []wire.Suite
	serverOrder bool
	groups      []string
	style       style
}

func (t *taken) offer() exchange.Offer {
	o := exchange.Offer{Version: t.version.String(), ServerOrder: t.serverOrder, Groups: t.groups, Suites: []string{}}
	for _, s := range t.suites {
		o.Suites = append(o.Suites, s.String())
	}
	return o
}

// lacks notes why something may be missing. The first reason stays.
func (p *prober) lacks(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.incomplete == "" {
		p.incomplete = fmt.Sprintf(format, args...)
	}
}

func (p *prober) shows(feature string, really bool) {
	if really {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.features[feature] = true
	}
}

// inParallel calls f with 0 to n-1 and waits for all.
func inParallel(n int, f func(int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}
