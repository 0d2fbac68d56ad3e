package ca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The key file holds the key and the certificate, so that the pair is replaced
// in one rename and is never half of one authority and half of another. The
// certificate file is a public copy.
const (
	keyFile         = "ca-key.pem"
	certificateFile = "ca.pem"
)

// CertificateFile returns the path of the authority's certificate in PEM, for
// curl --cacert and the like.
func (c *CA) CertificateFile() string { return filepath.Join(c.dir, certificateFile) }

// load reads the authority, or makes it.
func (c *CA) load() error {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return fmt.Errorf("ca: %w", err)
	}
	file := filepath.Join(c.dir, keyFile)
	data, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return c.first(file)
	case err != nil:
		return fmt.Errorf("ca: %w", err)
	}
	why := c.adopt(data)
	if why == "" {
		if fi, err := os.Stat(file); err == nil && fi.Mode().Perm()&0o077 != 0 {
			// Somebody else may have read it.
			why = fmt.Sprintf("its key file could be read by others (mode %o)", fi.Mode().Perm())
		}
	}
	if why != "" {
		return c.replace(why)
	}
	return c.publish()
}

// adopt takes the authority in a key file, or says why not.
func (c *CA) adopt(data []byte) (why string) {
	var key *ecdsa.PrivateKey
	var cert *x509.Certificate
	for {
		var b *pem.Block
		if b, data = pem.Decode(data); b == nil {
			break
		}
		switch b.Type {
		case "PRIVATE KEY":
			k, err := x509.ParsePKCS8PrivateKey(b.Bytes)
			if err != nil {
				return "its key could not be read"
			}
			key, _ = k.(*ecdsa.PrivateKey)
		case "CERTIFICATE":
			x, err := x509.ParseCertificate(b.Bytes)
			if err != nil {
				return "its certificate could not be read"
			}
			cert = x
		}
	}
	now := c.now()
	switch {
	case key == nil || cert == nil:
		return "its key file was broken"
	case !key.PublicKey.Equal(cert.PublicKey):
		return "its key and certificate did not belong together"
	case !cert.IsCA || !cert.PermittedDNSDomainsCritical || len(cert.PermittedDNSDomains) == 0 || len(cert.PermittedIPRanges) == 0:
		return "it was not bound to names"
	case now.Before(cert.NotBefore):
		return "it was not valid yet"
	case now.After(cert.NotAfter):
		return "it had expired"
	case now.Add(leafLifetime).After(cert.NotAfter):
		return "it was about to expire"
	}
	// What it may say must be what is asked for, no less and no more.
	if len(cert.PermittedDNSDomains)+len(cert.PermittedIPRanges) != len(always)+len(c.names) {
		return "it was made for other names"
	}
	for _, n := range c.names {
		if !permits(cert, n) {
			return "it was made for other names"
		}
	}
	c.cert, c.key = cert, key
	return ""
}

// first makes the folder's first authority. Of two programs that do so at
// once, one wins and the other takes the winner's.
func (c *CA) first(file string) error {
	cert, key, err := c.create()
	if err != nil {
		return err
	}
	tmp, err := c.write(keyFile, encode(cert, key), 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	if err := os.Link(tmp, file); err != nil {
		if !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("ca: %w", err)
		}
		return c.load()
	}
	c.cert, c.key = cert, key
	return c.publish()
}

// replace makes a new authority over the old one and remembers why.
func (c *CA) replace(why string) error {
	cert, key, err := c.create()
	if err != nil {
		return err
	}
	tmp, err := c.write(keyFile, encode(cert, key), 0o600)
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, filepath.Join(c.dir, keyFile)); err != nil {
		os.Remove(tmp)
		return fmt.Errorf("ca: %w", err)
	}
	c.cert, c.key = cert, key
	clear(c.leaves)
	c.word = "the local certificate authority was made anew: " + why
	return c.publish()
}

// publish writes the public copy of the certificate unless it is there.
func (c *CA) publish() error {
	data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw})
	if old, err := os.ReadFile(c.CertificateFile()); err == nil && bytes.Equal(old, data) {
		return nil
	}
	tmp, err := c.write(certificateFile, data, 0o644)
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, c.CertificateFile()); err != nil {
		os.Remove(tmp)
		return fmt.Errorf("ca: %w", err)
	}
	return nil
}

// write makes a temporary file in the folder with the mode wanted from the
// start, so that a key is never readable by others for a moment.
func (c *CA) write(name string, data []byte, mode fs.FileMode) (string, error) {
	f, err := os.CreateTemp(c.dir, "."+name+"-*") // mode 600
	if err != nil {
		return "", fmt.Errorf("ca: %w", err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		os.Remove(f.Name())
		return "", fmt.Errorf("ca: %w", err)
	}
	return f.Name(), nil
}

func encode(cert *x509.Certificate, key *ecdsa.PrivateKey) []byte {
	k, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err) // a P-256 key that was just made
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: k}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})...)
}
