package scan_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/example/ledger"
	"github.com/parley-project/parley/example/shop"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/internal/lab"
	"github.com/parley-project/parley/scan"
)

// scanShop opens a shop with flaws, scans it as two customers, the administrator
// and a partner, and returns what was found.
func scanShop(t testing.TB, flaws ...string) *scan.Result {
	t.Helper()
	return scanWith(t, shopOptions(t, flaws...))
}

func scanWith(t testing.TB, o scan.Options) *scan.Result {
	t.Helper()
	r, err := scan.Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range r.Notes { // all that were lent are alive at the end
		if strings.Contains(n, "no longer works") {
			t.Errorf("the scan cost somebody their credential: %s", n)
		}
	}
	return r
}

func shopOptions(t testing.TB, flaws ...string) scan.Options {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o := shopOf(t, shop.Options{Flaws: flaws, Key: key})
	o.SigningKey = asPEM(t, key)
	return o
}

func shopOf(t testing.TB, so shop.Options) scan.Options {
	t.Helper()
	file := filepath.Join(t.TempDir(), "shop.db")
	so.File = file
	s, err := shop.New(so)
	if err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, file)
	t.Cleanup(func() { s.Close() })
	t.Cleanup(func() { unchanged(t, file, before) })
	o := serve(t, s.Handler(), shop.OpenAPI)
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
	return o
}

// scanLedger does the same for the ledger, as clerks of two tenants and an owner.
func scanLedger(t testing.TB, flaws ...string) *scan.Result {
	t.Helper()
	return scanWith(t, ledgerOptions(t, flaws...))
}

func ledgerOptions(t testing.TB, flaws ...string) scan.Options {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o := ledgerOf(t, ledger.Options{Flaws: flaws, Key: key})
	o.SigningKey = asPEM(t, key)
	return o
}

func ledgerOf(t testing.TB, lo ledger.Options) scan.Options {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ledger.db")
	lo.File = file
	l, err := ledger.New(lo)
	if err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, file)
	t.Cleanup(func() { l.Close() })
	t.Cleanup(func() { unchanged(t, file, before) })
	o := serve(t, l.Handler(), ledger.OpenAPI)
	keys, err := l.Keys()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"carl", "bina", "olga"} {
		o.People = append(o.People, &identity.Person{Name: name, Auth: identity.NewBearer(identity.Secret(keys.Token[name]))})
	}
	// She has a browser's session.
	o.People = append(o.People, &identity.Person{Name: "cleo", Login: &identity.Login{Method: "POST", URL: "/api/sessions", Cookie: "ledger_session",
		Header: exchange.Header{{Name: "Content-Type", Value: "application/json"}},
		Body:   identity.Secret(`{"email":"cleo@acme.example","password":"` + ledger.Password("cleo") + `"}`)}})
	return o
}

// authority signs for the servers of these tests.
var authority = sync.OnceValue(lab.NewAuthority)

// serve answers over TLS under a name that is not local: browsers keep HSTS for
// no other.
func serve(t testing.TB, h http.Handler, openapi []byte) scan.Options {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{authority().Issue(lab.Leaf{Names: []string{"shop.example"}})}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	at := netip.MustParseAddrPort(server.Listener.Addr().String())
	name := net.JoinHostPort("shop.example", strconv.Itoa(int(at.Port())))
	o := optionsFor(t, "https://"+name, openapi)
	o.Call.Resolve = map[string][]netip.Addr{name: {at.Addr()}}
	o.Call.Roots = authority().Pool()
	return o
}

func optionsFor(t testing.TB, url string, openapi []byte) scan.Options {
	t.Helper()
	file := filepath.Join(t.TempDir(), "openapi.yaml")
	if err := os.WriteFile(file, openapi, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := contract.FromAPI(file)
	if err != nil {
		t.Fatal(err)
	}
	return scan.Options{URL: url, Contract: c, File: file}
}

// confirmed are the IDs of the checks that a scan confirmed.
func confirmed(r *scan.Result) []string {
	var out []string
	for _, f := range r.Findings {
		if f.Verdict == exchange.Confirmed && !slices.Contains(out, f.Check) {
			out = append(out, f.Check)
		}
	}
	slices.Sort(out)
	return out
}

// tell says what was found, for failures.
func tell(r *scan.Result) string {
	var b strings.Builder
	for _, f := range r.Findings {
		b.WriteString("\n  " + string(f.Verdict) + " " + f.Check + " " + f.Operation + " " + f.Parameter + " by " + f.By + " of " + f.Of)
		for _, e := range f.Evidence {
			b.WriteString("; " + e.String())
		}
		for _, p := range f.Proof {
			b.WriteString("\n      " + p.Request + " as " + p.As)
		}
	}
	for _, n := range append(r.Notes, r.Left...) {
		b.WriteString("\n  note: " + n)
	}
	return b.String()
}

func TestSoundShop(t *testing.T) {
	r := scanShop(t)
	t.Logf("%d requests in %v", r.Requests, r.Time)
	if len(r.Findings) > 0 {
		t.Errorf("the sound shop has %d findings, want none:%s", len(r.Findings), tell(r))
	}
}

func TestSoundLedger(t *testing.T) {
	r := scanLedger(t)
	t.Logf("%d requests in %v", r.Requests, r.Time)
	if len(r.Findings) > 0 {
		t.Errorf("the sound ledger has %d findings, want none:%s", len(r.Findings), tell(r))
	}
}

// TestAllFlaws turns all of them on at once: all are found.
func TestAllFlaws(t *testing.T) {
	for name, r := range map[string]*scan.Result{"shop": scanShop(t, "all"), "ledger": scanLedger(t, "all")} {
		t.Logf("%s: %d requests in %v, %d findings", name, r.Requests, r.Time, len(r.Findings))
		all := shop.Flaws
		if name == "ledger" {
			all = ledger.Flaws
		}
		got := confirmed(r)
		var missing []string
		for _, f := range all {
			if !slices.Contains(got, f.ID) {
				missing = append(missing, f.ID)
			}
		}
		if len(missing) > 0 {
			t.Errorf("%s: not confirmed: %s", name, strings.Join(missing, " "))
		}
	}
}

func asPEM(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
