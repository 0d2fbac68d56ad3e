package gateway

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// noStop stands in for a watch that was never set.
func noStop() bool { return true }

func afterFunc(ctx context.Context, f func()) func() bool { return context.AfterFunc(ctx, f) }

// askWait is how long a body waits for the upstream's 100 (Continue) before it
// goes without (RFC 9110, 10.1.1).
const askWait = time.Second

// An upload sends a large or endless body while the response may already come.
type upload struct {
	asked chan struct{} // closed when the upstream wants the body
	once  sync.Once
	quit  chan struct{} // closed when nobody wants it any more
	done  chan struct{}
	err   error // why it was not sent whole; set before done is closed
	// began is false when the body was never touched.
	began bool
}

func (p *upload) ask() { p.once.Do(func() { close(p.asked) }) }

// finished reports whether the whole body was sent.
func (p *upload) finished() bool {
	select {
	case <-p.done:
		return p.err == nil
	default:
		return false
	}
}

var copyBuffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

// startUpload begins to send the body.
func (t *trip) startUpload() {
	p := &upload{asked: make(chan struct{}), quit: make(chan struct{}), done: make(chan struct{})}
	t.upload = p
	if t.r.ProtoMajor == 1 && t.stream != nil {
		// Else net/http reads the rest of the body itself before the response.
		http.NewResponseController(t.w).EnableFullDuplex()
	}
	if !t.expect {
		p.ask()
	}
	c, wait := t.c, max(t.u.o.Header, t.u.o.Idle)
	go func() {
		defer close(p.done)
		if t.expect {
			timer := time.NewTimer(askWait)
			defer timer.Stop()
			select {
			case <-p.asked:
			case <-timer.C:
			case <-p.quit:
				p.err = context.Canceled
				return
			}
		}
		p.began = true
		p.err = t.copyBody(c, wait)
		if ce, ok := p.err.(*clientError); ok {
			// The upstream waits for the rest, and the reader for the
			// upstream: neither will come.
			t.clientErr = ce
			c.Close()
		}
	}()
}

// copyBody sends the body. Errors of the client are of type *clientError.
func (t *trip) copyBody(c *conn, wait time.Duration) error {
	write := func(b []byte) error {
		c.SetDeadline(time.Now().Add(wait))
		_, err := c.Write(b)
		return err
	}
	if t.stream == nil {
		return write(t.body)
	}
	bp := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(bp)
	buf, sent := *bp, int64(0)
	// Room for a chunk's size before the data and its end behind.
	const before, after = 10, 2
	n := copy(buf[before:len(buf)-after], t.ahead)
	var rerr error
	for {
		if n > 0 {
			piece := buf[before : before+n]
			if t.length < 0 {
				var size [before]byte
				s := append(strconv.AppendInt(size[:0], int64(n), 16), '\r', '\n')
				at := before - len(s)
				copy(buf[at:], s)
				piece = append(buf[at:before+n], '\r', '\n')
			}
			if err := write(piece); err != nil {
				return err
			}
			sent += int64(n)
		}
		if rerr != nil {
			break
		}
		n, rerr = t.stream.Read(buf[before : len(buf)-after])
	}
	if rerr != io.EOF {
		return bodyError(rerr)
	}
	if t.length >= 0 {
		if sent != t.length {
			return bodyError(io.ErrUnexpectedEOF)
		}
		return nil
	}
	end := append(buf[:0], "0\r\n"...)
	for k, vs := range t.r.Trailer {
		for _, v := range vs {
			if validName(k) && validValue(v) && !forbiddenTrailer(k) && len(end)+len(k)+len(v) < 16<<10 {
				end = append(end, k...)
				end = append(end, ": "...)
				end = append(end, v...)
				end = append(end, "\r\n"...)
			}
		}
	}
	return write(append(end, "\r\n"...))
}

// endUpload stops the upload and waits until it no longer uses the request.
// The connection is closed by now, or the body was sent.
func (t *trip) endUpload() {
	p := t.upload
	if p == nil {
		return
	}
	close(p.quit)
	select {
	case <-p.done:
	default:
		// It may wait for the client.
		rc := http.NewResponseController(t.w)
		rc.SetReadDeadline(time.Unix(1, 0))
		<-p.done
	}
	t.upload = nil
}
