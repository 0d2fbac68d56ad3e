package shop

import (
	"context"
	"net/http"
	"slices"

	"github.com/parley-project/parley/example/play"
)

// What is played on the shop is played on other examples in the same way.
type (
	Flaw             = play.Flaw
	UnknownFlawError = play.UnknownFlawError
	Attack           = play.Attack
	Answers          = play.Answers
	Outcome          = play.Outcome
	Step             = play.Step
	Proof            = play.Proof
	Keys             = play.Keys
	Response         = play.Response
	Result           = play.Result
)

// The ways to present a credential; see play.Proof.
const (
	Bearer    = play.Bearer
	Cookie    = play.Cookie
	InQuery   = play.InQuery
	Unsigned  = play.Unsigned
	OtherKey  = play.OtherKey
	Expired   = play.Expired
	Elsewhere = play.Elsewhere
	Stranger  = play.Stranger
	Confused  = play.Confused
	OtherKid  = play.OtherKid
	PathKid   = play.PathKid
	OwnKey    = play.OwnKey
)

// Run plays an attack on an address; see play.Run.
func Run(ctx context.Context, client *http.Client, base string, keys Keys, a Attack, hook func(*http.Request)) (Outcome, error) {
	return play.Run(ctx, client, base, keys, a, hook)
}

// PlayLegitimate plays the script on an address; see play.Play.
func PlayLegitimate(ctx context.Context, client *http.Client, base string, keys Keys, hook func(*http.Request)) ([]Result, error) {
	return play.Play(ctx, client, base, keys, Legitimate(), hook)
}

// Differences tells how two plays of the script differ; none if they do not.
func Differences(a, b []Result) []string { return play.Differences(a, b) }

// Attacks lists at least one attack for each flaw.
func Attacks() []Attack {
	return slices.Concat(requestAttacks(), authnAttacks(), authzAttacks(), statusAttacks(), responseAttacks(), clientAttacks())
}

// The judgements that many attacks share.
var (
	got       = play.Got
	succeeded = play.Succeeded
	refused   = play.Refused
	and       = play.And
	either    = play.Either
	always    = play.Always
	lastSays  = play.LastSays
	contains  = play.Contains
	status    = play.Status
	filtered  = play.Filtered
	mediaType = play.MediaType
	lacking   = play.Lacking
)
