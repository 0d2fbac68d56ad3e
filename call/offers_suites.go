package call

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/parley-project/parley/internal/wire"
)

// version finds out whether a server takes a version, and how it wants to be
// asked; nil if it does not.
func (p *prober) version(ctx context.Context, v wire.Version) *taken {
	if v == wire.SSL20 {
		return p.ssl20(ctx)
	}
	t := &taken{version: v}
	first := p.ask(ctx, p.hello(v, t.style, t.every(), nil), wire.TypeServerHello)
	if !first.took(v) && !first.final() {
		t.style = modestly()
		first = p.ask(ctx, p.hello(v, t.style, t.every(), nil), wire.TypeServerHello)
	}
	if !first.took(v) {
		return nil
	}
	if v < wire.TLS13 {
		p.shows("extended-master-secret", first.hello.ExtendedMasterSecret)
		p.shows("secure-renegotiation", first.hello.RenegotiationInfo)
	}
	t.first = first.hello.Suite
	return t
}

// ssl20 needs one question only: the answer lists all.
func (p *prober) ssl20(ctx context.Context) *taken {
	hello, err := wire.SSL20Hello(wire.SSL20, wire.Suites(wire.SSL20), [16]byte{})
	if err != nil {
		return nil
	}
	if a := p.ask(ctx, hello, wire.TypeServerHello); a.took(wire.SSL20) {
		return &taken{version: wire.SSL20, suites: a.suites}
	}
	return nil
}

func modestly() style {
	st := style{modest: true}
	for _, g := range []wire.Group{wire.X25519MLKEM768, wire.X25519, wire.SecP256r1} {
		if k, err := wire.NewKeyShare(g); err == nil {
			st.keys = append(st.keys, k)
		}
	}
	return st
}

// every is what is offered when anything will do.
func (t *taken) every() []wire.Suite {
	if t.style.modest {
		return commonSuites(t.version)
	}
	return wire.Suites(t.version)
}

// commonSuites are those that most servers have one of, few enough for all.
func commonSuites(v wire.Version) []wire.Suite {
	all := wire.Suites(v)
	common := slices.DeleteFunc(slices.Clone(all), func(s wire.Suite) bool {
		n := s.String()
		return !strings.HasPrefix(n, "TLS_ECDHE_RSA_") && !strings.HasPrefix(n, "TLS_ECDHE_ECDSA_") && !strings.HasPrefix(n, "TLS_RSA_WITH_") &&
			!strings.HasPrefix(n, "TLS_DHE_RSA_") || strings.Contains(n, "ARIA") || strings.Contains(n, "CAMELLIA") || strings.Contains(n, "CCM") ||
			strings.Contains(n, "SEED") || strings.Contains(n, "NULL") || strings.Contains(n, "OLD")
	})
	if len(common) == 0 {
		return all
	}
	return common
}

// suites lists all suites of a version, of which one is known. A server that
// has an order of its own is asked for one after the other, which shows the
// order; for others the questions can be asked side by side.
func (p *prober) suites(ctx context.Context, t *taken) {
	v, first, all, inOrder := t.version, t.first, wire.Suites(t.version), false
	if t.style.modest {
		t.suites = p.inPieces(ctx, t, all, (len(all)+39)/40)
	} else if a := p.ask(ctx, p.hello(v, t.style, turned(all, "_GCM_"), nil), wire.TypeServerHello); a.took(v) && a.hello.Suite != first {
		t.suites = p.inPieces(ctx, t, all, min(4, len(all)))
	} else {
		t.suites = append([]wire.Suite{first}, p.eliminate(ctx, t, except(all, first))...)
		inOrder = true
	}
	if t.serverOrder = p.ownOrder(ctx, t); t.serverOrder && !inOrder {
		if ordered := p.eliminate(ctx, t, t.suites); len(ordered) == len(t.suites) {
			t.suites = ordered
		}
	}
}

// eliminate offers suites, takes away what was chosen and offers the rest
// again, until nothing is chosen.
func (p *prober) eliminate(ctx context.Context, t *taken, offered []wire.Suite) (chosen []wire.Suite) {
	for len(offered) > 0 {
		a := p.ask(ctx, p.hello(t.version, t.style, offered, nil), wire.TypeServerHello)
		if !a.took(t.version) {
			return chosen
		}
		if !slices.Contains(offered, a.hello.Suite) {
			p.lacks("the server chose %s in %s, which was not offered", a.hello.Suite, t.version)
			return chosen
		}
		chosen = append(chosen, a.hello.Suite)
		offered = except(offered, a.hello.Suite)
	}
	return chosen
}

// inPieces eliminates in n parts of the list at once. The result is in the
// order of the list.
func (p *prober) inPieces(ctx context.Context, t *taken, all []wire.Suite, n int) []wire.Suite {
	var mu sync.Mutex
	is := map[wire.Suite]bool{}
	inParallel(n, func(i int) {
		var piece []wire.Suite
		for j := i; j < len(all); j += n {
			piece = append(piece, all[j])
		}
		for _, s := range p.eliminate(ctx, t, piece) {
			mu.Lock()
			is[s] = true
			mu.Unlock()
		}
	})
	return slices.DeleteFunc(slices.Clone(all), func(s wire.Suite) bool { return !is[s] })
}

// ownOrder asks whether the server chooses by its own order: whatever it liked
// least comes first in this hello. ChaCha20 is kept out of the first place,
// since servers with an order of their own let clients have that one.
func (p *prober) ownOrder(ctx context.Context, t *taken) bool {
	if len(t.suites) < 2 {
		return false
	}
	list := turned(t.suites, "")
	a := p.ask(ctx, p.hello(t.version, t.style, list, nil), wire.TypeServerHello)
	return a.took(t.version) && a.hello.Suite != list[0]
}

// turned is the list backwards, but for what decides too much: ChaCha20 comes
// last and, if a part of a name is given, suites with that part come first.
func turned(list []wire.Suite, first string) []wire.Suite {
	list = slices.Clone(list)
	slices.Reverse(list)
	place := func(s wire.Suite) int {
		switch n := s.String(); {
		case strings.Contains(n, "CHACHA20"):
			return 2
		case first != "" && strings.Contains(n, first):
			return 0
		}
		return 1
	}
	slices.SortStableFunc(list, func(a, b wire.Suite) int { return place(a) - place(b) })
	return list
}

func except[T comparable](list []T, v T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(x T) bool { return x == v })
}
