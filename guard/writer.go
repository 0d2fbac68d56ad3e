package guard

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

// writer stands between a handler and its client. A response that has to be
// judged whole is held back until the handler has ended; any other passes as
// it is written.
type writer struct {
	http.ResponseWriter
	c       *Call
	request *http.Request
	sent    time.Time     // when the handler began
	waited  time.Duration // until it wrote the head

	upstream *exchange.Response // what the handler said; nil before it said it
	hold     bool               // the body is held back
	ended    bool               // the client has all it gets; drop the rest
	declined bool               // guard has answered: the handler need not go on
	hijacked bool
	full     bool   // no more is kept for the record
	data     []byte // held, or kept for the record
	size     int64

	seen   exchange.Seen // what the handler tells of the upstream
	failed bool          // it has no answer of the API's to give
}

// Seen is where the handler may write down what it learns of the upstream.
func (w *writer) Seen() *exchange.Seen { return &w.seen }

// Unwrap lets http.ResponseController reach deadlines.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *writer) WriteHeader(status int) {
	if w.upstream != nil {
		return
	}
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.waited = w.c.g.o.Now().Sub(w.sent)
	if w.seen.Failure != "" {
		w.fail(status)
		return
	}
	w.upstream = &exchange.Response{Status: status, Proto: w.c.Exchange.Request.Proto, Header: headerOf(w.Header()), Fidelity: exchange.Canonical}
	if w.c.g.enforce && w.c.WantsReply(status, w.upstream.Header) {
		w.hold = true
		return
	}
	w.upstream.Body.Size = declaredLength(w.upstream.Header)
	if !w.c.g.enforce {
		undisturbed(w.Header())
		w.c.tell(w.Header(), w.waited)
		w.ResponseWriter.WriteHeader(status)
		return // judged at the end, when it has passed
	}
	w.release(false)
}

// fail answers when there is no answer of the API's. The cause is on record,
// under the reference that the client gets; nothing of it is the API's flaw.
func (w *writer) fail(status int) {
	x := w.c.Exchange
	x.Failure = "no answer from the API: " + w.seen.Failure
	r := &check.Refusal{Status: status}
	if v := w.Header().Get("Retry-After"); v != "" {
		r.Header = exchange.Header{{Name: "Retry-After", Value: v}}
	}
	w.upstream = w.c.refusalResponse(r)
	x.Response = w.upstream
	putHeader(w.Header(), w.upstream.Header)
	w.c.tell(w.Header(), w.waited)
	w.ResponseWriter.WriteHeader(status)
	if x.Request.Method != "HEAD" {
		w.ResponseWriter.Write(w.upstream.Body.Data)
	}
	w.ended, w.declined, w.failed = true, true, true
}

// declaredLength is the Content-Length, or -1.
func declaredLength(h exchange.Header) int64 {
	if n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
		return n
	}
	return -1
}

// release sends the head that the guard lets go, and the body if it was held.
func (w *writer) release(whole bool) {
	app := w.waited
	if whole && w.c.traced != nil {
		app = w.c.g.o.Now().Sub(w.sent)
	}
	out, refusal := w.c.Release(w.upstream, whole)
	if refusal != nil {
		out = w.c.refusalResponse(refusal)
		w.ended, w.declined = true, true
	} else {
		out = w.c.notModified(out)
	}
	w.c.Exchange.Response = out
	if refusal != nil {
		putHeader(w.Header(), out.Header)
	} else if out != w.upstream {
		changeHeader(w.Header(), w.upstream.Header, out.Header)
	} else {
		undisturbed(w.Header())
	}
	w.c.tell(w.Header(), app)
	replaced := out.Body.Data != nil && (out.Status != w.upstream.Status || !whole)
	w.ResponseWriter.WriteHeader(out.Status)
	if w.c.Exchange.Request.Method == "HEAD" {
		w.ended = true
		return
	}
	if whole || replaced {
		w.ResponseWriter.Write(out.Body.Data)
		w.ended = true
	}
}

func (w *writer) Write(b []byte) (int, error) {
	if w.upstream == nil {
		w.WriteHeader(http.StatusOK)
	}
	if w.declined {
		return 0, errDeclined
	}
	w.size += int64(len(b))
	if w.hold {
		if w.size > w.c.g.contract.MaxResponse {
			w.data = nil
			w.decline(tooLarge) // now: what is without end is never judged
			return 0, errDeclined
		}
		if !w.c.hold(w.size-int64(len(b)), w.size) {
			w.data = nil
			w.decline(noRoom)
			return 0, errDeclined
		}
		w.data = append(w.data, b...)
		return len(b), nil
	}
	if room := w.keep() - len(w.data); room > 0 && !w.full {
		if room = min(len(b), room); w.c.hold(int64(len(w.data)), int64(len(w.data)+room)) {
			w.data = append(w.data, b[:room]...)
		} else {
			w.full = true // no holes
		}
	}
	if w.ended {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

// errDeclined ends a handler whose answer nobody gets.
var errDeclined = errors.New("guard: the client has been answered otherwise")

// keep is how much of a passing body is kept: in report mode as much as is
// judged, if it may be judged at all.
func (w *writer) keep() int {
	if !w.c.g.enforce && w.c.WantsReply(w.upstream.Status, w.upstream.Header) {
		return int(w.c.g.contract.MaxResponse)
	}
	return int(w.c.g.o.Keep)
}

// FlushError passes a flush on, unless the response is held back.
func (w *writer) FlushError() error {
	if w.hold || w.ended {
		return nil
	}
	if w.upstream == nil {
		w.WriteHeader(http.StatusOK)
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush is FlushError for handlers that ask the old way.
func (w *writer) Flush() { w.FlushError() }

// Hijack hands the connection to the handler, for an upgrade.
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	w.hijacked = err == nil
	if w.hijacked && w.upstream == nil {
		w.waited = w.c.g.o.Now().Sub(w.sent)
		w.upstream = &exchange.Response{Status: http.StatusSwitchingProtocols, Proto: w.c.Exchange.Request.Proto}
		w.c.Exchange.Response = w.upstream
	}
	return conn, rw, err
}

// end finishes the response after the handler returned, and gives the
// upstream's side of the exchange when it is not the client's.
func (w *writer) end(broke bool) *exchange.Exchange {
	if w.hijacked {
		return nil
	}
	if w.upstream == nil {
		if broke {
			return nil
		}
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case w.failed:
		return nil
	case w.declined:
		w.upstream.Body = exchange.Body{Size: w.size, Data: w.data}
	case w.hold && broke:
		// Nothing has been sent: the connection breaks, as it would have.
		w.upstream.Body = exchange.Body{Size: w.size, Data: w.data[:min(len(w.data), w.keep())]}
		w.c.Exchange.Response = nil
	case w.hold:
		w.upstream.Body = exchange.Body{Size: w.size, Data: w.data}
		if !w.decode() {
			w.decline(tooLarge)
			break
		}
		w.release(true)
	default:
		w.passed(broke)
	}
	return w.upstreamSide()
}

// passed puts what has been written on record; in report mode it is judged now.
func (w *writer) passed(broke bool) {
	body := exchange.Body{Size: w.size, Data: w.data}
	if w.c.Exchange.Request.Method == "HEAD" {
		body.Size = w.upstream.Body.Size // what a GET would have brought
	}
	if !w.c.g.enforce {
		w.upstream.Body = body
		if !broke {
			w.judge()
		}
		w.c.Exchange.Response = w.upstream
	} else if w.c.Exchange.Response != w.upstream {
		changed := *w.c.Exchange.Response
		if !w.ended {
			changed.Body = body
		}
		w.c.Exchange.Response = &changed
		w.upstream.Body = body
	} else {
		w.upstream.Body = body
	}
	if keep := int(w.c.g.o.Keep); w.size > w.c.g.contract.MaxResponse && len(w.upstream.Body.Data) > keep {
		w.upstream.Body.Data = w.upstream.Body.Data[:keep]
	}
}

// judge lets the checks see a response that has left already.
func (w *writer) judge() {
	r := *w.upstream
	whole := r.Body.Complete() && w.c.WantsReply(r.Status, r.Header)
	if whole && r.Header.Get("Content-Encoding") != "" {
		decoded, ok := decodeBody(&r, w.c.g.contract.MaxResponse)
		if !ok {
			whole = false
		} else {
			r = *decoded
		}
	}
	w.c.Release(&r, whole)
}

// upstreamSide is the other conversation, when the client's differs from it.
func (w *writer) upstreamSide() *exchange.Exchange {
	x := w.c.Exchange
	if x.Response == w.upstream || w.c.g.o.Recorder == nil || !w.c.g.enforce {
		return nil
	}
	now := w.c.g.o.Now()
	up := &exchange.Exchange{
		ID: exchange.NewID(w.sent), Source: exchange.FromGuard, Side: exchange.UpstreamSide, Start: w.sent,
		DNS: w.seen.DNS, TCP: w.seen.TCP, TLS: w.seen.TLS,
		Request: x.Request, Server: x.Server, Response: w.upstream, Times: w.seen.Times,
	}
	up.Times.Wait, up.Times.Total = w.waited, now.Sub(w.sent)
	up.Request.Header = headerNow(x.Request.Header, w.request.Header)
	up.Request.Method = w.request.Method
	return up
}
