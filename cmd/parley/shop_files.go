package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/example/shop"
)

// writePolicy puts the shop's contract, its policy and the keys that go with it
// into a folder, where a person may read and change them, and loads it.
func writePolicy(s *shop.Shop, dir, upstream string) (*contract.Contract, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	var keys strings.Builder
	fmt.Fprintln(&keys, "# the partners' keys, by their SHA-256\nkeys:")
	for _, p := range s.Partners() {
		sum := sha256.Sum256([]byte(p.Key))
		fmt.Fprintf(&keys, "  - {name: %s, subject: %d, roles: [%s], sha256: %s}\n", p.Name, p.ID, strings.Join(p.Roles, ", "), hex.EncodeToString(sum[:]))
	}
	policy := bytes.Replace(shop.Policy, []byte("upstream: http://127.0.0.1:9000"), []byte("upstream: "+upstream), 1)
	for name, data := range map[string][]byte{
		"openapi.yaml": shop.OpenAPI, "parley.yaml": policy, "jwks.json": s.JWKS(), "api-keys.yaml": []byte(keys.String()),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return nil, err
		}
	}
	return contract.Load(filepath.Join(dir, "parley.yaml"))
}
