package archive

import (
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
)

// Chrome tells of TLS in _securityDetails, in words of its own: a cipher
// without its hash, and the key exchange apart from it.

// harSecurity reads _securityDetails.
func harSecurity(t *tree, x *exchange.Exchange) {
	if !t.is('{') {
		return
	}
	s := &exchange.TLS{
		Version: t.get("protocol").text(), Group: t.get("keyExchangeGroup").text(),
		PeerName: t.get("subjectName").text(),
	}
	if s.Version == "QUIC" {
		s.Version = "TLS 1.3"
	}
	s.Suite = suiteName(s.Version, t.get("keyExchange").text(), t.get("cipher").text())
	if at, ok := whole(t.get("validTo")); ok {
		s.PeerExpiry = time.Unix(int64(at), 0).UTC()
	}
	leaf := exchange.Certificate{Subject: s.PeerName, Issuer: t.get("issuer").text(), NotAfter: s.PeerExpiry}
	if at, ok := whole(t.get("validFrom")); ok {
		leaf.NotBefore = time.Unix(int64(at), 0).UTC()
	}
	for _, n := range t.get("sanList").list() {
		leaf.Names = append(leaf.Names, n.text())
	}
	if leaf.Issuer != "" {
		s.Chain = []exchange.Certificate{leaf}
	}
	x.TLS = s
}

// suiteName makes an IANA name of Chrome's words, where that can be told.
func suiteName(version, keyExchange, cipher string) string {
	hash := "SHA256"
	switch {
	case strings.HasPrefix(cipher, "AES_256_GCM"):
		hash = "SHA384"
	case cipher == "AES_128_GCM", cipher == "CHACHA20_POLY1305":
	default:
		return ""
	}
	if version == "TLS 1.3" {
		return "TLS_" + cipher + "_" + hash
	}
	if keyExchange == "" {
		return ""
	}
	return "TLS_" + strings.TrimSuffix(keyExchange, "_") + "_WITH_" + cipher + "_" + hash
}

// securityDetails is what Chrome would say of a connection; nil when it was
// not TLS.
func securityDetails(s *exchange.TLS) *tree {
	if s == nil || s.Clear || s.Version == "" {
		return nil
	}
	cipher, keyExchange := strings.TrimPrefix(s.Suite, "TLS_"), ""
	if before, after, ok := strings.Cut(cipher, "_WITH_"); ok {
		keyExchange, cipher = before, after
	}
	if i := strings.LastIndex(cipher, "_SHA"); i >= 0 {
		cipher = cipher[:i]
	}
	t := object(
		member{"protocol", str(s.Version)}, member{"keyExchange", str(keyExchange)},
		member{"keyExchangeGroup", strOrNone(s.Group)}, member{"cipher", str(cipher)},
		member{"subjectName", str(s.PeerName)})
	if len(s.Chain) > 0 {
		leaf := s.Chain[0]
		names := array()
		for _, n := range leaf.Names {
			names.items = append(names.items, str(n))
		}
		t.members = append(t.members, member{"sanList", names}, member{"issuer", str(leaf.Issuer)},
			member{"validFrom", unixTree(leaf.NotBefore)})
	}
	t.members = append(t.members, member{"validTo", unixTree(s.PeerExpiry)})
	return t
}

func unixTree(t time.Time) *tree {
	if t.IsZero() {
		return number(0)
	}
	return number(int(t.Unix()))
}
