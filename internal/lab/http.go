package lab

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// HTTP is a server of HTTP/1.1, 2 and 3 on random loopback ports.
type HTTP struct {
	// Plain is where HTTP/1.1 is spoken without TLS; Secure with it, and
	// HTTP/2; QUIC is the UDP port of HTTP/3, with the same number as Secure.
	Plain, Secure, QUIC netip.AddrPort
	// Name is what the certificate is for.
	Name string

	server *http.Server
	h3     *http3.Server
	quic   *quic.EarlyListener
	udp    net.PacketConn
}

// ServeHTTP starts a server in all three versions. Nil answers as Echo does.
// It runs until Close.
func ServeHTTP(a *Authority, h http.Handler) (*HTTP, error) {
	if h == nil {
		h = Echo()
	}
	cert := a.Issue(Leaf{})
	conf := func(protocols ...string) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: protocols}
	}
	s := &HTTP{Name: Name, server: &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10,
		DisableGeneralOptionsHandler: true, TLSConfig: conf("h2", "http/1.1"), ErrorLog: log.New(io.Discard, "", 0)}}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	udp, secure, err := listenBoth()
	if err != nil {
		plain.Close()
		return nil, fmt.Errorf("lab: %w", err)
	}
	s.udp = udp
	if s.quic, err = quic.ListenEarly(udp, http3.ConfigureTLSConfig(conf()), &quic.Config{MaxIncomingStreams: 256}); err != nil {
		plain.Close()
		secure.Close()
		udp.Close()
		return nil, fmt.Errorf("lab: %w", err)
	}
	s.h3 = &http3.Server{Handler: h, MaxHeaderBytes: 64 << 10}
	s.Plain = plain.Addr().(*net.TCPAddr).AddrPort()
	s.Secure = secure.Addr().(*net.TCPAddr).AddrPort()
	s.QUIC = udp.LocalAddr().(*net.UDPAddr).AddrPort()
	go s.server.Serve(plain)
	go s.server.ServeTLS(secure, "", "")
	go s.h3.ServeListener(s.quic)
	return s, nil
}

// Host is the name and port where TLS is spoken, as a URL has them.
func (s *HTTP) Host() string { return net.JoinHostPort(s.Name, fmt.Sprint(s.Secure.Port())) }

// URL is the root over TLS, PlainURL the one without.
func (s *HTTP) URL() string      { return "https://" + s.Host() }
func (s *HTTP) PlainURL() string { return "http://" + s.Plain.String() }

// Resolve says where the name leads, for a client that is told.
func (s *HTTP) Resolve() map[string][]netip.Addr {
	at := []netip.Addr{s.Secure.Addr()}
	return map[string][]netip.Addr{s.Host(): at, net.JoinHostPort(s.Name, fmt.Sprint(s.Plain.Port())): at}
}

// Close ends the server and its connections.
func (s *HTTP) Close() {
	s.server.Close()
	s.h3.Close()
	s.quic.Close()
	s.udp.Close()
}

// wait lets time pass until a client goes away.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
