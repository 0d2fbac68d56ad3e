package main

import (
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/bench/load"
	"github.com/parley-project/parley/internal/needs"
)

// TestHarness runs nginx and the combination for a moment: that each does what
// it is measured for is proved by the harness itself.
func TestHarness(t *testing.T) {
	needs.Program(t, "nginx")
	b := &bench{rounds: 1, requests: 2000, connections: 16, module: ".."}
	table, err := b.main("", "", true)
	if err != nil {
		t.Fatal(err)
	}
	if len(table.rows) != 3 {
		t.Fatalf("measured %d peers, want 3:\n%s", len(table.rows), table.text())
	}
	for _, r := range table.rows {
		if r.requests != 2000 || r.best <= 0 {
			t.Errorf("%s: %d requests at %.1f µs, want 2000 at more than nothing", r.name, r.requests, r.best)
		}
	}
}

func TestVerdict(t *testing.T) {
	peers := []*peer{{name: "nginx"}, {name: "combination"}, {name: "guard all"}}
	figures := func(nginx, combo, guard time.Duration) map[string][]turn {
		one := func(cpu time.Duration) []turn {
			return []turn{
				{cpu: 1000 * cpu, load: load.Result{Requests: 1000, Took: time.Second}},
				{cpu: 3000 * cpu, load: load.Result{Requests: 1000, Took: time.Second}},
			}
		}
		return map[string][]turn{"nginx": one(nginx), "combination": one(combo), "guard all": one(guard)}
	}
	for _, test := range []struct {
		nginx, combo, guard time.Duration
		want                string
	}{
		{20 * time.Microsecond, 160 * time.Microsecond, 80 * time.Microsecond, "4.00 × nginx (want at most 6), 0.50 × the combination (want at most 0.5): reached"},
		{20 * time.Microsecond, 160 * time.Microsecond, 90 * time.Microsecond, "NOT reached"},
		{10 * time.Microsecond, 160 * time.Microsecond, 70 * time.Microsecond, "NOT reached"},
	} {
		if got := newTable(peers, figures(test.nginx, test.combo, test.guard)).verdict(); !strings.Contains(got, test.want) {
			t.Errorf("verdict(%v, %v, %v) = %q, want %q", test.nginx, test.combo, test.guard, got, test.want)
		}
	}
}
