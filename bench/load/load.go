// Package load asks a server over HTTP/1.1 on TLS 1.3, as fast as it answers.
//
// Requests are bytes that were made beforehand, and an answer is parsed no
// further than is needed to know that it is the right one: the generator
// shares the machine with what is measured.
package load

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A Message is a request and what must come back.
type Message struct {
	Request []byte
	Status  int
	Has     []byte   // in the body
	HasNot  [][]byte // in the body
}

// Options are where and how much to ask.
type Options struct {
	Address     string // host:port
	ServerName  string
	Roots       *x509.CertPool
	Connections int // kept alive
	Requests    int // in all; message i is Messages[i % len(Messages)]
	Messages    []Message
}

// Result is what came of it.
type Result struct {
	Requests   int
	Reconnects int // connections that the server closed between answers
	Errors     int
	FirstError error
	Took       time.Duration
	P50, P99   time.Duration
}

// Run asks. Wrong answers are counted, and the first is kept.
func Run(o Options) Result {
	var (
		next      atomic.Int64
		mu        sync.Mutex
		res       Result
		latencies = make([]time.Duration, 0, o.Requests)
		wg        sync.WaitGroup
	)
	start := time.Now()
	for range o.Connections {
		wg.Go(func() {
			c := &client{o: &o}
			mine := make([]time.Duration, 0, o.Requests/o.Connections*2)
			done, wrong := 0, 0
			var first error
			for {
				i := int(next.Add(1)) - 1
				if i >= o.Requests {
					break
				}
				began := time.Now()
				err := c.ask(&o.Messages[i%len(o.Messages)])
				mine = append(mine, time.Since(began))
				done++
				if err != nil {
					wrong++
					if first == nil {
						first = fmt.Errorf("request %d: %w", i, err)
					}
				}
			}
			c.close()
			mu.Lock()
			defer mu.Unlock()
			latencies = append(latencies, mine...)
			res.Requests += done
			res.Errors += wrong
			res.Reconnects += max(0, c.dials-1)
			if res.FirstError == nil {
				res.FirstError = first
			}
		})
	}
	wg.Wait()
	res.Took = time.Since(start)
	slices.Sort(latencies)
	if n := len(latencies); n > 0 {
		res.P50, res.P99 = latencies[n/2], latencies[n*99/100]
	}
	return res
}

// Ask sends one message on a connection of its own and returns the answer's
// status and body.
func Ask(o Options, request []byte) (int, []byte, error) {
	c := &client{o: &o}
	defer c.close()
	status, body, err := c.exchange(request)
	return status, bytes.Clone(body), err
}

// A client is one connection.
type client struct {
	o     *Options
	conn  net.Conn
	r     *bufio.Reader
	body  []byte
	dials int
}

func (c *client) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

func (c *client) dial() error {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	conn, err := tls.DialWithDialer(dialer, "tcp", c.o.Address, &tls.Config{
		ServerName: c.o.ServerName, RootCAs: c.o.Roots, MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"},
	})
	if err != nil {
		return err
	}
	c.conn, c.r = conn, bufio.NewReaderSize(conn, 16<<10)
	c.dials++
	return nil
}

func (c *client) ask(m *Message) error {
	status, body, err := c.exchange(m.Request)
	if err != nil {
		c.close()
		return err
	}
	if status != m.Status {
		return fmt.Errorf("status %d, want %d: %.200s", status, m.Status, body)
	}
	if !bytes.Contains(body, m.Has) {
		return fmt.Errorf("body lacks %s: %.200s", m.Has, body)
	}
	for _, not := range m.HasNot {
		if bytes.Contains(body, not) {
			return fmt.Errorf("body has %s, which was to be filtered out", not)
		}
	}
	return nil
}

var (
	contentLength = []byte("content-length:")
	transfer      = []byte("transfer-encoding:")
	connection    = []byte("connection:")
)

// exchange sends a request and reads the final answer (RFC 9112, 6.3, as far
// as these servers go). The body is valid until the next call.
func (c *client) exchange(request []byte) (status int, body []byte, err error) {
	if c.conn == nil {
		if err := c.dial(); err != nil {
			return 0, nil, err
		}
	}
	if err := c.conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return 0, nil, err
	}
	if _, err := c.conn.Write(request); err != nil {
		return 0, nil, err
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	if len(line) < 13 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, nil, fmt.Errorf("status line %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, nil, fmt.Errorf("status line %q", line)
	}
	length, chunked, closing := -1, false, false
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return 0, nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		switch {
		case hasPrefixFold(line, contentLength):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(contentLength):]))); err != nil {
				return 0, nil, fmt.Errorf("header line %q", line)
			}
		case hasPrefixFold(line, transfer):
			chunked = true
		case hasPrefixFold(line, connection):
			closing = bytes.Contains(bytes.ToLower(line), []byte("close"))
		}
	}
	switch {
	case chunked:
		err = c.readChunks()
	case length >= 0:
		err = c.readBody(0, length)
	default:
		err = errors.New("answer without a length")
	}
	if closing {
		c.close()
	}
	return status, c.body, err
}

// readBody reads n bytes into the body from an offset.
func (c *client) readBody(offset, n int) error {
	c.body = slices.Grow(c.body[:offset], n)[:offset+n]
	_, err := io.ReadFull(c.r, c.body[offset:])
	return err
}

func (c *client) readChunks() error {
	c.body = c.body[:0]
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseUint(string(bytes.TrimRight(line, "\r\n")), 16, 24)
		if err != nil {
			return fmt.Errorf("chunk size %q", line)
		}
		if size > 0 {
			if err := c.readBody(len(c.body), int(size)); err != nil {
				return err
			}
		}
		if _, err := c.r.ReadSlice('\n'); err != nil {
			return err
		}
		if size == 0 {
			return nil
		}
	}
}

// hasPrefixFold is bytes.EqualFold for the start of a line; prefix is in
// lower case.
func hasPrefixFold(line, prefix []byte) bool {
	return len(line) >= len(prefix) && bytes.EqualFold(line[:len(prefix)], prefix)
}
