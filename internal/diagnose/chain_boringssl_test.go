package diagnose_test

import (
	"crypto/x509"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/diagnose"
	"github.com/parley-project/parley/internal/needs"
)

// TestChainBoringSSL runs the cases of a .test file each; the form is told in
// the corpus's FORMAT-README.
func TestChainBoringSSL(t *testing.T) {
	folder := x509Fixtures(t, "boringssl")
	right, explained := 0, map[string]int{}
	filepath.WalkDir(folder, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, ".test") {
			return err
		}
		c := readBoringCase(t, file)
		name, _ := filepath.Rel(folder, file)
		sent := certificates(t, c.chain)
		last, err := x509.ParseCertificate(sent[len(sent)-1])
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return nil
		}
		pool := x509.NewCertPool()
		if strings.HasPrefix(c.trust, "TRUSTED_ANCHOR") || strings.HasPrefix(c.trust, "TRUSTED_LEAF") {
			pool.AddCert(last)
		}
		o := diagnose.ChainOptions{Now: c.at, Roots: pool, Purpose: c.purpose, AnyPurpose: c.any}
		_, trust := diagnose.Chain(t.Context(), sent, o)
		switch {
		case c.otherPurpose:
			explained["a purpose that no TLS peer has"]++
		case trust.Verified == c.accept:
			right++
		case c.accept && !c.strong && fatal(trust) == "weak-signature!":
			explained["signatures with SHA-1 are refused whatever is asked"]++
		case !c.accept && len(trust.Problems) > 0:
			explained["accepted as crypto/x509 does, with a warning"]++
		case c.accept && aboutAnchor(trust, len(sent)-1):
			explained["crypto/x509 holds a trusted root to what its certificate says"]++
		default:
			t.Errorf("Chain(%s) verified %v, want %v\n%s", name, trust.Verified, c.accept, says(trust))
		}
		return nil
	})
	if right+len(explained) == 0 {
		t.Skip("the corpus has no .test files")
	}
	needs.Figure(t, "BoringSSL chains", "%d right, explained otherwise: %v", right, explained)
	t.Logf("%d right, explained otherwise: %v", right, explained)
}

// aboutAnchor reports whether all that prevents trust is said of the root.
func aboutAnchor(trust *exchange.Trust, root int) bool {
	fatal := false
	for _, p := range trust.Problems {
		if p.Fatal && p.Certificate >= 0 && p.Certificate != root {
			return false
		}
		fatal = fatal || p.Fatal
	}
	return fatal
}

type boringCase struct {
	chain, trust      string
	at                time.Time
	purpose           x509.ExtKeyUsage
	any, otherPurpose bool
	strong            bool // no signature with SHA-1
	accept            bool
}

func readBoringCase(t *testing.T, file string) (c boringCase) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, errors, _ := strings.Cut(string(b), "errors:")
	c.accept = !strings.Contains(errors, "ERROR:")
	for line := range strings.Lines(head) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		value = strings.TrimSpace(value)
		switch key {
		case "chain":
			c.chain = filepath.Join(filepath.Dir(file), value)
		case "last_cert_trust":
			c.trust = value
		case "utc_time":
			c.at, err = time.Parse("060102150405Z", value)
			if err != nil {
				c.at = defaultTime
			}
		case "digest_policy":
			c.strong = value == "STRONG"
		case "key_purpose":
			switch strings.TrimSuffix(strings.TrimSuffix(value, "_LEAF"), "_STRICT") {
			case "ANY_EKU":
				c.any = true
			case "SERVER_AUTH":
				c.purpose = x509.ExtKeyUsageServerAuth
			case "CLIENT_AUTH":
				c.purpose = x509.ExtKeyUsageClientAuth
			default:
				c.otherPurpose = true
			}
		}
	}
	return c
}

var defaultTime = time.Date(2021, 10, 5, 12, 0, 0, 0, time.UTC)

// What the chains' own words say that they are, for the server's purpose and
// with the last one trusted.
var boringRows = map[string]string{
	"intermediate-and-target-wrong-signature":    "bad-signature!",
	"intermediate-eku-clientauth":                "purpose!",
	"intermediate-signed-with-sha1":              "weak-signature!",
	"intermediate-unknown-critical-extension":    "unknown-critical-extension!",
	"root-basic-constraints-ca-false":            "not-a-ca!",
	"root-eku-clientauth":                        "purpose!",
	"root-lacks-basic-constraints":               "not-a-ca!",
	"root-lacks-keycertsign-key-usage":           "key-usage!",
	"target-eku-any":                             "purpose",
	"target-eku-clientauth":                      "purpose!",
	"target-has-keycertsign-but-not-ca":          "inconsistent",
	"target-has-pathlen-but-not-ca":              "inconsistent",
	"target-msapplicationpolicies-and-eku":       "unknown-critical-extension",
	"target-not-end-entity":                      "inconsistent key-usage",
	"intermediate-lacks-signing-key-usage":       "key-usage!",
	"target-signed-with-sha1":                    "weak-signature!",
	"target-unknown-critical-extension":          "unknown-critical-extension!",
	"issuer-and-subject-not-byte-for-byte-equal": "", // judged for the names alone
}

func TestChainBoringSSLWords(t *testing.T) {
	folder := x509Fixtures(t, "boringssl")
	files, _ := filepath.Glob(filepath.Join(folder, "*", "*.pem"))
	said := map[string]int{}
	for _, file := range files {
		sent := certificates(t, file)
		name := filepath.Base(filepath.Dir(file))
		if len(sent) < 2 || strings.Contains(name, "eku-c2pa") || strings.Contains(name, "eku-mls") {
			continue
		}
		last, err := x509.ParseCertificate(sent[len(sent)-1])
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		pool := x509.NewCertPool()
		pool.AddCert(last)
		now := defaultTime
		if now.After(last.NotAfter) {
			now = last.NotBefore.Add(last.NotAfter.Sub(last.NotBefore) / 2)
		}
		_, trust := diagnose.Chain(t.Context(), sent, diagnose.ChainOptions{Now: now, Roots: pool})
		want := boringRows[name]
		if strings.HasPrefix(filepath.Base(file), "rsa-") || strings.HasPrefix(filepath.Base(file), "ec-") {
			want = "key-usage"
			if strings.Contains(file, "digitalSignature") {
				want = ""
			}
		}
		got := strings.Join(slices.DeleteFunc(strings.Fields(kinds(trust)), func(k string) bool {
			return k == "lifetime" || k == "root-sent" || k == "root-signature" || k == "weak-key"
		}), " ")
		if strings.HasPrefix(name, "issuer-and-subject") {
			// Old certificates of the world, with old signatures.
			if !strings.Contains(got, "name-form") || strings.Contains(got, "unknown-root") {
				t.Errorf("Chain(%s) found %q, want name-form and a root\n%s", name, got, says(trust))
			}
		} else if got != want {
			t.Errorf("Chain(%s) found %q, want %q\n%s", name, got, want, says(trust))
		}
		said[got]++
		if strings.HasPrefix(name, "issuer-and-subject") {
			continue
		}
		_, wide := diagnose.Chain(t.Context(), sent, diagnose.ChainOptions{Now: last.NotAfter.AddDate(1, 0, 0), Roots: pool})
		if !strings.Contains(kinds(wide), "expired!") {
			t.Errorf("Chain(%s) a year later found %q, want expired!", name, kinds(wide))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(said)) {
		t.Logf("%3d %s", said[k], k)
	}
}
