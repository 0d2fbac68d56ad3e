package main

import (
	"testing"

	"github.com/parley-project/parley/internal/needs"
)

// TestHarness takes one round: that all find the same is proved by the harness
// itself.
func TestHarness(t *testing.T) {
	needs.Program(t, "sslscan", "nginx", "openssl")
	rows, err := measure(1, "..", "")
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 10 {
		t.Fatalf("measured %d rows, want 10", len(rows))
	}
	for _, r := range rows {
		if r.suites < 30 || r.median() <= 0 {
			t.Errorf("%s on %s: %d suites in %v, want more than nothing", r.who, r.server, r.suites, r.median())
		}
	}
	if tooSlow(rows, 1e9) == nil || tooSlow(rows, 0) != nil {
		t.Error("tooSlow does not tell")
	}
}
