package lab

import (
	"io"
	"net"
)

// good are suites of TLS 1.2 with forward secrecy, for a peer that has
// something else wrong with it.
var good = []uint16{0xC02F, 0xC030, 0xC02B, 0xC02C}

func in12(suites ...uint16) map[uint16][]uint16 { return map[uint16][]uint16{0x0303: suites} }

// from lists the numbers from the first to before the second of each pair.
func from(pairs ...uint16) (all []uint16) {
	for ; len(pairs) > 1; pairs = pairs[2:] {
		for n := pairs[0]; n < pairs[1]; n++ {
			all = append(all, n)
		}
	}
	return all
}

// peerSettings are what crypto/tls does not do.
var peerSettings = []ProtocolSetting{
	{Name: "peer-sound", Says: "a peer with nothing wrong but its age", Peer: &Peer{Suites: in12(good...), ALPN: []string{"http/1.1"}, StopsFallback: true}},
	{Name: "ssl-2.0", Says: "SSL 2.0 beside TLS 1.2", Peer: &Peer{Suites: in12(good...), Kinds: []uint32{0x010080, 0x020080, 0x0700C0}}},
	{Name: "ssl-2.0-only", Says: "nothing but SSL 2.0", Peer: &Peer{Kinds: []uint32{0x010080}}},
	{Name: "ssl-3.0", Says: "SSL 3.0 beside TLS 1.2", Peer: &Peer{Suites: map[uint16][]uint16{0x0303: good, 0x0300: {0x33, 0x39}}}},
	{Name: "ssl-3.0-only", Says: "nothing but SSL 3.0, which closes without a word", Peer: &Peer{Suites: map[uint16][]uint16{0x0300: {0x33, 0x39}}, Short: true}},
	{Name: "export", Says: "suites weakened for export", Peer: &Peer{Suites: in12(append(good, 0x03, 0x06, 0x08, 0x14, 0x60)...), Field: 512}},
	{Name: "null", Says: "suites that do not encrypt", Peer: &Peer{Suites: in12(append(good, 0x01, 0x02, 0x3B, 0xC010)...)}},
	{Name: "anonymous", Says: "suites without a certificate", Peer: &Peer{Suites: in12(append(good, 0xC018, 0x34, 0xA6)...)}},
	{Name: "des", Says: "DES with 56 bits", Peer: &Peer{Suites: in12(append(good, 0x15)...)}},
	{Name: "md5", Says: "RC4 with MD5", Peer: &Peer{Suites: in12(append(good, 0x04)...)}},
	{Name: "static-rsa-only", Says: "no suite with forward secrecy", Peer: &Peer{Suites: in12(0x9C, 0x2F)}},
	{Name: "compression", Says: "compression by DEFLATE", Peer: &Peer{Suites: in12(good...), Compression: 1}},
	{Name: "no-renegotiation-info", Says: "renegotiation without RFC 5746", Peer: &Peer{Suites: in12(good...), NoRenegotiationInfo: true}},
	{Name: "no-extended-master-secret", Says: "no RFC 7627", Peer: &Peer{Suites: in12(good...), NoExtendedMasterSecret: true}},
	{Name: "client-order", Says: "the client's order of suites", Peer: &Peer{Suites: map[uint16][]uint16{0x0303: append(good, 0xC013, 0xC014)}, ClientOrder: true}},
	{Name: "server-order", Says: "its own order of suites, an odd one", Peer: &Peer{Suites: map[uint16][]uint16{0x0303: {0xC014, 0xC02F, 0xC013, 0xC030}}}},
	{Name: "waits-for-ssl-2.0", Says: "takes a hello of SSL 2.0 for half a record", Peer: &Peer{Suites: in12(good...), Waits: true}},
	{Name: "short-hellos", Says: "closes when a hello is longer than 511 bytes", Peer: &Peer{Suites: in12(0xC02F, 0xC013, 0x2F, 0x41), Longest: 511}},
	{Name: "greedy", Says: "takes more suites than anybody asks for", Peer: &Peer{Suites: in12(from(0x01, 0xC6, 0xC001, 0xC0B4)...)}},
	{Name: "fallback", Says: "TLS 1.1 for clients that came down, unnoticed", Peer: &Peer{Suites: map[uint16][]uint16{0x0303: good, 0x0302: {0xC013}}}},
	{Name: "no-fallback", Says: "TLS 1.1 as well, but not for clients that came down", Peer: &Peer{Suites: map[uint16][]uint16{0x0303: good, 0x0302: {0xC013}}, StopsFallback: true}},
}

// behaviourSettings do not speak TLS, or not for long.
var behaviourSettings = []ProtocolSetting{
	{Name: "stall", Says: "takes everything and says nothing", Behave: func(nc net.Conn) { io.Copy(io.Discard, nc) }},
	{Name: "stall-in-hello", Says: "stops in the middle of its hello", Behave: afterHello(func(nc net.Conn) {
		nc.Write([]byte{22, 3, 3, 0, 80, 2, 0, 0, 76, 3, 3})
		io.Copy(io.Discard, nc)
	})},
	{Name: "close", Says: "closes at once", Behave: func(net.Conn) {}},
	{Name: "alert", Says: "answers with an alert, whatever comes", Behave: afterHello(func(nc net.Conn) { nc.Write([]byte{21, 3, 3, 0, 2, 2, 40}) })},
	{Name: "plain-http", Says: "speaks HTTP without TLS", Behave: afterHello(func(nc net.Conn) {
		io.WriteString(nc, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
	})},
	{Name: "broken-record", Says: "sends a record longer than records are", Behave: afterHello(func(nc net.Conn) { nc.Write([]byte{22, 3, 3, 0xFF, 0xFF, 2, 0}) })},
	{Name: "broken-hello", Says: "sends a hello whose lengths do not fit", Behave: afterHello(func(nc net.Conn) {
		nc.Write([]byte{22, 3, 3, 0, 8, 2, 0, 0, 4, 3, 3, 1, 2})
	})},
	{Name: "endless", Says: "sends warnings without end", Behave: afterHello(func(nc net.Conn) {
		for {
			if _, err := nc.Write([]byte{21, 3, 3, 0, 2, 1, 112}); err != nil {
				return
			}
		}
	})},
}

// afterHello reads something before it answers: a connection that is closed
// with bytes unread is reset, and the answer lost with it.
func afterHello(f func(net.Conn)) func(net.Conn) {
	return func(nc net.Conn) {
		var buf [4 << 10]byte
		if _, err := nc.Read(buf[:]); err == nil {
			f(nc)
			nc.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, io.LimitReader(nc, 1<<16))
		}
	}
}
