package wire

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/parley-project/parley/internal/needs"
)

// full is a hello that uses every field.
func full(t testing.TB) *ClientHello {
	h := &ClientHello{
		Version: TLS12, SessionID: bytes.Repeat([]byte{7}, 32), Suites: append(Suites(TLS13), Suites(TLS12)...),
		Compressions: []byte{1, 0}, ServerName: "api.shop.test", Groups: Groups(), Signatures: Signatures(),
		ALPN: []string{"h2", "http/1.1"}, Versions: []Version{TLS13, TLS12}, Cookie: []byte("again"),
		ExtendedMasterSecret: true, RenegotiationInfo: true, PointFormats: true, PSKModes: true,
		StatusRequest: true, SessionTicket: true,
	}
	for _, g := range []Group{X25519MLKEM768, X25519, SecP256r1MLKEM768, SecP384r1MLKEM1024, SecP256r1, SecP384r1, SecP521r1} {
		s, err := NewKeyShare(g)
		if err != nil {
			t.Fatal(err)
		}
		h.KeyShares = append(h.KeyShares, s)
	}
	return h
}

func record(t testing.TB, h *ClientHello) []byte {
	t.Helper()
	b, err := h.Record()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestClientHelloRoundTrip(t *testing.T) {
	for name, h := range map[string]*ClientHello{
		"full":    full(t),
		"SSL 3.0": {Version: SSL30, Suites: Suites(SSL30), Compressions: []byte{0}},
		"retry":   {Version: TLS12, Suites: Suites(TLS13), Compressions: []byte{0}, Versions: []Version{TLS13}, NoKeyShares: true},
	} {
		msg := one(t, record(t, h))
		got, err := ParseClientHello(msg.Body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got.Extensions = nil
		if !reflect.DeepEqual(got, h) {
			t.Errorf("ParseClientHello(%s) = %+v, want %+v", name, got, h)
		}
	}
}

// one reads the only message, fed byte by byte.
func one(t testing.TB, b []byte) Message {
	t.Helper()
	var m Messages
	for i := range b {
		m.Feed(b[i : i+1])
		msg, err := m.Next()
		if err == nil && i == len(b)-1 {
			return msg
		}
		if !errors.Is(err, ErrMore) {
			t.Fatalf("after %d of %d bytes: %v", i+1, len(b), err)
		}
	}
	t.Fatalf("no message in %d bytes", len(b))
	return Message{}
}

// TestGoAnswers lets crypto/tls read what is written here, and reads what it
// writes.
func TestGoAnswers(t *testing.T) {
	cert, err := tls.X509KeyPair(testCertificate(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		hello func(*ClientHello)
		max   uint16
		want  ServerHello
	}{
		{"TLS 1.3 with a hybrid key", func(*ClientHello) {}, 0, ServerHello{Version: TLS13, Suite: 0x1301, Group: X25519MLKEM768}},
		{"TLS 1.3 with each key", func(h *ClientHello) { h.Groups = []Group{SecP384r1MLKEM1024} }, 0,
			ServerHello{Version: TLS13, Suite: 0x1301, Group: SecP384r1MLKEM1024}},
		{"TLS 1.3 without keys", func(h *ClientHello) { h.KeyShares, h.NoKeyShares = nil, true }, 0,
			ServerHello{Version: TLS13, Suite: 0x1301, Group: X25519MLKEM768, Retry: true}},
		{"TLS 1.2", func(h *ClientHello) { h.Versions, h.Compressions = nil, []byte{0} }, tls.VersionTLS12,
			ServerHello{Version: TLS12, Suite: 0xC02F, ALPN: "h2", ExtendedMasterSecret: true, RenegotiationInfo: true}},
	} {
		h := full(t)
		h.Compressions, h.Cookie = []byte{0}, nil
		test.hello(h)
		h.KeyShares = slices.DeleteFunc(h.KeyShares, func(s KeyShare) bool { return !slices.Contains(h.Groups, s.Group) })
		client, server := net.Pipe()
		go tls.Server(server, &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: test.max, NextProtos: []string{"h2"}}).Handshake()
		go client.Write(record(t, h))
		var m Messages
		var got *ServerHello
		buf := make([]byte, 4096)
		for got == nil {
			msg, err := m.Next()
			if errors.Is(err, ErrMore) {
				n, err := client.Read(buf)
				if err != nil {
					t.Fatalf("%s: %v", test.name, err)
				}
				m.Feed(buf[:n])
				continue
			}
			if err != nil || msg.Content != Handshake {
				t.Fatalf("%s: %+v, %v", test.name, msg, err)
			}
			if got, err = ParseServerHello(msg.Body); err != nil {
				t.Fatal(err)
			}
		}
		client.Close()
		got.Random, got.SessionID, got.Extensions = [32]byte{}, nil, nil
		if !reflect.DeepEqual(*got, test.want) {
			t.Errorf("%s: ParseServerHello = %+v, want %+v", test.name, *got, test.want)
		}
	}
}

func TestGoHello(t *testing.T) {
	client, server := net.Pipe()
	defer server.Close()
	go tls.Client(client, &tls.Config{ServerName: "api.shop.test", NextProtos: []string{"h2", "http/1.1"}}).Handshake()
	buf := make([]byte, 16<<10)
	var m Messages
	for {
		n, err := server.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		m.Feed(buf[:n])
		msg, err := m.Next()
		if errors.Is(err, ErrMore) {
			continue
		}
		h, err := ParseClientHello(msg.Body)
		if err != nil {
			t.Fatal(err)
		}
		if h.ServerName != "api.shop.test" || !slices.Equal(h.ALPN, []string{"h2", "http/1.1"}) ||
			!slices.Equal(h.Versions, []Version{TLS13, TLS12}) || !slices.Contains(h.Suites, 0x1301) || len(h.KeyShares) == 0 {
			t.Errorf("ParseClientHello found %+v", h)
		}
		return
	}
}

// TestNames compares the table with what OpenSSL calls the suites that
// it knows, and with crypto/tls.
func TestNames(t *testing.T) {
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if got := Suite(s.ID).String(); got != s.Name {
			t.Errorf("Suite(0x%04X) = %s, want %s", s.ID, got, s.Name)
		}
	}
	openssl := needs.Program(t, "openssl")
	out, err := exec.Command(openssl, "ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0").Output()
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line) // 0x13,0x02 - TLS_AES_256_GCM_SHA384 - ...
		var n Suite
		for _, b := range strings.Split(f[0], ",") {
			n = n<<8 | Suite(unhex(b[2:3])<<4|unhex(b[3:4]))
		}
		if n.String() != f[2] {
			t.Errorf("Suite(%s) = %s, want %s", f[0], n, f[2])
		}
		compared++
	}
	if compared < 100 {
		t.Errorf("compared %d suites, want more than 100", compared)
	}
}

func unhex(s string) int { return strings.Index("0123456789ABCDEF", s) }

func TestTables(t *testing.T) {
	for v, want := range map[Version]int{SSL20: 8, TLS13: 11, TLS12: 340, TLS11: 120} {
		suites := Suites(v)
		if len(suites) < want {
			t.Errorf("Suites(%s) has %d, want at least %d", v, len(suites), want)
		}
		seen := map[Suite]bool{}
		names := map[string]bool{}
		for _, s := range suites {
			if seen[s] || names[s.String()] || strings.HasPrefix(s.String(), "0x") {
				t.Errorf("Suites(%s) has %v twice, or without a name", v, s)
			}
			seen[s], names[s.String()] = true, true
		}
	}
	if n := len(Groups()); n < 50 {
		t.Errorf("Groups() has %d, want all of the registry", n)
	}
	for g, want := range map[Group]string{23: "secp256r1", 29: "x25519", 0x104: "ffdhe8192", 4588: "X25519MLKEM768", 41: "curveSM2", 25497: "X25519Kyber768Draft00"} {
		if g.String() != want {
			t.Errorf("Group(%d) = %s, want %s", uint16(g), g, want)
		}
	}
}

func TestKeyExchangeGroup(t *testing.T) {
	field := func(bits int) []byte {
		p := append([]byte{byte(bits / 8 >> 8), byte(bits / 8)}, bytes.Repeat([]byte{0xFF}, bits/8)...)
		return append(p, 0, 1, 2, 0, 1, 4)
	}
	ffdhe := field(2048)
	copy(ffdhe[2+8:], "\xad\xf8\x54\x58\xa2\xbb\x4a\x9a")
	for _, test := range []struct {
		suite Suite
		body  []byte
		want  string
	}{
		{0xC02F, []byte{3, 0, 29, 1, 9}, "x25519"},
		{0xC02F, []byte{1, 0}, "arbitrary_explicit_prime_curves"},
		{0xC035, []byte{0, 2, 'h', 'i', 3, 0, 23}, "secp256r1"}, // with a hint for the key
		{0x0033, field(1024), "DH 1024"},
		{0x0034, field(512), "DH 512"},
		{0x009E, ffdhe, "ffdhe2048"},
		{0x002F, []byte{1}, ""},
	} {
		if got, err := ParseKeyExchange(test.body, test.suite); got != test.want || err != nil {
			t.Errorf("ParseKeyExchange(%s) = %q, %v, want %q", test.suite, got, err, test.want)
		}
	}
	if _, err := ParseKeyExchange([]byte{3, 0}, 0xC02F); err == nil {
		t.Error("ParseKeyExchange took half a group")
	}
}

func TestSSL20(t *testing.T) {
	b, err := SSL20Hello(SSL20, Suites(SSL20), [16]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	msg := one(t, b)
	h, err := ParseSSL20Hello(msg.Body)
	if err != nil || msg.Content != SSL20Record || h.Version != SSL20 || !slices.Equal(h.Suites, Suites(SSL20)) {
		t.Errorf("ParseSSL20Hello = %+v, %v", h, err)
	}
	server := []byte{0x80, 0, 4, 0, 1, 0, 2, 0, 3, 0, 6, 0, 2, 9, 9, 9, 1, 0, 0x80, 7, 0, 0xC0, 5, 5}
	server[1] = byte(len(server) - 2)
	v, suites, err := ParseSSL20ServerHello(one(t, server).Body)
	if err != nil || v != SSL20 || !slices.Equal(suites, []Suite{0x010080, 0x0700C0}) {
		t.Errorf("ParseSSL20ServerHello = %v, %v, %v", v, suites, err)
	}
	if got := suites[1].String(); got != "SSL_CK_DES_192_EDE3_CBC_WITH_MD5" {
		t.Errorf("0x0700C0 is called %s", got)
	}
}

func TestMessages(t *testing.T) {
	for _, test := range []struct {
		name string
		in   string
		want string // of the error; "" for a message
	}{
		{"alert", "\x15\x03\x03\x00\x02\x02\x28", ""},
		{"HTTP", "HTTP/1.1 400 Bad Request\r\n", "a record of type 72"},
		{"too long", "\x16\x03\x01\xff\xff", "a record of 65535 bytes"},
		{"wrong version", "\x16\x07\x01\x00\x01", "a record of version 0x0701"},
		{"long message", "\x16\x03\x01\x00\x04\x02\xff\xff\xff", "a handshake message of 16777215 bytes"},
		{"cut", "\x16\x03\x01\x00\x08\x02\x00\x00\xff1234", "more bytes are needed"},
		{"between", "\x16\x03\x01\x00\x04\x02\x00\x00\xff\x15\x03\x01\x00\x02\x02\x28", "another record inside"},
		{"no SSL 2.0", "\x80\x10\x90", "neither a record of TLS"},
		{"nothing", "", "more bytes are needed"},
	} {
		var m Messages
		m.Feed([]byte(test.in))
		_, err := m.Next()
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("Next(%s) = %v, want %q", test.name, err, test.want)
		}
	}
	if a, _ := ParseAlert([]byte{2, 40}); a.String() != "handshake_failure" || !a.Fatal {
		t.Errorf("ParseAlert = %v", a)
	}
}
