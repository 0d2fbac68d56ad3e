// Package shop is an API to protect and to attack.
//
// It sells things: users, products, orders, an account with a balance, under
// /v1, on SQLite. It is sound by default. Each flaw of the table in flaw.go is
// a switch, and for each there is an attack in attacks_*.go that works when
// the flaw is on and fails when it is off. It imports nothing of Parley's, so
// that it cannot cheat: whatever guard stops, it stops from outside.
//
// Where a flaw is possible, the sound line and the flawed one stand together:
//
//	if order.UserID != caller.ID && !s.flawed("authz-object") {
//		return notFound()
//	}
package shop

import _ "embed"

// OpenAPI is the contract of the sound shop (OpenAPI 3.1).
//
//go:embed openapi.yaml
var OpenAPI []byte

// Policy is the parley.yaml that stops every flaw of this package. It names the
// upstream http://127.0.0.1:9000 and two files beside it, jwks.json (see JWKS)
// and api-keys.yaml (see Partners).
//
//go:embed parley.yaml
var Policy []byte
