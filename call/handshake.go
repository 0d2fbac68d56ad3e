package call

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/diagnose"
)

// suites are all that the library knows, the weak ones last: a server that has
// nothing better is to be explained, not avoided.
var suites = func() (ids []uint16) {
	for _, s := range tls.CipherSuites() {
		ids = append(ids, s.ID)
	}
	for _, s := range tls.InsecureCipherSuites() {
		ids = append(ids, s.ID)
	}
	return ids
}()

// A demand is what a server wants of its client: that it shows a certificate,
// and whether there was one that the server takes.
type demand struct{ asked, met bool }

// tlsConfig is for one handshake. The certificate is not judged by it: judge
// does that afterwards, so that a broken chain can be explained.
func (c *Client) tlsConfig(host string, d *demand) *tls.Config {
	name := host
	if c.o.ServerName != "" {
		name = c.o.ServerName
	}
	return &tls.Config{
		ServerName:         name,
		InsecureSkipVerify: true,
		MinVersion:         tls.VersionTLS10,
		CipherSuites:       suites,
		ClientSessionCache: c.sessions,
		Time:               c.now,
		GetClientCertificate: func(r *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			d.asked = true
			for i := range c.o.Certificates {
				if r.SupportsCertificate(&c.o.Certificates[i]) == nil {
					d.met = true
					return &c.o.Certificates[i], nil
				}
			}
			return &tls.Certificate{}, nil
		},
	}
}

// protocols are what is offered over TCP.
func (c *Client) protocols() []string {
	switch c.o.HTTP {
	case "1.1":
		return []string{"http/1.1"}
	case "2":
		return []string{"h2"}
	}
	return []string{"h2", "http/1.1"}
}

// secure shakes hands over nc and notes what came of it in ch, also when it
// fails.
func (c *Client) secure(ctx context.Context, ch *channel, nc net.Conn, host string, protocols []string) (*tls.Conn, error) {
	var wants demand
	conf := c.tlsConfig(host, &wants)
	conf.NextProtos = protocols
	began := time.Now()
	tc := tls.Client(nc, conf)
	err := tc.HandshakeContext(ctx)
	ch.times.TLS = time.Since(began)
	ch.times.Connect += ch.times.TLS
	state := tc.ConnectionState()
	ch.tls = TLSFacts(&state)
	ch.tls.Asked, ch.tls.Shown = wants.asked, wants.met
	ch.tls.ServerName = sentName(conf.ServerName)
	if len(state.PeerCertificates) > 0 { // also of a handshake that ended later
		c.judge(ctx, ch, &state, conf.ServerName)
	}
	if err != nil {
		says := "no TLS with " + host + ": " + words(err)
		if alert, ok := alertOf(err); ok && wants.asked && meaning[alert] == meaning["handshake failure"] {
			says = "no TLS with " + host + ": the peer refused the handshake: " + alert + ": it asked for a client certificate"
		}
		if ctx.Err() != nil {
			says = ended(ctx, "the TLS handshake with "+host)
		}
		ch.tls.Failure = says
		return nil, brokeAt(exchange.StepTLS, says, err)
	}
	return tc, nil
}

// judge makes up its mind about the certificate that was sent.
func (c *Client) judge(ctx context.Context, ch *channel, state *tls.ConnectionState, name string) {
	sent := make([][]byte, len(state.PeerCertificates))
	for i, cert := range state.PeerCertificates {
		sent[i] = cert.Raw
	}
	name, _, _ = strings.Cut(strings.TrimSuffix(name, "."), "%") // no certificate has a root's dot or a zone
	ch.tls.Chain, ch.tls.Trust = diagnose.Chain(ctx, sent, diagnose.ChainOptions{
		Name: name, Now: c.now(), Roots: c.o.Roots, More: c.o.More, Fetch: c.o.Fetch, Pins: c.o.Pins,
	})
}

// sentName is the server name as it was sent: addresses are not (RFC 6066, 3).
func sentName(name string) string {
	if net.ParseIP(strings.Trim(name, "[]")) != nil {
		return ""
	}
	return strings.TrimSuffix(name, ".")
}

// TLSFacts says what a connection is known to be. A nil state is clear text.
// Chain and Trust are left to whoever judges the certificate.
func TLSFacts(s *tls.ConnectionState) exchange.TLS {
	if s == nil {
		return exchange.TLS{Clear: true}
	}
	if s.Version == 0 {
		return exchange.TLS{}
	}
	f := exchange.TLS{
		Version: tls.VersionName(s.Version), Suite: tls.CipherSuiteName(s.CipherSuite), ALPN: s.NegotiatedProtocol,
		ServerName: s.ServerName, Resumed: s.DidResume, Stapled: len(s.OCSPResponse) > 0, SCTs: len(s.SignedCertificateTimestamps),
	}
	if s.CurveID != 0 {
		f.Group = s.CurveID.String()
	}
	if len(s.PeerCertificates) > 0 {
		leaf := s.PeerCertificates[0]
		f.PeerName, f.PeerExpiry = leaf.Subject.String(), leaf.NotAfter
		for _, e := range leaf.Extensions {
			if e.Id.String() == "1.3.6.1.4.1.11129.2.4.2" {
				f.SCTs += timestamps(e.Value)
			}
		}
	}
	return f
}

// timestamps counts the SCTs in a certificate's extension (RFC 6962, 3.3): an
// OCTET STRING with a list whose lengths take two bytes.
func timestamps(der []byte) int {
	if len(der) < 2 || der[0] != 4 {
		return 0
	}
	skip := 2
	if der[1] >= 0x80 {
		skip += int(der[1] & 0x7f)
	}
	if len(der) < skip+2 {
		return 0
	}
	list, n := der[skip+2:], 0
	for len(list) >= 2 {
		size := int(list[0])<<8 | int(list[1])
		if size == 0 || len(list) < 2+size {
			break
		}
		list, n = list[2+size:], n+1
	}
	return n
}

// verified returns nil when a channel may carry credentials, and otherwise the
// reason why not.
func (c *Client) verified(ch *channel, host string) error {
	switch t := ch.tls; {
	case t.Clear && (c.o.Clear || localName(host) && ch.tcp.Remote.Addr().IsLoopback()):
		return nil // a local name may lead elsewhere, through a proxy or by order
	case t.Clear:
		return errors.New("there is no TLS")
	case t.Trust == nil:
		return errors.New("the certificate was not judged")
	case t.Trust.Verified:
		return nil
	default:
		for _, p := range t.Trust.Problems {
			if p.Fatal {
				return errors.New(p.Says)
			}
		}
		return errors.New("the certificate leads to no root that is trusted here")
	}
}
