package gateway

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/serve"
)

const (
	// readAhead is how much of a body is read before the upstream is spoken
	// to. What fits goes out in one write with a length, and a body that is
	// torn or malformed within it never reaches the upstream.
	readAhead = 16 << 10
	// inline is the largest body in memory that is written before anything is
	// read. Larger ones could block an upstream that answers early.
	inline = 64 << 10
)

// A trip is one request's way to the upstream and back. Trips are pooled with
// their buffers.
type trip struct {
	u    *Upstream
	w    http.ResponseWriter
	r    *http.Request
	seen *exchange.Seen

	// The request.
	out    []byte    // its head, and its body if that is small
	head   int       // how much of out is the head
	body   []byte    // the body, if it is in memory and not in out
	stream io.Reader // the rest of the body otherwise, after ahead
	ahead  []byte    // what of the stream has been read
	length int64     // of the body, -1 if unknown
	expect bool      // the client waits to be asked for the body
	ws     bool      // it asks for a WebSocket
	buf    []byte    // for ahead

	// The connection.
	c        *conn
	br       *bufio.Reader
	received int64
	stop     func() bool // takes the watch for the client's going off
	armed    time.Time   // when the read deadline was last set
	reading  bool        // the body: deadlines are extended
	flush    http.Flusher
	dirty    bool // something was written to the client since the last flush
	broken   bool // the connection cannot be used again

	upload    *upload
	clientErr error // what went wrong on the client's side

	// The response.
	resp   response
	lines  []byte
	fields []field
}

var trips = sync.Pool{New: func() any {
	t := &trip{out: make([]byte, 0, 4<<10)}
	t.br = bufio.NewReaderSize(t, 16<<10)
	return t
}}

// release gives the trip back, after making sure that nobody uses it.
func (t *trip) release() {
	t.drop()
	t.br.Reset(nil)
	out, buf, lines, fields, br := t.out[:0], t.buf, t.lines[:0], t.fields, t.br
	clear(fields[:cap(fields)])
	if cap(out) > 2*inline {
		out = make([]byte, 0, 4<<10)
	}
	*t = trip{out: out, buf: buf, lines: lines, fields: fields[:0], br: br}
	trips.Put(t)
}

// A clientError is a fault of the client's, with the status that says so.
type clientError struct {
	status int
	err    error
}

func (e *clientError) Error() string { return "gateway: request body: " + e.err.Error() }
func (e *clientError) Unwrap() error { return e.err }

func bodyError(err error) *clientError {
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		return &clientError{http.StatusRequestEntityTooLarge, err}
	case errors.Is(err, serve.ErrSlow) || timedOut(err):
		return &clientError{http.StatusRequestTimeout, err}
	}
	return &clientError{http.StatusBadRequest, err}
}

// takeBody decides how the body travels, and reads its beginning. It returns a
// status to answer with, or 0.
func (t *trip) takeBody() int {
	r := t.r
	if m, ok := r.Body.(interface{ InMemory() []byte }); ok {
		t.body = m.InMemory()
		t.length = int64(len(t.body))
		return 0
	}
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 && r.TransferEncoding == nil {
		return 0
	}
	t.length, t.stream = r.ContentLength, r.Body
	t.expect = r.ContentLength > readAhead && strings.EqualFold(r.Header.Get("Expect"), "100-continue")
	if t.expect {
		return 0 // whether the body is wanted is for the upstream to say
	}
	if t.buf == nil {
		t.buf = make([]byte, readAhead)
	}
	n, err := 0, error(nil)
	if t.length > 0 && t.length <= readAhead {
		// A slow client holds no connection to the upstream.
		n, err = io.ReadFull(r.Body, t.buf[:t.length])
		if err == nil {
			err = io.EOF
		} else if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
	} else {
		n, err = r.Body.Read(t.buf)
	}
	switch {
	case err == nil:
		t.ahead = t.buf[:n]
	case err == io.EOF && (t.length < 0 || t.length == int64(n)):
		t.body, t.length, t.stream = t.buf[:n], int64(n), nil
	case err == io.EOF:
		return http.StatusBadRequest
	default:
		return bodyError(err).status
	}
	return 0
}

// writeHead puts the request's head into out, and a small body behind it.
func (t *trip) writeHead() int {
	r, u := t.r, t.u
	target := r.RequestURI
	if !strings.HasPrefix(target, "/") && target != "*" {
		target = r.URL.RequestURI()
	}
	host := r.Host
	if u.hostAs != "" || host == "" {
		host = u.hostAs
		if host == "" {
			host = u.own
		}
	}
	if !validTarget(target) || !validValue(host) || !validName(r.Method) {
		return http.StatusBadRequest
	}
	b := append(t.out[:0], r.Method...)
	b = append(b, ' ')
	if target != "*" {
		b = append(b, u.prefix...)
	}
	b = append(b, target...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, host...)
	b = append(b, "\r\n"...)

	t.ws = r.ProtoMajor == 1 && r.Method == http.MethodGet && t.stream == nil && len(t.body) == 0 &&
		strings.EqualFold(r.Header.Get("Upgrade"), "websocket") && listed(r.Header["Connection"], "upgrade")
	named := r.Header["Connection"]
	for k, vs := range r.Header {
		if dropRequest(k) || len(named) > 0 && listed(named, k) {
			continue
		}
		if u.o.Forwarded != "off" && t.forwarding(k) {
			continue
		}
		if k == "Cookie" && len(vs) > 1 {
			// HTTP/2 may send a cookie a field (RFC 9113, 8.2.3).
			vs = []string{strings.Join(vs, "; ")}
		}
		if !validName(k) {
			return http.StatusBadRequest
		}
		for _, v := range vs {
			if !validValue(v) {
				return http.StatusBadRequest
			}
			b = append(b, k...)
			b = append(b, ": "...)
			b = append(b, v...)
			b = append(b, "\r\n"...)
		}
	}
	if u.o.Forwarded != "off" {
		b = t.appendForwarded(b)
	}
	switch {
	case t.ws:
		b = append(b, "Connection: Upgrade\r\nUpgrade: websocket\r\n"...)
	case listed(r.Header["Te"], "trailers"):
		b = append(b, "Te: trailers\r\nConnection: TE\r\n"...)
	}
	switch {
	case t.stream != nil && t.length < 0:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
		first := true
		for k := range r.Trailer {
			if validName(k) && !forbiddenTrailer(k) {
				b = append(b, map[bool]string{true: "Trailer: ", false: ", "}[first]...)
				b = append(b, k...)
				first = false
			}
		}
		if !first {
			b = append(b, "\r\n"...)
		}
	case t.length > 0 || wantsLength(r):
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, t.length, 10)
		b = append(b, "\r\n"...)
	}
	if t.expect {
		b = append(b, "Expect: 100-continue\r\n"...)
	}
	b = append(b, "\r\n"...)
	t.head = len(b)
	if t.stream == nil && len(t.body) <= inline {
		b = append(b, t.body...)
		t.body = nil
	}
	t.out = b
	return 0
}

// wantsLength reports whether an empty body needs a length to be said: for
// methods that commonly have one (RFC 9110, 8.6), and where the client said so.
func wantsLength(r *http.Request) bool {
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		return true
	case http.MethodGet, http.MethodHead:
		return false
	}
	return len(r.Header["Content-Length"]) > 0 || r.TransferEncoding != nil
}

// dropRequest names the fields that are for this hop only, or that are written
// anew (RFC 9110, 7.6.1).
func dropRequest(k string) bool {
	switch k {
	case "Connection", "Proxy-Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
		"Proxy-Authorization", "Proxy-Authenticate", "Content-Length", "Host", "Expect", "Http2-Settings":
		return true
	}
	return false
}

// forwarding reports whether a field is one of those that appendForwarded
// writes, or that pretend to be.
func (t *trip) forwarding(k string) bool {
	switch k {
	case "Forwarded", "X-Forwarded-For":
		return true
	case "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Real-Ip":
		return t.u.o.Forwarded == "replace"
	}
	return false
}

// appendForwarded says whom the request came from: RFC 7239, and the fields
// that most programs read instead.
func (t *trip) appendForwarded(b []byte) []byte {
	r, h := t.r, t.r.Header
	client, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		client = "unknown"
	}
	proto := "http"
	if r.TLS != nil {
		proto = "https"
	}
	add := t.u.o.Forwarded == "append"
	list := func(name string) {
		b = append(b, name...)
		b = append(b, ": "...)
		if add {
			for _, v := range h[name] {
				if v != "" && validValue(v) {
					b = append(b, v...)
					b = append(b, ", "...)
				}
			}
		}
	}
	list("X-Forwarded-For")
	b = append(b, client...)
	b = append(b, "\r\n"...)
	if !add || len(h["X-Forwarded-Proto"]) == 0 {
		b = append(b, "X-Forwarded-Proto: "...)
		b = append(b, proto...)
		b = append(b, "\r\n"...)
	}
	if r.Host != "" && (!add || len(h["X-Forwarded-Host"]) == 0) {
		b = append(b, "X-Forwarded-Host: "...)
		b = append(b, r.Host...)
		b = append(b, "\r\n"...)
	}
	list("Forwarded")
	b = append(b, "for="...)
	if strings.IndexByte(client, ':') >= 0 {
		b = append(b, `"[`...)
		b = append(b, client...)
		b = append(b, `]"`...)
	} else {
		b = append(b, client...)
	}
	if r.Host != "" && strings.IndexByte(r.Host, '"') < 0 && strings.IndexByte(r.Host, '\\') < 0 {
		b = append(b, `;host="`...)
		b = append(b, r.Host...)
		b = append(b, '"')
	}
	b = append(b, ";proto="...)
	b = append(b, proto...)
	return append(b, "\r\n"...)
}

// listed reports whether a comma-separated field names a token.
func listed(values []string, token string) bool {
	for _, v := range values {
		for v != "" {
			var one string
			one, v, _ = strings.Cut(v, ",")
			one, _, _ = strings.Cut(one, ";")
			if strings.EqualFold(strings.TrimSpace(one), token) {
				return true
			}
		}
	}
	return false
}

// begin takes a connection into use.
func (t *trip) begin(c *conn) {
	t.c, t.received, t.reading, t.broken = c, 0, false, false
	t.br.Reset(t)
	t.stop = noStop
	if ctx := t.r.Context(); ctx.Done() != nil {
		t.stop = afterFunc(ctx, c.abort)
	}
	if s := t.seen; s != nil {
		s.TLS, s.DNS = c.tls, c.dns
		s.TCP = &c.facts[0]
		s.Times.DNS, s.Times.Connect, s.Times.TLS = c.times.DNS, c.times.Connect, c.times.TLS
		if c.used {
			s.TCP = &c.facts[1]
			s.Times.DNS, s.Times.Connect, s.Times.TLS = 0, 0, 0
		}
	}
}

// send writes the request. A body that is not small goes out beside the
// reading of the response. It returns how many bytes were taken.
func (t *trip) send() (int, error) {
	start := t.clock()
	n, err := t.c.Write(t.out)
	if t.seen != nil {
		t.seen.Times.Send = time.Since(start)
	}
	if err != nil {
		if n == 0 || t.c.used && safe(t.r.Method) {
			return n, err
		}
		// The upstream may have answered before it closed.
		t.broken = true
		t.c.SetReadDeadline(time.Now().Add(time.Second))
		return n, nil
	}
	if t.stream != nil || len(t.body) > 0 {
		t.startUpload()
	}
	return n, nil
}

// clock is the time, if anybody wants to know.
func (t *trip) clock() time.Time {
	if t.seen == nil {
		return time.Time{}
	}
	return time.Now()
}

// drop ends the use of a connection that cannot be used again.
func (t *trip) drop() {
	if t.c == nil {
		return
	}
	t.stop()
	t.c.Close()
	t.endUpload()
	t.c = nil
}

// keep ends the use of a connection and keeps it for others, if it is fit.
func (t *trip) keep() {
	c := t.c
	if t.broken || t.resp.close || t.br.Buffered() > 0 || t.upload != nil && !t.upload.finished() {
		t.drop()
		return
	}
	t.endUpload()
	if !t.stop() {
		c.Close() // the client has gone at this moment; so has the connection
	} else {
		t.u.pool.put(c)
	}
	t.c = nil
}

func validTarget(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return s != ""
}

func validValue(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// token marks the bytes that a field name may have (RFC 9110, 5.6.2).
var token = func() (t [256]bool) {
	for c := range 256 {
		t[c] = c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' && c < 0x80 || c < 0x80 && bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), byte(c)) >= 0
	}
	return t
}()

func validName(s string) bool {
	for i := 0; i < len(s); i++ {
		if !token[s[i]] {
			return false
		}
	}
	return s != ""
}

// forbiddenTrailer names what must not come after the body: what frames,
// routes or proves (RFC 9110, 6.5.1).
func forbiddenTrailer(k string) bool {
	switch k {
	case "Transfer-Encoding", "Content-Length", "Host", "Trailer", "Connection", "Te", "Upgrade", "Expect",
		"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "Content-Type", "Content-Encoding",
		"Content-Range", "Cache-Control", "Location", "Forwarded", "Www-Authenticate", "Alt-Svc":
		return true
	}
	return strings.HasPrefix(k, "X-Forwarded-") || strings.HasPrefix(k, "Access-Control-")
}
