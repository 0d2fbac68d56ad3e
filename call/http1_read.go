package call

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// The reader takes whatever can be read in one way and keeps it as it came;
// what is wrong with it is for checks to say. It is bounded in all that a
// server decides on: the head, the fields in it, interim answers, trailers.

const (
	maxFields  = 1024
	maxInterim = 32
	maxTrailer = 64 << 10
	maxChunk   = 4096 // bytes of a chunk's first line, with its extensions
)

// A head is a response's status line and fields, and what they say of the body.
type head struct {
	status  int
	proto   string
	header  exchange.Header
	length  int64 // -1: not said
	chunked bool
	none    bool // no body, whatever the fields say
	close   bool // the connection ends with it
}

// unreadable is an error in plain words about what a server sent.
type unreadable string

func (u unreadable) Error() string { return string(u) }

const endlessHeader = unreadable("the header has no end: more than is taken")

// readLine returns the next line without its end, taking it off the room that
// is left. LF alone ends a line too (RFC 9112, 2.2). The line is good until
// the next read.
func readLine(br *bufio.Reader, spill *[]byte, room *int) ([]byte, error) {
	b, err := br.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		*spill = append((*spill)[:0], b...)
		for err == bufio.ErrBufferFull && len(*spill) <= *room {
			b, err = br.ReadSlice('\n')
			*spill = append(*spill, b...)
		}
		b = *spill
	}
	if len(b) > *room {
		return nil, endlessHeader
	}
	if err != nil {
		return nil, err
	}
	*room -= len(b)
	b = b[:len(b)-1]
	if n := len(b); n > 0 && b[n-1] == '\r' {
		b = b[:n-1]
	}
	return b, nil
}

// readFields reads field lines up to the empty one. buf is scratch that is
// returned for the next time.
func readFields(br *bufio.Reader, buf []byte, room int) (exchange.Header, []byte, error) {
	var spill []byte
	buf = buf[:0]
	n := 0
	for {
		l, err := readLine(br, &spill, &room)
		if err != nil {
			return nil, buf, err
		}
		if len(l) == 0 {
			break
		}
		if l[0] == ' ' || l[0] == '\t' { // a folded line belongs to the one before (RFC 9112, 5.2)
			if n == 0 {
				return nil, buf, unreadable("the header begins with a folded line")
			}
			buf[len(buf)-1] = ' '
			buf = append(append(buf, bytes.Trim(l, " \t")...), '\n')
			continue
		}
		if n++; n > maxFields {
			return nil, buf, unreadable(fmt.Sprintf("the header has more than %d fields", maxFields))
		}
		buf = append(append(buf, l...), '\n')
	}
	if n == 0 {
		return nil, buf, nil
	}
	h := make(exchange.Header, 0, n)
	for all := string(buf); all != ""; {
		var l string
		l, all, _ = strings.Cut(all, "\n")
		name, value, ok := strings.Cut(l, ":")
		if !ok || name == "" {
			return h, buf, unreadable(fmt.Sprintf("the header has the line %q, which is no field", clip(l)))
		}
		h = append(h, exchange.Field{Name: strings.TrimRight(name, " \t"), Value: strings.Trim(value, " \t")})
	}
	return h, buf, nil
}

// readHead reads one head of an answer to a method.
func readHead(br *bufio.Reader, buf []byte, room int, method string) (head, []byte, error) {
	var h head
	var spill []byte
	if b, _ := br.Peek(5); len(b) == 5 && string(b) != "HTTP/" {
		return h, buf, unreadable(fmt.Sprintf("the peer does not speak HTTP/1.1: it begins with %q", clip(string(b))))
	}
	l, err := readLine(br, &spill, &room)
	if err != nil {
		return h, buf, err
	}
	if err := h.statusLine(l); err != nil {
		return h, buf, err
	}
	h.header, buf, err = readFields(br, buf, room)
	if err != nil { // half a header would say that fields are missing
		return head{}, buf, err
	}
	return h, buf, h.framing(method)
}

// statusLine reads "HTTP/1.1 200 OK".
func (h *head) statusLine(l []byte) error {
	bad := func() error {
		return unreadable(fmt.Sprintf("the peer does not speak HTTP/1.1: it begins with %q", clip(string(l))))
	}
	if len(l) < 12 || string(l[:7]) != "HTTP/1." || l[7] < '0' || l[7] > '9' || l[8] != ' ' || len(l) > 12 && l[12] != ' ' {
		return bad()
	}
	n, ok := digits(string(l[9:12]))
	if !ok || n < 100 {
		return bad()
	}
	h.status, h.proto, h.close = int(n), "HTTP/1.1", l[7] == '0'
	if l[7] == '0' {
		h.proto = "HTTP/1.0"
	}
	return nil
}

// framing finds out where the body ends (RFC 9112, 6.3).
func (h *head) framing(method string) error {
	h.length = -1
	for i := range h.header {
		f := &h.header[i]
		switch {
		case strings.EqualFold(f.Name, "Content-Length"):
			// The same number twice, or in a list, is still one length.
			for v := range strings.SplitSeq(f.Value, ",") {
				n, ok := digits(strings.Trim(v, " \t"))
				switch {
				case !ok:
					return unreadable(fmt.Sprintf("Content-Length is %q, which is no length", clip(f.Value)))
				case h.length >= 0 && h.length != n:
					return unreadable(fmt.Sprintf("the body has two lengths: %d and %d", h.length, n))
				}
				h.length = n
			}
		case strings.EqualFold(f.Name, "Transfer-Encoding"):
			if h.chunked || !strings.EqualFold(f.Value, "chunked") {
				h.chunked = false
				return unreadable(fmt.Sprintf("the body is in a transfer coding that nobody asked for: %q", clip(f.Value)))
			}
			h.chunked = true
		case strings.EqualFold(f.Name, "Connection"):
			for v := range strings.SplitSeq(f.Value, ",") {
				switch v = strings.Trim(v, " \t"); {
				case strings.EqualFold(v, "close"):
					h.close = true
				case strings.EqualFold(v, "keep-alive") && h.proto == "HTTP/1.0":
					h.close = false
				}
			}
		}
	}
	switch {
	case h.status < 200 && h.status != 101, h.status == 204, h.status == 304, method == "HEAD", method == "CONNECT" && h.status < 300:
		h.none = true
	case h.status == 101: // another protocol follows, which is not ours to speak
		h.none, h.close = true, true
	case h.chunked && h.length >= 0: // chunks win, and nothing after them can be trusted
		h.length, h.close = -1, true
	case !h.chunked && h.length < 0:
		h.close = true
	}
	return nil
}

// A chunkReader reads a body in chunks (RFC 9112, 7.1).
type chunkReader struct {
	br      *bufio.Reader
	left    int64 // of the chunk
	begun   bool
	done    bool
	spill   []byte
	trailer exchange.Header
}

func (c *chunkReader) Read(b []byte) (int, error) {
	if c.left == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	if int64(len(b)) > c.left {
		b = b[:c.left]
	}
	n, err := c.br.Read(b)
	c.left -= int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// next reads the line before a chunk, and after the last one the trailers.
func (c *chunkReader) next() error {
	if c.done {
		return io.EOF
	}
	if c.begun {
		room := 2
		if l, err := readLine(c.br, &c.spill, &room); err != nil || len(l) > 0 {
			return brokenChunk(err)
		}
	}
	c.begun = true
	room := maxChunk
	l, err := readLine(c.br, &c.spill, &room)
	if err != nil {
		return brokenChunk(err)
	}
	if i := bytes.IndexByte(l, ';'); i >= 0 {
		l = l[:i]
	}
	l = bytes.TrimRight(l, " \t")
	if len(l) == 0 || len(l) > 15 {
		return brokenChunk(nil)
	}
	for _, d := range l {
		switch {
		case '0' <= d && d <= '9':
			d -= '0'
		case 'a' <= d|0x20 && d|0x20 <= 'f':
			d = d | 0x20 - 'a' + 10
		default:
			return brokenChunk(nil)
		}
		c.left = c.left<<4 | int64(d)
	}
	if c.left > 0 {
		return nil
	}
	c.done = true
	if c.trailer, c.spill, err = readFields(c.br, c.spill, maxTrailer); err != nil {
		return brokenChunk(err)
	}
	return io.EOF
}

func brokenChunk(err error) error {
	var u unreadable
	switch {
	case err == io.EOF:
		return io.ErrUnexpectedEOF
	case err != nil && !errors.As(err, &u):
		return err
	}
	return unreadable("the body's chunks are broken")
}
