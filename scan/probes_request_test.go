package scan_test

import (
	"slices"
	"testing"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/example/ledger"
	"github.com/parley-project/parley/example/play"
	"github.com/parley-project/parley/scan"
)

// requestSwitches are the flaws in what requests may say and in how the answers
// to them look.
var requestSwitches = []string{
	"request-content-type", "request-schema", "request-put-partial", "request-duplicate-member", "request-size",
	"request-parameters", "request-page-size", "request-method", "request-method-override", "request-get-changes", "request-accept",
	"request-undeclared-endpoint", "request-old-version",
	"status-401-403", "status-200-on-failure", "status-201-location", "status-204-body", "status-redirect", "status-405-allow", "status-retry-after",
	"response-excessive-data", "response-account-number", "response-error-details", "response-content-type", "response-csp",
	"response-nosniff", "response-frame-options", "response-cache-control", "response-cache-public", "response-banner",
}

// TestRequestSwitches turns on one flaw at a time: it is confirmed, and nothing
// else.
func TestRequestSwitches(t *testing.T) {
	for api, run := range map[string]func(testing.TB, ...string) *scan.Result{"shop": scanShop, "ledger": scanLedger} {
		for _, flaw := range requestSwitches {
			if api == "ledger" && !ledgerHas(flaw) {
				continue
			}
			t.Run(api+"/"+flaw, func(t *testing.T) {
				r := run(t, flaw)
				got := confirmed(r)
				other := slices.ContainsFunc(got, func(id string) bool { return id != flaw && !slices.Contains(check.ByID(flaw).Implies, id) })
				if !slices.Contains(got, flaw) || other {
					t.Errorf("confirmed %v, want %s alone:%s", got, flaw, tell(r))
				}
			})
		}
	}
}

func ledgerHas(id string) bool {
	return slices.ContainsFunc(ledger.Flaws, func(f play.Flaw) bool { return f.ID == id })
}
