// Package ca makes and keeps small certificate authorities for local TLS and the proxy.
//
// An authority belongs to one folder, lives for 90 days, and may speak only
// for the names it was made for: that is written into its certificate as a
// critical constraint, so a stolen key is worth those names and no others.
// Nothing here asks the operating system to trust anything.
package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	lifetime     = 90 * 24 * time.Hour
	leafLifetime = 72 * time.Hour
	// renewLeaf is what a leaf must have left to be used again, and what
	// the authority must outlive a new one by.
	renewLeaf = 24 * time.Hour
	// backdate forgives clocks that are behind.
	backdate = 5 * time.Minute
)

// always are the names that every authority may speak for. The first covers
// everything below .localhost as well (RFC 5280, 4.2.1.10).
var always = []string{"localhost", "127.0.0.1", "::1"}

// A CA is a local certificate authority. It is safe for concurrent use.
type CA struct {
	dir   string
	names []string // beyond those in always
	now   func() time.Time

	mu     sync.Mutex
	cert   *x509.Certificate
	key    crypto.Signer
	word   string
	leaves map[string]*tls.Certificate
}

// Open returns the authority kept in dir, making the folder and the authority
// when there is none. It may speak for localhost, loopback addresses and the
// names given (host names with all below them, or IP addresses). An authority
// that is broken, nearly expired or was made for other names is made anew;
// Word then says why.
func Open(dir string, names ...string) (*CA, error) {
	return open(dir, time.Now, names...)
}

func open(dir string, now func() time.Time, names ...string) (*CA, error) {
	c := &CA{dir: dir, now: now, leaves: map[string]*tls.Certificate{}}
	for _, n := range names {
		n, err := clean(n)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(always, n) && !slices.Contains(c.names, n) {
			c.names = append(c.names, n)
		}
	}
	if err := c.load(); err != nil {
		return nil, err
	}
	return c, nil
}

// Word says why the authority was made anew, or "" when the one that was there
// served or there was none before.
func (c *CA) Word() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.word
}

// Certificate returns the authority's own certificate.
func (c *CA) Certificate() *x509.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cert
}

// Leaf returns a certificate with its key for localhost, 127.0.0.1, ::1 and
// the names given. It is kept in memory and made again before it expires.
func (c *CA) Leaf(names ...string) (*tls.Certificate, error) {
	all := slices.Clone(always)
	for _, n := range names {
		n, err := clean(n)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return c.leaf(all)
}

// Exact is Leaf for the names given and no others, as a proxy needs.
func (c *CA) Exact(names ...string) (*tls.Certificate, error) {
	if len(names) == 0 {
		return nil, errors.New("ca: leaf: no names")
	}
	var all []string
	for _, n := range names {
		n, err := clean(n)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return c.leaf(all)
}

// Server returns a function for tls.Config.GetCertificate that always has a
// leaf for the names with time left.
func (c *CA) Server(names ...string) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.Leaf(names...) }
}

// maxLeaves bounds the memory that asking for ever new names can take.
const maxLeaves = 1024

func (c *CA) leaf(names []string) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if now.Add(leafLifetime).After(c.cert.NotAfter) {
		if err := c.replace("it was about to expire"); err != nil {
			return nil, err
		}
	}
	id := strings.Join(names, " ")
	if l := c.leaves[id]; l != nil && now.Add(renewLeaf).Before(l.Leaf.NotAfter) {
		return l, nil
	}
	for _, n := range names {
		if !permits(c.cert, n) {
			return nil, fmt.Errorf("ca: leaf for %s: outside of what this authority may speak for", n)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("ca: leaf: %w", err)
	}
	t := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: names[0]},
		NotBefore:    now.Add(-backdate),
		NotAfter:     now.Add(leafLifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},

		BasicConstraintsValid: true,
	}
	for _, n := range names {
		if a, err := netip.ParseAddr(n); err == nil {
			t.IPAddresses = append(t.IPAddresses, a.AsSlice())
		} else {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, c.cert, &key.PublicKey, c.key)
	if err != nil {
		return nil, fmt.Errorf("ca: leaf for %s: %w", names[0], err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("ca: leaf for %s: %w", names[0], err)
	}
	if len(c.leaves) >= maxLeaves {
		clear(c.leaves)
	}
	l := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: parsed}
	c.leaves[id] = l
	return l, nil
}

// create makes a new authority in memory.
func (c *CA) create() (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("ca: %w", err)
	}
	now := c.now()
	t := &x509.Certificate{
		SerialNumber: serial(),
		// The date tells two authorities of one folder apart in a list.
		Subject:   pkix.Name{Organization: []string{"Parley"}, CommonName: "Parley local authority " + now.UTC().Format("2006-01-02 15:04:05")},
		NotBefore: now.Add(-backdate),
		NotAfter:  now.Add(lifetime),
		KeyUsage:  x509.KeyUsageCertSign | x509.KeyUsageCRLSign,

		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,

		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         []string{"localhost"},
		PermittedIPRanges: []*net.IPNet{
			{IP: net.IP{127, 0, 0, 0}, Mask: net.CIDRMask(8, 32)},
			{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
		},
	}
	for _, n := range c.names {
		if a, err := netip.ParseAddr(n); err == nil {
			bits := a.BitLen()
			t.PermittedIPRanges = append(t.PermittedIPRanges, &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(bits, bits)})
		} else {
			t.PermittedDNSDomains = append(t.PermittedDNSDomains, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return nil, nil, fmt.Errorf("ca: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, fmt.Errorf("ca: %w", err)
	}
	return cert, key, nil
}

// permits reports whether the authority's constraints allow a name.
func permits(ca *x509.Certificate, name string) bool {
	if a, err := netip.ParseAddr(name); err == nil {
		return slices.ContainsFunc(ca.PermittedIPRanges, func(r *net.IPNet) bool { return r.Contains(a.AsSlice()) })
	}
	return slices.ContainsFunc(ca.PermittedDNSDomains, func(d string) bool {
		return name == d || strings.HasSuffix(name, "."+d)
	})
}

// clean checks a host name or address and puts it into one form.
func clean(name string) (string, error) {
	n := strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	if a, err := netip.ParseAddr(n); err == nil && a.Zone() == "" {
		return a.Unmap().String(), nil
	}
	if n == "" || len(n) > 253 {
		return "", fmt.Errorf("ca: %q is not a host name", name)
	}
	for label := range strings.SplitSeq(n, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return "", fmt.Errorf("ca: %q is not a host name", name)
		}
		for _, b := range []byte(label) {
			if b != '-' && b != '_' && (b < '0' || b > '9') && (b < 'a' || b > 'z') {
				return "", fmt.Errorf("ca: %q is not a host name", name)
			}
		}
	}
	return n, nil
}

func serial() *big.Int {
	var b [16]byte
	rand.Read(b[:])
	b[0] = b[0]&0x7f | 0x40 // positive and of full length
	return new(big.Int).SetBytes(b[:])
}
