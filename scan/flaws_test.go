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

// TestFingerprintsStay scans three times: what is found has the same names.
func TestFingerprintsStay(t *testing.T) {
	for name, run := range map[string]func(testing.TB, ...string) *scan.Result{"shop": scanShop, "ledger": scanLedger} {
		var first []string
		for i := range 3 {
			var got []string
			for _, f := range run(t, "all").Findings {
				got = append(got, f.Fingerprint+" "+f.Check+" "+f.Operation+" "+f.Parameter)
			}
			slices.Sort(got)
			if i == 0 {
				first = got
			} else if !slices.Equal(got, first) {
				t.Errorf("%s: run %d found\n%q\nand the first\n%q", name, i+1, got, first)
			}
		}
	}
}
