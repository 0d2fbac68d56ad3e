package lab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net/http"
)

// A CertSetting is one way to serve a certificate, right or wrong. What is to
// be found in it stands beside the test, not here. Revocation, the signatures of
// SCTs and encrypted hellos have no setting yet.
type CertSetting struct {
	Name string
	// Host is what the server is called by; empty means Name of the package.
	Host string
	// Sound is the name of the setting that is right where this one is wrong;
	// empty for those that are right.
	Sound string
	// Serve makes what the server shows.
	Serve func(*CertLab) tls.Certificate
	// Config changes the server further; nil changes nothing.
	Config func(*CertLab, *tls.Config)
	// Client is the certificate that the client shows; nil shows none.
	Client func(*CertLab) tls.Certificate
}

// A CertLab is the authority of a run and what the settings add to it: further
// authorities, and a place over plain HTTP where certificates can be had (AIA).
type CertLab struct {
	*Authority
	// Other is an authority that nobody trusts.
	Other *Authority
	// Deep is an intermediate below the intermediate Middle.
	Middle, Deep *Signer

	places *files
}

// NewCertLab starts a laboratory for certificates. It runs until Close.
func NewCertLab() (*CertLab, error) {
	places, err := serveFiles()
	if err != nil {
		return nil, err
	}
	l := &CertLab{Authority: NewAuthority(), places: places}
	l.Other = NewAuthorityAt(l.Now)
	l.Other.Root = l.NewSigner(nil, func(c *x509.Certificate) { c.Subject = subject("Parley Lab Other Root") })
	l.Other.Intermediate = l.NewSigner(l.Other.Root, func(c *x509.Certificate) { c.Subject = subject("Parley Lab Other Intermediate") })
	l.Middle = l.NewSigner(l.Root, func(c *x509.Certificate) { c.Subject = subject("Parley Lab Middle") })
	l.Deep = l.NewSigner(l.Middle, func(c *x509.Certificate) { c.Subject = subject("Parley Lab Deep") })
	return l, nil
}

// Close ends the laboratory.
func (l *CertLab) Close() { l.places.Close() }

// Put makes a certificate available and returns its URL.
func (l *CertLab) Put(c *x509.Certificate) string { return l.places.put(c.Raw) }

// Gets counts how often certificates were asked for.
func (l *CertLab) Gets() int { return l.places.count() }

// Serve starts the server of a setting.
func (l *CertLab) Serve(s CertSetting, h http.Handler) (*TLSServer, error) {
	c := &tls.Config{Certificates: []tls.Certificate{s.Serve(l)}}
	if s.Config != nil {
		s.Config(l, c)
	}
	server, err := ServeTLS(c, h)
	if err == nil && s.Host != "" {
		server.Name = s.Host
	}
	return server, err
}

// Named returns the setting with a name.
func Named(name string) (CertSetting, bool) {
	for _, s := range CertSettings {
		if s.Name == name {
			return s, true
		}
	}
	return CertSetting{}, false
}

// leaf is a setting that issues one certificate and serves it as usual.
func leaf(edit func(*CertLab, *Leaf)) func(*CertLab) tls.Certificate {
	return func(l *CertLab) tls.Certificate {
		var o Leaf
		edit(l, &o)
		return l.Issue(o)
	}
}

// signed is a setting whose certificate comes from an authority of its own.
func signed(edit func(*CertLab, *x509.Certificate)) func(*CertLab) tls.Certificate {
	return func(l *CertLab) tls.Certificate {
		by := l.NewSigner(l.Root, func(c *x509.Certificate) {
			c.Subject = subject("Parley Lab Special")
			edit(l, c)
		})
		return l.Issue(Leaf{By: by})
	}
}

// sent is a setting that issues a certificate from Deep and chooses what is
// sent after it.
func sent(above func(*CertLab) []*Signer) func(*CertLab) tls.Certificate {
	return func(l *CertLab) tls.Certificate {
		certs := []*x509.Certificate{}
		for _, s := range above(l) {
			certs = append(certs, s.Certificate)
		}
		return l.Issue(Leaf{By: l.Deep, Above: certs})
	}
}

// clientCertificate makes a server ask for a certificate of the same authority.
func clientCertificate(l *CertLab, c *tls.Config) {
	c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, l.Pool()
}

func newRSA(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}

func p224() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

// scts is the extension that carries signed certificate timestamps. What is in
// them is noise: they can be counted, not verified.
func scts(n int) pkix.Extension {
	var list []byte
	for range n {
		var sct [117]byte
		rand.Read(sct[1:]) // the first byte is the version
		list = append(list, 0, byte(len(sct)))
		list = append(list, sct[:]...)
	}
	list = append([]byte{byte(len(list) >> 8), byte(len(list))}, list...)
	value, err := asn1.Marshal(list)
	if err != nil {
		panic(err)
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}, Value: value}
}
