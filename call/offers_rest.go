package call

import (
	"context"
	"crypto/tls"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/wire"
)

// protocols are what servers of APIs may agree on over TCP.
var offeredProtocols = []string{"h2", "http/1.1", "http/1.0"}

// rest finds out what does not depend on the version: it is asked in the newest
// one whose hellos are not encrypted.
func (p *prober) rest(ctx context.Context, found []*taken, o *exchange.Offers) {
	var newest, legacy, second *taken
	for _, t := range found {
		switch {
		case newest == nil:
			newest = t
		case second == nil && t.version < wire.TLS13 && t.version > wire.SSL30:
			second = t // not the newest: a fallback
		}
		if legacy == nil && t.version < wire.TLS13 && t.version > wire.SSL30 {
			legacy = t
		}
	}
	agreed := make([]bool, len(offeredProtocols))
	var jobs []func()
	if newest != nil {
		for i, protocol := range offeredProtocols {
			jobs = append(jobs, func() { agreed[i] = p.agrees(ctx, legacy, protocol) })
		}
	}
	if legacy != nil {
		jobs = append(jobs, func() { p.groups12(ctx, legacy) }, func() { p.compresses(ctx, legacy) })
	}
	if second != nil {
		jobs = append(jobs, func() { p.stopsFallback(ctx, second) })
	}
	inParallel(len(jobs), func(i int) { jobs[i]() })
	for i, protocol := range offeredProtocols {
		if agreed[i] {
			o.ALPN = append(o.ALPN, protocol)
		}
	}
}

// agrees reports whether the server chooses a protocol that is offered alone.
// In TLS 1.3 the choice is encrypted, so that takes a whole handshake.
func (p *prober) agrees(ctx context.Context, t *taken, protocol string) bool {
	if t != nil {
		a := p.ask(ctx, p.hello(t.version, t.style, t.every(), func(h *wire.ClientHello) { h.ALPN = []string{protocol} }), wire.TypeServerHello)
		return a.took(t.version) && a.hello.ALPN == protocol
	}
	nc, done := p.connect(ctx)
	if nc == nil {
		return false
	}
	defer done()
	// Nothing is sent that the certificate would have to protect.
	c := tls.Client(nc, &tls.Config{InsecureSkipVerify: true, ServerName: p.name, NextProtos: []string{protocol}, MinVersion: tls.VersionTLS13})
	ctx, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	err := c.HandshakeContext(ctx)
	nc.SetDeadline(time.Unix(1, 0)) // no farewell
	return err == nil && c.ConnectionState().NegotiatedProtocol == protocol
}

// compresses asks for compression by DEFLATE or LZS (RFC 3749, 3943).
func (p *prober) compresses(ctx context.Context, t *taken) {
	a := p.ask(ctx, p.hello(t.version, t.style, t.every(), func(h *wire.ClientHello) { h.Compressions = []byte{1, 64, 0} }), wire.TypeServerHello)
	p.shows("compression", a.took(t.version) && a.hello.Compression != 0)
}

// stopsFallback pretends to try an older version after a failure (RFC 7507).
func (p *prober) stopsFallback(ctx context.Context, t *taken) {
	suites := append(t.every(), wire.FallbackSCSV)
	a := p.ask(ctx, p.hello(t.version, t.style, suites, nil), wire.TypeServerHello)
	p.shows("fallback-scsv", a.alert != nil && a.alert.Code == wire.InappropriateFallback)
}

// groups13 lists the groups of TLS 1.3. A hello without a key makes the server
// say which one it wants.
func (p *prober) groups13(ctx context.Context, t *taken) {
	groups := p.hellosGroups(t)
	for len(groups) > 0 {
		a := p.ask(ctx, p.hello(t.version, t.style, t.every(), func(h *wire.ClientHello) { h.Groups = groups }), wire.TypeServerHello)
		if !a.took(t.version) || !slices.Contains(groups, a.hello.Group) {
			return
		}
		t.groups = append(t.groups, a.hello.Group.String())
		groups = except(groups, a.hello.Group)
	}
}

func (p *prober) hellosGroups(t *taken) []wire.Group {
	if t.style.modest {
		return commonGroups
	}
	return slices.DeleteFunc(wire.Groups(), func(g wire.Group) bool {
		return t.version < wire.TLS13 && (g.FiniteField() || g.TLS13Only())
	})
}

// groups12 lists the groups before TLS 1.3 by what the server signs.
func (p *prober) groups12(ctx context.Context, t *taken) {
	var curves, fields []wire.Suite
	for _, s := range t.every() {
		switch n := s.String(); {
		case strings.HasPrefix(n, "TLS_ECDHE_"), strings.HasPrefix(n, "TLS_ECDH_anon_"):
			curves = append(curves, s)
		case strings.Contains(n, "DHE_"), strings.HasPrefix(n, "TLS_DH_anon_"):
			fields = append(fields, s)
		}
	}
	var field *answer
	inParallel(2, func(i int) {
		if i == 0 {
			t.groups = p.curves(ctx, t, curves)
		} else {
			field = p.ask(ctx, p.hello(t.version, t.style, fields, nil), wire.TypeServerKeyExchange)
		}
	})
	if field.took(t.version) && field.group != "" {
		t.groups = append(t.groups, field.group)
	}
}

func (p *prober) curves(ctx context.Context, t *taken, suites []wire.Suite) (names []string) {
	groups := p.hellosGroups(t)
	var chosen []wire.Group
	// With a certificate on a curve, servers want to see that curve among the
	// groups as well: those that are known stay in, at the end.
	byCurve, last := true, false
	for len(groups) > 0 {
		list := groups
		if last {
			list = append(slices.Clone(groups), chosen...)
		}
		a := p.ask(ctx, p.hello(t.version, t.style, suites, func(h *wire.ClientHello) { h.Groups = list }), wire.TypeServerKeyExchange)
		at := -1
		if a.took(t.version) {
			at = slices.IndexFunc(groups, func(g wire.Group) bool { return g.String() == a.group })
			byCurve = byCurve && strings.HasPrefix(a.hello.Suite.String(), "TLS_ECDHE_ECDSA_")
		}
		if at < 0 {
			if last || !byCurve || len(chosen) == 0 {
				break
			}
			last = true
			continue
		}
		chosen = append(chosen, groups[at])
		groups = except(groups, groups[at])
	}
	for _, g := range chosen {
		names = append(names, g.String())
	}
	return names
}
