package diagnose_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parley-project/parley/internal/diagnose"
	"github.com/parley-project/parley/internal/needs"
)

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
