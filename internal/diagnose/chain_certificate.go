package diagnose

import (
	"crypto/dsa" //lint:ignore SA1019 only to name such a key
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// CertificateOf returns a certificate's facts.
func CertificateOf(c *x509.Certificate) exchange.Certificate {
	sum, pin := sha256.Sum256(c.Raw), sha256.Sum256(c.RawSubjectPublicKeyInfo)
	f := exchange.Certificate{
		Subject:   subjectOf(c),
		Issuer:    issuerOf(c),
		NotBefore: c.NotBefore,
		NotAfter:  c.NotAfter,
		Key:       keyOf(c),
		Signature: signatureOf(c),
		CA:        c.IsCA && c.BasicConstraintsValid,
		SHA256:    hex.EncodeToString(sum[:]),
		PinSHA256: base64.StdEncoding.EncodeToString(pin[:]),
		DER:       c.Raw,
	}
	if c.SerialNumber != nil {
		f.Serial = c.SerialNumber.Text(16)
	}
	for _, n := range c.DNSNames {
		f.Names = append(f.Names, visible(n))
	}
	for _, ip := range c.IPAddresses {
		f.Names = append(f.Names, ip.String())
	}
	return f
}

// parse reads one certificate, within bounds.
func parse(der []byte) (*x509.Certificate, error) {
	if len(der) > maxDER {
		return nil, fmt.Errorf("it has %d bytes, and the limit is %d", len(der), maxDER)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errors.New(plain(strings.TrimPrefix(err.Error(), "x509: ")))
	}
	if k, ok := c.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() > maxRSA {
		return nil, fmt.Errorf("its RSA key has %d bits, and the limit is %d", k.N.BitLen(), maxRSA)
	}
	return c, nil
}

// unreadable is what is known of bytes that are no certificate.
func unreadable(der []byte) exchange.Certificate {
	sum := sha256.Sum256(der)
	f := exchange.Certificate{SHA256: hex.EncodeToString(sum[:])}
	if len(der) <= maxDER {
		f.DER = der
	}
	return f
}

func keyOf(c *x509.Certificate) string {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	case *dsa.PublicKey:
		return fmt.Sprintf("DSA %d", k.P.BitLen())
	}
	if c.PublicKeyAlgorithm != x509.UnknownPublicKeyAlgorithm {
		return c.PublicKeyAlgorithm.String()
	}
	return "unknown"
}

func signatureOf(c *x509.Certificate) string {
	if c.SignatureAlgorithm == x509.UnknownSignatureAlgorithm {
		return "unknown"
	}
	return c.SignatureAlgorithm.String()
}

func subjectOf(c *x509.Certificate) string { return nameOf(&c.Subject, c.RawSubject) }

func issuerOf(c *x509.Certificate) string { return nameOf(&c.Issuer, c.RawIssuer) }

// nameOf writes a distinguished name. Very long ones are cut to their common
// name: writing all takes the square of their length.
func nameOf(n *pkix.Name, raw []byte) string {
	const most = 8 << 10
	if len(raw) > most {
		return fmt.Sprintf("CN=%s and %d bytes more", plain(n.CommonName), len(raw))
	}
	return visible(n.String())
}

// called is how a sentence speaks of a certificate.
func called(c *x509.Certificate) string {
	for _, n := range append([]string{c.Subject.CommonName}, c.DNSNames...) {
		if n != "" {
			return plain(n)
		}
	}
	if s := subjectOf(c); s != "" {
		return plain(s)
	}
	return "a certificate without a name"
}

// visible writes control characters as escapes: names come from the network
// and go to terminals.
func visible(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) < 0 {
		return s
	}
	q := strconv.Quote(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

// plain is visible for a sentence, which has an end.
func plain(s string) string {
	const most = 200
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return visible(s)
}

func ordinal(i int) string {
	if i < 4 {
		return [...]string{"first", "second", "third", "fourth"}[i]
	}
	return fmt.Sprintf("%dth", i+1)
}
