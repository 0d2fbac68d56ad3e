package wire

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// A Version is a protocol version as it stands in hellos.
type Version uint16

// The versions there have been.
const (
	SSL20 Version = 0x0002
	SSL30 Version = 0x0300
	TLS10 Version = 0x0301
	TLS11 Version = 0x0302
	TLS12 Version = 0x0303
	TLS13 Version = 0x0304
)

// String returns the version as people write it: "TLS 1.2".
func (v Version) String() string {
	switch {
	case v == SSL20:
		return "SSL 2.0"
	case v == SSL30:
		return "SSL 3.0"
	case v >= TLS10 && v <= TLS13:
		return fmt.Sprintf("TLS 1.%d", v-TLS10)
	}
	return fmt.Sprintf("0x%04X", uint16(v))
}

// A Suite is the number of a cipher suite: two bytes, or three for the cipher
// kinds of SSL 2.0, which are all larger than 0xFFFF.
type Suite uint32

// The numbers that are no suites but signals.
const (
	EmptyRenegotiationInfo Suite = 0x00FF // RFC 5746, 3.3
	FallbackSCSV           Suite = 0x5600 // RFC 7507
)

// String returns the IANA name, or the number of a suite that has none.
func (s Suite) String() string {
	t := suitesTLS()
	if s.SSL20() {
		t = suites20()
	}
	if n, ok := t.names[uint32(s)]; ok {
		return n
	}
	if s > 0xFFFF {
		return fmt.Sprintf("0x%06X", uint32(s))
	}
	return fmt.Sprintf("0x%04X", uint32(s))
}

// SSL20 reports whether it is a cipher kind of SSL 2.0.
func (s Suite) SSL20() bool { return s > 0xFFFF }

// A Group is the number of a named group for key exchange.
type Group uint16

// Groups that code has to name.
const (
	SecP256r1          Group = 23
	SecP384r1          Group = 24
	SecP521r1          Group = 25
	X25519             Group = 29
	SecP256r1MLKEM768  Group = 0x11EB
	X25519MLKEM768     Group = 0x11EC
	SecP384r1MLKEM1024 Group = 0x11ED
)

// String returns the IANA name, or the number of a group that has none.
func (g Group) String() string {
	if n, ok := namedGroups().names[uint32(g)]; ok {
		return n
	}
	return fmt.Sprintf("0x%04X", uint16(g))
}

// A table is numbers with names, in the order that they were written down.
type table struct {
	numbers []uint32
	names   map[uint32]string
}

// tableOf makes a table of runs: a number in hex with a colon, then the names of
// it and of those that follow it.
func tableOf(text, prefix string) func() *table {
	return sync.OnceValue(func() *table {
		t := &table{names: map[uint32]string{}}
		var n uint64
		for word := range strings.FieldsSeq(text) {
			if start, ok := strings.CutSuffix(word, ":"); ok {
				var err error
				if n, err = strconv.ParseUint(start, 16, 32); err != nil {
					panic("wire: " + word)
				}
				continue
			}
			t.names[uint32(n)] = prefix + word
			t.numbers = append(t.numbers, uint32(n))
			n++
		}
		return t
	})
}

var (
	suites20    = tableOf(suiteTable20, "SSL_CK_")
	suitesTLS   = tableOf(suiteTable, "TLS_")
	namedGroups = tableOf(groupTable, "")
)

var alertNames = map[byte]string{
	0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 21: "decryption_failed",
	22: "record_overflow", 30: "decompression_failure", 40: "handshake_failure", 41: "no_certificate",
	42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked",
	45: "certificate_expired", 46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca",
	49: "access_denied", 50: "decode_error", 51: "decrypt_error", 60: "export_restriction",
	70: "protocol_version", 71: "insufficient_security", 80: "internal_error",
	86: "inappropriate_fallback", 90: "user_canceled", 100: "no_renegotiation",
	109: "missing_extension", 110: "unsupported_extension", 111: "certificate_unobtainable",
	112: "unrecognized_name", 113: "bad_certificate_status_response", 114: "bad_certificate_hash_value",
	115: "unknown_psk_identity", 116: "certificate_required", 120: "no_application_protocol",
	121: "ech_required",
}
