package run

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/identity"
)

// clients are kept by what requests ask for beyond the options of all.
type clients struct {
	base call.Options
	mu   sync.Mutex
	by   map[clientKey]*call.Client
}

type clientKey struct {
	archive  string // the options, as text
	untrust  call.Untrusted
	redirect int
	jar      *identity.Jar
}

func (c *clients) init(o call.Options) error {
	c.base, c.by = o, map[clientKey]*call.Client{}
	c.base.Recorder = nil // see Runner.record
	probe, err := call.New(o)
	if err == nil {
		probe.Close()
	}
	return err
}

func (c *clients) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.by {
		k.Close()
	}
	clear(c.by)
}

// drop lets go of the clients of a jar that is not used any more.
func (c *clients) drop(jar *identity.Jar) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, k := range c.by {
		if key.jar == jar {
			k.Close()
			delete(c.by, key)
		}
	}
}

// client returns the one that makes calls as a request asks for.
func (r *Runner) client(s *step, it *iteration, q *archive.Options, w *writer) (*call.Client, error) {
	redirects := r.clients.base.Redirects
	switch {
	case q.NoRedirect:
		redirects = 0
	case q.MaxRedirect > 0:
		redirects = q.MaxRedirect
	case redirects > 0:
	case q.Redirects, s.style == "postman", s.style == "http":
		redirects = 10
	}
	o := *q
	o.Proxy, o.Cert, o.Key, o.CACert = w.text(o.Proxy), w.text(o.Cert), w.text(o.Key), w.text(o.CACert)
	o.Redirects, o.NoRedirect, o.MaxRedirect, o.Compressed, o.KeepMethod = false, false, 0, false, false
	key := clientKey{untrust: r.clients.base.Untrusted, redirect: redirects, jar: it.jar}
	if o.Insecure {
		key.untrust = max(key.untrust, call.Withhold)
		if s.own {
			key.untrust = call.SendAnyway
		}
	}
	o.Insecure = false
	if o.NoCookies {
		key.jar = nil
	}
	if b, err := json.Marshal(o); err == nil {
		key.archive = string(b)
	}
	r.clients.mu.Lock()
	defer r.clients.mu.Unlock()
	if c := r.clients.by[key]; c != nil {
		return c, nil
	}
	made := r.clients.base
	made.Redirects, made.Untrusted, made.Jar = redirects, key.untrust, key.jar
	if err := apply(&made, &o, s.dir); err != nil {
		return nil, err
	}
	c, err := call.New(made)
	if err != nil {
		return nil, err
	}
	if len(r.clients.by) >= 64 { // values that are different in each row
		for k, old := range r.clients.by {
			old.Close()
			delete(r.clients.by, k)
		}
	}
	r.clients.by[key] = c
	return c, nil
}

// apply puts what a request asks for over what holds for all.
func apply(o *call.Options, q *archive.Options, dir string) error {
	if q.HTTP != "" {
		o.HTTP = q.HTTP
	}
	if q.Timeout > 0 {
		o.Timeout = time.Duration(q.Timeout * float64(time.Second))
	}
	if q.Proxy != "" {
		o.Proxy = q.Proxy
	}
	if q.Pin != "" {
		for p := range strings.SplitSeq(q.Pin, ";") {
			o.Pins = append(slices.Clone(o.Pins), strings.TrimPrefix(strings.TrimSpace(p), "sha256//"))
		}
	}
	for _, v := range q.Resolve {
		at, as, err := ParseResolve(v)
		if err != nil {
			return err
		}
		all := map[string][]netip.Addr{at: as}
		for k, a := range o.Resolve {
			if k != at {
				all[k] = a
			}
		}
		o.Resolve = all
	}
	if q.Cert != "" {
		c, err := ReadCertificate(inDir(dir, q.Cert), inDir(dir, q.Key))
		if err != nil {
			return err
		}
		o.Certificates = append(slices.Clone(o.Certificates), c)
	}
	if q.CACert != "" {
		more, err := ReadRoots(inDir(dir, q.CACert))
		if err != nil {
			return err
		}
		o.More = append(slices.Clone(o.More), more...)
	}
	return nil
}

func inDir(dir, name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// ParseResolve reads curl's --resolve: host:port:address[,address].
func ParseResolve(s string) (at string, as []netip.Addr, err error) {
	host, rest, ok := strings.Cut(strings.TrimPrefix(s, "+"), ":")
	port, addresses, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 || host == "" {
		return "", nil, fmt.Errorf("%q is not host:port:address", s)
	}
	for a := range strings.SplitSeq(addresses, ",") {
		addr, err := netip.ParseAddr(strings.Trim(strings.TrimSpace(a), "[]"))
		if err != nil {
			return "", nil, fmt.Errorf("%q is no address", a)
		}
		as = append(as, addr)
	}
	return host + ":" + port, as, nil
}

// maxPEM bounds a file of certificates: a collection may name any.
const maxPEM = 16 << 20

// ReadCertificate reads a certificate with its key, which may be in one file.
func ReadCertificate(cert, key string) (tls.Certificate, error) {
	cert, _, _ = strings.Cut(cert, ":") // curl allows a password after it, for keys that are encrypted
	if key == "" {
		key = cert
	}
	var c tls.Certificate
	certPEM, err := readFile(cert, maxPEM)
	if err == nil {
		var keyPEM []byte
		if keyPEM, err = readFile(key, maxPEM); err == nil {
			c, err = tls.X509KeyPair(certPEM, keyPEM)
		}
	}
	if err != nil {
		return c, fmt.Errorf("the client certificate cannot be read: %w", plain(err))
	}
	return c, nil
}

// ReadRoots reads certificates in PEM.
func ReadRoots(file string) ([]*x509.Certificate, error) {
	data, err := readFile(file, maxPEM)
	if err != nil {
		return nil, fmt.Errorf("the certificates of %s cannot be read: %w", file, plain(err))
	}
	var out []*x509.Certificate
	for {
		var b *pem.Block
		if b, data = pem.Decode(data); b == nil {
			break
		}
		if b.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no certificate in PEM", file)
	}
	return out, nil
}
