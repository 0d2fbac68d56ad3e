package shop

import (
	"context"
	"net/http"
	"testing"
	"time"
)

func playScript(t *testing.T, base string, keys Keys) []Result {
	t.Helper()
	rs, err := PlayLegitimate(context.Background(), http.DefaultClient, base, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

func TestLegitimateOnTheSoundShop(t *testing.T) {
	base, keys := open(t, Options{})
	first := playScript(t, base, keys)
	if len(first) < 60 {
		t.Errorf("the script has %d steps, want at least 60", len(first))
	}
	by := map[Proof]int{}
	for _, s := range Legitimate() {
		if keys.APIKey[s.As] != "" {
			by["key"]++
		} else if s.As != "" {
			by[s.By]++
		}
	}
	t.Logf("%d steps, %v", len(first), by)
	for _, r := range first {
		if r.Status != r.Want {
			t.Errorf("%s answered %d, want %d", r.Step, r.Status, r.Want)
		}
	}
	for _, d := range Differences(first, playScript(t, base, keys)) {
		t.Errorf("played again: %s", d)
	}
	other, otherKeys := open(t, Options{})
	for _, d := range Differences(first, playScript(t, other, otherKeys)) {
		t.Errorf("played on another shop: %s", d)
	}
}

// TestLegitimateWithEachFlaw: a flaw changes what attackers get. What honest
// clients succeed with they go on succeeding with.
func TestLegitimateWithEachFlaw(t *testing.T) {
	long := behind
	behind = 10 * time.Millisecond
	t.Cleanup(func() { behind = long })
	for _, f := range append([]Flaw{{ID: "all"}}, Flaws...) {
		t.Run(f.ID, func(t *testing.T) {
			t.Parallel() // the script waits for what takes a moment to show
			base, keys := open(t, Options{Flaws: []string{f.ID}})
			for _, r := range playScript(t, base, keys) {
				if r.Want < 400 && r.Status != r.Want {
					t.Errorf("%s answered %d, want %d", r.Step, r.Status, r.Want)
				}
			}
		})
	}
}
