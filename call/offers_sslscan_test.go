package call_test

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"encoding/xml"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/lab"
	"github.com/parley-project/parley/internal/needs"
)

// These two compare what Offers finds with what sslscan does, on servers of
// crypto/tls and of OpenSSL. sslscan finishes handshakes, so that the
// laboratory's peers are beyond it, but for the question which versions there
// are. It knows no hybrid groups, and of a server with two certificates it
// lists the suites of one.

// TestOffersAsSSLScan compares sets of version and suite.
func TestOffersAsSSLScan(t *testing.T) {
	needs.Program(t, "sslscan")
	names := opensslNames(t)
	for _, name := range []string{"modern", "modern-rsa", "tls-1.0-only", "tls-1.1-only", "tls-1.2-only", "tls-1.3-only",
		"wide", "wide-ecdsa", "rc4", "3des", "cbc", "static-rsa", "no-hybrid-group"} {
		t.Run(name, func(t *testing.T) {
			server, err := lab.ProtocolSettingByName(name).Serve(lab.NewAuthority())
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			compare(t, server.Address.String(), names)
		})
	}
}

// TestOffersOfOpenSSL does the same with servers that share no code with ours.
func TestOffersOfOpenSSL(t *testing.T) {
	t.Parallel()
	openssl := needs.Program(t, "openssl", "sslscan")
	names := opensslNames(t)
	rsa, ecdsa := pemFile(t, true), pemFile(t, false)
	const weak = ":@SECLEVEL=0"
	for _, test := range []struct {
		name string
		args []string
	}{
		{"every suite", []string{"-cert", rsa, "-cipher", "ALL:COMPLEMENTOFALL" + weak}},
		{"every suite with ECDSA", []string{"-cert", ecdsa, "-cipher", "ALL:COMPLEMENTOFALL" + weak}},
		{"its own order", []string{"-cert", rsa, "-cipher", "DEFAULT" + weak, "-serverpref"}},
		{"anonymous", []string{"-nocert", "-cipher", "aNULL" + weak, "-no_tls1_3"}},
		{"NULL", []string{"-cert", rsa, "-cipher", "eNULL" + weak, "-no_tls1_3"}},
		{"TLS 1.0", []string{"-cert", rsa, "-cipher", "ALL" + weak, "-tls1"}},
		{"finite fields", []string{"-cert", rsa, "-cipher", "kDHE" + weak, "-tls1_2"}},
		{"as it comes", []string{"-cert", ecdsa}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := compare(t, serveOpenSSL(t, openssl, test.args...), names)
			for _, v := range o.Versions {
				if want := test.name == "its own order"; v.Version != "TLS 1.3" && v.ServerOrder != want {
					t.Errorf("%s: server's order is %v, want %v", v.Version, v.ServerOrder, want)
				}
			}
		})
	}
}

// TestVersionsAsSSLScan compares the versions of peers that only say hello.
func TestVersionsAsSSLScan(t *testing.T) {
	needs.Program(t, "sslscan")
	for _, name := range []string{"peer-sound", "ssl-2.0", "ssl-3.0", "fallback", "export"} {
		s := lab.ProtocolSettingByName(name)
		server, err := s.Serve(lab.NewAuthority())
		if err != nil {
			t.Fatal(err)
		}
		_, want := sslscan(t, server.Address.String(), nil)
		var got []string
		for _, v := range offersAt(t, server.Address.String()).Versions {
			got = append(got, v.Version)
		}
		server.Close()
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("Offers(%s) found %v, sslscan %v", name, got, want)
		}
	}
}

func compare(t *testing.T, address string, names map[string]string) *exchange.Offers {
	t.Helper()
	o := offersAt(t, address)
	got := pairs(o)
	want, _ := sslscan(t, address, names)
	if len(want) == 0 {
		t.Fatal("sslscan found nothing")
	}
	for _, p := range got {
		if !slices.Contains(want, p) {
			t.Errorf("%s was found, and not by sslscan", p)
		}
	}
	for _, p := range want {
		if !slices.Contains(got, p) {
			t.Errorf("%s was found by sslscan alone", p)
		}
	}
	t.Logf("%d suites with %d connections in %v, %q", len(got), o.Connections, o.Time, o.Incomplete)
	return o
}

func offersAt(t *testing.T, address string) *exchange.Offers {
	t.Helper()
	c, err := call.New(call.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	o, err := c.Offers(t.Context(), "https://"+address+"/")
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// sslscan returns its pairs of version and suite, and its versions.
func sslscan(t *testing.T, address string, names map[string]string) (pairs, versions []string) {
	t.Helper()
	out, err := exec.Command(needs.Program(t, "sslscan"), "--xml=-", "--no-colour", "--no-heartbleed", "--no-check-certificate",
		"--no-compression", "--no-renegotiation", "--no-fallback", "--no-groups", address).Output()
	if err != nil {
		t.Fatalf("sslscan: %v", err)
	}
	var doc struct {
		Protocols []struct {
			Type    string `xml:"type,attr"`
			Version string `xml:"version,attr"`
			Enabled string `xml:"enabled,attr"`
		} `xml:"ssltest>protocol"`
		Ciphers []struct {
			Version string `xml:"sslversion,attr"`
			Name    string `xml:"cipher,attr"`
		} `xml:"ssltest>cipher"`
	}
	if err := xml.Unmarshal(out, &doc); err != nil {
		t.Fatalf("sslscan: %v", err)
	}
	for _, p := range doc.Protocols {
		if p.Enabled == "1" {
			v := strings.ToUpper(p.Type) + " " + p.Version
			if p.Type == "ssl" {
				v += ".0"
			}
			versions = append(versions, v)
		}
	}
	for _, c := range doc.Ciphers {
		n := c.Name
		if iana, ok := names[n]; ok {
			n = iana
		}
		pairs = append(pairs, strings.Replace(c.Version, "TLSv", "TLS ", 1)+" "+n)
	}
	slices.Sort(pairs)
	return slices.Compact(pairs), versions
}

// opensslNames leads from OpenSSL's names of suites to IANA's.
func opensslNames(t *testing.T) map[string]string {
	t.Helper()
	out, err := exec.Command(needs.Program(t, "openssl"), "ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0").Output()
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]string{}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line) // 0xC0,0x2F - IANA - OpenSSL ...
		m[f[4]] = f[2]
	}
	return m
}

// serveOpenSSL starts openssl s_server and returns where it listens.
func serveOpenSSL(t *testing.T, openssl string, args ...string) string {
	t.Helper()
	cmd := exec.Command(openssl, append([]string{"s_server", "-accept", "127.0.0.1:0", "-www"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	s := bufio.NewScanner(out)
	for s.Scan() {
		if at, ok := strings.CutPrefix(s.Text(), "ACCEPT "); ok {
			go func() {
				for s.Scan() { // so that it never waits for us
				}
			}()
			if _, _, err := net.SplitHostPort(at); err != nil {
				t.Fatalf("s_server listens on %q", at)
			}
			return at
		}
	}
	t.Fatalf("s_server does not start: %s", said.String())
	return ""
}

// pemFile writes a certificate and its key to a file.
func pemFile(t *testing.T, rsa bool) string {
	t.Helper()
	s := lab.ProtocolSetting{RSA: rsa, ECDSA: !rsa}
	var b strings.Builder
	c := s.Certificates(lab.NewAuthority())[0]
	for _, der := range c.Certificate {
		pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	pem.Encode(&b, &pem.Block{Type: "PRIVATE KEY", Bytes: key})
	file := filepath.Join(t.TempDir(), fmt.Sprintf("rsa-%v.pem", rsa))
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
