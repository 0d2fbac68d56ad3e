package scan_test

import (
	"testing"
	"time"

	"github.com/parley-project/parley/internal/needs"
	"github.com/parley-project/parley/scan"
)

// authorization are the checks of objects and functions.
var authorization = []string{"authz-object", "authz-object-write", "authz-object-delete", "authz-object-list", "authz-query-owner", "authz-header-owner",
	"authz-body-owner", "authz-existence", "authz-function", "authz-method"}

// Requests are counted: those of object and function checks are at most 20 an
// operation on the average, with all that they need to know before.
func TestRequestsAreFew(t *testing.T) {
	for name, o := range map[string]scan.Options{"shop": shopOptions(t), "shop, all flaws": shopOptions(t, "all"), "ledger": ledgerOptions(t), "ledger, all flaws": ledgerOptions(t, "all")} {
		only := o
		only.Only = authorization
		r := scanWith(t, only)
		if each := float64(r.Requests) / float64(len(r.Access)); each > 20 {
			t.Errorf("%s: object and function checks took %.1f requests an operation, want at most 20", name, each)
		} else {
			needs.Figure(t, "scan, requests, "+name, "object and function checks: %d for %d operations, %.1f each", r.Requests, len(r.Access), each)
		}
	}
}

// The whole of an API is scanned in the time that somebody waits.
func TestTimeOfScan(t *testing.T) {
	if !needs.Full() {
		t.Skip("measured by make accept")
	}
	for name, o := range map[string]scan.Options{"shop": shopOptions(t), "shop, all flaws": shopOptions(t, "all"), "ledger": ledgerOptions(t)} {
		began := time.Now()
		r := scanWith(t, o)
		took := time.Since(began)
		needs.Figure(t, "scan, "+name, "%d requests for %d operations in %s, %d findings", r.Requests, len(r.Access), took.Round(10*time.Millisecond), len(r.Findings))
		if took > time.Minute {
			t.Errorf("%s took %s, want less than a minute", name, took)
		}
	}
}
