package diagnose

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// Distinguished names: how two are compared (RFC 5280, 7.1).

// chained returns a certificate whose issuer's name has the bytes of the
// issuer's own certificate, when the two differ only in their form.
func (j *judge) chained(c *x509.Certificate) *x509.Certificate {
	if j.named[string(c.RawIssuer)] || slices.ContainsFunc(j.links, func(l *link) bool { return bytes.Equal(l.cert.RawSubject, c.RawIssuer) }) {
		return c
	}
	name := j.fold(c).issuer
	same, ok := j.folded[name]
	for _, l := range j.links {
		if !ok && j.fold(l.cert).subject == name {
			same, ok = l.cert.RawSubject, true
		}
	}
	if !ok {
		return c
	}
	copied := *c
	copied.RawIssuer = same
	return &copied
}

// rdns is a name as the folded forms of its parts.
type rdns []string

// within reports whether n lies in the subtree of base.
func (n rdns) within(base rdns) bool {
	return len(base) <= len(n) && slices.Equal(n[:len(base)], base)
}

// fold is a hash that two names share when RFC 5280, 7.1 calls them equal. It
// takes the place of the name because names can be as long as a certificate.
func fold(raw []byte) [32]byte {
	n, ok := parseName(raw)
	if !ok {
		return sha256.Sum256(append([]byte{0}, raw...)) // as bytes; no other begins so
	}
	return sha256.Sum256([]byte("\x01" + strings.Join(n, "\x01")))
}

// folded is a certificate's subject and issuer, folded.
type folded struct{ subject, issuer [32]byte }

func (j *judge) fold(c *x509.Certificate) folded {
	f, ok := j.folds[c]
	if !ok {
		f = folded{fold(c.RawSubject), fold(c.RawIssuer)}
		j.folds[c] = f
	}
	return f
}

// parseName reads an RDNSequence.
func parseName(raw []byte) (n rdns, ok bool) {
	s := cryptobyte.String(raw)
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, tags.SEQUENCE) || !s.Empty() {
		return nil, false
	}
	for !seq.Empty() {
		var set cryptobyte.String
		if !seq.ReadASN1(&set, tags.SET) || set.Empty() {
			return nil, false
		}
		var attributes []string
		for !set.Empty() {
			var atv, value cryptobyte.String
			var id asn1.ObjectIdentifier
			var tag tags.Tag
			if !set.ReadASN1(&atv, tags.SEQUENCE) || !atv.ReadASN1ObjectIdentifier(&id) || !atv.ReadAnyASN1(&value, &tag) || !atv.Empty() {
				return nil, false
			}
			text := fmt.Sprintf("%d:%x", tag, []byte(value))
			switch tag {
			case tags.PrintableString, tags.UTF8String, tags.IA5String:
				// Case and runs of spaces do not count (RFC 4518, in short).
				text = "=" + strings.ToLower(strings.Join(strings.Fields(string(value)), " "))
			}
			attributes = append(attributes, fmt.Sprintf("%s %d:%s", id, len(text), text))
		}
		slices.Sort(attributes)
		n = append(n, strings.Join(attributes, "+"))
	}
	return n, true
}
