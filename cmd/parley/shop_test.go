package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/parley-project/parley/example/shop"
)

// shopBehind starts a shop with flaws, and guard in front of it with the policy
// that ships with it.
func shopBehind(t *testing.T, flaws ...string) (open, guarded string, keys shop.Keys, direct, through *http.Client) {
	t.Helper()
	s, err := shop.New(shop.Options{Flaws: flaws, LoginRate: 1000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if keys, err = s.Keys(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	k, err := writePolicy(s, filepath.Join(t.TempDir(), "shop"), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	st, client := standFor(t, k, "", &counter{})
	return server.URL, st.url(), keys, server.Client(), client
}

// Each flaw alone: the attack works on the open address, and on the guarded one
// it is refused, filtered or repaired.
func TestGuardStopsEachFlaw(t *testing.T) {
	attacks := map[string][]shop.Attack{}
	for _, a := range shop.Attacks() {
		attacks[a.Flaw] = append(attacks[a.Flaw], a)
	}
	for _, f := range shop.Flaws {
		t.Run(f.ID, func(t *testing.T) {
			if len(attacks[f.ID]) == 0 {
				t.Fatal("no attack shows it")
			}
			open, guarded, keys, direct, through := shopBehind(t, f.ID)
			for _, a := range attacks[f.ID] {
				o, err := shop.Run(context.Background(), direct, open, keys, a, nil)
				if err != nil {
					t.Fatal(err)
				}
				if !o.Worked {
					t.Errorf("%s: on the open address: %s, want it to work", o.Title, o.Summary)
				}
				g, err := shop.Run(context.Background(), through, guarded, keys, a, nil)
				if err != nil {
					t.Fatal(err)
				}
				if g.Worked || !g.Stopped {
					t.Errorf("%s: on the guarded address: %s, want it stopped", g.Title, g.Summary)
				}
				t.Logf("%-44s %-20s %s", o.Title, o.Summary, g.Summary)
			}
		})
	}
}
