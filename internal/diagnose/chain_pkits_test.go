package diagnose_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/diagnose"
	"github.com/parley-project/parley/internal/needs"
)

func x509Fixtures(t *testing.T, kind string) string {
	t.Helper()
	folder := os.Getenv("PARLEY_FIXTURES")
	if folder == "" {
		t.Skip("PARLEY_FIXTURES is not set")
	}
	folder = filepath.Join(folder, "x509", kind)
	if _, err := os.Stat(folder); err != nil {
		t.Skipf("no corpus: %v", err)
	}
	return folder
}

// certificates reads PEM or DER.
func certificates(t *testing.T, file string) (ders [][]byte) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for rest := b; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			ders = append(ders, block.Bytes)
		}
	}
	if len(ders) == 0 {
		ders = [][]byte{b}
	}
	return ders
}

// Where PKITS wants other than what is right here, and why. Every entry is a
// class that holds for any chain, not for a case.
var pkitsClasses = []struct {
	name, why string
	holds     func(file string, trust *exchange.Trust) bool
}{
	{"revocation", "revocation lists are not looked at yet", func(file string, trust *exchange.Trust) bool {
		return strings.HasPrefix(file, "Invalid") && aboutRevocation.MatchString(file)
	}},
	{"DSA", "no TLS client takes DSA (FIPS 186-5 withdrew it), and crypto/x509 does not verify it", func(_ string, trust *exchange.Trust) bool {
		return says1(trust, "DSA")
	}},
	{"negative serial number", "RFC 5280, 4.1.2.2 forbids them, and crypto/x509 refuses them", func(_ string, trust *exchange.Trust) bool {
		return says1(trust, "negative serial number")
	}},
	{"self-issued path length", "crypto/x509 counts self-issued certificates in the length of a path, which RFC 5280, 4.2.1.9 does not; stricter", func(file string, trust *exchange.Trust) bool {
		return strings.HasPrefix(file, "ValidSelfIssued") && fatal(trust) == "path-length!"
	}},
	{"excluded hosts", "crypto/x509 reads a constraint that names a host, of a mail address or URI, as the host and all below it; stricter when it excludes", func(file string, trust *exchange.Trust) bool {
		return strings.HasPrefix(file, "Valid") && fatal(trust) == "name-constraint!" && says1(trust, "is excluded by constraint")
	}},
	{"distribution points", "crypto/x509 does not read CRL distribution points relative to their issuer", func(file string, trust *exchange.Trust) bool {
		return strings.HasPrefix(file, "Valid") && says1(trust, "invalid CRL distribution point")
	}},
}

// fatal is kinds without what does not prevent trust.
func fatal(trust *exchange.Trust) string {
	return strings.Join(slices.DeleteFunc(strings.Fields(kinds(trust)), func(k string) bool { return !strings.HasSuffix(k, "!") }), " ")
}

var aboutRevocation = regexp.MustCompile(`(?i)CRL|Revoked|distributionPoint|IDP|onlyContains|onlySomeReasons|LongSerialNumberTest18|NegativeSerialNumberTest15|BasicSelfIssued(New|Old)With`)

func says1(trust *exchange.Trust, word string) bool {
	return slices.ContainsFunc(trust.Problems, func(p exchange.TrustProblem) bool { return strings.Contains(p.Says, word) })
}

// Cases of policies whose name does not tell the verdict; the number is that of
// PKITS 4.8, any policy being welcome and none required.
var pkitsPolicyInvalid = regexp.MustCompile(`^DifferentPoliciesTest(4|5|7|8|9|12)EE`)

func TestChainPKITS(t *testing.T) {
	folder := x509Fixtures(t, "nist-pkits/certs")
	files, _ := filepath.Glob(filepath.Join(folder, "*.crt"))
	bySubject := map[string][][]byte{}
	issuer := map[string]string{}
	var root *x509.Certificate
	for _, f := range files {
		der := certificates(t, f)[0]
		c, err := x509.ParseCertificate(der)
		if err != nil {
			continue // counted below, as a case's problem
		}
		if strings.HasPrefix(filepath.Base(f), "TrustAnchor") {
			root = c
		}
		if !strings.HasSuffix(f, "EE.crt") {
			k := folded(c.Subject.String())
			bySubject[k] = append(bySubject[k], der)
		}
		issuer[string(der)] = folded(c.Issuer.String())
	}
	if root == nil {
		t.Fatal("no trust anchor")
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	right, explained := 0, map[string]int{}
	for _, f := range files {
		name := filepath.Base(f)
		if !strings.HasSuffix(name, "EE.crt") {
			continue
		}
		sent := certificates(t, f)
		for i := 0; i < len(sent); i++ { // what stands above what is there
			for _, der := range bySubject[issuer[string(sent[i])]] {
				if !bytes.Equal(der, root.Raw) && !slices.ContainsFunc(sent, func(s []byte) bool { return bytes.Equal(s, der) }) {
					sent = append(sent, der)
				}
			}
		}
		_, trust := diagnose.Chain(t.Context(), sent, diagnose.ChainOptions{Now: root.NotBefore.AddDate(4, 0, 0), Roots: pool, AnyPurpose: true})
		want := !strings.HasPrefix(name, "Invalid") && !pkitsPolicyInvalid.MatchString(name)
		if trust.Verified == want {
			right++
			if !trust.Verified && !slices.ContainsFunc(trust.Problems, func(p exchange.TrustProblem) bool { return p.Fatal && p.Kind != diagnose.KindRefused }) {
				t.Errorf("Chain(%s) refused it without saying why: %s", name, says(trust))
			}
			if testing.Verbose() && !trust.Verified {
				t.Logf("%s: %s", name, kinds(trust))
			}
			continue
		}
		i := slices.IndexFunc(pkitsClasses, func(c struct {
			name, why string
			holds     func(string, *exchange.Trust) bool
		}) bool {
			return c.holds(name, trust)
		})
		if i < 0 {
			t.Errorf("Chain(%s) verified %v, want %v\n%s", name, trust.Verified, want, says(trust))
			continue
		}
		explained[pkitsClasses[i].name]++
	}
	needs.Figure(t, "PKITS", "%d right, explained otherwise: %v", right, explained)
	t.Logf("%d right, explained otherwise: %v", right, explained)
}

func folded(s string) string {
	return strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(s, `\`, "")), ""))
}
