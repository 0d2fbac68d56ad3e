package call

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/miekg/dns"

	"github.com/parley-project/parley/exchange"
)

// A finalError is one that a second try would not better.
type finalError struct{ says string }

func (e *finalError) Error() string { return e.says }

// exchange sends a question and returns the message that answers it.
func (r *DNSResolver) exchange(ctx context.Context, a *exchange.Answer, m *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.o.Timeout, &tooSlowError{r.o.Timeout.String()})
	defer cancel()
	stray := a.Stray
	reply, err := r.send(ctx, a, m)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
		if a.Stray > stray && errors.As(err, new(*tooSlowError)) {
			err = fmt.Errorf("%w, but datagrams that do not belong to the question", err)
		}
	}
	return reply, err
}

type tooSlowError struct{ limit string }

func (e *tooSlowError) Error() string { return "no answer within " + e.limit }

func (r *DNSResolver) send(ctx context.Context, a *exchange.Answer, m *dns.Msg) (*dns.Msg, error) {
	switch r.protocol {
	case "doh":
		return r.overHTTPS(ctx, m)
	case "dot", "tcp":
		return r.overStream(ctx, m)
	}
	reply, err := r.overUDP(ctx, a, m)
	if errors.Is(err, errUseTCP) {
		return r.overStream(ctx, m)
	}
	return reply, err
}

// errUseTCP says that the answer did not fit into a datagram, or that the
// server does not keep the case of the question, so that only a connection
// shows that it is the server's.
var errUseTCP = errors.New("the answer does not fit into a datagram")

// maxStray bounds how many datagrams are looked at for one answer.
const maxStray = 1000

// overUDP takes the first datagram that belongs to the question. The socket is
// new and connected, so the port has to be guessed as well (RFC 5452).
func (r *DNSResolver) overUDP(ctx context.Context, a *exchange.Answer, m *dns.Msg) (*dns.Msg, error) {
	conn, err := r.o.Dial(ctx, "udp", r.address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	name := m.Question[0].Name
	m.Question[0].Name = mixCase(name)
	defer func() { m.Question[0].Name = name }()
	b, err := m.Pack()
	if err != nil {
		return nil, &finalError{"the question cannot be written: " + err.Error()}
	}
	if _, err := conn.Write(b); err != nil {
		return nil, err
	}
	buf := make([]byte, 4096)
	for range maxStray {
		n, err := conn.Read(buf)
		if err != nil {
			return nil, err
		}
		reply := buf[:n]
		switch belongs(reply, b) {
		case strange:
			a.Stray++
			continue
		case otherCase:
			return nil, errUseTCP
		}
		if reply[2]&0x02 != 0 { // TC
			return nil, errUseTCP
		}
		return unpackDNS(reply)
	}
	return nil, errors.New("only datagrams came that do not belong to the question")
}

type belonging int

const (
	strange belonging = iota
	otherCase
	exactly
)

// belongs compares a reply's id and question with what was asked, before
// anything else of it is read.
func belongs(reply, asked []byte) belonging {
	const header = 12
	end := header
	for end < len(asked) && asked[end] != 0 { // the labels of our own question
		end += int(asked[end]) + 1
	}
	end += 5 // the root, type and class
	switch {
	case len(reply) < header || reply[2]&0x80 == 0 || !bytes.Equal(reply[:2], asked[:2]):
		return strange
	case binary.BigEndian.Uint16(reply[4:]) == 0 && ownFailure(reply[3]&0x0f):
		return exactly // some servers do not repeat what they could not read
	case len(reply) < end || end > len(asked) || binary.BigEndian.Uint16(reply[4:]) != 1:
		return strange
	case bytes.Equal(reply[header:end], asked[header:end]):
		return exactly
	case bytes.EqualFold(reply[header:end], asked[header:end]):
		return otherCase
	}
	return strange
}

// ownFailure reports whether a response code is of a server that could not, or
// would not, look.
func ownFailure(rcode byte) bool {
	return rcode == dns.RcodeFormatError || rcode == dns.RcodeServerFailure || rcode == dns.RcodeNotImplemented || rcode == dns.RcodeRefused
}

// unpackDNS reads a message. The library bounds compression; the size of the
// bytes bounds the rest.
func unpackDNS(b []byte) (*dns.Msg, error) {
	m := new(dns.Msg)
	if err := m.Unpack(b); err != nil {
		return nil, errors.New("the answer cannot be read: " + strings.TrimPrefix(err.Error(), "dns: "))
	}
	return m, nil
}

// overStream asks over TCP, or TLS. Every message has its length before it.
func (r *DNSResolver) overStream(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
	plain, err := r.o.Dial(ctx, "tcp", r.address)
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	defer context.AfterFunc(ctx, func() { plain.Close() })()
	conn := plain
	if r.protocol == "dot" {
		t := tls.Client(plain, &tls.Config{RootCAs: r.o.Roots, ServerName: r.serverName, MinVersion: tls.VersionTLS12})
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		conn = t
	}
	b, err := m.Pack()
	if err != nil {
		return nil, &finalError{"the question cannot be written: " + err.Error()}
	}
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)); err != nil {
		return nil, err
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	reply := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, reply); err != nil {
		return nil, err
	}
	if belongs(reply, b) == strange {
		return nil, errors.New("the answer is to another question")
	}
	return unpackDNS(reply)
}

const dnsMessage = "application/dns-message"

// overHTTPS asks with POST. The id is 0 (RFC 8484, 4.1).
func (r *DNSResolver) overHTTPS(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
	m.Id = 0
	b, err := m.Pack()
	if err != nil {
		return nil, &finalError{"the question cannot be written: " + err.Error()}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.server, bytes.NewReader(b))
	if err != nil {
		return nil, &finalError{"the URL cannot be asked: " + err.Error()}
	}
	req.Header.Set("Content-Type", dnsMessage)
	req.Header.Set("Accept", dnsMessage)
	req.Header.Set("User-Agent", "parley")
	resp, err := r.client().Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, &finalError{fmt.Sprintf("HTTP status %d", resp.StatusCode)}
	}
	if mt, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); mt != dnsMessage {
		return nil, &finalError{fmt.Sprintf("the content is %s, want %s", typeOrNone(mt), dnsMessage)}
	}
	reply, err := io.ReadAll(io.LimitReader(resp.Body, dns.MaxMsgSize+1))
	switch {
	case err != nil:
		return nil, err
	case len(reply) > dns.MaxMsgSize:
		return nil, &finalError{"the answer is longer than a message can be"}
	case belongs(reply, b) == strange:
		return nil, errors.New("the answer is to another question")
	}
	return unpackDNS(reply)
}

// client follows no redirects and uses no proxy: the answer is to come from who
// was named.
func (r *DNSResolver) client() *http.Client {
	r.once.Do(func() {
		r.web = &http.Client{
			Transport: &http.Transport{
				DialContext:            r.o.Dial,
				TLSClientConfig:        &tls.Config{RootCAs: r.o.Roots, MinVersion: tls.VersionTLS12},
				ForceAttemptHTTP2:      true,
				MaxResponseHeaderBytes: 64 << 10,
				DisableCompression:     true,
				MaxConnsPerHost:        8,
				IdleConnTimeout:        r.o.Timeout * 10,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	})
	return r.web
}

func typeOrNone(s string) string {
	if len(s) > 60 {
		s = s[:60]
	}
	if s == "" {
		return "of no type"
	}
	return s
}
