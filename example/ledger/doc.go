// Package ledger is a second API to protect and to attack, in another style
// than the shop.
//
// It keeps books for tenants: /api/tenants/{tenant}/books/{book}/entries/{entry},
// slugs for tenants and books, UUIDs for entries, every answer in an envelope
// of data and meta, lists in pages with a cursor. Browsers have a session
// cookie and a token against CSRF, programs a bearer token or an API key of
// their tenant. Changes name the version that they change (If-Match), PATCH is
// a JSON merge patch (RFC 7396), what was deleted is gone (410), and a book is
// closed by a job (202).
//
// Like the shop it is sound by default, has a switch for each flaw of flaw.go
// with attacks in attacks_*.go, and imports nothing of Parley's.
//
// traps.go lists the opposite: what is sound and looks like a flaw to whoever
// looks at the status alone.
package ledger

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// OpenAPI is the contract of the sound ledger (OpenAPI 3.1).
//
//go:embed openapi.yaml
var OpenAPI []byte

// Policy is the parley.yaml that stops every flaw of this package. It names an
// upstream and two files beside it, which WriteConfiguration fills in.
//
//go:embed parley.yaml
var Policy []byte

// policyUpstream is the upstream that Policy names.
const policyUpstream = "http://127.0.0.1:9100"

// WriteConfiguration writes to a folder what guard needs to stand in front of
// this ledger: openapi.yaml, parley.yaml with the upstream, jwks.json with the
// key that verifies tokens, and api-keys.yaml with the hashes of API keys.
func (l *Ledger) WriteConfiguration(dir, upstream string) error {
	var keys strings.Builder
	keys.WriteString("keys:\n")
	for _, k := range l.apiKeys {
		fmt.Fprintf(&keys, "  - {name: %s, sha256: %x, subject: %s, roles: [till], claims: {tenant: %s}}\n",
			k.name, sha256.Sum256([]byte(k.key)), k.subject, k.tenant)
	}
	for name, data := range map[string][]byte{
		"openapi.yaml":  OpenAPI,
		"parley.yaml":   bytes.Replace(Policy, []byte(policyUpstream), []byte(upstream), 1),
		"jwks.json":     l.tokens.jwks,
		"api-keys.yaml": []byte(keys.String()),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return fmt.Errorf("ledger: configuration: %w", err)
		}
	}
	return nil
}
