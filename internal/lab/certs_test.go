package lab

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
)

// Every setting serves a handshake to a client that looks at nothing, so that
// what is wrong is the certificate and not the server.
func TestCertSettings(t *testing.T) {
	l, err := NewCertLab()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	seen := map[string]bool{}
	for _, s := range CertSettings {
		if seen[s.Name] {
			t.Errorf("CertSettings has %q twice", s.Name)
		}
		seen[s.Name] = true
		t.Run(s.Name, func(t *testing.T) {
			if twin, ok := Named(s.Sound); s.Sound != "" && (!ok || twin.Sound != "") {
				t.Errorf("%s has the sound twin %q, want one that is there and sound", s.Name, s.Sound)
			}
			server, err := l.Serve(s, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			c := &tls.Config{InsecureSkipVerify: true, ServerName: server.Name}
			if s.Client != nil {
				c.Certificates = []tls.Certificate{s.Client(l)}
			}
			conn, err := tls.Dial("tcp", server.Address.String(), c)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			peer := conn.ConnectionState().PeerCertificates
			more := x509.NewCertPool()
			for _, p := range peer[1:] {
				more.AddCert(p)
			}
			_, err = peer[0].Verify(x509.VerifyOptions{Roots: l.Pool(), Intermediates: more, CurrentTime: l.Now, DNSName: server.Name})
			if s.Sound == "" && err != nil {
				t.Errorf("Verify(%s) found %v, want none: it is sound", s.Name, err)
			}
		})
	}
}
