package lab

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Raw is a server of HTTP/1.1 that sends bytes as they stand in a table, for
// what no sound library sends, and keeps the bytes of the requests it got.
type Raw struct {
	Plain, Secure netip.AddrPort

	listeners []net.Listener
	mu        sync.Mutex
	conns     map[net.Conn]bool
	heads     []string
	closed    bool
}

// A script answers one request on a connection. It reports whether another
// request may follow.
type script func(net.Conn) (again bool)

// scripts are the answers by path. What they write has an end, or ends with the
// client.
var scripts = map[string]script{
	"/ok":              say(ok("fine"), true),
	"/case":            say("HTTP/1.1 200 Fine\r\nx-LOWER: 1\r\nSet-Cookie: a=1\r\nX-Two:  spaced \t\r\nset-cookie: b=2\r\nContent-Length: 0\r\n\r\n", true),
	"/bare-lf":         say("HTTP/1.1 200 OK\nContent-Length: 2\n\nok", true),
	"/folded":          say("HTTP/1.1 200 OK\r\nX-Long: one\r\n two\r\nContent-Length: 0\r\n\r\n", true),
	"/old":             say("HTTP/1.0 200 OK\r\n\r\nuntil the end", false),
	"/interim":         say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"+ok("fine"), true),
	"/endless-interim": endless("", "HTTP/1.1 102 Processing\r\n\r\n"),
	"/trailers":        say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n0\r\nX-Checksum: 7\r\n\r\n", true),
	"/endless-header":  endless("HTTP/1.1 200 OK\r\n", padding(1000)),
	"/endless-line":    endless("HTTP/1.1 200 OK\r\nX: ", strings.Repeat("a", 1000)),
	"/endless-status":  endless("HTTP/1.1 200 ", strings.Repeat("a", 1000)),
	"/many-fields":     endless("HTTP/1.1 200 OK\r\n", "a:\r\n"),
	"/endless-chunks":  endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "10000\r\n"+strings.Repeat("a", 1<<16)+"\r\n"),
	"/endless-chunk":   endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", strings.Repeat("a", 1000)),
	"/endless-trailer": endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", padding(1000)),
	"/broken-chunk":    say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\nabc\r\n0\r\n\r\n", false),
	"/long-chunk":      say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc", false),
	"/short-chunk":     say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", false),
	"/short-body":      say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", false),
	"/two-lengths":     say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokay", false),
	"/same-lengths":    say("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", false),
	"/both-lengths":    say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", false),
	"/no-field":        say("HTTP/1.1 200 OK\r\nthis is no field\r\n\r\n", false),
	"/rubbish":         say("SSH-2.0-OpenSSH_9.2\r\n", false),
	"/unasked":         say(ok("fine")+"HTTP/1.1 200 OK\r\n", true),
	"/empty":           say("", false),
	"/switch":          say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\n", false),
	"/none":            say("HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n", true),
	"/not-modified":    say("HTTP/1.1 304 Not Modified\r\nContent-Length: 700\r\n\r\n", true),
	"/hang":            func(c net.Conn) bool { gone(c); return false },
	"/hang-in-header":  func(c net.Conn) bool { c.Write([]byte("HTTP/1.1 200 OK\r\nX-")); gone(c); return false },
	"/hang-in-body": func(c net.Conn) bool {
		c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"))
		gone(c)
		return false
	},
	"/slow-header": func(c net.Conn) bool {
		for _, b := range []byte(ok("slow")) {
			if _, err := c.Write([]byte{b}); err != nil {
				return false
			}
			time.Sleep(time.Millisecond)
		}
		return true
	},
	"/reset": func(c net.Conn) bool { reset(c); return false },
	"/reset-in-body": func(c net.Conn) bool {
		c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"))
		reset(c)
		return false
	},
	"/then-close": say(ok("last"), false), // without saying that the connection ends
}

// say sends text.
func say(text string, again bool) script {
	return func(c net.Conn) bool {
		_, err := c.Write([]byte(text))
		return again && err == nil
	}
}

// endless sends the beginning and then a piece again and again.
func endless(begin, piece string) script {
	return func(c net.Conn) bool {
		c.Write([]byte(begin))
		many := []byte(strings.Repeat(piece, 1+32<<10/len(piece)))
		for sent := 0; sent < maxEndless; {
			n, err := c.Write(many)
			if sent += n; err != nil {
				return false
			}
		}
		return false
	}
}

// gone waits until the client hangs up, for a minute at most.
func gone(c net.Conn) {
	c.SetReadDeadline(time.Now().Add(time.Minute))
	c.Read(make([]byte, 1))
}

// reset ends a connection with RST.
func reset(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

// ServeRaw starts a raw server. It runs until Close.
func ServeRaw(a *Authority) (*Raw, error) {
	s := &Raw{conns: map[net.Conn]bool{}}
	for i := range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("lab: %w", err)
		}
		at := l.Addr().(*net.TCPAddr).AddrPort()
		if s.listeners = append(s.listeners, l); i == 0 {
			s.Plain = at
		} else {
			s.Secure = at
			l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{a.Issue(Leaf{})}, MinVersion: tls.VersionTLS12})
		}
		go s.accept(l)
	}
	return s, nil
}

func (s *Raw) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			c.Close()
			return
		}
		s.conns[c] = true
		s.mu.Unlock()
		go func() {
			s.serve(c)
			c.Close()
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		}()
	}
}

// serve answers the requests on a connection by their paths. Bodies that have a
// length are read.
func (s *Raw) serve(c net.Conn) {
	br := bufio.NewReader(c)
	for {
		var text strings.Builder
		length := 0
		for {
			line, err := br.ReadString('\n')
			if err != nil || text.Len() > 1<<20 {
				return
			}
			text.WriteString(line)
			if line == "\r\n" {
				break
			}
			if name, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(name, "Content-Length") {
				fmt.Sscan(value, &length)
			}
		}
		body := make([]byte, min(max(length, 0), maxEchoed))
		for n := 0; n < len(body); {
			k, err := br.Read(body[n:])
			if n += k; err != nil {
				return
			}
		}
		s.mu.Lock()
		if len(s.heads) < 1000 {
			s.heads = append(s.heads, text.String()+string(body))
		}
		s.mu.Unlock()
		parts := strings.SplitN(text.String(), " ", 3)
		if len(parts) < 3 {
			return
		}
		path, _, _ := strings.Cut(parts[1], "?")
		answer := scripts[path]
		if answer == nil {
			answer = scripts["/ok"]
		}
		if !answer(c) {
			return
		}
	}
}

// Requests are the requests that came, byte for byte, and forgets them.
func (s *Raw) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	heads := s.heads
	s.heads = nil
	return heads
}

// Paths are those that have an answer of their own.
func (s *Raw) Paths() (paths []string) {
	for p := range scripts {
		paths = append(paths, p)
	}
	return paths
}

// URL is the root in clear.
func (s *Raw) URL() string { return "http://" + s.Plain.String() }

// Close ends the server and its connections.
func (s *Raw) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, l := range s.listeners {
		l.Close()
	}
	for c := range s.conns {
		c.Close()
	}
}
