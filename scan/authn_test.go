package scan_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"testing"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/example/ledger"
	"github.com/parley-project/parley/example/shop"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/scan"
)

// lentShop is the shop with its signing key lent to the scan.
func lentShop(t testing.TB, flaws ...string) scan.Options {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o := shopOf(t, shop.Options{Flaws: flaws, Key: key})
	o.SigningKey = asPEM(t, key)
	return o
}

// lentLedger is the same of the ledger, with a browser's session among the
// identities.
func lentLedger(t testing.TB, flaws ...string) scan.Options {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o := ledgerOf(t, ledger.Options{Flaws: flaws, Key: key})
	o.SigningKey = asPEM(t, key)
	o.People[3] = &identity.Person{Name: "cleo", Login: &identity.Login{Method: "POST", URL: "/api/sessions", Cookie: "ledger_session",
		Header: exchange.Header{{Name: "Content-Type", Value: "application/json"}},
		Body:   identity.Secret(`{"email":"cleo@acme.example","password":"` + ledger.Password("cleo") + `"}`)}}
	return o
}

func asPEM(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// Each flaw of who asks is confirmed by its check, and by no other.
func TestAuthnFlawsOfShop(t *testing.T) {
	for _, id := range []string{
		"authn-missing", "authn-invalid", "authn-jwt-none", "authn-jwt-algorithm", "authn-jwt-kid", "authn-jwt-header", "authn-jwt-key",
		"authn-jwt-expired", "authn-jwt-issuer", "authn-jwt-audience", "authn-rate-limit", "authn-enumeration", "status-retry-after",
		"request-token-in-url", "request-ssrf", "request-injection", "client-csrf", "client-websocket-origin", "client-cors", "client-cookie", "client-token-in-body",
	} {
		t.Run(id, func(t *testing.T) { only(t, scanWith(t, lentShop(t, id)), id) })
	}
}

func TestAuthnFlawsOfLedger(t *testing.T) {
	for _, id := range []string{
		"authn-missing", "authn-invalid", "authn-jwt-none", "authn-jwt-expired", "authn-jwt-audience", "request-token-in-url", "client-cookie", "client-csrf",
	} {
		t.Run(id, func(t *testing.T) { only(t, scanWith(t, lentLedger(t, id)), id) })
	}
}

// only fails unless one check, and at most what follows from it, was found.
func only(t *testing.T, r *scan.Result, id string) {
	t.Helper()
	got := confirmed(r)
	if !slices.Contains(got, id) {
		t.Errorf("with %s on scan confirmed %v, want it:%s", id, got, tell(r))
	}
	for _, f := range r.Findings {
		if f.Check != id && !slices.Contains(check.ByID(id).Implies, f.Check) {
			t.Errorf("with %s on scan found %s as well:%s", id, f.Check, tell(r))
		}
	}
	t.Logf("%d requests in %v", r.Requests, r.Time)
}

func TestLentKeysFindNothing(t *testing.T) {
	for name, o := range map[string]scan.Options{"shop": lentShop(t), "ledger": lentLedger(t)} {
		if r := scanWith(t, o); len(r.Findings) > 0 {
			t.Errorf("the sound %s has findings:%s", name, tell(r))
		}
	}
}

