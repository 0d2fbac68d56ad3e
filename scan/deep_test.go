package scan_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"slices"
	"testing"

	"github.com/parley-project/parley/example/shop"
	"github.com/parley-project/parley/internal/lab"
)

// A server's old versions show when all are asked for, and only then.
func TestDeep(t *testing.T) {
	s, err := shop.New(shop.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	authority := lab.NewAuthority()
	server := httptest.NewUnstartedServer(s.Handler())
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, Certificates: []tls.Certificate{authority.Issue(lab.Leaf{Names: []string{"shop.example"}})}}
	server.StartTLS()
	defer server.Close()
	for _, deep := range []bool{false, true} {
		at := netip.MustParseAddrPort(server.Listener.Addr().String())
		name := fmt.Sprintf("shop.example:%d", at.Port())
		o := optionsFor(t, "https://"+name, shop.OpenAPI)
		o.Call.Resolve = map[string][]netip.Addr{name: {at.Addr()}}
		o.Call.More = []*x509.Certificate{authority.Root.Certificate}
		o.Only, o.Deep, o.NoSignUp = []string{"tls-old-version"}, deep, true
		r := scanWith(t, o)
		if got := slices.Contains(confirmed(r), "tls-old-version"); got != deep {
			t.Errorf("with Deep %v tls-old-version is found: %v%s", deep, got, tell(r))
		}
	}
}
