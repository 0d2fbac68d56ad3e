package wire

import (
	"golang.org/x/crypto/cryptobyte"
)

// The extensions that are written and read here.
const (
	extServerName           = 0
	extStatusRequest        = 5
	extSupportedGroups      = 10
	extPointFormats         = 11
	extSignatureAlgorithms  = 13
	extALPN                 = 16
	extExtendedMasterSecret = 23
	extSessionTicket        = 35
	extPreSharedKey         = 41
	extSupportedVersions    = 43
	extCookie               = 44
	extPSKModes             = 45
	extKeyShare             = 51
	extRenegotiationInfo    = 0xFF01
)

// A KeyShare is a public key for one group.
type KeyShare struct {
	Group Group
	Key   []byte
}

// A ClientHello is the first message of a client. The zero value of a field
// that is an extension leaves the extension out.
type ClientHello struct {
	Version      Version // legacy_version of the message
	Random       [32]byte
	SessionID    []byte
	Suites       []Suite
	Compressions []byte // nil means none but null

	ServerName  string
	Groups      []Group
	Signatures  []uint16
	ALPN        []string
	Versions    []Version // supported_versions
	KeyShares   []KeyShare
	NoKeyShares bool // with KeyShares empty: send an empty list, which asks the server to choose
	Cookie      []byte

	ExtendedMasterSecret bool
	RenegotiationInfo    bool // as an extension; EmptyRenegotiationInfo in Suites says the same
	PointFormats         bool // uncompressed
	PSKModes             bool // psk_dhe_ke
	StatusRequest        bool
	SessionTicket        bool

	// Extensions are the types in the order they stood in, of a hello that was
	// read. Writing ignores it.
	Extensions []uint16
}

// Record returns the hello in a record, as it is sent first. The record's
// version is that of TLS 1.0 or lower, which old servers look at.
func (h *ClientHello) Record() ([]byte, error) {
	record := min(h.Version, TLS10)
	var b cryptobyte.Builder
	b.AddUint8(Handshake)
	b.AddUint16(uint16(record))
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint8(TypeClientHello)
		b.AddUint24LengthPrefixed(h.body)
	})
	return b.Bytes()
}

func (h *ClientHello) body(b *cryptobyte.Builder) {
	b.AddUint16(uint16(h.Version))
	b.AddBytes(h.Random[:])
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(h.SessionID) })
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, s := range h.Suites {
			b.AddUint16(uint16(s))
		}
	})
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) {
		if h.Compressions == nil {
			b.AddUint8(0)
		}
		b.AddBytes(h.Compressions)
	})
	var x extensions
	h.extensions(&x)
	if len(x) == 0 { // hellos before TLS 1.0 end here
		return
	}
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, e := range x {
			b.AddUint16(e.number)
			b.AddUint16LengthPrefixed(e.body)
		}
	})
}

type extensions []struct {
	number uint16
	body   func(*cryptobyte.Builder)
}

func (x *extensions) add(when bool, number uint16, body func(*cryptobyte.Builder)) {
	if when {
		*x = append(*x, struct {
			number uint16
			body   func(*cryptobyte.Builder)
		}{number, body})
	}
}

func (h *ClientHello) extensions(x *extensions) {
	empty := func(*cryptobyte.Builder) {}
	x.add(h.RenegotiationInfo, extRenegotiationInfo, func(b *cryptobyte.Builder) { b.AddUint8(0) })
	x.add(h.ServerName != "", extServerName, func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint8(0) // host_name
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(h.ServerName)) })
		})
	})
	x.add(h.ExtendedMasterSecret, extExtendedMasterSecret, empty)
	x.add(h.SessionTicket, extSessionTicket, empty)
	x.add(h.StatusRequest, extStatusRequest, func(b *cryptobyte.Builder) {
		b.AddUint8(1) // ocsp, no responders, no extensions
		b.AddUint32(0)
	})
	x.add(len(h.Groups) > 0, extSupportedGroups, list16(h.Groups))
	x.add(h.PointFormats, extPointFormats, func(b *cryptobyte.Builder) { b.AddUint16(0x0100) })
	x.add(len(h.Signatures) > 0, extSignatureAlgorithms, list16(h.Signatures))
	x.add(len(h.ALPN) > 0, extALPN, func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, p := range h.ALPN {
				b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(p)) })
			}
		})
	})
	x.add(len(h.Versions) > 0, extSupportedVersions, func(b *cryptobyte.Builder) {
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, v := range h.Versions {
				b.AddUint16(uint16(v))
			}
		})
	})
	x.add(len(h.Cookie) > 0, extCookie, func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(h.Cookie) })
	})
	x.add(h.PSKModes, extPSKModes, func(b *cryptobyte.Builder) { b.AddUint16(0x0101) })
	x.add(len(h.KeyShares) > 0 || h.NoKeyShares, extKeyShare, func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, s := range h.KeyShares {
				b.AddUint16(uint16(s.Group))
				b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(s.Key) })
			}
		})
	})
}

func list16[T ~uint16](values []T) func(*cryptobyte.Builder) {
	return func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, v := range values {
				b.AddUint16(uint16(v))
			}
		})
	}
}

// Signatures returns all signature algorithms of IANA's registry, so that no
// certificate is kept back for want of one.
func Signatures() []uint16 {
	return []uint16{
		0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B,
		0x0401, 0x0501, 0x0601, 0x081A, 0x081B, 0x081C, 0x0708, 0x0904, 0x0905, 0x0906,
		0x0301, 0x0303, 0x0201, 0x0203, 0x0402, 0x0302, 0x0202, 0x0101,
	}
}
