package lab

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
)

// ProxyName is what the certificate of a Proxy is for.
const ProxyName = "proxy.parley.test"

// A Proxy goes between a client and the servers of the laboratory: in clear,
// over TLS, and by SOCKS5 (RFC 1928). It wants the user "lab" with the password
// "open sesame", and leads nowhere but to this machine.
type Proxy struct {
	Plain, Secure, SOCKS netip.AddrPort

	listeners []net.Listener
	mu        sync.Mutex
	asked     []string
	conns     map[net.Conn]bool
}

const proxyUser, proxyPassword = "lab", "open sesame"

// ServeProxy starts a proxy that runs until Close.
func ServeProxy(a *Authority) (*Proxy, error) {
	p := &Proxy{conns: map[net.Conn]bool{}}
	for i, into := range []*netip.AddrPort{&p.Plain, &p.Secure, &p.SOCKS} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			p.Close()
			return nil, fmt.Errorf("lab: %w", err)
		}
		*into = l.Addr().(*net.TCPAddr).AddrPort()
		p.listeners = append(p.listeners, l)
		if i == 1 {
			l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{a.Issue(Leaf{Names: []string{ProxyName, "127.0.0.1"}})}, MinVersion: tls.VersionTLS12})
		}
		serve := p.http
		if i == 2 {
			serve = p.socks
		}
		go p.accept(l, serve)
	}
	return p, nil
}

func (p *Proxy) accept(l net.Listener, serve func(net.Conn) error) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.conns[c] = true
		p.mu.Unlock()
		go func() {
			serve(c)
			c.Close()
			p.mu.Lock()
			delete(p.conns, c)
			p.mu.Unlock()
		}()
	}
}

// URL is the proxy's, for one of the kinds http, https, socks5, socks5h, with
// what it wants to see.
func (p *Proxy) URL(kind string) string {
	at := p.SOCKS
	switch kind {
	case "http":
		at = p.Plain
	case "https":
		at = p.Secure
	}
	return (&url.URL{Scheme: kind, User: url.UserPassword(proxyUser, proxyPassword), Host: at.String()}).String()
}

// Asked is what the proxy was asked for, such as "CONNECT api.parley.test:443",
// and forgets it.
func (p *Proxy) Asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := p.asked
	p.asked = nil
	return asked
}

func (p *Proxy) note(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.asked) < 1000 {
		p.asked = append(p.asked, what)
	}
}

// dial leads to a port of this machine, whatever the name.
func (p *Proxy) dial(at string) (net.Conn, error) {
	_, port, err := net.SplitHostPort(at)
	if err != nil {
		return nil, err
	}
	return net.Dial("tcp", net.JoinHostPort("127.0.0.1", port))
}

// http serves one connection of an HTTP proxy.
func (p *Proxy) http(c net.Conn) error {
	br := bufio.NewReader(c)
	for {
		r, err := http.ReadRequest(br)
		if err != nil {
			return err
		}
		p.note(r.Method + " " + r.RequestURI)
		want := "Basic " + base64.StdEncoding.EncodeToString([]byte(proxyUser+":"+proxyPassword))
		if r.Header.Get("Proxy-Authorization") != want {
			io.WriteString(c, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"lab\"\r\nContent-Length: 0\r\n\r\n")
			continue
		}
		r.Header.Del("Proxy-Authorization")
		if r.Method == http.MethodConnect {
			up, err := p.dial(r.RequestURI)
			if err != nil {
				io.WriteString(c, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
				continue
			}
			io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n")
			return p.join(c, br, up)
		}
		if err := p.forward(c, r); err != nil {
			return err
		}
	}
}

// forward sends a request in the absolute form on.
func (p *Proxy) forward(c net.Conn, r *http.Request) error {
	up, err := p.dial(r.Host)
	if err != nil {
		_, err = io.WriteString(c, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
		return err
	}
	defer up.Close()
	if err := r.Write(up); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(up), r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return resp.Write(c)
}

// join lets two ends talk until one hangs up.
func (p *Proxy) join(c net.Conn, from io.Reader, up net.Conn) error {
	defer up.Close()
	go func() {
		io.Copy(c, up)
		c.Close()
	}()
	_, err := io.Copy(up, from)
	return err
}

var errSOCKS = errors.New("lab: not SOCKS5")

// socks serves one connection of a SOCKS5 proxy (RFC 1928, RFC 1929).
func (p *Proxy) socks(c net.Conn) error {
	br := bufio.NewReader(c)
	take := func(n int) []byte {
		b := make([]byte, n)
		if _, err := io.ReadFull(br, b); err != nil {
			return make([]byte, n)
		}
		return b
	}
	hello := take(2)
	if methods := take(int(hello[1])); hello[0] != 5 || !slices.Contains(methods, 2) {
		c.Write([]byte{5, 0xff})
		return errSOCKS
	}
	c.Write([]byte{5, 2})
	take(1)
	user := string(take(int(take(1)[0])))
	password := string(take(int(take(1)[0])))
	if user != proxyUser || password != proxyPassword {
		c.Write([]byte{1, 1})
		return errSOCKS
	}
	c.Write([]byte{1, 0})
	ask := take(4)
	host := ""
	switch ask[3] {
	case 1:
		host = netip.AddrFrom4([4]byte(take(4))).String()
	case 3:
		host = string(take(int(take(1)[0])))
	case 4:
		host = netip.AddrFrom16([16]byte(take(16))).String()
	default:
		return errSOCKS
	}
	at := net.JoinHostPort(host, fmt.Sprint(binary.BigEndian.Uint16(take(2))))
	p.note("SOCKS " + at)
	up, err := p.dial(at)
	if err != nil {
		c.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
		return err
	}
	c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	return p.join(c, br, up)
}

// Close ends the proxy and what goes through it.
func (p *Proxy) Close() {
	for _, l := range p.listeners {
		l.Close()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}
