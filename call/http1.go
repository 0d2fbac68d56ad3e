package call

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/parley-project/parley/exchange"
)

// large is the size from which a body is sent while the answer is awaited: a
// server may refuse it without reading all of it.
const large = 64 << 10

// errStale says that a connection had been closed before the request arrived.
var errStale = errors.New("the connection had been closed")

// http1 sends a request over a channel and reads what comes back into x. The
// channel is good for another request when it says so.
func (c *Client) http1(ctx context.Context, ch *channel, x *exchange.Exchange, reused bool) (again bool, err error) {
	stop := context.AfterFunc(ctx, ch.abort)
	defer func() {
		if !stop() { // the deadline of the past is set, or about to be
			again = false
		}
	}()
	r := &x.Request
	absolute := ""
	var extra []exchange.Field
	if ch.via != nil {
		absolute = "http://" + r.Authority
		extra = ch.via.credentials()
	}
	began := time.Now()
	ch.head = appendHead(ch.head[:0], r, absolute, extra...)
	var sent chan written
	if len(r.Body.Data) < large {
		ch.head = appendBody(ch.head, r.Header, r.Body.Data)
		_, err = ch.nc.Write(ch.head)
		x.Times.Send = time.Since(began)
	} else {
		sent = make(chan written, 1)
		out := ch.head
		ch.head = nil
		go func() { sent <- writeLarge(ch.nc, out, r) }()
	}
	// After a write that failed there may still be an answer to read.
	_, first := ch.br.Peek(1)
	now := time.Now()
	whole := true
	if sent != nil {
		done := now
		select {
		case w := <-sent:
			err, done = w.err, w.at
		default:
			whole = false // it answered before it had read everything
		}
		x.Times.Send = done.Sub(began)
	}
	if first != nil {
		if !whole {
			ch.closeNow() // so that the writer ends
			err = (<-sent).err
		}
		if errors.Is(first, io.EOF) && err != nil {
			first = err
		}
		if reused && ctx.Err() == nil {
			return false, errStale
		}
		return false, brokeAt(exchange.StepServer, "no answer: "+words(first), first)
	}
	x.Times.Wait = now.Sub(began) - x.Times.Send
	h, err := c.readAnswer(ch, x)
	if err != nil {
		err = brokeAt(exchange.StepResponse, "the answer cannot be read: "+saysOf(err), err)
	} else {
		err = c.readBody(ch, x, &h)
	}
	x.Times.Receive = time.Since(now)
	if !whole {
		ch.closeNow()
		<-sent
	}
	return err == nil && whole && !h.close && ch.br.Buffered() == 0 && !ambiguous(r.Header, r.Body.Data), err
}

// written is the end of a write that went on beside the reading.
type written struct {
	err error
	at  time.Time
}

func writeLarge(w io.Writer, head []byte, r *exchange.Request) written {
	_, err := w.Write(head)
	if body := r.Body.Data; err == nil && r.Header.Has("Transfer-Encoding") {
		_, err = w.Write(appendBody(nil, r.Header, body))
	} else if err == nil {
		_, err = w.Write(body)
	}
	return written{err, time.Now()}
}

func saysOf(err error) string {
	var u unreadable
	if errors.As(err, &u) {
		return string(u)
	}
	return words(err)
}

// readAnswer reads heads up to the one that answers.
func (c *Client) readAnswer(ch *channel, x *exchange.Exchange) (h head, err error) {
	var interim []int
	for {
		h, ch.head, err = readHead(ch.br, ch.head, c.o.MaxHeader, x.Request.Method)
		if cap(ch.head) > large {
			ch.head = nil
		}
		if err != nil && h.header == nil {
			return h, err
		}
		if h.status >= 200 || h.status == 101 || err != nil {
			break
		}
		if interim = append(interim, h.status); len(interim) > maxInterim {
			return h, unreadable("interim answers without end")
		}
	}
	x.Response = &exchange.Response{Status: h.status, Proto: h.proto, Header: h.header, Fidelity: exchange.OnTheWire, Interim: interim}
	return h, err
}

// readBody reads the body that a head announces.
func (c *Client) readBody(ch *channel, x *exchange.Exchange, h *head) error {
	var err error
	body := &x.Response.Body
	switch {
	case h.none:
	case h.chunked:
		chunks := &chunkReader{br: ch.br}
		err = c.keep(body, chunks, -1)
		x.Response.Trailer = chunks.trailer
	case h.length >= 0:
		if err = c.keep(body, io.LimitReader(ch.br, h.length), h.length); err == nil && body.Size < h.length {
			err = io.ErrUnexpectedEOF
		}
	default:
		err = c.keep(body, ch.br, -1)
	}
	if err != nil {
		return brokeAt(exchange.StepResponse, "the body broke off: "+saysOf(err), err)
	}
	return nil
}
