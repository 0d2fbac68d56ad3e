package wire

import (
	"errors"

	"golang.org/x/crypto/cryptobyte"
)

var errHello = errors.New("wire: hello: the lengths do not fit")

// ParseClientHello reads the body of a ClientHello. Extensions of other kinds
// are only listed; one that is malformed is an error.
func ParseClientHello(body []byte) (*ClientHello, error) {
	s := cryptobyte.String(body)
	h := &ClientHello{}
	var session, suites, compressions cryptobyte.String
	var version uint16
	if !s.ReadUint16(&version) || !s.CopyBytes(h.Random[:]) || !s.ReadUint8LengthPrefixed(&session) ||
		!s.ReadUint16LengthPrefixed(&suites) || !s.ReadUint8LengthPrefixed(&compressions) || len(suites)%2 != 0 {
		return nil, errHello
	}
	h.Version, h.SessionID, h.Compressions = Version(version), bytesOf(session), bytesOf(compressions)
	for !suites.Empty() {
		var n uint16
		suites.ReadUint16(&n)
		h.Suites = append(h.Suites, Suite(n))
	}
	if err := eachExtension(s, func(number uint16, x cryptobyte.String) bool {
		h.Extensions = append(h.Extensions, number)
		return h.readExtension(number, x)
	}); err != nil {
		return nil, err
	}
	return h, nil
}

// eachExtension calls f with each extension of the block that s is, which may
// be missing.
func eachExtension(s cryptobyte.String, f func(number uint16, x cryptobyte.String) bool) error {
	if s.Empty() {
		return nil
	}
	var block cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&block) || !s.Empty() {
		return errHello
	}
	for !block.Empty() {
		var number uint16
		var x cryptobyte.String
		if !block.ReadUint16(&number) || !block.ReadUint16LengthPrefixed(&x) || !f(number, x) {
			return errHello
		}
	}
	return nil
}

func (h *ClientHello) readExtension(number uint16, x cryptobyte.String) bool {
	switch number {
	case extServerName:
		var list, name cryptobyte.String
		var kind uint8
		if !x.ReadUint16LengthPrefixed(&list) {
			return false
		}
		for !list.Empty() {
			if !list.ReadUint8(&kind) || !list.ReadUint16LengthPrefixed(&name) {
				return false
			}
			if kind == 0 && h.ServerName == "" {
				h.ServerName = string(name)
			}
		}
	case extSupportedGroups:
		return read16(&x, &h.Groups)
	case extSignatureAlgorithms:
		return read16(&x, &h.Signatures)
	case extALPN:
		var list, name cryptobyte.String
		if !x.ReadUint16LengthPrefixed(&list) {
			return false
		}
		for !list.Empty() {
			if !list.ReadUint8LengthPrefixed(&name) {
				return false
			}
			h.ALPN = append(h.ALPN, string(name))
		}
	case extSupportedVersions:
		var list cryptobyte.String
		if !x.ReadUint8LengthPrefixed(&list) || len(list)%2 != 0 {
			return false
		}
		for !list.Empty() {
			var v uint16
			list.ReadUint16(&v)
			h.Versions = append(h.Versions, Version(v))
		}
	case extCookie:
		var cookie cryptobyte.String
		if !x.ReadUint16LengthPrefixed(&cookie) {
			return false
		}
		h.Cookie = bytesOf(cookie)
	case extKeyShare:
		var list, key cryptobyte.String
		var g uint16
		if !x.ReadUint16LengthPrefixed(&list) {
			return false
		}
		h.NoKeyShares = list.Empty()
		for !list.Empty() {
			if !list.ReadUint16(&g) || !list.ReadUint16LengthPrefixed(&key) {
				return false
			}
			h.KeyShares = append(h.KeyShares, KeyShare{Group(g), bytesOf(key)})
		}
	case extExtendedMasterSecret:
		h.ExtendedMasterSecret = true
	case extRenegotiationInfo:
		h.RenegotiationInfo = true
	case extPointFormats:
		h.PointFormats = true
	case extPSKModes:
		h.PSKModes = true
	case extStatusRequest:
		h.StatusRequest = true
	case extSessionTicket:
		h.SessionTicket = true
	}
	return true
}

func read16[T ~uint16](x *cryptobyte.String, to *[]T) bool {
	var list cryptobyte.String
	if !x.ReadUint16LengthPrefixed(&list) || len(list)%2 != 0 {
		return false
	}
	for !list.Empty() {
		var v uint16
		list.ReadUint16(&v)
		*to = append(*to, T(v))
	}
	return true
}

// bytesOf copies, so that a message outlives the buffer it came in.
func bytesOf(s cryptobyte.String) []byte {
	if len(s) == 0 {
		return nil
	}
	return append([]byte(nil), s...)
}
