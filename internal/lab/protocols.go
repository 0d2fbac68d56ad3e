package lab

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// A ProtocolSetting is a way to speak TLS, good or bad. One of Config, Peer and
// Behave is set.
type ProtocolSetting struct {
	Name string
	Says string // what is special about it
	// Config is for crypto/tls, which then does all of it. It states versions
	// and suites itself: defaults change from release to release.
	Config *tls.Config
	// ECDSA and RSA are the certificates it has; neither means ECDSA.
	ECDSA, RSA bool
	// Peer says hello as crypto/tls never would.
	Peer *Peer
	// Behave does something else than TLS with a connection.
	Behave func(net.Conn)
}

// ModernSuites are those of TLS 1.2 that nothing is wrong with.
var ModernSuites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
}

var oldSuites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
	tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
}

var staticSuites = []uint16{
	tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_RSA_WITH_AES_128_CBC_SHA256,
	tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA,
}

// everySuite is all that crypto/tls has for TLS 1.2 and lower.
func everySuite() (ids []uint16) {
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if s.SupportedVersions[0] < tls.VersionTLS13 {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

func speaks(from, to uint16, suites []uint16, groups ...tls.CurveID) *tls.Config {
	if groups == nil {
		groups = []tls.CurveID{tls.X25519MLKEM768, tls.X25519, tls.CurveP256}
	}
	return &tls.Config{MinVersion: from, MaxVersion: to, CipherSuites: suites, CurvePreferences: groups, NextProtos: []string{"h2", "http/1.1"}}
}

func withALPN(protocols ...string) *tls.Config {
	c := speaks(tls.VersionTLS12, tls.VersionTLS13, ModernSuites)
	c.NextProtos = protocols
	return c
}

var everything = speaks(tls.VersionTLS10, tls.VersionTLS13, everySuite(), tls.X25519MLKEM768, tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521)

// ProtocolSettings lists the settings by crypto/tls, then the peers, then those
// that do not speak TLS.
var ProtocolSettings = append([]ProtocolSetting{
	{Name: "modern", Says: "TLS 1.2 and 1.3, authenticated encryption, hybrid groups",
		Config: speaks(tls.VersionTLS12, tls.VersionTLS13, ModernSuites)},
	{Name: "modern-both-certificates", Says: "the same with a certificate of either kind", ECDSA: true, RSA: true,
		Config: speaks(tls.VersionTLS12, tls.VersionTLS13, ModernSuites)},
	{Name: "modern-rsa", Says: "the same with an RSA certificate", RSA: true,
		Config: speaks(tls.VersionTLS12, tls.VersionTLS13, ModernSuites)},
	{Name: "tls-1.0-only", Says: "nothing but TLS 1.0", RSA: true, Config: speaks(tls.VersionTLS10, tls.VersionTLS10, oldSuites)},
	{Name: "tls-1.1-only", Says: "nothing but TLS 1.1", RSA: true, Config: speaks(tls.VersionTLS11, tls.VersionTLS11, oldSuites)},
	{Name: "tls-1.2-only", Says: "nothing but TLS 1.2", RSA: true, Config: speaks(tls.VersionTLS12, tls.VersionTLS12, ModernSuites)},
	{Name: "tls-1.3-only", Says: "nothing but TLS 1.3", Config: speaks(tls.VersionTLS13, tls.VersionTLS13, nil)},
	{Name: "wide", Says: "TLS 1.0 to 1.3 with every suite", RSA: true, Config: everything},
	{Name: "wide-ecdsa", Says: "the same with an ECDSA certificate", Config: everything},
	{Name: "wide-both-certificates", Says: "the same with a certificate of either kind", ECDSA: true, RSA: true, Config: everything},
	{Name: "rc4", Says: "TLS 1.2 with RC4 beside good suites", RSA: true,
		Config: speaks(tls.VersionTLS12, tls.VersionTLS13, append([]uint16{tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA, tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA}, ModernSuites...))},
	{Name: "3des", Says: "TLS 1.2 with 3DES beside good suites", RSA: true,
		Config: speaks(tls.VersionTLS12, tls.VersionTLS13, append([]uint16{tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA}, ModernSuites...))},
	{Name: "cbc", Says: "TLS 1.2 with CBC beside good suites", RSA: true,
		Config: speaks(tls.VersionTLS12, tls.VersionTLS13, append([]uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256}, append(oldSuites, ModernSuites...)...))},
	{Name: "static-rsa", Says: "TLS 1.2 with keys that the certificate's key decrypts", RSA: true,
		Config: speaks(tls.VersionTLS12, tls.VersionTLS13, append(staticSuites, ModernSuites...))},
	{Name: "no-hybrid-group", Says: "TLS 1.3 without a post-quantum group",
		Config: speaks(tls.VersionTLS12, tls.VersionTLS13, ModernSuites, tls.X25519, tls.CurveP256, tls.CurveP384)},
	{Name: "hybrid-group-only", Says: "TLS 1.3 with post-quantum groups alone",
		Config: speaks(tls.VersionTLS13, tls.VersionTLS13, nil, tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024)},
	{Name: "alpn-none", Says: "no protocol is agreed on", Config: withALPN()},
	{Name: "alpn-h2", Says: "HTTP/2 alone", Config: withALPN("h2")},
	{Name: "alpn-http1", Says: "HTTP/1.1 alone", Config: withALPN("http/1.1")},
}, append(peerSettings, behaviourSettings...)...)

// ProtocolSettingByName returns one of ProtocolSettings, or nil.
func ProtocolSettingByName(name string) *ProtocolSetting {
	for i := range ProtocolSettings {
		if ProtocolSettings[i].Name == name {
			return &ProtocolSettings[i]
		}
	}
	return nil
}

// A ProtocolServer speaks by a setting. Those with a Config answer HTTP.
type ProtocolServer struct {
	TLSServer
	close func()
}

// Close ends the server and its connections.
func (s *ProtocolServer) Close() { s.close() }

// Serve starts a server on a loopback port, with certificates of the authority.
func (s *ProtocolSetting) Serve(a *Authority) (*ProtocolServer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	p := &ProtocolServer{}
	p.Name, p.Address = Name, l.Addr().(*net.TCPAddr).AddrPort()
	certificates := s.Certificates(a)
	if s.Config != nil {
		p.close = serveConfig(l, s.Config, certificates)
		return p, nil
	}
	behave := s.Behave
	if s.Peer != nil {
		behave = func(nc net.Conn) { s.Peer.answer(nc, certificates[0].Certificate) }
	}
	p.close = serveEach(l, behave)
	return p, nil
}

// Certificates are those that the setting asks for, issued by the authority.
func (s *ProtocolSetting) Certificates(a *Authority) (all []tls.Certificate) {
	if s.ECDSA || !s.RSA {
		all = append(all, a.Issue(Leaf{}))
	}
	if s.RSA {
		all = append(all, a.Issue(Leaf{Key: usualRSAKey()}))
	}
	return all
}

func serveConfig(l net.Listener, from *tls.Config, certificates []tls.Certificate) (stop func()) {
	c := from.Clone()
	c.Certificates = certificates
	server := &http.Server{
		Handler:           http.HandlerFunc(answer),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	// The server would add to the protocols and look at the suites, so that it
	// gets a configuration of its own.
	server.TLSConfig = &tls.Config{NextProtos: c.NextProtos}
	go server.Serve(tls.NewListener(l, c))
	return func() { server.Close() }
}

// serveEach runs f on every connection until the listener is closed, which
// closes the connections too.
func serveEach(l net.Listener, f func(net.Conn)) (stop func()) {
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	closed := false
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			if closed {
				nc.Close()
			}
			open[nc] = true
			mu.Unlock()
			go func() {
				f(nc)
				nc.Close()
				mu.Lock()
				delete(open, nc)
				mu.Unlock()
			}()
		}
	}()
	return func() {
		l.Close()
		mu.Lock()
		defer mu.Unlock()
		closed = true
		for nc := range open {
			nc.Close()
		}
	}
}

// usualRSAKey is made once: it takes long.
var usualRSAKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(fmt.Errorf("lab: key: %w", err))
	}
	return key
})
