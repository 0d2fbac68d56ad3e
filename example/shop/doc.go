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
//
// traps.go lists the opposite: what is sound and looks like a flaw to whoever
// looks at the status alone.
package shop

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// OpenAPI is the contract of the sound shop (OpenAPI 3.1).
//
//go:embed openapi.yaml
var OpenAPI []byte

// Policy is the parley.yaml that stops every flaw of this package. It names an
// upstream and two files beside it, which WriteConfiguration fills in.
//
//go:embed parley.yaml
var Policy []byte

// policyUpstream is the upstream that Policy names.
const policyUpstream = "http://127.0.0.1:9000"

// WriteConfiguration writes to a folder what guard needs to stand in front of
// this shop: openapi.yaml, parley.yaml with the upstream, jwks.json with the
// keys that verify tokens, and api-keys.yaml with the hashes of API keys.
func (s *Shop) WriteConfiguration(dir, upstream string) error {
	var keys strings.Builder
	keys.WriteString("keys:\n")
	for _, p := range s.apiKeys {
		fmt.Fprintf(&keys, "  - {name: %s, sha256: %x, subject: \"%d\", roles: [%s]}\n",
			p.Name, sha256.Sum256([]byte(p.Key)), p.ID, strings.Join(p.Roles, ", "))
	}
	for name, data := range map[string][]byte{
		"openapi.yaml":  OpenAPI,
		"parley.yaml":   bytes.Replace(Policy, []byte(policyUpstream), []byte(upstream), 1),
		"jwks.json":     s.tokens.jwks,
		"api-keys.yaml": []byte(keys.String()),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return fmt.Errorf("shop: configuration: %w", err)
		}
	}
	return nil
}
