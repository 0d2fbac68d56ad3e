package lab

import (
	"crypto/rand"
	"encoding/binary"
	"io"
	"net"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// A Peer answers the first message of a handshake and no more: enough for who
// asks what a server takes, and possible for what no library speaks any more.
// TLS 1.3 it does not know.
type Peer struct {
	// Suites are what it takes in a version, the best first.
	Suites map[uint16][]uint16
	// Kinds are what it takes in SSL 2.0; nil is no SSL 2.0.
	Kinds []uint32
	// ClientOrder lets the client choose.
	ClientOrder bool
	// Groups are its named groups, the best first; nil means x25519 and P-256.
	Groups []uint16
	// Field is the size in bits of its finite field; zero means 2048.
	Field int
	// Compression is the method it likes to use.
	Compression byte
	// What it leaves out.
	NoExtendedMasterSecret, NoRenegotiationInfo bool
	// StopsFallback makes it refuse clients that came down in version.
	StopsFallback bool
	// ALPN are its protocols.
	ALPN []string
	// Longest is the longest hello that it can read; zero means any.
	Longest int
	// Waits makes it say nothing to SSL 2.0.
	Waits bool
	// Short closes the connection instead of sending an alert.
	Short bool
}

func (p *Peer) answer(nc net.Conn, chain [][]byte) {
	var head [5]byte
	if _, err := io.ReadFull(nc, head[:]); err != nil {
		return
	}
	if head[0]&0x80 != 0 && p.Waits {
		io.Copy(io.Discard, nc)
		return
	}
	if head[0]&0x80 != 0 {
		p.answer20(nc, head, chain[0])
		return
	}
	body := make([]byte, binary.BigEndian.Uint16(head[3:]))
	if _, err := io.ReadFull(nc, body); err != nil || head[0] != 22 {
		return
	}
	if p.Longest > 0 && len(body) > p.Longest {
		return
	}
	var a asked
	if !a.read(body) {
		p.refuse(nc, 50)
		return
	}
	flight, alert := p.flight(&a, chain)
	if flight == nil {
		p.refuse(nc, alert)
		return
	}
	nc.Write(flight)
	io.Copy(io.Discard, io.LimitReader(nc, 1<<16)) // the client's part, and its leaving
}

func (p *Peer) refuse(nc net.Conn, code byte) {
	if !p.Short {
		nc.Write([]byte{21, 3, 0, 0, 2, 2, code})
	}
}

// flight is all messages up to ServerHelloDone, or nil and an alert.
func (p *Peer) flight(a *asked, chain [][]byte) ([]byte, byte) {
	version, newest := uint16(0), uint16(0)
	for v := range p.Suites {
		newest = max(newest, v)
		if v <= a.version {
			version = max(version, v)
		}
	}
	if p.StopsFallback && slices.Contains(a.suites, 0x5600) && a.version < newest {
		return nil, 86
	}
	if version == 0 {
		return nil, 70
	}
	suite, ok := choose(p.Suites[version], a.suites, p.ClientOrder)
	if !ok {
		return nil, 40
	}
	own := p.Groups
	if own == nil {
		own = []uint16{29, 23}
	}
	group, _ := choose(own, a.groups, p.ClientOrder)
	exchange := keyExchange(suite)
	if exchange == curve && group == 0 {
		if len(a.groups) > 0 {
			return nil, 40
		}
		group = own[0]
	}

	var b cryptobyte.Builder
	record := func(kind byte, body func(*cryptobyte.Builder)) {
		b.AddUint8(22)
		b.AddUint16(version)
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint8(kind)
			b.AddUint24LengthPrefixed(body)
		})
	}
	record(2, func(b *cryptobyte.Builder) { p.hello(b, a, version, suite) })
	if exchange&anonymous == 0 {
		record(11, func(b *cryptobyte.Builder) {
			b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
				for _, der := range chain {
					b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(der) })
				}
			})
		})
	}
	switch exchange &^ anonymous {
	case curve:
		record(12, func(b *cryptobyte.Builder) {
			b.AddUint8(3) // named_curve
			b.AddUint16(group)
			b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(noise(32)) })
			b.AddBytes(noise(64))
		})
	case field:
		record(12, func(b *cryptobyte.Builder) {
			p := noise(max(p.Field, 2048*btoi(p.Field == 0)) / 8)
			p[0] |= 0x80
			for _, x := range [][]byte{p, {2}, p} {
				b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(x) })
			}
			b.AddBytes(noise(64))
		})
	}
	record(14, func(*cryptobyte.Builder) {})
	return b.BytesOrPanic(), 0
}

func (p *Peer) hello(b *cryptobyte.Builder, a *asked, version, suite uint16) {
	b.AddUint16(version)
	b.AddBytes(noise(32))
	b.AddUint8(0)
	b.AddUint16(suite)
	if slices.Contains(a.compressions, p.Compression) {
		b.AddUint8(p.Compression)
	} else {
		b.AddUint8(0)
	}
	var x cryptobyte.Builder
	renegotiates := slices.Contains(a.extensions, 0xFF01) || slices.Contains(a.suites, 0xFF)
	if !p.NoRenegotiationInfo && renegotiates && version > 0x0300 {
		x.AddBytes([]byte{0xFF, 1, 0, 1, 0})
	}
	if !p.NoExtendedMasterSecret && slices.Contains(a.extensions, 23) {
		x.AddBytes([]byte{0, 23, 0, 0})
	}
	if protocol, ok := choose(p.ALPN, a.alpn, false); ok {
		x.AddUint16(16)
		x.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
				b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(protocol)) })
			})
		})
	}
	if e := x.BytesOrPanic(); len(e) > 0 {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(e) })
	}
}

// answer20 answers a CLIENT-HELLO of SSL 2.0 with all that both know.
func (p *Peer) answer20(nc net.Conn, head [5]byte, certificate []byte) {
	body := make([]byte, int(head[0]&0x7F)<<8|int(head[1]))
	if len(body) < 9 || head[2] != 1 {
		return
	}
	copy(body, head[2:])
	if _, err := io.ReadFull(nc, body[3:]); err != nil {
		return
	}
	n := int(binary.BigEndian.Uint16(body[3:]))
	if p.Kinds == nil || len(body) < 9+n {
		p.refuse(nc, 70)
		return
	}
	var both []byte
	for k := body[9 : 9+n]; len(k) >= 3; k = k[3:] {
		if slices.Contains(p.Kinds, uint32(k[0])<<16|uint32(k[1])<<8|uint32(k[2])) {
			both = append(both, k[:3]...)
		}
	}
	var b cryptobyte.Builder
	b.AddBytes([]byte{4, 0, 1, 0, 2})
	b.AddUint16(uint16(len(certificate)))
	b.AddUint16(uint16(len(both)))
	b.AddUint16(16)
	b.AddBytes(certificate)
	b.AddBytes(both)
	b.AddBytes(noise(16))
	out := b.BytesOrPanic()
	nc.Write(append([]byte{0x80 | byte(len(out)>>8), byte(len(out))}, out...))
	io.Copy(io.Discard, io.LimitReader(nc, 1<<16))
}

// choose returns the first of own that is among theirs, or the other way round.
func choose[T comparable](own, theirs []T, clientOrder bool) (best T, ok bool) {
	if clientOrder {
		own, theirs = theirs, own
	}
	for _, x := range own {
		if slices.Contains(theirs, x) {
			return x, true
		}
	}
	return best, false
}

// How a suite agrees on a key, as far as the messages differ.
const (
	curve     = 1
	field     = 2
	anonymous = 4
)

func keyExchange(suite uint16) int {
	switch {
	case suite >= 0xC015 && suite <= 0xC019:
		return curve | anonymous
	case suite >= 0xC006 && suite <= 0xC00A, suite >= 0xC010 && suite <= 0xC014,
		slices.Contains([]uint16{0xC023, 0xC024, 0xC027, 0xC028, 0xC02B, 0xC02C, 0xC02F, 0xC030, 0xCCA8, 0xCCA9}, suite):
		return curve
	case suite >= 0x17 && suite <= 0x1B, suite == 0x34, suite == 0x3A, suite == 0xA6, suite == 0xA7:
		return field | anonymous
	case suite >= 0x11 && suite <= 0x16, suite == 0x32, suite == 0x33, suite == 0x38, suite == 0x39,
		suite == 0x67, suite == 0x6B, suite == 0x9E, suite == 0x9F:
		return field
	}
	return 0
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// noise stands where a client would check, and a hello alone never does.
func noise(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
