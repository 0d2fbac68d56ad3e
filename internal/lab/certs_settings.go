package lab

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"time"
)

const hours24 = 24 * time.Hour

// CertSettings is the table of certificates: what is served, each fault beside
// the sound setting that it differs from by one thing.
var CertSettings = []CertSetting{
	{Name: "good", Serve: leaf(func(*CertLab, *Leaf) {})},

	// Time.
	{Name: "expired", Sound: "good", Serve: leaf(func(l *CertLab, o *Leaf) {
		o.NotBefore, o.NotAfter = l.Now.Add(-100*hours24), l.Now.Add(-10*hours24)
	})},
	{Name: "not yet valid", Sound: "good", Serve: leaf(func(l *CertLab, o *Leaf) {
		o.NotBefore, o.NotAfter = l.Now.Add(2*hours24), l.Now.Add(92*hours24)
	})},
	{Name: "expired intermediate", Sound: "two intermediates", Serve: signed(func(l *CertLab, c *x509.Certificate) {
		c.NotAfter = l.Now.Add(-hours24)
	})},
	{Name: "half gone", Serve: leaf(func(l *CertLab, o *Leaf) {
		o.NotBefore, o.NotAfter = l.Now.Add(-50*hours24), l.Now.Add(40*hours24)
	})},
	{Name: "expires soon", Sound: "half gone", Serve: leaf(func(l *CertLab, o *Leaf) {
		o.NotBefore, o.NotAfter = l.Now.Add(-85*hours24), l.Now.Add(5*hours24)
	})},
	{Name: "short-lived", Serve: leaf(func(l *CertLab, o *Leaf) {
		o.NotBefore, o.NotAfter = l.Now.Add(-3*hours24), l.Now.Add(4*hours24)
	})},
	{Name: "short-lived, hours left", Sound: "short-lived", Serve: leaf(func(l *CertLab, o *Leaf) {
		o.NotBefore, o.NotAfter = l.Now.Add(-160*time.Hour), l.Now.Add(8*time.Hour)
	})},
	{Name: "very long-lived", Sound: "good", Serve: leaf(func(l *CertLab, o *Leaf) {
		o.NotBefore, o.NotAfter = l.Now.Add(-hours24), l.Now.Add(1500*hours24)
	})},

	// Names.
	{Name: "wrong host", Sound: "good", Serve: leaf(func(_ *CertLab, o *Leaf) { o.Names = []string{"www.parley.test"} })},
	{Name: "wildcard", Serve: leaf(func(_ *CertLab, o *Leaf) { o.Names = []string{"*.parley.test"} })},
	{Name: "wildcard depth", Sound: "wildcard", Host: "eu.api.parley.test", Serve: leaf(func(_ *CertLab, o *Leaf) { o.Names = []string{"*.parley.test"} })},
	{Name: "no SAN", Sound: "good", Serve: leaf(func(_ *CertLab, o *Leaf) { o.Names, o.CommonName = []string{}, Name })},
	{Name: "address", Host: "127.0.0.1", Serve: leaf(func(_ *CertLab, o *Leaf) { o.Names = []string{"127.0.0.1"} })},
	{Name: "address as a name", Host: "127.0.0.1", Sound: "address", Serve: leaf(func(*CertLab, *Leaf) {})},

	// Who vouches.
	{Name: "self-signed", Sound: "good", Serve: leaf(func(_ *CertLab, o *Leaf) { o.Self = true })},
	{Name: "unknown root", Sound: "good", Serve: func(l *CertLab) tls.Certificate { return l.Other.Issue(Leaf{}) }},
	{Name: "unknown root, sent", Sound: "good", Serve: func(l *CertLab) tls.Certificate {
		return l.Other.Issue(Leaf{Above: []*x509.Certificate{l.Other.Intermediate.Certificate, l.Other.Root.Certificate}})
	}},
	{Name: "unknown root, AIA", Sound: "good", Serve: func(l *CertLab) tls.Certificate {
		by := l.NewSigner(l.Other.Root, func(c *x509.Certificate) { c.IssuingCertificateURL = []string{l.Put(l.Other.Root.Certificate)} })
		return l.Issue(Leaf{By: by})
	}},
	{Name: "impostor", Sound: "good", Serve: func(l *CertLab) tls.Certificate {
		fake := l.NewSigner(nil, func(c *x509.Certificate) { c.Subject = l.Intermediate.Certificate.Subject })
		return l.Issue(Leaf{By: fake, Above: []*x509.Certificate{l.Intermediate.Certificate}})
	}},
	{Name: "missing intermediate, AIA", Sound: "good", Serve: func(l *CertLab) tls.Certificate {
		return l.Issue(Leaf{Above: []*x509.Certificate{}, Edit: func(c *x509.Certificate) {
			c.IssuingCertificateURL = []string{l.Put(l.Intermediate.Certificate)}
		}})
	}},
	{Name: "two missing, AIA", Sound: "two intermediates", Serve: func(l *CertLab) tls.Certificate {
		by := l.NewSigner(l.Middle, func(c *x509.Certificate) { c.IssuingCertificateURL = []string{l.Put(l.Middle.Certificate)} })
		return l.Issue(Leaf{By: by, Above: []*x509.Certificate{}, Edit: func(c *x509.Certificate) {
			c.IssuingCertificateURL = []string{l.Put(by.Certificate)}
		}})
	}},
	{Name: "missing intermediate, wrong AIA", Sound: "good", Serve: func(l *CertLab) tls.Certificate {
		return l.Issue(Leaf{Above: []*x509.Certificate{}, Edit: func(c *x509.Certificate) {
			c.IssuingCertificateURL = []string{l.Put(l.Other.Intermediate.Certificate)}
		}})
	}},
	{Name: "missing intermediate", Sound: "good", Serve: leaf(func(_ *CertLab, o *Leaf) { o.Above = []*x509.Certificate{} })},

	// How the chain is sent.
	{Name: "two intermediates", Serve: sent(func(l *CertLab) []*Signer { return []*Signer{l.Deep, l.Middle} })},
	{Name: "reversed", Sound: "two intermediates", Serve: sent(func(l *CertLab) []*Signer { return []*Signer{l.Middle, l.Deep} })},
	{Name: "duplicate", Sound: "two intermediates", Serve: sent(func(l *CertLab) []*Signer { return []*Signer{l.Deep, l.Deep, l.Middle} })},
	{Name: "extra", Sound: "two intermediates", Serve: sent(func(l *CertLab) []*Signer { return []*Signer{l.Deep, l.Middle, l.Other.Intermediate} })},
	{Name: "root sent", Sound: "two intermediates", Serve: sent(func(l *CertLab) []*Signer { return []*Signer{l.Deep, l.Middle, l.Root} })},

	// Keys and signatures.
	{Name: "RSA 2048", Serve: leaf(func(_ *CertLab, o *Leaf) { o.Key = newRSA(2048) })},
	{Name: "RSA 1024", Sound: "RSA 2048", Serve: leaf(func(_ *CertLab, o *Leaf) { o.Key = newRSA(1024) })},
	{Name: "SHA-256 with RSA", Serve: byRSA(x509.SHA256WithRSA)},
	{Name: "SHA-1 with RSA", Sound: "SHA-256 with RSA", Serve: byRSA(x509.SHA1WithRSA)},
	{Name: "SHA-1 with ECDSA", Sound: "good", Serve: leaf(func(_ *CertLab, o *Leaf) {
		o.Edit = func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 }
	})},
	{Name: "weak key above", Sound: "good", Serve: func(l *CertLab) tls.Certificate {
		return l.Issue(Leaf{By: l.newSigner(l.Root, p224(), nil)})
	}},

	// What authorities may do.
	{Name: "name constraints kept", Serve: signed(func(_ *CertLab, c *x509.Certificate) {
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"parley.test"}
	})},
	{Name: "name constraints violated", Sound: "name constraints kept", Serve: signed(func(_ *CertLab, c *x509.Certificate) {
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"shop.test"}
	})},
	{Name: "wrong purpose", Sound: "good", Serve: leaf(func(_ *CertLab, o *Leaf) { o.Client = true })},
	{Name: "wrong purpose above", Sound: "two intermediates", Serve: signed(func(_ *CertLab, c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	})},
	{Name: "not an authority", Sound: "two intermediates", Serve: signed(func(_ *CertLab, c *x509.Certificate) {
		c.IsCA, c.KeyUsage, c.MaxPathLen = false, x509.KeyUsageDigitalSignature, 0
	})},
	{Name: "authority without keyCertSign", Sound: "two intermediates", Serve: signed(func(_ *CertLab, c *x509.Certificate) {
		c.KeyUsage = x509.KeyUsageCRLSign
	})},
	{Name: "path too long", Sound: "two intermediates", Serve: func(l *CertLab) tls.Certificate {
		by := l.NewSigner(l.Intermediate, nil) // which may have none below it
		return l.Issue(Leaf{By: by, Above: []*x509.Certificate{by.Certificate, l.Intermediate.Certificate}})
	}},
	{Name: "critical extension", Sound: "good", Serve: leaf(func(_ *CertLab, o *Leaf) { o.Edit = extra(true) })},
	{Name: "extension that is not critical", Serve: leaf(func(_ *CertLab, o *Leaf) { o.Edit = extra(false) })},
	{Name: "policy asked for", Sound: "policy kept", Serve: func(l *CertLab) tls.Certificate { return withPolicy(l, "1.3.6.1.4.1.55555.2") }},
	{Name: "policy kept", Serve: func(l *CertLab) tls.Certificate { return withPolicy(l, "1.3.6.1.4.1.55555.1") }},

	// What comes along.
	{Name: "no SCT", Serve: withSCTs(0)},
	{Name: "one SCT", Serve: withSCTs(1)},
	{Name: "three SCTs", Serve: withSCTs(3)},
	{Name: "OCSP stapled", Serve: func(l *CertLab) tls.Certificate {
		c := l.Issue(Leaf{})
		c.OCSPStaple = []byte("not looked into")
		return c
	}},

	// The other way round.
	{Name: "client certificate shown", Serve: leaf(func(*CertLab, *Leaf) {}), Config: clientCertificate,
		Client: func(l *CertLab) tls.Certificate {
			return l.Issue(Leaf{Client: true, Names: []string{}, CommonName: "priya"})
		}},
	{Name: "client certificate withheld", Sound: "client certificate shown", Serve: leaf(func(*CertLab, *Leaf) {}), Config: clientCertificate},
}

func byRSA(a x509.SignatureAlgorithm) func(*CertLab) tls.Certificate {
	return func(l *CertLab) tls.Certificate {
		by := l.newSigner(l.Root, newRSA(2048), nil)
		return l.Issue(Leaf{By: by, Edit: func(c *x509.Certificate) { c.SignatureAlgorithm = a }})
	}
}

func withSCTs(n int) func(*CertLab) tls.Certificate {
	return leaf(func(_ *CertLab, o *Leaf) {
		if n > 0 {
			o.Edit = func(c *x509.Certificate) { c.ExtraExtensions = append(c.ExtraExtensions, scts(n)) }
		}
	})
}

// extra adds an extension that nobody knows.
func extra(critical bool) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{
			Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 55555, 9}, Critical: critical, Value: []byte{5, 0},
		})
	}
}

// withPolicy issues under an authority that asks for a policy and has one.
func withPolicy(l *CertLab, oid string) tls.Certificate {
	// requireExplicitPolicy of 0 (RFC 5280, 4.2.1.11).
	constraint := pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 36}, Critical: true, Value: []byte{0x30, 3, 0x80, 1, 0}}
	by := l.NewSigner(l.Root, func(c *x509.Certificate) {
		c.Subject = subject("Parley Lab Policy")
		c.Policies = []x509.OID{oidOf("1.3.6.1.4.1.55555.1")}
		c.ExtraExtensions = append(c.ExtraExtensions, constraint)
	})
	return l.Issue(Leaf{By: by, Edit: func(c *x509.Certificate) { c.Policies = []x509.OID{oidOf(oid)} }})
}

func oidOf(s string) x509.OID {
	o, err := x509.ParseOID(s)
	if err != nil {
		panic(err)
	}
	return o
}
