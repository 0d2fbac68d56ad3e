package lab

import "golang.org/x/crypto/cryptobyte"

// asked is what a peer reads of a ClientHello.
type asked struct {
	version      uint16
	suites       []uint16
	compressions []byte
	groups       []uint16
	alpn         []string
	extensions   []uint16
}

func (a *asked) read(body []byte) bool {
	s := cryptobyte.String(body)
	var kind uint8
	var message, session, suites, compressions, block cryptobyte.String
	if !s.ReadUint8(&kind) || kind != 1 || !s.ReadUint24LengthPrefixed(&message) || !message.ReadUint16(&a.version) ||
		!message.Skip(32) || !message.ReadUint8LengthPrefixed(&session) || !message.ReadUint16LengthPrefixed(&suites) ||
		!message.ReadUint8LengthPrefixed(&compressions) {
		return false
	}
	a.compressions = compressions
	for n := uint16(0); suites.ReadUint16(&n); {
		a.suites = append(a.suites, n)
	}
	if message.Empty() {
		return true
	}
	if !message.ReadUint16LengthPrefixed(&block) {
		return false
	}
	for !block.Empty() {
		var n uint16
		var x, list, name cryptobyte.String
		if !block.ReadUint16(&n) || !block.ReadUint16LengthPrefixed(&x) {
			return false
		}
		a.extensions = append(a.extensions, n)
		switch n {
		case 10:
			x.ReadUint16LengthPrefixed(&list)
			for g := uint16(0); list.ReadUint16(&g); {
				a.groups = append(a.groups, g)
			}
		case 16:
			x.ReadUint16LengthPrefixed(&list)
			for list.ReadUint8LengthPrefixed(&name) {
				a.alpn = append(a.alpn, string(name))
			}
		}
	}
	return true
}
