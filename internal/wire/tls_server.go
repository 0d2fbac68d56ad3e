package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/cryptobyte"
)

// A ServerHello is the server's choice.
type ServerHello struct {
	Version     Version // what was agreed on, from supported_versions if it is there
	Random      [32]byte
	SessionID   []byte
	Suite       Suite
	Compression byte
	// Retry is true for a HelloRetryRequest; Group is then what the server
	// wants a key for.
	Retry bool
	// Group is the group of TLS 1.3, or zero.
	Group Group

	ALPN                 string
	ExtendedMasterSecret bool
	RenegotiationInfo    bool
	Extensions           []uint16
}

// retryRandom marks a ServerHello as a HelloRetryRequest (RFC 8446, 4.1.3).
var retryRandom, _ = hex.DecodeString("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")

// ParseServerHello reads the body of a ServerHello or HelloRetryRequest.
func ParseServerHello(body []byte) (*ServerHello, error) {
	s := cryptobyte.String(body)
	h := &ServerHello{}
	var session cryptobyte.String
	var version, suite uint16
	if !s.ReadUint16(&version) || !s.CopyBytes(h.Random[:]) || !s.ReadUint8LengthPrefixed(&session) ||
		!s.ReadUint16(&suite) || !s.ReadUint8(&h.Compression) {
		return nil, errHello
	}
	h.Version, h.Suite, h.SessionID = Version(version), Suite(suite), bytesOf(session)
	h.Retry = bytes.Equal(h.Random[:], retryRandom)
	if err := eachExtension(s, func(number uint16, x cryptobyte.String) bool {
		h.Extensions = append(h.Extensions, number)
		switch number {
		case extSupportedVersions:
			return x.ReadUint16((*uint16)(&h.Version)) && x.Empty()
		case extKeyShare:
			return x.ReadUint16((*uint16)(&h.Group))
		case extALPN:
			var list, name cryptobyte.String
			if !x.ReadUint16LengthPrefixed(&list) || !list.ReadUint8LengthPrefixed(&name) {
				return false
			}
			h.ALPN = string(name)
		case extExtendedMasterSecret:
			h.ExtendedMasterSecret = true
		case extRenegotiationInfo:
			h.RenegotiationInfo = true
		}
		return true
	}); err != nil {
		return nil, err
	}
	return h, nil
}

// ParseKeyExchange reads the group of a ServerKeyExchange (RFC 8422, 5.4 and
// RFC 5246, 7.4.3) for the suite that was chosen. A finite field that has no
// name is called by its size: "DH 1024". The name is empty when the suite sends
// no group.
func ParseKeyExchange(body []byte, suite Suite) (string, error) {
	s := cryptobyte.String(body)
	name := suite.String()
	if strings.Contains(name, "PSK_") {
		var hint cryptobyte.String
		if !s.ReadUint16LengthPrefixed(&hint) {
			return "", errKeyExchange
		}
	}
	switch {
	case strings.HasPrefix(name, "TLS_ECDHE_"), strings.HasPrefix(name, "TLS_ECDH_anon_"):
		var kind uint8
		var g uint16
		if !s.ReadUint8(&kind) {
			return "", errKeyExchange
		}
		if kind == 1 || kind == 2 {
			return Group(0xFF00 + uint16(kind)).String(), nil
		}
		if kind != 3 || !s.ReadUint16(&g) {
			return "", errKeyExchange
		}
		return Group(g).String(), nil
	case strings.Contains(name, "DHE_"), strings.HasPrefix(name, "TLS_DH_anon_"):
		var p cryptobyte.String
		if !s.ReadUint16LengthPrefixed(&p) {
			return "", errKeyExchange
		}
		return fieldName(p), nil
	}
	return "", nil
}

var errKeyExchange = errors.New("wire: key exchange: the lengths do not fit")

// fieldName knows the primes of RFC 7919 by what all of them begin with: 64
// ones, then the digits of e.
func fieldName(p []byte) string {
	p = bytes.TrimLeft(p, "\x00")
	bits := len(p) * 8
	for b := byte(0x80); len(p) > 0 && p[0]&b == 0; b >>= 1 {
		bits--
	}
	if bytes.HasPrefix(p, []byte("\xff\xff\xff\xff\xff\xff\xff\xff\xad\xf8\x54\x58\xa2\xbb\x4a\x9a")) {
		return fmt.Sprintf("ffdhe%d", bits)
	}
	return fmt.Sprintf("DH %d", bits)
}
