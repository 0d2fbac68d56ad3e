package diagnose_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

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

// TestChainBadSSL judges what badssl.com serves: while the certificate was
// valid with the last that was sent trusted, when there is more than one; then
// with nothing trusted; then after it expired.
func TestChainBadSSL(t *testing.T) {
	folder := x509Fixtures(t, "badssl")
	files, _ := filepath.Glob(filepath.Join(folder, "*", "*"))
	named := map[string]int{}
	for _, file := range files {
		sent := certificates(t, file)
		name := filepath.Base(file)
		none := x509.NewCertPool()
		leaf, err := x509.ParseCertificate(sent[0])
		if err != nil {
			_, trust := diagnose.Chain(t.Context(), sent, diagnose.ChainOptions{Now: defaultTime, Roots: none})
			if kinds(trust) != "malformed!" {
				t.Errorf("Chain(%s) found %q, want malformed!", name, kinds(trust))
			}
			named["malformed!"]++
			continue
		}
		o := diagnose.ChainOptions{Now: leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) / 2), Roots: none}
		want := ""
		if len(sent) > 1 {
			if last, err := x509.ParseCertificate(sent[len(sent)-1]); err == nil {
				o.Roots = x509.NewCertPool()
				o.Roots.AddCert(last)
			}
		} else if want = "missing-intermediate!"; leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) == nil {
			want = "self-signed!"
		}
		if strings.Contains(name, "sha1-201") {
			want = "weak-signature!"
		}
		_, trust := diagnose.Chain(t.Context(), sent, o)
		if fatal(trust) != want {
			t.Errorf("Chain(%s) found %q, want %q\n%s", name, fatal(trust), want, says(trust))
		}
		named[fatal(trust)]++

		o.Roots = none
		_, trust = diagnose.Chain(t.Context(), sent, o)
		if strings.Contains(name, "sha1-intermediate") && !strings.Contains(fatal(trust), "weak-signature!") {
			t.Errorf("Chain(%s) found %q, want weak-signature!", name, fatal(trust))
		}
		if trust.Verified {
			t.Errorf("Chain(%s) verified with nothing trusted", name)
		}
		o.Now = leaf.NotAfter.AddDate(0, 0, 1)
		if _, trust = diagnose.Chain(t.Context(), sent, o); !strings.Contains(fatal(trust), "expired!") {
			t.Errorf("Chain(%s) a day late found %q, want expired!", name, fatal(trust))
		}
	}
	needs.Figure(t, "badssl.com", "%v", named)
	t.Logf("%v", named)
}

// TestChainSeeds judges what fuzzers of other programs found, alone and below
// one another.
func TestChainSeeds(t *testing.T) {
	folder := os.Getenv("PARLEY_FIXTURES")
	if folder == "" {
		t.Skip("PARLEY_FIXTURES is not set")
	}
	b, err := os.ReadFile(filepath.Join(folder, "fuzzseeds", "x509.jsonl"))
	if err != nil {
		t.Skip(err)
	}
	o := diagnose.ChainOptions{Name: "api.shop.test", Now: defaultTime, Roots: x509.NewCertPool()}
	var all [][]byte
	read := 0
	for line := range bytes.Lines(b) {
		var seed struct {
			Data []byte `json:"data_b64"`
		}
		if err := json.Unmarshal(line, &seed); err != nil {
			t.Fatal(err)
		}
		ders := [][]byte{seed.Data}
		if block, _ := pem.Decode(seed.Data); block != nil {
			ders = append(ders, block.Bytes)
		}
		for _, der := range ders {
			all = append(all, der)
			facts, trust := diagnose.Chain(t.Context(), [][]byte{der}, o)
			if trust.Verified || len(trust.Problems) == 0 || len(facts) != 1 {
				t.Errorf("Chain of a seed verified %v, %d problems", trust.Verified, len(trust.Problems))
			}
			if facts[0].Subject != "" || facts[0].Issuer != "" {
				read++
			}
		}
	}
	for part := range slices.Chunk(all, 16) {
		if _, trust := diagnose.Chain(t.Context(), part, o); trust.Verified {
			t.Errorf("Chain of seeds verified")
		}
	}
	t.Logf("%d seeds, %d of them certificates", len(all), read)
}
