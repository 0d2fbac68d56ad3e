package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// What one message may hold. Chains of certificates are the largest by far;
// crypto/tls draws its own line at the same place.
const (
	maxRecord    = 1<<14 + 2048
	maxHandshake = 1 << 18
)

// ErrMore says that the bytes so far end in the middle of a message.
var ErrMore = errors.New("wire: more bytes are needed")

// The content types of records, and one of our own for SSL 2.0.
const (
	ChangeCipherSpec = 20
	AlertRecord      = 21
	Handshake        = 22
	ApplicationData  = 23
	SSL20Record      = 128
)

// The types of handshake messages that are read here.
const (
	TypeClientHello       = 1
	TypeServerHello       = 2
	TypeCertificate       = 11
	TypeServerKeyExchange = 12
	TypeServerHelloDone   = 14
)

// A Message is one message of a TLS connection before it is encrypted.
type Message struct {
	Content byte    // the record's content type
	Version Version // the record's version
	Type    byte    // of a handshake message
	Body    []byte  // without the header; valid until the next call of Feed
}

// Messages takes a connection's bytes of one direction apart. The zero value is
// ready. It keeps no more than one message and what was fed after it.
type Messages struct {
	in        []byte // not yet looked at
	handshake []byte // content of handshake records
	record    Version
	begun     bool
	err       error
}

// Feed adds bytes as they came.
func (m *Messages) Feed(b []byte) { m.in = append(m.in, b...) }

// Next returns the next message, or ErrMore. Any other error is final: what
// came is not TLS.
func (m *Messages) Next() (Message, error) {
	for m.err == nil {
		if msg, ok := m.fromHandshake(); ok {
			return msg, nil
		}
		if m.err != nil {
			break
		}
		content, body, err := m.nextRecord()
		if err != nil {
			if err != ErrMore {
				m.err = err
			}
			return Message{}, err
		}
		if content != Handshake {
			if len(m.handshake) > 0 && content != SSL20Record {
				m.err = errors.New("wire: another record inside of a handshake message")
				break
			}
			return Message{Content: content, Version: m.record, Body: body}, nil
		}
		m.handshake = append(m.handshake, body...)
	}
	return Message{}, m.err
}

func (m *Messages) fromHandshake() (Message, bool) {
	h := m.handshake
	if len(h) < 4 {
		return Message{}, false
	}
	n := int(h[1])<<16 | int(h[2])<<8 | int(h[3])
	if n > maxHandshake {
		m.err = fmt.Errorf("wire: a handshake message of %d bytes", n)
		return Message{}, false
	}
	if len(h) < 4+n {
		return Message{}, false
	}
	m.handshake = h[4+n:]
	return Message{Content: Handshake, Version: m.record, Type: h[0], Body: h[4 : 4+n]}, true
}

func (m *Messages) nextRecord() (content byte, body []byte, err error) {
	b := m.in
	if len(b) > 0 && !m.begun && b[0]&0x80 != 0 {
		return m.record20()
	}
	if len(b) > 0 && (b[0] < ChangeCipherSpec || b[0] > ApplicationData+1) {
		return 0, nil, fmt.Errorf("wire: a record of type %d", b[0])
	}
	if len(b) < 5 {
		return 0, nil, ErrMore
	}
	if b[1] != 3 {
		return 0, nil, fmt.Errorf("wire: a record of version 0x%02X%02X", b[1], b[2])
	}
	n := int(binary.BigEndian.Uint16(b[3:]))
	if n > maxRecord {
		return 0, nil, fmt.Errorf("wire: a record of %d bytes", n)
	}
	if len(b) < 5+n {
		return 0, nil, ErrMore
	}
	m.begun, m.record = true, Version(binary.BigEndian.Uint16(b[1:]))
	m.in = b[5+n:]
	return b[0], b[5 : 5+n], nil
}

// record20 reads a record of SSL 2.0 without padding: two bytes of length with
// the highest bit set.
func (m *Messages) record20() (content byte, body []byte, err error) {
	b := m.in
	if len(b) < 3 {
		return 0, nil, ErrMore
	}
	n := int(b[0]&0x7F)<<8 | int(b[1])
	if n == 0 || b[2] > 8 {
		return 0, nil, errors.New("wire: neither a record of TLS nor of SSL 2.0")
	}
	if len(b) < 2+n {
		return 0, nil, ErrMore
	}
	m.begun, m.record = true, SSL20
	m.in = b[2+n:]
	return SSL20Record, b[2 : 2+n], nil
}

// An Alert is why a peer stops, or warns.
type Alert struct {
	Fatal bool
	Code  byte
}

// String returns the alert's name.
func (a Alert) String() string {
	if n, ok := alertNames[a.Code]; ok {
		return n
	}
	return fmt.Sprintf("alert %d", a.Code)
}

// Alerts that decide something.
const (
	HandshakeFailure      = 40
	ProtocolVersion       = 70
	InappropriateFallback = 86
	NoApplicationProtocol = 120
	CloseNotify           = 0
)

// ParseAlert reads the body of an alert record.
func ParseAlert(b []byte) (Alert, error) {
	if len(b) < 2 {
		return Alert{}, errors.New("wire: an alert of less than two bytes")
	}
	return Alert{Fatal: b[0] == 2, Code: b[1]}, nil
}
