package diagnose

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// What is wrong with the certificates of a path, each for itself and each as
// the one that signed the next. These are the rules of RFC 5280, 6.1, as
// crypto/x509 keeps them, told one by one.

// onPath judges everything between the peer's certificate and the path's last.
func (j *judge) onPath(p path) {
	for i, l := range p.links {
		root := p.anchored && i == len(p.links)-1 && i > 0
		j.time(l)
		j.key(l)
		j.signature(p, i, root)
		j.purpose(l, i)
		if critical(l.cert, oidApplicationPolicies) && !slices.ContainsFunc(l.cert.UnhandledCriticalExtensions, oidApplicationPolicies.Equal) {
			j.warn(KindCriticalExtension, l.index, fmt.Sprintf("%s has a critical extension that few clients understand: application policies (%s)", called(l.cert), oidApplicationPolicies),
				"have it issued with that extension not marked critical; extended key usage says the same")
		}
		if ext := l.cert.UnhandledCriticalExtensions; len(ext) > 0 {
			var ids []string
			for _, id := range ext {
				ids = append(ids, extensionName(id.String()))
			}
			j.fatal(KindCriticalExtension, l.index, fmt.Sprintf("%s has a critical extension that is not understood here: %s", called(l.cert), strings.Join(ids, ", ")),
				"have it issued without that extension, or with the extension not marked critical")
		}
		if i > 0 {
			j.authority(p, i)
		}
	}
	j.constraints(p)
}

const day = 24 * 60 * 60

func (j *judge) time(l *link) {
	c, now := l.cert, j.o.Now
	switch {
	case now.After(c.NotAfter):
		j.fatal(KindExpired, l.index, fmt.Sprintf("%s expired on %s, %s ago", called(c), c.NotAfter.UTC().Format("2006-01-02 15:04 MST"), days(now.Unix()-c.NotAfter.Unix())),
			renew(l, "have it renewed and load the new one; renew at a third of the lifetime left, by a program"))
	case now.Before(c.NotBefore):
		j.fatal(KindNotYetValid, l.index, fmt.Sprintf("%s is valid only from %s, in %s", called(c), c.NotBefore.UTC().Format("2006-01-02 15:04 MST"), days(c.NotBefore.Unix()-now.Unix())),
			renew(l, "check this machine's clock and the server's; else serve the certificate that is valid now"))
	}
}

// renew says what to do about a certificate, which for one above the peer's is
// another chain.
func renew(l *link, fix string) string {
	if l.index == 0 {
		return fix
	}
	return "serve the chain that the authority offers now; the one above the server's certificate is not the server's to renew"
}

func days(seconds int64) string {
	switch n := seconds / day; {
	case seconds < 2*60*60:
		return fmt.Sprintf("%d minutes", max(seconds/60, 0))
	case n < 2:
		return fmt.Sprintf("%d hours", seconds/60/60)
	default:
		return fmt.Sprintf("%d days", n)
	}
}

// key judges the size of a public key (NIST SP 800-131A, 5.1).
func (j *judge) key(l *link) {
	fix := "make a new key, RSA of 2048 bits or ECDSA P-256, and have a certificate issued for it"
	weak := func(fatal bool, why string) {
		p := j.fatal
		if !fatal {
			p = j.warn
		}
		p(KindWeakKey, l.index, fmt.Sprintf("the key of %s is %s, %s", called(l.cert), keyOf(l.cert), why), fix)
	}
	switch k := l.cert.PublicKey.(type) {
	case *rsa.PublicKey:
		switch n := k.N.BitLen(); {
		case n < 1024:
			weak(true, "which can be broken with a few rented machines")
		case n < 2048:
			weak(false, "and less than 2048 bits can be broken by those with means")
		}
		if k.E < 65537 {
			weak(false, fmt.Sprintf("with the exponent %d; less than 65537 has helped attackers", k.E))
		}
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P224() {
			weak(false, "a curve that most clients no longer take")
		}
	case ed25519.PublicKey:
	default:
		weak(true, "of a kind that TLS clients no longer take")
	}
}

// signature judges the signature on the i-th certificate of a path.
func (j *judge) signature(p path, i int, root bool) {
	l := p.links[i]
	c := l.cert
	hash := weakHash(c.SignatureAlgorithm)
	if top := i == len(p.links)-1; top && (root || p.anchored || selfIssued(c) && signedBy(c, c) != errSignature) {
		switch {
		case hash == "":
		case i == 0 && !p.anchored:
			j.warn(KindWeakSignature, l.index, fmt.Sprintf("%s is signed with %s", called(c), signatureOf(c)), "have it issued with SHA-256")
		default:
			j.warn(KindRootSignature, l.index, fmt.Sprintf("the path's last, %s, is signed with %s; nobody relies on that signature", called(c), signatureOf(c)), "nothing; its successor will use a newer one")
		}
		return
	} else if !top {
		parent := p.links[i+1].cert
		switch signedBy(c, parent) {
		case errSignature:
			j.fatal(KindBadSignature, l.index, fmt.Sprintf("the signature on %s is not of the key of %s, which is named as its issuer", called(c), called(parent)),
				"serve the certificates that belong together, as the authority delivered them; a changed certificate has to be issued again")
			return
		case errUnknown:
			if hash == "" {
				j.fatal(KindWeakSignature, l.index, fmt.Sprintf("%s is signed with %s, which TLS clients cannot verify", called(c), signatureOf(c)),
					"have it issued again with ECDSA or RSA and SHA-256")
			}
		}
		if j.names(c, parent) && string(c.RawIssuer) != string(parent.RawSubject) {
			j.warn(KindNameForm, l.index, fmt.Sprintf("%s writes its issuer's name in other characters than %s does itself; clients that compare bytes will not find it", called(c), called(parent)),
				"have it issued again with the issuer's name as it stands in the issuer's own certificate")
		}
	}
	if hash != "" {
		j.fatal(KindWeakSignature, l.index, fmt.Sprintf("%s is signed with %s, and such a signature can be forged", called(c), signatureOf(c)),
			"have it issued again with SHA-256")
	}
}

// authority judges the i-th certificate of a path as the one that signed the
// one before it.
func (j *judge) authority(p path, i int) {
	l := p.links[i]
	c, child := l.cert, called(p.links[i-1].cert)
	switch {
	case c.BasicConstraintsValid && c.IsCA:
	case c.BasicConstraintsValid:
		j.fatal(KindNotACA, l.index, fmt.Sprintf("%s is not an authority (its basic constraints say so), yet it signed %s", called(c), child),
			"have the certificate issued by an authority; whoever holds this key must not sign for others")
	case c.Version >= 3 || !p.anchored || i < len(p.links)-1:
		j.fatal(KindNotACA, l.index, fmt.Sprintf("%s does not say that it is an authority (no basic constraints), yet it signed %s", called(c), child),
			"have the certificate issued by an authority whose certificate says CA:TRUE")
	}
	if c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0 {
		j.fatal(KindKeyUsage, l.index, fmt.Sprintf("the key of %s is not for signing certificates (key usage without keyCertSign), yet it signed %s", called(c), child),
			"have the authority's certificate issued with keyCertSign")
	}
	if below := i - 1; c.BasicConstraintsValid && c.MaxPathLen >= 0 && below > c.MaxPathLen {
		j.fatal(KindPathLength, l.index, fmt.Sprintf("%s allows %d authorities below itself, and here there are %d", called(c), c.MaxPathLen, below),
			"have the certificate issued by an authority that stands higher")
	}
}

// purpose judges extended key usage. That of an authority bounds all below it.
func (j *judge) purpose(l *link, i int) {
	c := l.cert
	if j.o.Purpose == x509.ExtKeyUsageAny || len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 || slices.Contains(c.ExtKeyUsage, j.o.Purpose) {
		return
	}
	want := purposeName(j.o.Purpose)
	if slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny) {
		if i == 0 {
			j.warn(KindPurpose, l.index, fmt.Sprintf("%s is for any purpose; stricter clients want it to name %s", called(c), want), "have it issued for "+want)
		}
		return
	}
	var has []string
	for _, u := range c.ExtKeyUsage {
		has = append(has, purposeName(u))
	}
	for _, u := range c.UnknownExtKeyUsage {
		has = append(has, u.String())
	}
	says := fmt.Sprintf("%s is for %s, not for %s", called(c), plain(strings.Join(has, ", ")), want)
	if i > 0 {
		says = fmt.Sprintf("%s may issue for %s, not for %s", called(c), plain(strings.Join(has, ", ")), want)
	}
	j.fatal(KindPurpose, l.index, says, "have the certificate issued for "+want)
}

func purposeName(u x509.ExtKeyUsage) string { return u.String() }

// constraints judges what authorities say about those below them: names and
// policies. crypto/x509 knows the rules; it is asked about a copy of the path
// on which nothing else is left to object to.
func (j *judge) constraints(p path) {
	if len(p.links) < 2 {
		return
	}
	j.directoryNames(p)
	var bad x509.CertificateInvalidError
	err := j.ask(p, func(e, _ *x509.Certificate) { e.Policies, e.PolicyIdentifiers = nil, nil })
	if errors.As(err, &bad) && bad.Reason == x509.CANotAuthorizedForThisName {
		j.fatal(KindNameConstraint, p.links[0].index, "an authority above it may not certify a name of it: "+plain(strings.TrimPrefix(bad.Detail, "x509: ")),
			"ask an authority that may issue for this name, or leave the name out")
	}
	err = j.ask(p, func(e, c *x509.Certificate) {
		e.RequireExplicitPolicy, e.RequireExplicitPolicyZero = c.RequireExplicitPolicy, c.RequireExplicitPolicyZero
		e.PolicyMappings = c.PolicyMappings
		e.DNSNames, e.IPAddresses, e.EmailAddresses, e.URIs = nil, nil, nil, nil
	})
	if errors.As(err, &bad) && bad.Reason == x509.NoValidChains {
		j.fatal(KindPolicy, p.links[0].index, fmt.Sprintf("%s, and no policy holds from the root down to the certificate", demands(p)),
			"have the certificate issued under a policy that the authorities above it allow")
	}
}

// demands says who on the path asks for a policy.
func demands(p path) string {
	for _, l := range p.links {
		if l.cert.RequireExplicitPolicy > 0 || l.cert.RequireExplicitPolicyZero {
			return called(l.cert) + " asks for a certificate policy (requireExplicitPolicy)"
		}
	}
	return "the certificate policies contradict each other"
}

// ask has crypto/x509 judge an eased copy of a path, whose last is trusted.
// keep puts back what is to be judged.
func (j *judge) ask(p path, keep func(eased, original *x509.Certificate)) error {
	roots, more := x509.NewCertPool(), x509.NewCertPool()
	var leaf *x509.Certificate
	for i, l := range p.links {
		e := ease(l.cert)
		keep(e, l.cert)
		if i+1 < len(p.links) {
			e.RawIssuer = p.links[i+1].cert.RawSubject
		}
		switch i {
		case 0:
			leaf = e
		case len(p.links) - 1:
			roots.AddCert(e)
		default:
			more.AddCert(e)
		}
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: more, CurrentTime: j.o.Now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err
}

func extensionName(oid string) string {
	switch oid {
	case "2.5.29.30":
		return "name constraints of a kind that is not known (" + oid + ")"
	case "2.5.29.17":
		return "subject alternative names of a kind that is not known (" + oid + ")"
	case "1.3.6.1.4.1.11129.2.4.3":
		return "the poison of a precertificate (" + oid + ")"
	}
	return oid
}
