package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/example/ledger"
	"github.com/parley-project/parley/example/play"
	"github.com/parley-project/parley/example/shop"
	"github.com/parley-project/parley/exchange"
)

// What the examples do on purpose and is sound names the check that it could
// be mistaken for.
func TestTrapsNameChecks(t *testing.T) {
	for name, traps := range map[string][]play.Trap{"shop": shop.Traps, "ledger": ledger.Traps} {
		for _, trap := range traps {
			if check.ByID(trap.Check) == nil {
				t.Errorf("%s: %s is mistaken for %q, which is no check", name, trap.ID, trap.Check)
			}
		}
	}
	if n := len(shop.Traps) + len(ledger.Traps); n < 26 {
		t.Errorf("%d traps, want at least 26", n)
	}
}

// Nothing is found in what sound APIs answer to honest clients, traps included,
// before guard makes it better; in what an API answers that is not sound
// something is.
func TestNothingIsFoundInSoundAPIs(t *testing.T) {
	for name, a := range apis {
		for _, flaws := range [][]string{nil, {"all"}} {
			found := &findings{contract: a.contract(t)}
			_, guarded, keys, _, through := a.recorded(t, found, flaws...)
			if _, err := play.Play(context.Background(), through, guarded, keys, a.legitimate, nil); err != nil {
				t.Fatal(err)
			}
			found.mu.Lock()
			if len(flaws) == 0 && found.exchanges < len(a.legitimate)/2 {
				t.Errorf("%s: %d exchanges of %d were judged", name, found.exchanges, len(a.legitimate))
			}
			if len(flaws) > 0 && len(found.lines) == 0 {
				t.Errorf("%s: with all flaws nothing is found", name)
			}
			for _, line := range found.lines {
				if len(flaws) == 0 {
					t.Errorf("%s: %s", name, line)
				}
			}
			found.mu.Unlock()
		}
	}
}

// contract is the contract and the policy that ship with an API.
func (a api) contract(t *testing.T) *contract.Contract {
	t.Helper()
	s, err := a.open(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	dir := t.TempDir()
	if err := s.WriteConfiguration(dir, "http://127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	k, err := contract.Load(filepath.Join(dir, "parley.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// findings judges what the API answered.
type findings struct {
	contract *contract.Contract

	mu        sync.Mutex
	answered  *exchange.Exchange // by the API, to what is recorded next
	exchanges int
	lines     []string
}

func (f *findings) Record(x *exchange.Exchange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x.Side == exchange.UpstreamSide {
		f.answered = x
		return
	}
	seen := *x // guard changed nothing, or
	if up := f.answered; up != nil {
		seen = *up
		f.answered = nil
	}
	refused := slices.ContainsFunc(x.Actions, func(a exchange.Action) bool { return a.Kind == exchange.Refused })
	if seen.Response == nil || refused && seen.Side == exchange.ClientSide {
		return // it is guard's own answer
	}
	seen.Server, seen.TLS = x.Server, nil // in front of the API there is TLS
	f.exchanges++
	for _, one := range check.Inspect(&seen, f.contract, true, time.Now()) {
		f.lines = append(f.lines, fmt.Sprintf("%s %s: %s %v", x.Request.Method, x.Request.Target, one.Check, one.Evidence))
	}
}
