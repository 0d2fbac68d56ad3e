package diagnose

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// How a path is found. crypto/x509 says yes or no, and in the case of no tells
// the same for a self-signed certificate, an unknown root and a missing
// intermediate. So the path is built again here, from as much as there is, with
// parts that do not fit.

// A path leads from the peer's certificate upwards.
type path struct {
	links    []*link
	anchored bool // its last is trusted, or signed by one that is
	// refused says why a trusted root that the last certificate names did not
	// take it; nil when there is no such root.
	refused error
}

func (p path) top() *x509.Certificate { return p.links[len(p.links)-1].cert }

// An anchor is what the trusted roots say of one certificate.
type anchor struct {
	root    *x509.Certificate // nil: none of them vouches for it
	self    bool              // it is one of them
	refused error             // there is one of the issuer's name, which does not
}

// anchor asks whether a certificate is a root, or signed by one, and looks past
// everything else about it.
func (j *judge) anchor(c *x509.Certificate) anchor {
	if a, ok := j.anchors[c]; ok {
		return a
	}
	var a anchor
	eased := ease(j.chained(c))
	eased.DNSNames, eased.IPAddresses, eased.EmailAddresses, eased.URIs = nil, nil, nil, nil
	// A root may have expired: then it was good when the certificate began or
	// ended.
	var err error
	for _, at := range []time.Time{j.o.Now, c.NotBefore, c.NotAfter} {
		var chains [][]*x509.Certificate
		chains, err = eased.Verify(x509.VerifyOptions{
			Roots: j.roots, Intermediates: x509.NewCertPool(), CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
		})
		if err == nil {
			chain := shortest(chains)
			a = anchor{root: chain[len(chain)-1], self: len(chain) == 1}
			break
		}
	}
	if a.root == nil && j.named[string(j.chained(c).RawIssuer)] {
		a.refused = err
	}
	j.anchors[c] = a
	return a
}

// ease returns a copy of a certificate about which only its signature and its
// constraints on names are left to be judged.
func ease(c *x509.Certificate) *x509.Certificate {
	e := *c
	e.NotBefore, e.NotAfter = time.Unix(0, 0), time.Unix(1<<40, 0)
	e.UnhandledCriticalExtensions = nil
	e.IsCA, e.BasicConstraintsValid, e.MaxPathLen = true, true, -1
	e.KeyUsage, e.ExtKeyUsage, e.UnknownExtKeyUsage = 0, nil, nil
	e.RequireExplicitPolicy, e.RequireExplicitPolicyZero = 0, false
	e.PolicyMappings = nil
	return &e
}

// build finds the paths that lead on from p.
func (j *judge) build(p path) {
	if len(j.paths) >= maxPaths {
		return
	}
	top := p.top()
	a := j.anchor(top)
	if a.root != nil {
		p.anchored = true
		if !a.self {
			p.links = append(slices.Clip(p.links), j.linkOf(a.root))
		}
		j.paths = append(j.paths, p)
		return
	}
	p.refused = a.refused
	if selfIssued(top) && signedBy(top, top) != errSignature || len(p.links) >= maxDepth {
		j.paths = append(j.paths, p)
		return
	}
	var good, bad []*link
	for _, l := range j.links {
		if !j.names(top, l.cert) || slices.ContainsFunc(p.links, func(o *link) bool { return bytes.Equal(o.cert.Raw, l.cert.Raw) }) {
			continue
		}
		if j.checks++; j.checks > maxSignatures {
			break
		}
		if signedBy(top, l.cert) == errSignature {
			bad = append(bad, l)
		} else {
			good = append(good, l)
		}
	}
	if len(good) == 0 && a.refused == nil {
		good = bad // said to be above it, though it is not
	}
	for _, l := range good {
		j.build(path{links: append(slices.Clip(p.links), l)})
	}
	if len(good) == 0 {
		j.paths = append(j.paths, p)
	}
}

// linkOf is the link of a certificate that may have been sent.
func (j *judge) linkOf(c *x509.Certificate) *link {
	for _, l := range j.links {
		if bytes.Equal(l.cert.Raw, c.Raw) {
			return l
		}
	}
	return &link{cert: c, index: -1}
}

// pathOf is a path that crypto/x509 found.
func (j *judge) pathOf(chain []*x509.Certificate) path {
	p := path{anchored: true}
	for _, c := range chain {
		p.links = append(p.links, j.linkOf(c))
	}
	return p
}

// best is the path that explains most: one that leads to trust with the fewest
// faults, or the one that leads furthest.
func (j *judge) best() path {
	kept := j.problems
	defer func() { j.problems = kept }()
	rank := func(p path) (r [4]int) {
		j.problems = nil
		j.onPath(p)
		for _, f := range j.problems {
			if f.Fatal {
				r[2]++
			}
		}
		if !p.anchored {
			r[0] = 1
		}
		if p.refused == nil {
			r[1] = 1
		}
		r[3] = len(p.links)
		if !p.anchored {
			r[3] = -r[3]
		}
		return r
	}
	best, least := 0, rank(j.paths[0])
	for i, p := range j.paths[1:] {
		if r := rank(p); slices.Compare(r[:], least[:]) < 0 {
			best, least = i+1, r
		}
	}
	return j.paths[best]
}

// fetch gets the certificate above the path's last from where that points
// (RFC 5280, 4.2.2.1), and reports whether there is something new.
func (j *judge) fetch(p path) bool {
	top := p.top()
	if j.o.Fetch == nil || selfIssued(top) && signedBy(top, top) != errSignature {
		return false
	}
	for _, url := range top.IssuingCertificateURL {
		if !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") {
			continue
		}
		if j.fetches++; j.fetches > maxFetches {
			return false
		}
		der, err := j.o.Fetch(j.ctx, url)
		var c *x509.Certificate
		if err == nil {
			if block, _ := pem.Decode(der); block != nil && block.Type == "CERTIFICATE" {
				der = block.Bytes
			}
			c, err = parse(der)
		}
		switch {
		case err != nil:
		case !j.names(top, c) || signedBy(top, c) == errSignature:
			err = fmt.Errorf("it is %s, which did not issue %s", called(c), called(top))
		case slices.ContainsFunc(j.links, func(l *link) bool { return bytes.Equal(l.cert.Raw, c.Raw) }):
			continue
		default:
			j.links = append(j.links, &link{cert: handled(c), index: -1})
			clear(j.anchors)
			return true
		}
		j.failures = append(j.failures, fmt.Sprintf("%s gave none: %s", plain(url), plain(err.Error())))
	}
	return false
}

// names reports whether parent has the name of child's issuer.
func (j *judge) names(child, parent *x509.Certificate) bool {
	return bytes.Equal(child.RawIssuer, parent.RawSubject) || j.fold(child).issuer == j.fold(parent).subject
}

func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, c.RawSubject) }

// What signedBy finds.
var (
	errSignature = errors.New("the signature is not of its issuer's key")
	errUnknown   = errors.New("the signature is of a kind that cannot be verified")
)

// signedBy looks at the signature alone.
func signedBy(child, parent *x509.Certificate) error {
	// Unlike CheckSignatureFrom, this asks nothing of the parent's extensions.
	err := parent.CheckSignature(child.SignatureAlgorithm, child.RawTBSCertificate, child.Signature)
	var insecure x509.InsecureAlgorithmError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &insecure), errors.Is(err, x509.ErrUnsupportedAlgorithm):
		return errUnknown
	}
	return errSignature
}

// weakHash is the broken hash of a signature algorithm, or "".
func weakHash(a x509.SignatureAlgorithm) string {
	switch a {
	case x509.MD2WithRSA:
		return "MD2"
	case x509.MD5WithRSA:
		return "MD5"
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1:
		return "SHA-1"
	}
	return ""
}
