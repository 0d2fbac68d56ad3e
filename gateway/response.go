package gateway

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// A response is what the head of one says.
type response struct {
	status  int
	length  int64 // of the body; -1 when the end of the connection ends it
	chunked bool
	none    bool // there is no body, whatever the fields say
	close   bool // the connection ends with it
	upgrade bool // to a WebSocket
}

type field struct{ name, value string }

// maxInformational is how many 1xx responses may come before the real one.
const maxInformational = 8

// maxFields is how many fields a response or trailer may have.
const maxFields = 256

// errResponse is what any unusable response comes down to.
var errResponse = errors.New("gateway: unusable response")

func unusable(what string) error { return fmt.Errorf("%w: %s", errResponse, what) }

// readHead reads a response's head, after the informational ones before it.
func (t *trip) readHead() error {
	start := t.clock()
	for range maxInformational + 1 {
		if err := t.parseHead(); err != nil {
			return err
		}
		switch s := t.resp.status; {
		case s == http.StatusSwitchingProtocols:
			if !t.ws || !t.resp.upgrade {
				return unusable("101 that nobody asked for")
			}
			fallthrough
		case s >= 200:
			if t.seen != nil {
				t.seen.Times.Wait = time.Since(start)
			}
			return nil
		case s == http.StatusContinue:
			if t.upload != nil {
				t.upload.ask()
			}
		case s == http.StatusEarlyHints:
			t.earlyHints()
		}
	}
	return unusable("no end of informational responses")
}

// earlyHints passes the Link fields of a 103 on.
func (t *trip) earlyHints() {
	h := t.w.Header()
	if t.r.ProtoMajor == 1 && t.r.ProtoMinor == 0 || h["Link"] != nil {
		return
	}
	for _, f := range t.fields {
		if f.name == "Link" {
			h["Link"] = append(h["Link"], f.value)
		}
	}
	if h["Link"] != nil {
		t.w.WriteHeader(http.StatusEarlyHints)
		delete(h, "Link")
	}
}

// line returns the next line without its CR LF. A line that ends otherwise, or
// that holds another CR, is an error.
func line(br *bufio.Reader) ([]byte, error) {
	b, err := br.ReadSlice('\n')
	if err != nil {
		if err == bufio.ErrBufferFull {
			err = unusable("line too long")
		}
		return nil, err
	}
	n := len(b) - 2
	if n < 0 || b[n] != '\r' || bytes.IndexByte(b[:n], '\r') >= 0 {
		return nil, unusable("line end")
	}
	return b[:n], nil
}

// readLines reads up to the next empty line into t.lines, each line ended by a
// line feed alone.
func (t *trip) readLines(tooLarge string) error {
	t.lines = t.lines[:0]
	for {
		b, err := line(t.br)
		if err != nil || len(b) == 0 {
			return err
		}
		if len(t.lines)+len(b) > t.u.o.MaxHeader {
			return unusable(tooLarge)
		}
		t.lines = append(append(t.lines, b...), '\n')
	}
}

// parseHead reads one head into t.resp and t.fields. It takes what RFC 9112
// says a sender must send and nothing else: what is lenient here may be read
// otherwise by the client.
func (t *trip) parseHead() error {
	if err := t.readLines("header too large"); err != nil {
		return err
	}
	all := string(t.lines)
	status, all, _ := strings.Cut(all, "\n")
	// HTTP/1.1 200 OK
	if len(status) < 12 || status[:7] != "HTTP/1." || status[7] != '1' && status[7] != '0' || status[8] != ' ' ||
		len(status) > 12 && status[12] != ' ' || !validValue(status) {
		return unusable("status line")
	}
	n := 0
	for _, c := range []byte(status[9:12]) {
		if c < '0' || c > '9' {
			return unusable("status line")
		}
		n = n*10 + int(c-'0')
	}
	if n < 100 || n > 599 {
		return unusable("status")
	}
	t.resp = response{status: n, length: -1, close: status[7] == '0'}
	var err error
	if t.fields, err = parseFields(t.fields[:0], all); err != nil {
		return err
	}
	return t.framing(status[7] == '0')
}

// parseFields splits lines that end in LF into fields with canonical names.
func parseFields(fs []field, all string) ([]field, error) {
	for all != "" {
		var l string
		l, all, _ = strings.Cut(all, "\n")
		i := strings.IndexByte(l, ':')
		if i <= 0 || !validName(l[:i]) { // a folded line begins with a space and fails here
			return fs, unusable("field name")
		}
		v := strings.Trim(l[i+1:], " \t")
		if !validValue(v) {
			return fs, unusable("field value")
		}
		if len(fs) == maxFields {
			return fs, unusable("too many fields")
		}
		fs = append(fs, field{http.CanonicalHeaderKey(l[:i]), v})
	}
	return fs, nil
}

// framing finds out where the body ends (RFC 9112, 6.3).
func (t *trip) framing(old bool) error {
	r := &t.resp
	lengths, codings := 0, 0
	for _, f := range t.fields {
		switch f.name {
		case "Content-Length":
			n, ok := digits(f.value)
			if !ok {
				return unusable("Content-Length")
			}
			r.length = n
			lengths++
		case "Transfer-Encoding":
			if old || !strings.EqualFold(f.value, "chunked") {
				return unusable("Transfer-Encoding")
			}
			r.chunked = true
			codings++
		case "Connection":
			if hasToken(f.value, "close") {
				r.close = true
			}
			if old && hasToken(f.value, "keep-alive") {
				r.close = false
			}
		case "Upgrade":
			r.upgrade = strings.EqualFold(f.value, "websocket")
		}
	}
	if lengths > 1 || codings > 1 || lengths > 0 && codings > 0 {
		return unusable("more than one length")
	}
	switch {
	case r.status < 200:
		if r.chunked || r.length > 0 {
			return unusable("informational response with a body")
		}
		r.none = true
	case r.status == http.StatusNoContent:
		if r.chunked || r.length > 0 {
			return unusable("204 with a body")
		}
		r.none = true
	case r.status == http.StatusNotModified || t.r.Method == http.MethodHead:
		r.none = true
	case !r.chunked && r.length < 0:
		r.close = true
	}
	return nil
}

func digits(s string) (int64, bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	n := int64(0)
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}

func hasToken(value, token string) bool {
	for value != "" {
		var one string
		one, value, _ = strings.Cut(value, ",")
		if strings.EqualFold(strings.TrimSpace(one), token) {
			return true
		}
	}
	return false
}
