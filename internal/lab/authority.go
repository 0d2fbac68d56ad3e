package lab

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net/netip"
	"time"
)

// Name is the host that laboratory certificates are for when nothing else is
// said.
const Name = "api.parley.test"

// An Authority is a root and an intermediate certificate authority that live
// in memory. Nobody outside of the laboratory trusts them.
type Authority struct {
	// Now is the authority's clock, which stands still. What it issues is good
	// at this time.
	Now          time.Time
	Root         *Signer
	Intermediate *Signer
}

// A Signer is a certificate with the key that signs in its name.
type Signer struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
}

// NewAuthority returns an authority whose clock stands at the present time, so
// that programs without a clock of their own can meet it as well.
func NewAuthority() *Authority { return NewAuthorityAt(time.Now()) }

// NewAuthorityAt is NewAuthority with the clock at a given time.
func NewAuthorityAt(now time.Time) *Authority {
	a := &Authority{Now: now.UTC().Truncate(time.Second)}
	a.Root = a.NewSigner(nil, func(c *x509.Certificate) { c.Subject = subject("Parley Lab Root") })
	a.Intermediate = a.NewSigner(a.Root, func(c *x509.Certificate) {
		c.Subject = subject("Parley Lab Intermediate")
		c.NotBefore, c.NotAfter = a.Now.AddDate(-1, 0, 0), a.Now.AddDate(4, 0, 0)
		c.MaxPathLen, c.MaxPathLenZero = 0, true
	})
	return a
}

// Pool holds the root.
func (a *Authority) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.Root.Certificate)
	return p
}

// NewSigner returns a further authority signed by by; nil makes a root. edit
// may change what the certificate says; nil changes nothing.
func (a *Authority) NewSigner(by *Signer, edit func(*x509.Certificate)) *Signer {
	return a.newSigner(by, NewKey(), edit)
}

func (a *Authority) newSigner(by *Signer, key crypto.Signer, edit func(*x509.Certificate)) *Signer {
	t := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      subject("Parley Lab Authority"),
		NotBefore:    a.Now.AddDate(-2, 0, 0),
		NotAfter:     a.Now.AddDate(8, 0, 0),
		KeyUsage:     x509.KeyUsageCertSign | x509.KeyUsageCRLSign,

		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLen:            -1,
	}
	if edit != nil {
		edit(t)
	}
	if by == nil {
		return &Signer{sign(t, t, key.Public(), key), key}
	}
	return &Signer{sign(t, by.Certificate, key.Public(), by.Key), key}
}

// A Leaf says what a server's or client's certificate is to be. The zero value
// is a good one for Name.
type Leaf struct {
	// Names are DNS names and addresses. Nil means Name; an empty slice none.
	Names []string
	// CommonName is the subject's. Empty means the first name.
	CommonName string
	// NotBefore and NotAfter default to 90 days of which 60 are left.
	NotBefore, NotAfter time.Time
	// Key defaults to a new P-256 key.
	Key crypto.Signer
	// Client makes it good for client authentication instead of servers.
	Client bool
	// By signs it. Nil means the authority's intermediate.
	By *Signer
	// Self makes it sign itself.
	Self bool
	// Above are the certificates that follow it when it is served. Nil means
	// the authority's intermediate when that signed it, else the signer's.
	Above []*x509.Certificate
	// Edit may change anything before it is signed.
	Edit func(*x509.Certificate)
}

// Issue returns a certificate with its key and what is served after it. It
// panics when there can be no such certificate: the table it stands in is
// wrong.
func (a *Authority) Issue(l Leaf) tls.Certificate {
	if l.Names == nil {
		l.Names = []string{Name}
	}
	if l.CommonName == "" && len(l.Names) > 0 {
		l.CommonName = l.Names[0]
	}
	if l.NotBefore.IsZero() {
		l.NotBefore = a.Now.AddDate(0, 0, -30)
	}
	if l.NotAfter.IsZero() {
		l.NotAfter = a.Now.AddDate(0, 0, 60)
	}
	if l.Key == nil {
		l.Key = NewKey()
	}
	t := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      subject(l.CommonName),
		NotBefore:    l.NotBefore,
		NotAfter:     l.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},

		BasicConstraintsValid: true,
	}
	if l.Client {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	for _, n := range l.Names {
		if ip, err := netip.ParseAddr(n); err == nil {
			t.IPAddresses = append(t.IPAddresses, ip.AsSlice())
		} else {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	if l.Edit != nil {
		l.Edit(t)
	}
	by := l.By
	if by == nil {
		by = a.Intermediate
	}
	if l.Self {
		by = &Signer{t, l.Key}
	}
	leaf := sign(t, by.Certificate, l.Key.Public(), by.Key)
	above := l.Above
	if above == nil && !l.Self && by != a.Root {
		above = []*x509.Certificate{by.Certificate}
	}
	return bundle(leaf, l.Key, above...)
}

// bundle is what a server is configured with.
func bundle(leaf *x509.Certificate, key crypto.Signer, above ...*x509.Certificate) tls.Certificate {
	c := tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
	for _, x := range above {
		c.Certificate = append(c.Certificate, x.Raw)
	}
	return c
}

// NewKey returns a P-256 key.
func NewKey() crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(fmt.Errorf("lab: key: %w", err))
	}
	return key
}

func sign(t, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, t, parent, public, key)
	if err != nil {
		panic(fmt.Errorf("lab: certificate of %s: %w", t.Subject, err))
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(fmt.Errorf("lab: certificate of %s: %w", t.Subject, err))
	}
	return c
}

func subject(name string) pkix.Name {
	if name == "" {
		return pkix.Name{Organization: []string{"Parley Lab"}}
	}
	return pkix.Name{Organization: []string{"Parley Lab"}, CommonName: name}
}

func serial() *big.Int {
	var b [16]byte
	rand.Read(b[:])
	b[0] = b[0]&0x7f | 0x40 // positive and of full length
	return new(big.Int).SetBytes(b[:])
}
