package diagnose

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
)

// What is wrong with the peer's own certificate, with the end of the path, and
// with the way the chain was sent.

// maxLifetime is the longest that Apple's systems take of any authority; public
// ones are bound to less.
const maxLifetime = 825 * day

// ofLeaf judges what only the peer's own certificate is asked.
func (j *judge) ofLeaf(c *x509.Certificate) {
	if j.o.Name != "" {
		j.name(c)
	}
	if !j.pinned(c) {
		j.fatal(KindPin, 0, fmt.Sprintf("the key of %s is not one of the pinned keys: it has changed, or another server answers", called(c)),
			"find out which; when the change was meant, pin the new key "+CertificateOf(c).PinSHA256)
	}
	if life := c.NotAfter.Unix() - c.NotBefore.Unix(); life > maxLifetime {
		j.warn(KindLifetime, 0, fmt.Sprintf("%s is valid for %s; Apple's systems refuse more than 825, browsers more than 398 when the authority is public", called(c), days(life)),
			"have it issued for 90 days or less and renewed by a program")
	}
	looks := c.KeyUsage&x509.KeyUsageCertSign != 0 || c.BasicConstraintsValid && (c.MaxPathLen > 0 || c.MaxPathLenZero)
	switch {
	case c.IsCA && !selfIssued(c):
		j.warn(KindInconsistent, 0, called(c)+" is an authority's certificate, and serves as a server's: who takes its key can sign for others", "have one issued that says CA:FALSE")
	case looks && !c.IsCA:
		j.warn(KindInconsistent, 0, called(c)+" is not an authority, and has what only authorities have (keyCertSign or a path length); stricter clients refuse it", "have it issued without them (RFC 5280, 4.2.1.9)")
	}
	if u := c.KeyUsage; u != 0 && u&x509.KeyUsageDigitalSignature == 0 {
		_, ec := c.PublicKey.(*ecdsa.PublicKey)
		_, ed := c.PublicKey.(ed25519.PublicKey)
		if ec || ed || u&x509.KeyUsageKeyEncipherment == 0 {
			j.warn(KindKeyUsage, 0, fmt.Sprintf("the key of %s is not for signing handshakes (key usage without digitalSignature); stricter clients refuse it", called(c)), "have it issued with digitalSignature")
		} else {
			j.warn(KindKeyUsage, 0, fmt.Sprintf("the key of %s is for encrypting keys only, which neither TLS 1.3 nor forward secrecy can use", called(c)), "have it issued with digitalSignature")
		}
	}
}

func (j *judge) name(c *x509.Certificate) {
	if c.VerifyHostname(j.o.Name) == nil {
		return
	}
	name := plain(j.o.Name)
	if len(c.DNSNames)+len(c.IPAddresses) == 0 {
		j.fatal(KindNoSAN, 0, fmt.Sprintf("%s lists no names (no subjectAltName); the subject's common name has not counted since RFC 9525", called(c)),
			"have it issued with a subjectAltName of "+name)
		return
	}
	says := fmt.Sprintf("the certificate is for %s, not for %s", list(CertificateOf(c).Names), name)
	if w := wildcard(c, j.o.Name); w != "" {
		says = fmt.Sprintf("%s stands for one label and does not reach %s", plain(w), name)
	}
	j.fatal(KindName, 0, says, "have it issued for "+name+", or call the server by a name that it has; perhaps another server answers here")
}

// wildcard is the pattern that would match a name if it reached further.
func wildcard(c *x509.Certificate, name string) string {
	for _, n := range c.DNSNames {
		base, ok := strings.CutPrefix(n, "*")
		if ok && (strings.HasSuffix(name, base) || "."+name == base) {
			return n
		}
	}
	return ""
}

func list(names []string) string {
	const most = 4
	more := ""
	if len(names) > most {
		names, more = names[:most], fmt.Sprintf(" and %d more", len(names)-most)
	}
	return plain(strings.Join(names, ", ")) + more
}

// end judges where the path ends.
func (j *judge) end(p path, ok bool) {
	for i, l := range p.links {
		if i == 0 || l.index >= 0 || i == len(p.links)-1 && (p.anchored || selfIssued(l.cert)) {
			continue // it was sent, or is a root, which need not be
		}
		child := p.links[i-1].cert
		says := fmt.Sprintf("%s, which issued %s, was not sent; it could be fetched from where the certificate points, which browsers do and most programs do not", called(l.cert), called(child))
		const fix = "send it after the server's certificate: configure the full chain (fullchain.pem) instead of the certificate alone"
		if ok || p.anchored {
			j.warn(KindMissingIntermediate, p.links[i-1].index, says, fix)
		} else {
			j.fatal(KindMissingIntermediate, p.links[i-1].index, says, fix)
		}
	}
	if p.anchored {
		return
	}
	last := p.links[len(p.links)-1]
	top := last.cert
	issuer := plain(issuerOf(top))
	self := selfIssued(top) && signedBy(top, top) != errSignature
	const private = "when this is your own authority, trust its root (--cacert FILE); else get a certificate from one that clients trust"
	switch {
	case self && len(p.links) == 1: // whatever else has its name
		j.fatal(KindSelfSigned, last.index, called(top)+" is signed by itself, so anyone could have made it", "get a certificate from an authority that clients trust, or trust this one (--cacert FILE)")
	case p.refused != nil && weakHash(top.SignatureAlgorithm) != "":
		// Its signature is the reason, and has its own problem.
	case p.refused != nil && strings.Contains(p.refused.Error(), x509.ConstraintViolationError{}.Error()):
		j.fatal(KindNotACA, -1, fmt.Sprintf("a trusted root has the name %s, but its own certificate does not let it sign others", issuer), "replace that root by one that says CA:TRUE and keyCertSign")
	case p.refused != nil:
		j.fatal(KindBadSignature, last.index, fmt.Sprintf("%s names %s as its issuer, which is trusted, but that root's key did not sign it", called(top), issuer),
			"serve the certificates that belong together; else somebody has made an authority of the same name")
	case self:
		j.fatal(KindUnknownRoot, last.index, fmt.Sprintf("the chain ends at %s, a root that is not trusted here", called(top)), private)
	case last.index == 0:
		says := fmt.Sprintf("%s was issued by %s, which was not sent and is no trusted root", called(top), issuer)
		switch {
		case len(j.failures) > 0:
			says += "; fetching it failed: " + strings.Join(j.failures, "; ")
		case len(top.IssuingCertificateURL) > 0:
			says += "; it can be had from " + plain(top.IssuingCertificateURL[0])
		}
		j.fatal(KindMissingIntermediate, last.index, says, "send the intermediates after the server's certificate (fullchain.pem); "+private)
	default:
		j.fatal(KindUnknownRoot, last.index, fmt.Sprintf("the chain ends at %s; its issuer %s is no trusted root, and was not sent", called(top), issuer), private)
	}
}

// asSent judges the list itself. Only the first place means something to all
// clients; the rest costs bytes, and the oldest clients their patience.
func (j *judge) asSent(p path) {
	at := map[int]bool{}
	before := -1
	for _, l := range p.links {
		at[l.index] = true
		if l.index >= 0 && l.index < before {
			j.warn(KindOrder, l.index, fmt.Sprintf("%s was sent before the certificate that it certifies; each must certify the one right before it", called(l.cert)), "send the server's certificate first, then its issuer, then that one's issuer")
			break
		}
		before = max(before, l.index)
	}
	leaf := j.links[0].cert
	for _, l := range j.links[1:] {
		c := l.cert
		switch {
		case l.index < 0:
		case leaf.IsCA && !c.IsCA && j.names(c, leaf):
			j.fatal(KindOrder, l.index, fmt.Sprintf("%s was sent after its issuer; the server's own certificate must come first", called(c)), "put the server's certificate first in the file")
		case selfIssued(c) && signedBy(c, c) == nil:
			if p.anchored {
				j.warn(KindRootSent, l.index, fmt.Sprintf("%s is a root and was sent too; clients have it, or do not trust it", called(c)), "leave the root out of the file that the server sends")
			}
		case !at[l.index] && !j.above(p, c):
			j.warn(KindExtra, l.index, fmt.Sprintf("%s was sent and belongs to nothing", called(c)), "leave it out of the file that the server sends")
		}
	}
}

// above reports whether a certificate could stand on another path: it has the
// name of an issuer on this one.
func (j *judge) above(p path, c *x509.Certificate) bool {
	for _, l := range p.links {
		if bytes.Equal(l.cert.RawIssuer, c.RawSubject) && !errors.Is(signedBy(l.cert, c), errSignature) {
			return true
		}
	}
	return false
}
