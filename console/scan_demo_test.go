package console

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/example/shop"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/scan"
	"github.com/parley-project/parley/store"
)

// A scannedShop is the shop with flaws, and what scans it as those who are
// seeded there.
type scannedShop struct {
	url      string
	contract *contract.Contract
	options  scan.Options
}

func newScannedShop(t testing.TB, db *store.Store, flaws ...string) *scannedShop {
	t.Helper()
	s, err := shop.New(shop.Options{Flaws: flaws})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "openapi.yaml")
	if err := os.WriteFile(file, shop.OpenAPI, 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := contract.FromAPI(file)
	if err != nil {
		t.Fatal(err)
	}
	o := scan.Options{URL: server.URL, Contract: k, File: file, Recorder: db}
	for _, name := range []string{"priya", "rajan", "asha"} {
		token, err := s.Token(name)
		if err != nil {
			t.Fatal(err)
		}
		o.People = append(o.People, &identity.Person{Name: name, Auth: identity.NewBearer(identity.Secret(token))})
	}
	key, err := s.APIKey("swift")
	if err != nil {
		t.Fatal(err)
	}
	auth, err := identity.NewAPIKey("header", "X-API-Key", identity.Secret(key))
	if err != nil {
		t.Fatal(err)
	}
	o.People = append(o.People, &identity.Person{Name: "swift", Auth: auth})
	return &scannedShop{server.URL, k, o}
}

// as is the shop as a Scan of a console.
func (s *scannedShop) as(name string) Scan {
	return Scan{Name: name, URL: s.url, Run: func(ctx context.Context, told func(scan.Progress)) (*scan.Result, error) {
		o := s.options
		o.Progress = told
		return scan.Run(ctx, o)
	}}
}

// run scans now.
func (s *scannedShop) run(t testing.TB) *scan.Result {
	t.Helper()
	r, err := scan.Run(t.Context(), s.options)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
