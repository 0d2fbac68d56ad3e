package diagnose_test

import (
	"encoding/pem"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/parley-project/parley/internal/diagnose"
	"github.com/parley-project/parley/internal/lab"
	"github.com/parley-project/parley/internal/needs"
)

// Where `openssl verify` decides otherwise, and why.
var opensslDiffers = map[string]string{
	"missing intermediate, AIA": "openssl fetches nothing: here the verdict is that of the repaired chain, with a warning",
	"two missing, AIA":          "as above",
	"SHA-1 with RSA":            "openssl takes SHA-1 at security level 0, which verify uses unless told otherwise",
	"SHA-1 with ECDSA":          "openssl takes SHA-1 at security level 0, which verify uses unless told otherwise",
	"no SAN":                    "openssl takes the common name when there is no subjectAltName, which RFC 9525 forbids",
}

func TestChainOpenSSL(t *testing.T) {
	openssl := needs.Program(t, "openssl")
	l, err := lab.NewCertLab()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	same := 0
	for _, s := range lab.CertSettings {
		t.Run(s.Name, func(t *testing.T) {
			host := s.Host
			if host == "" {
				host = lab.Name
			}
			sent := s.Serve(l).Certificate
			dir := t.TempDir()
			write := func(name string, ders ...[]byte) string {
				var b []byte
				for _, der := range ders {
					b = append(b, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
				}
				file := filepath.Join(dir, name)
				if err := os.WriteFile(file, b, 0o600); err != nil {
					t.Fatal(err)
				}
				return file
			}
			nameFlag := "-verify_hostname"
			if net.ParseIP(host) != nil {
				nameFlag = "-verify_ip"
			}
			args := []string{"verify", "-no-CApath", "-no-CAstore", "-CAfile", write("root.pem", l.Root.Certificate.Raw),
				"-attime", strconv.FormatInt(l.Now.Unix(), 10), "-purpose", "sslserver", "-policy_check", "-policy", "1.3.6.1.4.1.55555.1", nameFlag, host}
			if len(sent) > 1 {
				args = append(args, "-untrusted", write("sent.pem", sent[1:]...))
			}
			out, err := exec.CommandContext(t.Context(), openssl, append(args, write("leaf.pem", sent[0]))...).CombinedOutput()
			_, trust := diagnose.Chain(t.Context(), sent, diagnose.ChainOptions{Name: host, Now: l.Now, Roots: l.Pool(), Fetch: get})
			why, differs := opensslDiffers[s.Name]
			switch {
			case trust.Verified == (err == nil):
				same++
			case !differs:
				t.Errorf("Chain(%s) verified %v, openssl says %s\n%s", s.Name, trust.Verified, strings.TrimSpace(string(out)), says(trust))
			default:
				t.Logf("%s: %s", s.Name, why)
			}
		})
	}
	needs.Figure(t, "openssl verify", "%d of %d chains the same", same, len(lab.CertSettings))
}
