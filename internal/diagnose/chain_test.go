package diagnose_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/diagnose"
	"github.com/parley-project/parley/internal/lab"
)

// What is found in each setting of the laboratory. A kind with a "!" prevents
// trust.
var chainRows = map[string]string{
	"good":                            "",
	"expired":                         "expired!",
	"not yet valid":                   "not-yet-valid!",
	"expired intermediate":            "expired!",
	"half gone":                       "",
	"expires soon":                    "",
	"short-lived":                     "",
	"short-lived, hours left":         "",
	"very long-lived":                 "lifetime",
	"wrong host":                      "name!",
	"wildcard":                        "",
	"wildcard depth":                  "name!",
	"no SAN":                          "no-san!",
	"address":                         "",
	"address as a name":               "name!",
	"self-signed":                     "self-signed!",
	"unknown root":                    "unknown-root!",
	"unknown root, sent":              "unknown-root!",
	"unknown root, AIA":               "unknown-root!",
	"two missing, AIA":                "missing-intermediate",
	"impostor":                        "bad-signature!",
	"missing intermediate, AIA":       "missing-intermediate",
	"missing intermediate, wrong AIA": "missing-intermediate!",
	"missing intermediate":            "missing-intermediate!",
	"two intermediates":               "",
	"reversed":                        "order",
	"duplicate":                       "duplicate",
	"extra":                           "extra",
	"root sent":                       "root-sent",
	"RSA 2048":                        "",
	"RSA 1024":                        "weak-key",
	"SHA-256 with RSA":                "",
	"SHA-1 with RSA":                  "weak-signature!",
	"SHA-1 with ECDSA":                "weak-signature!",
	"weak key above":                  "weak-key",
	"name constraints kept":           "",
	"name constraints violated":       "name-constraint!",
	"wrong purpose":                   "purpose!",
	"wrong purpose above":             "purpose!",
	"not an authority":                "not-a-ca! key-usage!",
	"authority without keyCertSign":   "key-usage!",
	"path too long":                   "path-length!",
	"critical extension":              "unknown-critical-extension!",
	"extension that is not critical":  "",
	"policy asked for":                "policy!",
	"policy kept":                     "",
	"no SCT":                          "",
	"one SCT":                         "",
	"three SCTs":                      "",
	"OCSP stapled":                    "",
	"client certificate shown":        "",
	"client certificate withheld":     "",
}

func TestChain(t *testing.T) {
	l, err := lab.NewCertLab()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, s := range lab.CertSettings {
		t.Run(s.Name, func(t *testing.T) {
			want, ok := chainRows[s.Name]
			if !ok {
				t.Fatalf("%s has no row", s.Name)
			}
			host := s.Host
			if host == "" {
				host = lab.Name
			}
			sent := s.Serve(l).Certificate
			facts, trust := diagnose.Chain(t.Context(), sent, diagnose.ChainOptions{Name: host, Now: l.Now, Roots: l.Pool(), Fetch: get})
			if got := kinds(trust); got != want {
				t.Errorf("Chain(%s) found %q, want %q\n%s", s.Name, got, want, says(trust))
			}
			if trust.Verified != !strings.Contains(want, "!") {
				t.Errorf("Chain(%s) verified %v, with %q", s.Name, trust.Verified, want)
			}
			// What verifies here does so for a program that asks nobody else.
			if err := plainVerify(t, sent, host, l); trust.Verified && !trust.Repaired && err != nil {
				t.Errorf("Chain(%s) verified, crypto/x509 alone says %v", s.Name, err)
			}
			if len(facts) != len(sent) || facts[0].SHA256 == "" || facts[0].PinSHA256 == "" {
				t.Errorf("Chain(%s) found %d facts, want %d", s.Name, len(facts), len(sent))
			}
			if trust.Repaired != (want == "missing-intermediate") {
				t.Errorf("Chain(%s) repaired %v", s.Name, trust.Repaired)
			}
			for _, p := range trust.Problems {
				if p.Says == "" || p.Fix == "" || strings.Contains(p.Says, "%!") {
					t.Errorf("Chain(%s) says %q, fix %q", s.Name, p.Says, p.Fix)
				}
				if testing.Verbose() {
					t.Logf("%s: %s\n\tfix: %s", p.Kind, p.Says, p.Fix)
				}
			}
			// Nothing else may change what was seen of one certificate.
			if c := facts[0]; trust.Verified && (len(trust.Path) < 2 || trust.Path[0] != c.Subject) {
				t.Errorf("Chain(%s) found the path %q of %s", s.Name, trust.Path, c.Subject)
			}
		})
	}
	for name := range chainRows {
		if _, ok := lab.Named(name); !ok {
			t.Errorf("the row %q has no setting", name)
		}
	}
}

func plainVerify(t *testing.T, sent [][]byte, host string, l *lab.CertLab) error {
	t.Helper()
	o := x509.VerifyOptions{Roots: l.Pool(), Intermediates: x509.NewCertPool(), CurrentTime: l.Now, DNSName: host}
	var leaf *x509.Certificate
	for i, der := range sent {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			leaf = c
		} else {
			o.Intermediates.AddCert(c)
		}
	}
	_, err := leaf.Verify(o)
	return err
}

// TestChainAll tells several faults at once.
func TestChainAll(t *testing.T) {
	l, err := lab.NewCertLab()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := l.Other.Issue(lab.Leaf{Names: []string{"shop.test"}, Client: true, NotBefore: l.Now.AddDate(-3, 0, 0), NotAfter: l.Now.AddDate(0, -1, 0)})
	sent := append(c.Certificate, []byte("not a certificate"), c.Certificate[1])
	_, trust := diagnose.Chain(t.Context(), sent, diagnose.ChainOptions{Name: lab.Name, Now: l.Now, Roots: l.Pool(), Pins: []string{"AAAA"}})
	const want = "unknown-root! expired! purpose! name! pin! malformed duplicate lifetime"
	if got := kinds(trust); got != want {
		t.Errorf("Chain found %q, want %q\n%s", got, want, says(trust))
	}
	late := l.Issue(lab.Leaf{NotBefore: l.Now.AddDate(0, -3, 0), NotAfter: l.Now.AddDate(0, 0, -1), Above: []*x509.Certificate{},
		Edit: func(c *x509.Certificate) { c.IssuingCertificateURL = []string{l.Put(l.Intermediate.Certificate)} }})
	_, trust = diagnose.Chain(t.Context(), late.Certificate, diagnose.ChainOptions{Name: lab.Name, Now: l.Now, Roots: l.Pool(), Fetch: get})
	if got := kinds(trust); got != "expired! missing-intermediate" || trust.Verified || trust.Repaired {
		t.Errorf("Chain found %q, verified %v, repaired %v", got, trust.Verified, trust.Repaired)
	}
	_, none := diagnose.Chain(t.Context(), nil, diagnose.ChainOptions{Now: l.Now, Roots: l.Pool()})
	if got := kinds(none); got != "nothing-sent!" || none.Verified {
		t.Errorf("Chain of nothing found %q, verified %v", got, none.Verified)
	}
}

func TestChainPin(t *testing.T) {
	a := lab.NewAuthority()
	sent := a.Issue(lab.Leaf{}).Certificate
	o := diagnose.ChainOptions{Name: lab.Name, Now: a.Now, Roots: a.Pool()}
	facts, _ := diagnose.Chain(t.Context(), sent, o)
	o.Pins = []string{base64.StdEncoding.EncodeToString(make([]byte, 32)), facts[0].PinSHA256}
	if _, trust := diagnose.Chain(t.Context(), sent, o); !trust.Verified || kinds(trust) != "" {
		t.Errorf("Chain with its own pin found %q, want none", kinds(trust))
	}
	for _, prefix := range []string{"sha256//", "sha256/"} {
		o.Pins[1] = prefix + facts[0].PinSHA256
		if _, trust := diagnose.Chain(t.Context(), sent, o); !trust.Verified {
			t.Errorf("Chain with the pin %s: %+v, want verified", o.Pins[1], trust.Problems)
		}
	}
	o.Pins = o.Pins[:1]
	if _, trust := diagnose.Chain(t.Context(), sent, o); trust.Verified || kinds(trust) != "pin!" {
		t.Errorf("Chain with another pin found %q, want pin!", kinds(trust))
	}
}

// TestChainMore trusts a root beside those that are given, and a server's own
// certificate when it is trusted itself.
func TestChainMore(t *testing.T) {
	a, b := lab.NewAuthority(), lab.NewAuthority()
	self := a.Issue(lab.Leaf{Self: true})
	for _, c := range []struct {
		name string
		sent [][]byte
		o    diagnose.ChainOptions
	}{
		{"another root", b.Issue(lab.Leaf{}).Certificate, diagnose.ChainOptions{More: []*x509.Certificate{b.Root.Certificate}}},
		{"the certificate itself", self.Certificate, diagnose.ChainOptions{More: []*x509.Certificate{self.Leaf}}},
	} {
		c.o.Name, c.o.Now, c.o.Roots = lab.Name, a.Now, a.Pool()
		if _, trust := diagnose.Chain(t.Context(), c.sent, c.o); !trust.Verified || kinds(trust) != "" {
			t.Errorf("Chain(%s) found %q, want none", c.name, kinds(trust))
		}
		c.o.More = nil
		if _, trust := diagnose.Chain(t.Context(), c.sent, c.o); trust.Verified {
			t.Errorf("Chain(%s) verified without More", c.name)
		}
	}
}

// TestChainBounds sends too many and too large ones, and an address that leads
// to itself.
func TestChainBounds(t *testing.T) {
	a := lab.NewAuthority()
	good := a.Issue(lab.Leaf{})
	many := [][]byte{good.Certificate[0]}
	for range 200 {
		many = append(many, a.NewSigner(a.Root, nil).Certificate.Raw)
	}
	many = append(many, good.Certificate[1])
	facts, trust := diagnose.Chain(t.Context(), many, diagnose.ChainOptions{Now: a.Now, Roots: a.Pool()})
	if len(facts) != 32 || trust.Verified {
		t.Errorf("Chain of 202 found %d facts, verified %v, want 32 and not", len(facts), trust.Verified)
	}
	facts, trust = diagnose.Chain(t.Context(), [][]byte{make([]byte, 1<<20)}, diagnose.ChainOptions{Now: a.Now, Roots: a.Pool()})
	if len(facts) != 1 || facts[0].DER != nil || kinds(trust) != "malformed!" {
		t.Errorf("Chain of 1 MiB found %q and %d bytes", kinds(trust), len(facts[0].DER))
	}
	asked := 0
	endless := func(context.Context, string) ([]byte, error) {
		asked++
		return nil, fmt.Errorf("no route")
	}
	lost := a.Issue(lab.Leaf{Above: []*x509.Certificate{}, Edit: func(c *x509.Certificate) {
		for i := range 100 {
			c.IssuingCertificateURL = append(c.IssuingCertificateURL, fmt.Sprintf("http://ca.test/%d", i))
		}
	}})
	_, trust = diagnose.Chain(t.Context(), lost.Certificate, diagnose.ChainOptions{Now: a.Now, Roots: a.Pool(), Fetch: endless})
	if kinds(trust) != "missing-intermediate!" || asked > 4 {
		t.Errorf("Chain with 100 places found %q after %d fetches, want at most 4", kinds(trust), asked)
	}
}

// TestChainHostile sends what is made to cost time: authorities of one very long
// name that have all signed one another.
func TestChainHostile(t *testing.T) {
	a := lab.NewAuthority()
	long := pkix.Name{CommonName: "knot"}
	for i := range 3000 {
		long.OrganizationalUnit = append(long.OrganizationalUnit, fmt.Sprintf("part %d", i))
	}
	knot := func(c *x509.Certificate) { c.Subject = long }
	one := a.NewSigner(nil, knot)
	all := []*x509.Certificate{one.Certificate}
	for range 30 {
		next := a.NewSigner(one, knot)
		all = append(all, next.Certificate)
		one = next
	}
	slices.Reverse(all)
	sent := a.Issue(lab.Leaf{By: one, Above: all}).Certificate
	began := time.Now()
	_, trust := diagnose.Chain(t.Context(), sent, diagnose.ChainOptions{Name: lab.Name, Now: a.Now, Roots: a.Pool()})
	if trust.Verified || kinds(trust) == "" {
		t.Errorf("Chain of a knot found %q, verified %v", kinds(trust), trust.Verified)
	}
	t.Logf("%v for a knot: %s", time.Since(began), kinds(trust))
}

// TestChainFile judges a PEM file by the system's roots, for a look by hand:
// PARLEY_CHAIN=chain.pem go test -v -run TestChainFile.
func TestChainFile(t *testing.T) {
	file := os.Getenv("PARLEY_CHAIN")
	if file == "" {
		t.Skip("PARLEY_CHAIN names no file")
	}
	facts, trust := diagnose.Chain(t.Context(), certificates(t, file), diagnose.ChainOptions{})
	for _, f := range facts {
		t.Logf("%s by %s, %s to %s", f.Subject, f.Issuer, f.NotBefore, f.NotAfter)
	}
	t.Logf("verified %v\n%s", trust.Verified, says(trust))
}

// kinds writes problems as the rows do.
func kinds(trust *exchange.Trust) string {
	var k []string
	for _, p := range trust.Problems {
		word := p.Kind
		if p.Fatal {
			word += "!"
		}
		if !slices.Contains(k, word) {
			k = append(k, word)
		}
	}
	return strings.Join(k, " ")
}

func says(trust *exchange.Trust) string {
	var b strings.Builder
	fmt.Fprintf(&b, "path %s\n", strings.Join(trust.Path, " > "))
	for _, p := range trust.Problems {
		fmt.Fprintf(&b, "%d %s: %s\n", p.Certificate, p.Kind, p.Says)
	}
	return b.String()
}

func get(ctx context.Context, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// A self-signed certificate is one, also where a trusted root happens to have
// its name: Debian's snakeoil certificate is CN=localhost on many machines.
func TestChainSelfSignedNamesake(t *testing.T) {
	make := func(ca bool) *x509.Certificate {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IsCA: ca, BasicConstraintsValid: ca,
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
		der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		out, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, ca := range []bool{false, true} {
		roots := x509.NewCertPool()
		roots.AddCert(make(ca))
		_, trust := diagnose.Chain(t.Context(), [][]byte{make(ca).Raw}, diagnose.ChainOptions{Name: "localhost", Now: time.Now(), Roots: roots})
		if trust.Verified || len(trust.Problems) == 0 || trust.Problems[0].Kind != diagnose.KindSelfSigned {
			t.Errorf("Chain(namesake, CA %v) = %+v, want self-signed", ca, trust)
		}
	}
}
