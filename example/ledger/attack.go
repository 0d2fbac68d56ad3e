package ledger

import (
	"context"
	"net/http"
	"slices"

	"github.com/parley-project/parley/example/play"
)

// PlayLegitimate plays the script on an address and returns all results.
func PlayLegitimate(ctx context.Context, client *http.Client, base string, keys play.Keys, hook func(*http.Request)) ([]play.Result, error) {
	return play.Play(ctx, client, base, keys, Legitimate(), hook)
}

// Attacks lists at least one attack for each flaw.
func Attacks() []play.Attack {
	return slices.Concat(requestAttacks(), authnAttacks(), authzAttacks(), responseAttacks(), clientAttacks())
}

const (
	acmeMain = "/api/tenants/acme/books/main"
	blueMain = "/api/tenants/bluebird/books/main"
	entryOf  = "/entries/{entry}"

	aPayment  = `{"kind":"payment","amount":"12.50","bookedAt":"2026-11-05T10:00:00Z","memo":"for {run}","counterparty":"Paper & Co","iban":"DK5000400440116243"}`
	aTransfer = `{"kind":"transfer","amount":"80.00","bookedAt":"2026-11-05T11:00:00Z","fromAccount":"bank","toAccount":"till"}`
)

var mergePatch = map[string]string{"Content-Type": "application/merge-patch+json", "If-Match": "*"}

// carlsEntry books something as carl of acme and keeps its ID.
var carlsEntry = play.Step{As: "carl", Method: "POST", Path: acmeMain + "/entries", Body: aPayment, Want: 201, Save: map[string]string{"entry": "Location"}}

// carlLooks reads it again, to see what became of it.
var carlLooks = play.Step{As: "carl", Method: "GET", Path: acmeMain + entryOf}
