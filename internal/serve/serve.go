// Package serve listens well: TLS 1.2 and 1.3, HTTP/1.1, 2 and 3 on one port
// number, time limits, connection limits, draining.
//
// The defaults are those of a server that strangers may reach. Nothing that
// comes from the network makes it panic or grow without bound.
package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// Config says where and how to listen.
type Config struct {
	// Address is where TLS is spoken, such as "127.0.0.1:8443". Empty: nowhere.
	Address string
	// PlainAddress is where HTTP/1.1 without TLS is spoken. Empty: nowhere.
	// The handler is the same; it sees r.TLS == nil.
	PlainAddress string
	// Move and MovePlain take the next free port when one is taken, instead of
	// failing.
	Move, MovePlain bool
	// HTTP3 also serves HTTP/3, on the UDP port of the same number.
	HTTP3 bool
	// Quiet does not announce HTTP/3 on the other versions (Alt-Svc): nothing
	// is added to any answer.
	Quiet bool
	// Certificate is asked on every handshake. Required with Address.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// Handler answers. Required.
	Handler http.Handler
	// Limits are what a client may take. Zero fields mean the defaults.
	Limits Limits
	// Log takes what the servers have to say. Failed handshakes and broken
	// connections, which any stranger can cause, are at level debug. Nil
	// discards.
	Log *slog.Logger
}

// Limits are what a client may take. A zero field means the default named; a
// negative number of connections or seconds means no limit.
type Limits struct {
	Header      time.Duration // to send the header, and to shake hands: 10 s
	Idle        time.Duration // between two requests: 120 s
	Write       time.Duration // without taking a write of at most 64 KiB: 60 s
	HeaderBytes int           // 32 KiB
	Fields      int           // 100
	URLBytes    int           // 8 KiB
	BodyGrace   time.Duration // before BodyRate counts: 5 s
	BodyRate    int           // bytes a second that a request body must keep up: 240
	Connections int           // in all: 10,000
	PerAddress  int           // from one address: 256
	Streams     int           // at once on an HTTP/2 or 3 connection: 100
}

func (l Limits) withDefaults() Limits {
	or(&l.Header, 10*time.Second)
	or(&l.Idle, 120*time.Second)
	or(&l.Write, 60*time.Second)
	or(&l.HeaderBytes, 32<<10)
	or(&l.Fields, 100)
	or(&l.URLBytes, 8<<10)
	or(&l.BodyGrace, 5*time.Second)
	or(&l.BodyRate, 240)
	or(&l.Connections, 10_000)
	or(&l.PerAddress, 256)
	or(&l.Streams, 100)
	return l
}

func or[T comparable](p *T, d T) {
	var zero T
	if *p == zero {
		*p = d
	}
}

// A Server is one that listens. It is made by Listen.
type Server struct {
	log   *slog.Logger
	count *counter

	secure, plain net.Listener
	udp           net.PacketConn
	quic          *quic.Transport
	quicListener  *quic.Listener

	h1     *http.Server // TLS, with HTTP/2
	clear  *http.Server
	h3     *http3.Server
	cancel context.CancelFunc

	running sync.WaitGroup
	moved   []string
}

// Listen takes the ports. Connections wait until Serve is called. A port that
// is taken is an error for which errors.Is(err, syscall.EADDRINUSE) holds.
func Listen(c Config) (*Server, error) {
	if c.Handler == nil || (c.Address == "" && c.PlainAddress == "") {
		return nil, errors.New("serve: nothing to listen with")
	}
	if c.Address != "" && c.Certificate == nil {
		return nil, errors.New("serve: no certificate for " + c.Address)
	}
	l := c.Limits.withDefaults()
	s := &Server{log: c.Log, count: newCounter(l)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.take(c); err != nil {
		s.release()
		return nil, err
	}

	base, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	handler := limit(c.Handler, l)
	server := func(h http.Handler) *http.Server {
		return &http.Server{
			Handler:           h,
			ReadHeaderTimeout: max(l.Header, 0),
			IdleTimeout:       max(l.Idle, 0),
			// Go adds 4 KiB of its own to this.
			MaxHeaderBytes:               max(l.HeaderBytes-4096, 1),
			DisableGeneralOptionsHandler: true,
			ErrorLog:                     errorLog(s.log),
			BaseContext:                  func(net.Listener) context.Context { return base },
			HTTP2: &http.HTTP2Config{
				MaxConcurrentStreams:          l.Streams,
				MaxReceiveBufferPerConnection: 1 << 20,
				MaxReceiveBufferPerStream:     64 << 10,
				MaxReadFrameSize:              16 << 10,
				WriteByteTimeout:              max(l.Write, 0),
			},
		}
	}
	if s.plain != nil {
		s.clear = server(handler)
		s.clear.Protocols = new(http.Protocols)
		s.clear.Protocols.SetHTTP1(true)
	}
	if s.secure != nil {
		tc := tlsConfig(c.Certificate)
		over := handler
		if s.udp != nil {
			if !c.Quiet {
				over = announce(handler, s.secure.Addr())
			}
			if err := s.listenQUIC(tc, handler, l); err != nil {
				s.release()
				cancel()
				return nil, err
			}
		}
		s.h1 = server(over)
		s.h1.TLSConfig = tc
	}
	return s, nil
}

// tlsConfig is TLS 1.2 and 1.3 with suites that hide and authenticate in one,
// and Go's own preference of groups, which begins with X25519MLKEM768.
func tlsConfig(cert func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{
		GetCertificate: cert,
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
	}
}

// listenQUIC sets HTTP/3 up. Early data is not accepted: it can be replayed.
func (s *Server) listenQUIC(tc *tls.Config, h http.Handler, l Limits) error {
	s.quic = &quic.Transport{
		Conn: s.udp,
		// When it gets crowded, clients must show that they are where they
		// say (RFC 9000, 8.1.2).
		VerifySourceAddress: func(net.Addr) bool { return s.count.crowded() },
	}
	var err error
	s.quicListener, err = s.quic.Listen(http3.ConfigureTLSConfig(tc), &quic.Config{
		HandshakeIdleTimeout:           max(l.Header/2, time.Second),
		MaxIdleTimeout:                 max(l.Idle, 0),
		MaxIncomingStreams:             int64(l.Streams),
		MaxIncomingUniStreams:          8,
		InitialStreamReceiveWindow:     64 << 10,
		MaxStreamReceiveWindow:         256 << 10,
		InitialConnectionReceiveWindow: 256 << 10,
		MaxConnectionReceiveWindow:     1 << 20,
		Allow0RTT:                      false,
	})
	if err != nil {
		return fmt.Errorf("serve: %s: %w", s.udp.LocalAddr(), err)
	}
	s.h3 = &http3.Server{
		Handler:        h,
		MaxHeaderBytes: l.HeaderBytes,
		IdleTimeout:    max(l.Idle, 0),
		Logger:         s.log,
	}
	return nil
}

// Serve answers until Shutdown is called; it then returns nil. Any other end of
// a listener is an error.
func (s *Server) Serve() error {
	failed := make(chan error, 3)
	start := func(f func() error) {
		s.running.Go(func() {
			err := f()
			if errors.Is(err, http.ErrServerClosed) || errors.Is(err, quic.ErrServerClosed) {
				err = nil
			}
			failed <- err
		})
	}
	n := 0
	if s.clear != nil {
		n++
		start(func() error { return s.clear.Serve(s.count.listener(s.plain)) })
	}
	if s.h1 != nil {
		n++
		start(func() error { return s.h1.ServeTLS(s.count.listener(s.secure), "", "") })
	}
	if s.h3 != nil {
		n++
		start(func() error { return s.h3.ServeListener(&quicListener{s.quicListener, s.count}) })
	}
	var first error
	for range n {
		if err := <-failed; err != nil && first == nil {
			first = fmt.Errorf("serve: %w", err)
			s.close()
		}
	}
	return first
}

// Shutdown stops accepting, tells clients to go elsewhere, and lets running
// requests finish. When ctx ends, what still runs is cut off: long downloads,
// event streams, WebSockets. It reports whether that was needed as ctx's error.
func (s *Server) Shutdown(ctx context.Context) error {
	var wg sync.WaitGroup
	errs := make([]error, 3)
	if s.clear != nil {
		wg.Go(func() { errs[0] = s.clear.Shutdown(ctx) })
	}
	if s.h1 != nil {
		wg.Go(func() { errs[1] = s.h1.Shutdown(ctx) })
	}
	if s.h3 != nil {
		// A QUIC listener that is closed refuses newcomers at once.
		s.quicListener.Close()
		wg.Go(func() { errs[2] = s.h3.Shutdown(ctx) })
	}
	wg.Wait()
	// Connections that a handler took over are unknown to the servers.
	err := errors.Join(errs...)
	if err == nil {
		err = s.count.empty(ctx)
	}
	s.close()
	s.running.Wait()
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// close cuts everything off.
func (s *Server) close() {
	s.cancel()
	if s.clear != nil {
		s.clear.Close()
	}
	if s.h1 != nil {
		s.h1.Close()
	}
	if s.h3 != nil {
		s.h3.Close()
	}
	s.count.closeAll()
	s.release()
}

// release gives the ports back.
func (s *Server) release() {
	if s.quicListener != nil {
		s.quicListener.Close()
	}
	if s.quic != nil {
		s.quic.Close()
	}
	for _, c := range []interface{ Close() error }{s.secure, s.plain, s.udp} {
		if c != nil {
			c.Close()
		}
	}
}

// Addr is where TLS is spoken, or nil. With HTTP/3 the UDP port is the same.
func (s *Server) Addr() net.Addr {
	if s.secure == nil {
		return nil
	}
	return s.secure.Addr()
}

// PlainAddr is where HTTP without TLS is spoken, or nil.
func (s *Server) PlainAddr() net.Addr {
	if s.plain == nil {
		return nil
	}
	return s.plain.Addr()
}

// Moved names each address that was taken and what is used instead, such as
// "127.0.0.1:8443 is taken, using 127.0.0.1:8444".
func (s *Server) Moved() []string { return s.moved }

// announce tells clients of HTTP/1.1 and 2 that HTTP/3 is spoken here too
// (RFC 7838).
func announce(next http.Handler, at net.Addr) http.Handler {
	_, port, _ := net.SplitHostPort(at.String())
	value := []string{`h3=":` + port + `"; ma=86400`}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Alt-Svc"] = value[:1:1]
		next.ServeHTTP(w, r)
	})
}
