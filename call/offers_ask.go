package call

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/internal/wire"
)

// maxFlight is how much of a server's answer is read.
const maxFlight = 1 << 20

// An answer is what came back for one hello.
type answer struct {
	hello  *wire.ServerHello // nil when there was none
	suites []wire.Suite      // of an SSL 2.0 server
	group  string            // of its ServerKeyExchange
	alert  *wire.Alert
	closed bool // without a word
}

// took reports whether the server agreed on the version.
func (a *answer) took(v wire.Version) bool { return a.hello != nil && a.hello.Version == v }

// final reports whether a refusal was about the version, so that there is no
// use in asking in another way.
func (a *answer) final() bool {
	return a.hello != nil || a.alert != nil && a.alert.Code == wire.ProtocolVersion || a.alert == nil && !a.closed
}

// connect makes the next connection, if there may be one. Done gives its place
// to the next one.
func (p *prober) connect(ctx context.Context) (nc net.Conn, done func()) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		p.lacks("the time was up")
		return nil, nil
	}
	p.mu.Lock()
	n := p.connections
	if n < p.most {
		p.connections++
	}
	p.mu.Unlock()
	if n >= p.most {
		p.lacks("stopped after %d connections", p.most)
		<-p.slots
		return nil, nil
	}
	dialing, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	nc, err := p.dial(dialing)
	if err != nil && ctx.Err() == nil && p.spoke() { // it was there a moment ago
		nc, err = p.dial(dialing)
	}
	if err != nil {
		p.mu.Lock()
		if p.failed == nil {
			p.failed = err
		}
		p.mu.Unlock()
		p.lacks("a connection could not be made: %v", err)
		<-p.slots
		return nil, nil
	}
	stop := context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })
	nc.SetDeadline(time.Now().Add(p.patience))
	return nc, func() { stop(); nc.Close(); <-p.slots }
}

func (p *prober) spoke() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.answered
}

// ask sends a hello and reads up to the message of the given type. An end
// without a word is tried again with a server that has shown that it can speak:
// a list that ends for want of a connection would look like a whole one.
func (p *prober) ask(ctx context.Context, hello []byte, until byte) *answer {
	a := p.askOnce(ctx, hello, until)
	if a.closed && p.spoke() {
		a = p.askOnce(ctx, hello, until)
	}
	return a
}

func (p *prober) askOnce(ctx context.Context, hello []byte, until byte) *answer {
	a := &answer{}
	nc, done := p.connect(ctx)
	if nc == nil {
		return a
	}
	defer done()
	err := exchangeHello(nc, hello, until, a)
	p.mu.Lock()
	defer p.mu.Unlock()
	var timeout net.Error
	switch {
	case a.hello != nil || a.alert != nil || a.suites != nil:
		p.answered = true
		err = nil
	case errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, os.ErrDeadlineExceeded):
		err = fmt.Errorf("the server took a hello and said nothing for %s", p.patience)
		if ctx.Err() != nil {
			err = errors.New("the time was up")
		}
	case errors.Is(err, errStrange):
	default: // closed or reset
		a.closed = true
		err = nil
		if !p.answered && p.silence == nil {
			p.silence = errors.New("the server closed the connection instead of answering a hello")
		}
	}
	if err == nil {
		return a
	}
	// This says more than that other connections were closed.
	p.silence = err
	// A server that does not know SSL 2.0 may take that hello for half a record,
	// and wait for the rest: that it says nothing is an answer.
	if ssl20 := hello[0]&0x80 != 0; p.incomplete == "" && !ssl20 {
		p.incomplete = err.Error()
	}
	return a
}

var errStrange = errors.New("what the server sent is not TLS")

func noTLS(err error) error {
	return fmt.Errorf("%w: %s", errStrange, strings.TrimPrefix(err.Error(), "wire: "))
}

// exchangeHello fills in the answer, as far as it came.
func exchangeHello(nc net.Conn, hello []byte, until byte, a *answer) error {
	if _, err := nc.Write(hello); err != nil {
		return err
	}
	var m wire.Messages
	buf := make([]byte, 4<<10)
	for read := 0; ; {
		msg, err := m.Next()
		if errors.Is(err, wire.ErrMore) {
			n, err := nc.Read(buf)
			if read += n; read > maxFlight {
				return fmt.Errorf("%w: an endless answer", errStrange)
			}
			m.Feed(buf[:n])
			if n == 0 && err != nil {
				return err
			}
			continue
		}
		if err != nil && bytes.HasPrefix(buf, []byte("HTTP/")) {
			return fmt.Errorf("%w but plain HTTP", errStrange)
		}
		if err != nil {
			return noTLS(err)
		}
		if over, err := a.note(msg, until); over || err != nil {
			return err
		}
	}
}

// note takes a message into account and says whether it was the last one of
// interest.
func (a *answer) note(m wire.Message, until byte) (over bool, err error) {
	switch m.Content {
	case wire.AlertRecord:
		alert, err := wire.ParseAlert(m.Body)
		if err != nil {
			return true, noTLS(err)
		}
		const unrecognizedName = 112 // a warning that says nothing
		if !alert.Fatal && alert.Code == unrecognizedName {
			return false, nil
		}
		if a.hello == nil {
			a.alert = &alert
		}
		return true, nil
	case wire.SSL20Record:
		v, suites, err := wire.ParseSSL20ServerHello(m.Body)
		if err != nil {
			// An SSL 2.0 ERROR, or a server that speaks last.
			a.alert = &wire.Alert{Fatal: true, Code: wire.HandshakeFailure}
			return true, nil
		}
		a.hello, a.suites = &wire.ServerHello{Version: v}, suites
		return true, nil
	case wire.Handshake:
	default: // encrypted from here on
		if a.hello == nil {
			return true, fmt.Errorf("%w: a record of type %d came first", errStrange, m.Content)
		}
		return true, nil
	}
	switch m.Type {
	case wire.TypeServerHello:
		if a.hello != nil {
			return true, nil
		}
		if a.hello, err = wire.ParseServerHello(m.Body); err != nil {
			return true, noTLS(err)
		}
		return until == wire.TypeServerHello, nil
	case wire.TypeServerKeyExchange:
		if a.hello != nil {
			a.group, _ = wire.ParseKeyExchange(m.Body, a.hello.Suite)
		}
		return true, nil
	case wire.TypeServerHelloDone:
		return true, nil
	}
	if a.hello == nil {
		return true, fmt.Errorf("%w: a handshake message of type %d came first", errStrange, m.Type)
	}
	return false, nil
}

// style is how a server wants to be asked in a version: some choke on a long
// hello, or on one of TLS 1.3 that has no key in it.
type style struct {
	modest bool
	keys   []wire.KeyShare
}

// hello returns a hello that asks for a version and nothing else.
func (p *prober) hello(v wire.Version, st style, suites []wire.Suite, edit func(*wire.ClientHello)) []byte {
	h := &wire.ClientHello{Version: v, Suites: suites}
	rand.Read(h.Random[:])
	switch {
	case v == wire.SSL30: // knows no extensions
		h.Suites = append(slices.Clip(suites), wire.EmptyRenegotiationInfo)
	case v == wire.TLS13:
		h.Version, h.Versions = wire.TLS12, []wire.Version{wire.TLS13}
		h.SessionID = make([]byte, 32)
		rand.Read(h.SessionID)
		h.ServerName, h.Groups, h.Signatures, h.PSKModes = p.name, wire.Groups(), wire.Signatures(), true
	default:
		h.ServerName, h.PointFormats, h.RenegotiationInfo, h.ExtendedMasterSecret = p.name, true, true, true
		// Whoever names a finite field must be given one that was named
		// (RFC 7919, 4); without, the server is free to choose.
		h.Groups = slices.DeleteFunc(wire.Groups(), func(g wire.Group) bool { return g.FiniteField() || g.TLS13Only() })
		if v == wire.TLS12 {
			h.Signatures = wire.Signatures()
		}
	}
	if st.modest {
		h.Groups = slices.DeleteFunc(h.Groups, func(g wire.Group) bool { return !slices.Contains(commonGroups, g) })
	}
	if edit != nil {
		edit(h)
	}
	if v == wire.TLS13 {
		for _, k := range st.keys {
			if slices.Contains(h.Groups, k.Group) {
				h.KeyShares = append(h.KeyShares, k)
			}
		}
		h.NoKeyShares = len(h.KeyShares) == 0
	}
	b, err := h.Record()
	if err != nil {
		panic(err) // a hello of fixed size that does not fit
	}
	return b
}

var commonGroups = []wire.Group{wire.X25519MLKEM768, wire.SecP256r1MLKEM768, wire.SecP384r1MLKEM1024,
	wire.X25519, wire.SecP256r1, wire.SecP384r1, wire.SecP521r1}
