package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func mustOpen(t *testing.T, dir string, names ...string) *CA {
	t.Helper()
	c, err := Open(dir, names...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// server starts a TLS server with a leaf of c for the names.
func server(t *testing.T, cert *tls.Certificate) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{*cert}}
	s.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	return port
}

func pool(c *CA) *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(c.Certificate())
	return p
}

func TestFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	c := mustOpen(t, dir)
	for name, want := range map[string]os.FileMode{keyFile: 0o600, certificateFile: 0o644} {
		fi, err := os.Stat(filepath.Join(dir, name))
		if err != nil || fi.Mode().Perm() != want {
			t.Errorf("%s has mode %v (%v), want %v", name, fi.Mode().Perm(), err, want)
		}
	}
	if data, _ := os.ReadFile(c.CertificateFile()); strings.Contains(string(data), "PRIVATE") {
		t.Error("the certificate file holds a key")
	}
	again := mustOpen(t, dir)
	if !again.Certificate().Equal(c.Certificate()) || again.Word() != "" {
		t.Errorf("second Open made another authority (%q)", again.Word())
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestMadeAnew(t *testing.T) {
	for name, spoil := range map[string]func(dir, key string){
		"broken":    func(_, key string) { os.WriteFile(key, []byte("what"), 0o600) },
		"half":      func(_, key string) { os.Truncate(key, 120) },
		"readable":  func(_, key string) { os.Chmod(key, 0o644) },
		"no longer": func(dir, _ string) { mustOpen(t, dir, "other.example") },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			old := mustOpen(t, dir)
			spoil(dir, filepath.Join(dir, keyFile))
			c := mustOpen(t, dir)
			if c.Word() == "" || c.Certificate().Equal(old.Certificate()) {
				t.Errorf("kept the old authority, word %q", c.Word())
			}
			if fi, _ := os.Stat(filepath.Join(dir, keyFile)); fi.Mode().Perm() != 0o600 {
				t.Errorf("new key has mode %v", fi.Mode())
			}
			data, _ := os.ReadFile(c.CertificateFile())
			if b, _ := pem.Decode(data); b == nil || string(b.Bytes) != string(c.Certificate().Raw) {
				t.Error("the certificate file is not the new one")
			}
		})
	}
}

func TestLifetimes(t *testing.T) {
	now := time.Now()
	c, err := open(t.TempDir(), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	ca := c.Certificate()
	if d := ca.NotAfter.Sub(ca.NotBefore); d > 91*24*time.Hour {
		t.Errorf("the authority lives %v", d)
	}
	first, err := c.Leaf()
	if err != nil {
		t.Fatal(err)
	}
	if d := first.Leaf.NotAfter.Sub(now); d > 72*time.Hour {
		t.Errorf("the leaf lives %v", d)
	}
	now = now.Add(40 * time.Hour)
	if same, _ := c.Leaf(); same != first {
		t.Error("a leaf with 32 hours left was made again")
	}
	now = now.Add(10 * time.Hour)
	if next, _ := c.Leaf(); next == first {
		t.Error("a leaf with 22 hours left was used again")
	}
	now = now.Add(lifetime)
	next, err := c.Leaf()
	if err != nil || c.Word() == "" {
		t.Fatalf("expired authority: leaf %v, word %q", err, c.Word())
	}
	if _, err := next.Leaf.Verify(x509.VerifyOptions{Roots: pool(c), CurrentTime: now, DNSName: "localhost"}); err != nil {
		t.Errorf("leaf of the new authority: %v", err)
	}
}

func TestGoClient(t *testing.T) {
	c := mustOpen(t, t.TempDir(), "shop.example", "10.1.2.3")
	leaf, err := c.Leaf("api.shop.example", "10.1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	port := server(t, leaf)
	for _, host := range []string{"localhost", "127.0.0.1", "api.shop.example", "10.1.2.3", "::1"} {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Fatal(err)
		}
		if err := tls.Client(conn, &tls.Config{RootCAs: pool(c), ServerName: host}).Handshake(); err != nil {
			t.Errorf("as %s: %v", host, err)
		}
		conn.Close()
	}
	for _, n := range []string{"bank.example", "shop.example.evil.test", "10.1.2.4", "xshop.example"} {
		if _, err := c.Leaf(n); err == nil {
			t.Errorf("Leaf(%s) made a certificate outside of the constraints", n)
		}
	}
	for _, n := range []string{"", "*.example", "a b", "-a.example", "a..b"} {
		if _, err := c.Leaf(n); err == nil {
			t.Errorf("Leaf(%q) took it for a name", n)
		}
	}
}

// stolen signs a certificate with the authority's key for names outside of
// its constraints, as a thief would.
func stolen(t *testing.T, c *CA, host string) *tls.Certificate {
	t.Helper()
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	tm := &x509.Certificate{SerialNumber: serial(), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, KeyUsage: x509.KeyUsageDigitalSignature}
	if ip := net.ParseIP(host); ip != nil {
		tm.IPAddresses = []net.IP{ip}
	} else {
		tm.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, tm, c.cert, &key.PublicKey, c.key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, _ := x509.ParseCertificate(der)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func TestStolenKey(t *testing.T) {
	c := mustOpen(t, t.TempDir(), "shop.example")
	openssl, opensslErr := exec.LookPath("openssl")
	curl, curlErr := exec.LookPath("curl")
	for host, good := range map[string]bool{"localhost": true, "a.localhost": true, "shop.example": true, "127.9.9.9": true,
		"bank.example": false, "example": false, "10.0.0.1": false, "2001:db8::1": false} {
		cert := stolen(t, c, host)
		_, err := cert.Leaf.Verify(x509.VerifyOptions{Roots: pool(c), DNSName: host})
		if (err == nil) != good {
			t.Errorf("Go on %s: %v, want accepted %v", host, err, good)
		}
		if opensslErr == nil {
			file := filepath.Join(t.TempDir(), "leaf.pem")
			os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}), 0o600)
			out, err := exec.Command(openssl, "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", c.CertificateFile(), file).CombinedOutput()
			if (err == nil) != good {
				t.Errorf("openssl on %s: %v %s, want accepted %v", host, err, out, good)
			}
		}
		if curlErr == nil && net.ParseIP(host) == nil {
			port := server(t, cert)
			out, err := exec.Command(curl, "-sS", "--max-time", "10", "--noproxy", "*", "--cacert", c.CertificateFile(),
				"--resolve", host+":"+port+":127.0.0.1", "https://"+host+":"+port+"/").CombinedOutput()
			if (err == nil && string(out) == "hello") != good {
				t.Errorf("curl on %s: %v %s, want accepted %v", host, err, out, good)
			}
		}
	}
	if opensslErr != nil || curlErr != nil {
		t.Logf("not all peers were asked: openssl %v, curl %v", opensslErr, curlErr)
	}
}

func TestTwoAtOnce(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	got := make([]*CA, 8)
	for i := range got {
		wg.Go(func() { got[i], _ = Open(dir) })
	}
	wg.Wait()
	for _, c := range got {
		if c == nil || !c.Certificate().Equal(got[0].Certificate()) {
			t.Fatal("programs that started at once have different authorities")
		}
	}
}
