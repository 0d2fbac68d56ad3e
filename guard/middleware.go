package guard

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// Middleware puts the guard in front of a handler. In report mode the handler
// and its clients see what they would see without it.
func (g *Guard) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.serve(w, r, next) })
}

func (g *Guard) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	x := exchangeOf(r, g.o.Now())
	c, refusal := g.Admit(r.Context(), x)
	if g.o.TraceKey != nil {
		r.Header.Del(TraceField)
	}
	if refusal == nil {
		if answer := c.options(); answer != nil {
			c.answer(w, answer)
			return
		}
		refusal = g.takeBody(c, r, next)
	}
	if refusal != nil {
		c.answer(w, c.refusalResponse(refusal))
		return
	}
	if g.enforce {
		r = c.prepare(r)
	}
	c.forward(w, r, next)
}

// answer sends a response of guard's own, and ends the exchange.
func (c *Call) answer(w http.ResponseWriter, a *exchange.Response) {
	c.Exchange.Response = a
	putHeader(w.Header(), a.Header)
	w.Header()["Date"] = []string{c.pass.Now.UTC().Format(http.TimeFormat)}
	c.tell(w.Header(), -1)
	w.WriteHeader(a.Status)
	if c.Exchange.Request.Method != "HEAD" {
		w.Write(a.Body.Data)
	}
	c.finish(nil)
}

// takeBody reads the body as far as it has to be judged, asks the checks, and
// leaves r.Body such that the handler reads all of it.
func (g *Guard) takeBody(c *Call, r *http.Request, next http.Handler) *check.Refusal {
	object := func() (*Object, int, error) { return c.preread(r, next) }
	limit, wanted := c.WantsBody()
	if !wanted {
		refusal := c.AdmitBody(false, false, object)
		if refusal == nil && r.Body != nil && r.Body != http.NoBody && c.Exchange.Request.Body.Size != 0 {
			r.Body = &tap{ReadCloser: r.Body, keep: int(g.o.Keep)}
		}
		return refusal
	}
	if !g.enforce && !c.wantsObject() {
		r.Body = &tap{ReadCloser: r.Body, keep: int(limit), late: c} // nothing waits for judgement
		return nil
	}
	data, more, err := c.readUpTo(r.Body, limit, r.ContentLength)
	if err == errNoRoom {
		if refusal := c.refuse(&check.Refusal{Check: check.RequestSize.ID, Status: http.StatusServiceUnavailable,
			Header:   exchange.Header{{Name: "Retry-After", Value: "1"}},
			Evidence: check.RequestBody("", "could not be held: too many others are")}); refusal != nil {
			return refusal
		}
		r.Body = &rest{head: data, tail: r.Body}
		return nil
	}
	if err != nil && !more {
		if g.enforce {
			return c.refuse(&check.Refusal{Check: check.RequestSchema.ID, Status: http.StatusBadRequest,
				Evidence: check.RequestBody("", "broke off")})
		}
		c.Exchange.Failure = "the request's body broke off"
		r.Body = &rest{head: data, fail: err, tail: r.Body}
		return nil
	}
	b := &c.Exchange.Request.Body
	b.Data = data
	if more {
		if g.enforce && r.ContentLength < 0 {
			r.Body.Close()
		}
		refusal := c.AdmitBody(true, true, object)
		b.Data = data[:min(int64(len(data)), g.o.Keep)]
		r.Body = &rest{head: data, tail: r.Body}
		return refusal
	}
	b.Size = int64(len(data))
	refusal := c.AdmitBody(true, false, object)
	r.Body.Close()
	r.Body = NewInMemory(data)
	if r.ContentLength >= 0 {
		r.ContentLength = int64(len(data))
	}
	return refusal
}

var errNoRoom = errors.New("guard: no room to hold another body")

// readUpTo reads at most limit bytes and reports whether there are more.
func (c *Call) readUpTo(r io.Reader, limit, declared int64) (data []byte, more bool, err error) {
	if r == nil {
		return nil, false, nil
	}
	if declared > limit {
		return nil, true, nil
	}
	size := declared
	if size < 0 {
		size = 512
	}
	buf := make([]byte, 0, min(size, 64<<10)+1)
	for int64(len(buf)) <= limit {
		if len(buf) == cap(buf) {
			more := append(buf, 0)[:len(buf)]
			if !c.hold(int64(cap(buf)), int64(cap(more))) {
				return buf, false, errNoRoom
			}
			buf = more
		}
		n, err := r.Read(buf[len(buf):min(int64(cap(buf)), limit+1)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, false, nil
		}
		if err != nil {
			return buf, false, err
		}
	}
	return buf, true, nil
}

// InMemory is a request body that has been read already. What forwards it may
// send it in one piece.
type InMemory struct {
	data []byte
	bytes.Reader
}

// NewInMemory makes a body of bytes that nobody changes any more.
func NewInMemory(data []byte) *InMemory {
	b := &InMemory{data: data}
	b.Reset(data)
	return b
}

// InMemory returns the whole body, however much of it has been read.
func (b *InMemory) InMemory() []byte { return b.data }

// Close does nothing.
func (b *InMemory) Close() error { return nil }

// rest is a body of which the beginning has been read.
type rest struct {
	head []byte
	fail error
	tail io.ReadCloser
}

func (b *rest) Read(p []byte) (int, error) {
	if len(b.head) > 0 {
		n := copy(p, b.head)
		b.head = b.head[n:]
		return n, nil
	}
	if b.fail != nil {
		return 0, b.fail
	}
	return b.tail.Read(p)
}

func (b *rest) Close() error { return b.tail.Close() }

// tap keeps the beginning of a body that passes by, and counts it.
type tap struct {
	io.ReadCloser
	keep int
	data []byte
	size int64
	end  bool
	late *Call // judges the body when it has passed
}

func (t *tap) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if room := min(t.keep-len(t.data), n); room > 0 {
		if t.late == nil || t.late.hold(int64(len(t.data)), int64(len(t.data)+room)) {
			t.data = append(t.data, p[:room]...)
		} else {
			t.keep = 0
		}
	}
	t.size += int64(n)
	t.end = t.end || err == io.EOF
	return n, err
}

// wantsObject reports whether a rule has to see the object before the request
// goes in.
func (c *Call) wantsObject() bool {
	op := c.pass.Operation()
	return op != nil && slices.ContainsFunc(op.Rules, func(r *contract.Rule) bool { return r.Phase == contract.OnObject })
}

// admitLate counts, in report mode, what would have been refused of a body
// that has passed. One that nobody read to its end is unknown.
func (c *Call) admitLate(t *tap, declared int64) {
	b := &c.Exchange.Request.Body
	switch limit := c.g.contract.MaxRequest; {
	case t.size > limit:
		c.AdmitBody(true, true, nil)
		b.Data = b.Data[:min(int64(len(b.Data)), c.g.o.Keep)]
	case t.size == int64(len(t.data)) && (t.end || t.size == declared):
		c.AdmitBody(true, false, nil)
	}
}

// prepare makes the request such that what goes upstream is what was judged:
// no credential but the one that decided, and an answer that can be read.
func (c *Call) prepare(r *http.Request) *http.Request {
	c.g.carriers.keepOnly(r, c.Exchange.Server.Credential)
	op := c.pass.Operation()
	if op == nil {
		return r
	}
	r.Header.Del("Accept-Encoding")
	if len(r.Header["Range"]) > 0 || len(r.Header["Upgrade"]) > 0 {
		c.wholly(r, op)
	}
	if !c.judgedReply(op) {
		return r
	}
	if r.Method == "HEAD" && op.Method == "GET" {
		// On a copy: the server that answers must go on knowing it as a HEAD.
		get := *r
		get.Method = "GET"
		r = &get
	}
	c.noneMatch = strings.Join(r.Header["If-None-Match"], ", ") // answered by notModified
	for _, name := range []string{"Range", "If-Range", "If-None-Match", "If-Modified-Since"} {
		r.Header.Del(name)
	}
	return r
}

// wholly takes out of a request what would make its answer one that cannot be
// judged: a part of the JSON, or a connection that is handed over.
func (c *Call) wholly(r *http.Request, op *contract.Operation) {
	judged := c.judgedReply(op)
	if p := check.Promised(op, http.StatusOK); p != nil && !judged {
		for _, b := range p.Bodies {
			judged = judged || b.Judged
		}
	}
	if !judged {
		return
	}
	for _, name := range []string{"Range", "If-Range", "Upgrade", "Connection"} {
		r.Header.Del(name)
	}
}

// forward lets the handler answer, and releases what it says.
func (c *Call) forward(w http.ResponseWriter, r *http.Request, next http.Handler) {
	sent := c.g.o.Now()
	if c.traced != nil {
		c.traced.admitted = c.spent
	}
	rw := &writer{ResponseWriter: w, c: c, request: r, sent: sent}
	var broke any
	func() {
		defer func() { broke = recover() }()
		next.ServeHTTP(rw, r)
	}()
	if t, ok := r.Body.(*tap); ok {
		c.Exchange.Request.Body = exchange.Body{Size: t.size, Data: t.data}
		if t.late != nil {
			c.admitLate(t, r.ContentLength)
		}
	}
	if rw.declined {
		broke = nil // it was told to stop
	}
	up := rw.end(broke != nil)
	if broke != nil {
		if c.Exchange.Failure == "" {
			c.Exchange.Failure = "the answer broke off"
			if rw.seen.Failure != "" {
				c.Exchange.Failure += ": " + rw.seen.Failure
			}
			if err, ok := broke.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				c.Exchange.Failure = "the handler panicked"
			}
		}
	}
	c.Exchange.Times.Wait = rw.waited
	c.Exchange.Times.Receive = max(0, c.g.o.Now().Sub(sent)-rw.waited)
	c.finish(up)
	if broke != nil {
		panic(broke)
	}
}
