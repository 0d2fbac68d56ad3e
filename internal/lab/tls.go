package lab

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// A TLSServer answers HTTP/1.1 and 2 over TLS on a loopback port.
type TLSServer struct {
	// Name is the host that it is to be called by.
	Name string
	// Address is where it listens.
	Address netip.AddrPort

	server *http.Server
}

// ServeTLS starts a server. A nil handler answers every request with a small
// JSON document. It runs until Close.
func ServeTLS(c *tls.Config, h http.Handler) (*TLSServer, error) {
	if h == nil {
		h = http.HandlerFunc(answer)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	s := &TLSServer{
		Name:    Name,
		Address: l.Addr().(*net.TCPAddr).AddrPort(),
		server: &http.Server{
			Handler:           h,
			TLSConfig:         c,
			ReadHeaderTimeout: 10 * time.Second,
			// Clients that hang up are what the laboratory is for.
			ErrorLog: log.New(io.Discard, "", 0),
		},
	}
	go s.server.ServeTLS(l, "", "")
	return s, nil
}

// ServeGood starts a server with a good certificate for Name.
func ServeGood(a *Authority, h http.Handler) (*TLSServer, error) {
	return ServeTLS(&tls.Config{Certificates: []tls.Certificate{a.Issue(Leaf{})}}, h)
}

// Host is the server's name and port, as a URL has them.
func (s *TLSServer) Host() string { return net.JoinHostPort(s.Name, fmt.Sprint(s.Address.Port())) }

// URL is the server's root.
func (s *TLSServer) URL() string { return "https://" + s.Host() + "/" }

// Resolve says where the server's name leads, for a client that is told.
func (s *TLSServer) Resolve() map[string][]netip.Addr {
	return map[string][]netip.Addr{s.Host(): {s.Address.Addr()}}
}

// Close ends the server and its connections.
func (s *TLSServer) Close() { s.server.Close() }

// answer is a response that no check of steps 4 to 7 has a word about.
func answer(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Strict-Transport-Security", "max-age=31536000")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cache-Control", "no-store")
	io.WriteString(w, "{\"ok\":true}\n")
}
