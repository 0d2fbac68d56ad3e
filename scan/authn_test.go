package scan_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
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

// Each flaw that needs the key, or a browser's session, is confirmed by its
// check, and by no other.
func TestLentShopFlaws(t *testing.T) {
	for _, id := range []string{"authn-jwt-expired", "authn-jwt-issuer", "authn-jwt-audience"} {
		t.Run(id, func(t *testing.T) { only(t, scanWith(t, lentShop(t, id)), id) })
	}
}

func TestLentLedgerFlaws(t *testing.T) {
	for _, id := range []string{"authn-jwt-expired", "authn-jwt-audience", "client-cookie", "client-csrf"} {
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

// Over HTTP/2 no connection is upgraded, so a WebSocket is opened over HTTP/1.1.
func TestWebSocketOverTLS(t *testing.T) {
	s, err := shop.New(shop.Options{Flaws: []string{"client-websocket-origin"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	server := httptest.NewUnstartedServer(s.Handler())
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	o := optionsFor(t, server.URL, shop.OpenAPI)
	o.Call.More = []*x509.Certificate{server.Certificate()}
	o.Only = []string{"client-websocket-origin"}
	if r := scanWith(t, o); !slices.Equal(confirmed(r), o.Only) {
		t.Errorf("scan confirmed %v, want %v:%s", confirmed(r), o.Only, tell(r))
	}
}
