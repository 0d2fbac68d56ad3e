package scan_test

import (
	"slices"
	"testing"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/example/ledger"
	"github.com/parley-project/parley/example/shop"
	"github.com/parley-project/parley/scan"
)

// TestShopFlaws turns on each flaw of the shop alone: its check is confirmed,
// and nothing else but what it implies.
func TestShopFlaws(t *testing.T) {
	for _, f := range shop.Flaws {
		t.Run(f.ID, func(t *testing.T) {
			t.Parallel()
			exactly(t, f.ID, scanShop(t, f.ID))
		})
	}
}

// TestLedgerFlaws does the same for the ledger.
func TestLedgerFlaws(t *testing.T) {
	for _, f := range ledger.Flaws {
		t.Run(f.ID, func(t *testing.T) {
			t.Parallel()
			exactly(t, f.ID, scanLedger(t, f.ID))
		})
	}
}

func exactly(t *testing.T, flaw string, r *scan.Result) {
	t.Helper()
	got := confirmed(r)
	if !slices.Contains(got, flaw) {
		t.Errorf("%s is not confirmed:%s", flaw, tell(r))
		return
	}
	for _, id := range got {
		if id != flaw && !slices.Contains(check.ByID(flaw).Implies, id) {
			t.Errorf("%s: %s is reported too:%s", flaw, id, tell(r))
			return
		}
	}
}
