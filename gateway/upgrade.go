package gateway

import (
	"io"
	"net"
	"net/http"
	"time"
)

// switchProtocols joins the client's connection with the upstream's after a
// 101. From here on both are bytes.
func (t *trip) switchProtocols() {
	client, rw, err := http.NewResponseController(t.w).Hijack()
	if err != nil {
		t.drop()
		fail(t.w, http.StatusBadGateway)
		return
	}
	defer client.Close()
	up := t.c
	client.SetDeadline(time.Time{})
	up.SetDeadline(time.Time{})

	b := append(t.out[:0], "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"...)
	for _, f := range t.fields {
		switch f.name {
		case "Connection", "Upgrade", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Content-Length", "Transfer-Encoding", "Alt-Svc":
			continue
		}
		b = append(b, f.name...)
		b = append(b, ": "...)
		b = append(b, f.value...)
		b = append(b, "\r\n"...)
	}
	// What came together with the heads is part of the conversation.
	b = append(b, "\r\n"...)
	if early, _ := t.br.Peek(t.br.Buffered()); len(early) > 0 {
		b = append(b, early...)
	}
	if _, err := client.Write(b); err != nil {
		t.drop()
		return
	}
	if n := rw.Reader.Buffered(); n > 0 {
		early, _ := rw.Reader.Peek(n)
		if _, err := up.Write(early); err != nil {
			t.drop()
			return
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		pipe(up.Conn, client)
		up.SetReadDeadline(time.Now().Add(lastWords))
	}()
	pipe(client, up.Conn)
	client.SetReadDeadline(time.Now().Add(lastWords))
	<-done
	t.drop()
}

// lastWords is how long one side may still speak when the other has ended.
const lastWords = time.Second

// pipe copies until src ends and ends dst.
func pipe(dst, src net.Conn) {
	bp := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(bp)
	// Hidden behind plain interfaces: copying inside the kernel would pass the
	// time limit for writing by.
	io.CopyBuffer(struct{ io.Writer }{dst}, struct{ io.Reader }{src}, *bp)
	if c, ok := dst.(interface{ CloseWrite() error }); ok {
		c.CloseWrite()
	} else {
		dst.Close()
	}
}
