package wire

import (
	"errors"

	"golang.org/x/crypto/cryptobyte"
)

// SSL20Hello returns a CLIENT-HELLO in the form of SSL 2.0. Version SSL30 and
// higher in that form is how clients once asked for both (RFC 5246, E.2).
func SSL20Hello(v Version, suites []Suite, challenge [16]byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddUint8(1)
	b.AddUint16(uint16(v))
	b.AddUint16(uint16(3 * len(suites)))
	b.AddUint16(0) // no session
	b.AddUint16(uint16(len(challenge)))
	for _, s := range suites {
		b.AddUint24(uint32(s))
	}
	b.AddBytes(challenge[:])
	body, err := b.Bytes()
	if err != nil || len(body) > 0x7FFF {
		return nil, errors.New("wire: too much for a hello of SSL 2.0")
	}
	return append([]byte{0x80 | byte(len(body)>>8), byte(len(body))}, body...), nil
}

// ParseSSL20Hello reads the CLIENT-HELLO of an SSL20Record.
func ParseSSL20Hello(body []byte) (*ClientHello, error) {
	s := cryptobyte.String(body)
	h := &ClientHello{}
	var kind uint8
	var version, suites, session, challenge uint16
	var kinds, id []byte
	if !s.ReadUint8(&kind) || kind != 1 || !s.ReadUint16(&version) || !s.ReadUint16(&suites) || !s.ReadUint16(&session) ||
		!s.ReadUint16(&challenge) || !s.ReadBytes(&kinds, int(suites)) || !s.ReadBytes(&id, int(session)) {
		return nil, errHello
	}
	h.Version, h.SessionID = Version(version), bytesOf(id)
	var err error
	h.Suites, err = kinds20(kinds)
	return h, err
}

// ParseSSL20ServerHello reads the SERVER-HELLO of an SSL20Record. Its suites
// are all that client and server have in common.
func ParseSSL20ServerHello(body []byte) (v Version, suites []Suite, err error) {
	s := cryptobyte.String(body)
	var kind, hit, certificateType uint8
	var version, certificate, kinds, connection uint16
	var cert, specs []byte
	if !s.ReadUint8(&kind) || kind != 4 || !s.ReadUint8(&hit) || !s.ReadUint8(&certificateType) || !s.ReadUint16(&version) ||
		!s.ReadUint16(&certificate) || !s.ReadUint16(&kinds) || !s.ReadUint16(&connection) ||
		!s.ReadBytes(&cert, int(certificate)) || !s.ReadBytes(&specs, int(kinds)) {
		return 0, nil, errHello
	}
	suites, err = kinds20(specs)
	return Version(version), suites, err
}

func kinds20(b []byte) (suites []Suite, err error) {
	if len(b)%3 != 0 {
		return nil, errHello
	}
	for ; len(b) > 0; b = b[3:] {
		suites = append(suites, Suite(b[0])<<16|Suite(b[1])<<8|Suite(b[2]))
	}
	return suites, nil
}
