package gateway

import (
	"io"
	"net/http"
	"strings"
	"time"
)

// Read is what the buffered reader reads with. Just before it may have to
// wait, what was written to the client is flushed, so that an event is never
// kept back; and the upstream is given more time.
func (t *trip) Read(p []byte) (int, error) {
	if t.dirty {
		t.dirty = false
		t.flush.Flush()
	}
	if t.reading {
		if now := time.Now(); now.Sub(t.armed) > t.u.o.Idle/8 {
			t.armed = now
			t.c.SetReadDeadline(now.Add(t.u.o.Idle))
		}
	}
	n, err := t.c.Conn.Read(p)
	t.received += int64(n)
	return n, err
}

// deliver passes the response on. It panics with http.ErrAbortHandler when the
// body breaks off.
func (t *trip) deliver() {
	if t.resp.status == http.StatusSwitchingProtocols {
		t.switchProtocols()
		return
	}
	t.passHeader()
	start := t.clock()
	r := &t.resp
	if r.none || r.length == 0 && !r.chunked {
		t.w.WriteHeader(r.status)
		t.keep()
		return
	}
	t.reading = true
	// With a length the client knows how much is to come; without, each piece
	// may be a message of its own.
	if r.chunked || r.length < 0 {
		t.flush, _ = t.w.(http.Flusher)
		if t.flush == nil {
			t.flush = flusher{http.NewResponseController(t.w)}
		}
	}
	t.w.WriteHeader(r.status)
	t.dirty = t.flush != nil
	var err error
	switch {
	case r.chunked:
		err = t.copyChunks()
	case r.length >= 0:
		err = t.copyN(r.length)
	default:
		err = t.copyAll()
	}
	if t.seen != nil {
		t.seen.Times.Receive = time.Since(start)
	}
	if err != nil {
		t.failed(0, err)
		t.drop()
		panic(http.ErrAbortHandler)
	}
	t.keep()
}

// A goneError is a failed write to the client.
type goneError struct{ error }

func (e goneError) Error() string { return "gateway: the client went away: " + e.error.Error() }

// flusher is for writers that only a controller reaches.
type flusher struct{ c *http.ResponseController }

func (f flusher) Flush() { f.c.Flush() }

// passHeader puts the fields that are meant for the client into its response.
func (t *trip) passHeader() {
	h := t.w.Header()
	values := make([]string, len(t.fields))
	var named []string
	for _, f := range t.fields {
		if f.name == "Connection" {
			named = append(named, f.value)
		}
	}
	ct := false
	for i, f := range t.fields {
		switch f.name {
		case "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade", "Te", "Proxy-Authenticate":
			continue
		case "Alt-Svc":
			continue // it names a way around us
		case "Content-Length":
			if t.resp.status == http.StatusNoContent {
				continue
			}
		case "Content-Type":
			ct = true
		}
		if len(named) > 0 && listed(named, f.name) {
			continue
		}
		if old := h[f.name]; len(old) > 0 {
			h[f.name] = append(old, f.value)
			continue
		}
		values[i] = f.value
		h[f.name] = values[i : i+1 : i+1]
	}
	if !ct {
		h["Content-Type"] = nil // or net/http guesses one
	}
}

// some waits for bytes and returns at most n of those that are there. They are
// gone with the next call.
func (t *trip) some(n int64) ([]byte, error) {
	if t.br.Buffered() == 0 {
		if _, err := t.br.Peek(1); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	b, err := t.br.Peek(int(min(n, int64(t.br.Buffered()))))
	t.br.Discard(len(b))
	return b, err
}

// copyN passes n bytes on.
func (t *trip) copyN(n int64) error {
	for n > 0 {
		b, err := t.some(n)
		if err != nil {
			return err
		}
		if _, err := t.w.Write(b); err != nil {
			return goneError{err}
		}
		t.dirty = t.flush != nil
		n -= int64(len(b))
	}
	return nil
}

// copyAll passes everything on until the upstream closes. Whether that was all
// nobody can know: an upstream that gives no length promises none.
func (t *trip) copyAll() error {
	for {
		b, err := t.some(1 << 20)
		if err == io.ErrUnexpectedEOF {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := t.w.Write(b); err != nil {
			return goneError{err}
		}
		t.dirty = t.flush != nil
	}
}

// copyChunks passes a chunked body on (RFC 9112, 7.1), and its trailer.
func (t *trip) copyChunks() error {
	for {
		n, err := t.chunkSize()
		if err != nil {
			return err
		}
		if n == 0 {
			return t.trailer()
		}
		if err := t.copyN(n); err != nil {
			return err
		}
		end, err := t.br.Peek(2)
		if err != nil {
			return err
		}
		if end[0] != '\r' || end[1] != '\n' {
			return unusable("chunk end")
		}
		t.br.Discard(2)
	}
}

// chunkSize reads the line before a chunk. Extensions are dropped.
func (t *trip) chunkSize() (int64, error) {
	l, err := line(t.br)
	if err != nil {
		return 0, err
	}
	n, i := int64(0), 0
	for ; i < len(l) && i < 16; i++ {
		c := l[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			c = 16
		}
		if c == 16 {
			break
		}
		n = n<<4 | int64(c)
	}
	if i == 0 || i == 16 || len(l) > 256 || i < len(l) && (l[i] != ';' || i+1 == len(l) || !token[l[i+1]]) {
		return 0, unusable("chunk size")
	}
	return n, nil
}

// trailer passes the fields after a chunked body on.
func (t *trip) trailer() error {
	if err := t.readLines("trailer too large"); err != nil {
		return err
	}
	if len(t.lines) == 0 {
		return nil
	}
	fs, err := parseFields(t.fields[:0], string(t.lines))
	t.fields = fs
	if err != nil {
		return err
	}
	h := t.w.Header()
	for _, f := range fs {
		if !forbiddenTrailer(f.name) && !strings.HasPrefix(f.name, http.TrailerPrefix) {
			k := http.TrailerPrefix + f.name
			h[k] = append(h[k], f.value)
		}
	}
	return nil
}
