package shop

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// live tells the balance over a WebSocket (RFC 6455), once, and hangs up: what
// there is to show is who may open one. Nothing that the client sends is read.
func (s *Shop) live(w http.ResponseWriter, r *request) error {
	key := r.Header.Get("Sec-WebSocket-Key")
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || key == "" || r.Header.Get("Sec-WebSocket-Version") != "13" {
		p := refuse(http.StatusUpgradeRequired, "this is a WebSocket")
		p.header = http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}}
		if r.ProtoMajor > 1 { // which have no such fields (RFC 9113, 8.2.2)
			p.header = nil
		}
		return p
	}
	if !s.flawed("client-websocket-origin") && !s.own(r.Request) {
		return forbidden("the request comes from another site")
	}
	a, err := one(r.Context(), s.db.db, scanAccount, selectAccount, r.caller.ID)
	if err != nil {
		return err
	}
	text, err := json.Marshal(map[string]any{"balance": a.Balance, "currency": a.Currency})
	if err != nil {
		return err
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return fmt.Errorf("WebSocket: %w", err)
	}
	defer conn.Close()
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) // RFC 6455, 4.2.2
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	b.Write([]byte{0x81, byte(len(text))}) // one frame of text, of less than 126 bytes
	b.Write(text)
	b.Write([]byte{0x88, 2, 0x03, 0xe8}) // close, 1000
	conn.Write(b.Bytes())
	return nil
}

// own reports whether an upgrade comes from a page of the shop's, or from a
// program that is no browser.
func (s *Shop) own(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		_, err := r.Cookie(sessionCookie)
		return err != nil
	}
	post := r.Clone(r.Context()) // the rule for changes is the rule for sockets
	post.Method = http.MethodPost
	return s.crossSite.Check(post) == nil
}
