package diagnose

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// Constraints on names (RFC 5280, 4.2.1.10). crypto/x509 leaves those on
// directory names to its caller, by naming the extension in
// UnhandledCriticalExtensions.

var (
	oidNameConstraints     = asn1.ObjectIdentifier{2, 5, 29, 30}
	oidApplicationPolicies = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 21, 10}
	oidSAN                 = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidEmail               = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}
)

// handled takes from what crypto/x509 could not handle the extensions that are
// handled here, as it asks its caller to: name constraints, when nothing in them
// is left but what it and directoryNames do, and application policies beside
// extended key usage.
func handled(c *x509.Certificate) *x509.Certificate {
	left := slices.DeleteFunc(slices.Clone(c.UnhandledCriticalExtensions), func(id asn1.ObjectIdentifier) bool {
		switch {
		case id.Equal(oidNameConstraints):
			_, err := subtreesOf(c)
			return err == nil
		case id.Equal(oidApplicationPolicies):
			// Microsoft's older form of extended key usage, which decides alone
			// where there are both, as Windows has it.
			return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) > 0
		}
		return false
	})
	if len(left) == len(c.UnhandledCriticalExtensions) {
		return c
	}
	copied := *c
	copied.UnhandledCriticalExtensions = left
	return &copied
}

// Subtrees are the distinguished names that a certificate's constraints speak
// of.
type subtrees struct {
	permitted, excluded []rdns
}

// subtreesOf reads name constraints. It fails when they hold a form of name
// that nobody here understands.
func subtreesOf(c *x509.Certificate) (s subtrees, err error) {
	value := extension(c, oidNameConstraints)
	if value == nil {
		return s, nil
	}
	outer := cryptobyte.String(value)
	var top, permitted, excluded cryptobyte.String
	if !outer.ReadASN1(&top, tags.SEQUENCE) ||
		!top.ReadOptionalASN1(&permitted, nil, tags.Tag(0).ContextSpecific().Constructed()) ||
		!top.ReadOptionalASN1(&excluded, nil, tags.Tag(1).ContextSpecific().Constructed()) || !top.Empty() {
		return s, fmt.Errorf("not in the form of RFC 5280")
	}
	for _, side := range []struct {
		trees cryptobyte.String
		names *[]rdns
	}{{permitted, &s.permitted}, {excluded, &s.excluded}} {
		for !side.trees.Empty() {
			var tree, base cryptobyte.String
			var tag tags.Tag
			if !side.trees.ReadASN1(&tree, tags.SEQUENCE) || !tree.ReadAnyASN1(&base, &tag) {
				return s, fmt.Errorf("not in the form of RFC 5280")
			}
			if !tree.Empty() {
				return s, fmt.Errorf("a distance is given, which RFC 5280 forbids")
			}
			switch tag {
			case tags.Tag(1).ContextSpecific(), tags.Tag(2).ContextSpecific(), tags.Tag(6).ContextSpecific(), tags.Tag(7).ContextSpecific():
			case tags.Tag(4).ContextSpecific().Constructed():
				n, ok := parseName(base)
				if !ok {
					return s, fmt.Errorf("not in the form of RFC 5280")
				}
				*side.names = append(*side.names, n)
			default:
				return s, fmt.Errorf("a form of name that is not known")
			}
		}
	}
	return s, nil
}

// maxComparisons bounds the work that a made-up chain can cause; crypto/x509 has
// a bound of its own.
const maxComparisons = 250_000

// directoryNames holds the names below each authority of a path against its
// constraints. Those of authorities that issued themselves a new certificate
// are not judged, that of the path's first always is (RFC 5280, 6.1.3 b).
func (j *judge) directoryNames(p path) {
	for i := 1; i < len(p.links); i++ {
		s, err := subtreesOf(p.links[i].cert)
		if err != nil {
			continue // it is among the extensions that are not understood
		}
		for k, below := range p.links[:i] {
			if k > 0 && selfIssued(below.cert) {
				continue
			}
			names := alternatives(below.cert)
			if n, ok := parseName(below.cert.RawSubject); ok && len(n) > 0 {
				names = append(names, n)
			}
			if len(names)*(len(s.permitted)+len(s.excluded)) > maxComparisons {
				j.fatal(KindNameConstraint, below.index, fmt.Sprintf("%s has more names, and %s more constraints on them, than are compared here", called(below.cert), called(p.links[i].cert)),
					"have it issued for fewer names")
				continue
			}
			for _, n := range names {
				outside := len(s.permitted) > 0 && !slices.ContainsFunc(s.permitted, n.within)
				if !outside && !slices.ContainsFunc(s.excluded, n.within) {
					continue
				}
				j.fatal(KindNameConstraint, below.index, fmt.Sprintf("%s may not certify the name of %s (a constraint on directory names)", called(p.links[i].cert), called(below.cert)),
					"ask an authority that may issue for this name")
			}
			j.hosts(p.links[i].cert, below)
		}
	}
}

// hosts holds mail addresses and the hosts of URIs against constraints. A
// constraint that names a host means that one alone (RFC 5280, 4.2.1.10), which
// crypto/x509 reads as all below it too. It also leaves out the mail address in
// a subject, which counts when no subjectAltName has one.
func (j *judge) hosts(authority *x509.Certificate, below *link) {
	mails := below.cert.EmailAddresses
	if len(mails) == 0 {
		for _, a := range below.cert.Subject.Names {
			if address, ok := a.Value.(string); ok && a.Type.Equal(oidEmail) {
				mails = append(mails, address)
			}
		}
	}
	refuse := func(what, value string) {
		j.fatal(KindNameConstraint, below.index, fmt.Sprintf("%s may not certify the %s %s of %s", called(authority), what, plain(value), called(below.cert)),
			"ask an authority that may issue for this name")
	}
	a := authority
	if len(mails)*(len(a.PermittedEmailAddresses)+len(a.ExcludedEmailAddresses))+len(below.cert.URIs)*(len(a.PermittedURIDomains)+len(a.ExcludedURIDomains)) > maxComparisons {
		refuse("many", "addresses")
		return
	}
	for _, m := range mails {
		within := func(constraint string) bool { return mailWithin(m, constraint) }
		if len(authority.PermittedEmailAddresses) > 0 && !slices.ContainsFunc(authority.PermittedEmailAddresses, within) ||
			slices.ContainsFunc(authority.ExcludedEmailAddresses, within) {
			refuse("mail address", m)
		}
	}
	for _, u := range below.cert.URIs {
		within := func(constraint string) bool { return hostWithin(u.Hostname(), constraint) }
		if len(authority.PermittedURIDomains) > 0 && !slices.ContainsFunc(authority.PermittedURIDomains, within) ||
			slices.ContainsFunc(authority.ExcludedURIDomains, within) {
			refuse("URI", u.Redacted())
		}
	}
}

func mailWithin(address, constraint string) bool {
	i := strings.LastIndexByte(address, '@')
	local, host := address[:max(i, 0)], address[i+1:]
	if l, h, ok := strings.Cut(constraint, "@"); ok {
		return l == local && strings.EqualFold(h, host)
	}
	return hostWithin(host, constraint)
}

// hostWithin reports whether a host is the one of a constraint, or lies below
// it when that begins with a dot.
func hostWithin(host, constraint string) bool {
	if strings.HasPrefix(constraint, ".") {
		return len(host) > len(constraint) && strings.EqualFold(host[len(host)-len(constraint):], constraint)
	}
	return strings.EqualFold(host, constraint)
}

// alternatives are the distinguished names in subjectAltName.
func alternatives(c *x509.Certificate) (names []rdns) {
	outer := cryptobyte.String(extension(c, oidSAN))
	var list cryptobyte.String
	if !outer.ReadASN1(&list, tags.SEQUENCE) {
		return nil
	}
	for !list.Empty() {
		var value cryptobyte.String
		var tag tags.Tag
		if !list.ReadAnyASN1(&value, &tag) {
			return names
		}
		if tag == tags.Tag(4).ContextSpecific().Constructed() {
			if n, ok := parseName(value); ok {
				names = append(names, n)
			}
		}
	}
	return names
}

func extension(c *x509.Certificate, id asn1.ObjectIdentifier) []byte {
	for _, e := range c.Extensions {
		if e.Id.Equal(id) {
			return e.Value
		}
	}
	return nil
}

func critical(c *x509.Certificate, id asn1.ObjectIdentifier) bool {
	return slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Critical && e.Id.Equal(id) })
}
