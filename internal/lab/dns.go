package lab

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// DNSOptions say what a name server knows and how it behaves.
type DNSOptions struct {
	// Zone is what it knows. Nil means DNSZones.
	Zone *DNSZone
	// Behave answers questions. Nil is Honest.
	Behave DNSBehaviour
	// Authority issues the certificate of DoT and DoH. Nil makes one.
	Authority *Authority
	// Leaf is that certificate. Nil means a good one for the address.
	Leaf *Leaf
	// HTTP stands before DoH. Nil changes nothing.
	HTTP func(http.Handler) http.Handler
}

// A DNSBehaviour returns the messages that are sent in answer to a question:
// none, the right one, others before it. Over a stream all are sent, in their
// order; over HTTP only the first.
type DNSBehaviour func(*DNSQuery) [][]byte

// A DNSQuery is a question that a name server got.
type DNSQuery struct {
	// Transport is "udp", "tcp", "dot" or "doh".
	Transport string
	Message   *dns.Msg
	// Answer is the honest one.
	Answer *dns.Msg
	// Before is how often this server was asked the same before.
	Before int
	// Done ends when the server closes.
	Done <-chan struct{}
}

// A DNSServer answers over UDP, TCP, TLS and HTTPS on loopback ports.
type DNSServer struct {
	// Plain is where it answers over UDP and over TCP, TLS where it answers
	// over TLS, and URL where over HTTPS.
	Plain, TLS netip.AddrPort
	URL        string
	// Authority issued its certificate.
	Authority *Authority

	o     DNSOptions
	ctx   context.Context
	stop  context.CancelFunc
	web   *http.Server
	plain []*dns.Server

	mu    sync.Mutex
	asked []string
}

// ServeDNS starts a name server. It runs until Close.
func ServeDNS(o DNSOptions) (*DNSServer, error) {
	if o.Zone == nil {
		o.Zone = NewDNSZone(DNSZones)
	}
	if o.Behave == nil {
		o.Behave = Honest
	}
	if o.Authority == nil {
		o.Authority = NewAuthority()
	}
	if o.Leaf == nil {
		o.Leaf = &Leaf{Names: []string{"127.0.0.1", "dns.parley.test"}}
	}
	s := &DNSServer{o: o, Authority: o.Authority}
	s.ctx, s.stop = context.WithCancel(context.Background())
	certificate := &tls.Config{Certificates: []tls.Certificate{o.Authority.Issue(*o.Leaf)}}

	udp, tcp, err := listenBoth()
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	dot, err := tls.Listen("tcp", "127.0.0.1:0", certificate)
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	s.Plain, s.TLS = addrPort(udp.LocalAddr()), addrPort(dot.Addr())
	s.URL = "https://" + web.Addr().String() + "/dns-query"

	s.serve(&dns.Server{PacketConn: udp, Handler: s.over("udp"), UDPSize: 4096})
	s.serve(&dns.Server{Listener: tcp, Handler: s.over("tcp")})
	s.serve(&dns.Server{Listener: dot, Handler: s.over("dot")})
	var h http.Handler = http.HandlerFunc(s.overHTTP)
	if o.HTTP != nil {
		h = o.HTTP(h)
	}
	s.web = &http.Server{
		Handler: h, TLSConfig: certificate.Clone(), ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	go s.web.ServeTLS(web, "", "")
	return s, nil
}

func (s *DNSServer) serve(d *dns.Server) {
	started := make(chan struct{})
	d.NotifyStartedFunc = func() { close(started) }
	s.plain = append(s.plain, d)
	go d.ActivateAndServe()
	<-started
}

// Close ends the server; questions that wait get no answer.
func (s *DNSServer) Close() {
	s.stop()
	for _, d := range s.plain {
		d.Shutdown()
	}
	s.web.Close()
}

// Asked lists the questions that came, such as "udp A api.shop.example.".
func (s *DNSServer) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.asked...)
}

// Spec is the server's address as clients are told it, for "udp", "tcp", "tls"
// or "https".
func (s *DNSServer) Spec(protocol string) string {
	switch protocol {
	case "tls":
		return "tls://" + s.TLS.String()
	case "https":
		return s.URL
	}
	return protocol + "://" + s.Plain.String()
}

// answer is what is sent for a message.
func (s *DNSServer) answer(transport string, m *dns.Msg) [][]byte {
	q := &DNSQuery{Transport: transport, Message: m, Answer: s.o.Zone.Answer(m), Done: s.ctx.Done()}
	if len(m.Question) == 1 {
		said := dns.TypeToString[m.Question[0].Qtype] + " " + strings.ToLower(m.Question[0].Name)
		s.mu.Lock()
		for _, a := range s.asked {
			if strings.HasSuffix(a, " "+said) {
				q.Before++
			}
		}
		s.asked = append(s.asked, transport+" "+said)
		s.mu.Unlock()
	}
	return s.o.Behave(q)
}

func (s *DNSServer) over(transport string) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		for _, b := range s.answer(transport, m) {
			if _, err := w.Write(b); err != nil {
				return
			}
		}
	})
}

// overHTTP is RFC 8484, with GET and with POST.
func (s *DNSServer) overHTTP(w http.ResponseWriter, r *http.Request) {
	var b []byte
	var err error
	switch {
	case r.URL.Path != "/dns-query":
		http.NotFound(w, r)
		return
	case r.Method == http.MethodGet:
		b, err = base64.RawURLEncoding.DecodeString(r.URL.Query().Get("dns"))
	case r.Method == http.MethodPost && r.Header.Get("Content-Type") == dnsMessage:
		b, err = io.ReadAll(http.MaxBytesReader(w, r.Body, dns.MaxMsgSize))
	default:
		err = errors.New("neither GET nor POST of a message")
	}
	m := new(dns.Msg)
	if err == nil {
		err = m.Unpack(b)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answers := s.answer("doh", m)
	if len(answers) == 0 {
		<-r.Context().Done()
		return
	}
	w.Header().Set("Content-Type", dnsMessage)
	w.Write(answers[0])
}

const dnsMessage = "application/dns-message"

// listenBoth takes a port that is free for UDP and for TCP.
func listenBoth() (net.PacketConn, net.Listener, error) {
	var last error
	for range 20 {
		udp, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, err
		}
		tcp, err := net.Listen("tcp", udp.LocalAddr().String())
		if err == nil {
			return udp, tcp, nil
		}
		last = err
		udp.Close()
	}
	return nil, nil, last
}

func addrPort(a net.Addr) netip.AddrPort {
	p, _ := netip.ParseAddrPort(a.String())
	return p
}
