package identity

import (
	"context"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
)

// Basic is a name and a password (RFC 7617). It is found, so that it can be
// masked and reported, and never accepted.
var Basic = &Scheme{
	Name: "basic",
	Find: func(v *Verifier, r *exchange.Request) (Presented, bool) {
		scheme, value, n := authorization(r)
		p := Presented{Scheme: "basic", Carrier: "header", Field: "Authorization", Value: Secret(value), problem: unsupported}
		return p, n == 1 && strings.EqualFold(scheme, "basic")
	},
	Verify: func(_ context.Context, v *Verifier, p Presented, _ time.Time) (*exchange.Caller, *exchange.Credential, error) {
		return nil, v.bad(p, unsupported), nil
	},
}
