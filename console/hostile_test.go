package console

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"
)

// client is a browser-like client that has a session.
type client struct {
	t    testing.TB
	base string
	http *http.Client
}

func open(t testing.TB, c *Console, base string) *client {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	cl := &client{t, base, &http.Client{Jar: jar, Timeout: 20 * time.Second}}
	r, err := cl.http.Get(base + c.StartPath())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != 200 || r.Request.URL.String() != base+"/" {
		t.Fatalf("the start address led to %s with %d, want / with 200", r.Request.URL, r.StatusCode)
	}
	return cl
}

// get decodes an answer of the API.
func (c *client) get(path string, v any) int {
	c.t.Helper()
	r, err := c.http.Get(c.base + path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Body.Close()
	b, _ := io.ReadAll(r.Body)
	if v != nil {
		if err := json.Unmarshal(b, v); err != nil {
			c.t.Fatalf("GET %s: %v in %.200s", path, err, b)
		}
	}
	return r.StatusCode
}

func (c *client) cookie() string {
	u, _ := url.Parse(c.base)
	cs := c.http.Jar.Cookies(u)
	if len(cs) != 1 {
		c.t.Fatalf("the session has %d cookies, want 1", len(cs))
	}
	return cs[0].String()
}

// raw sends bytes as they are and returns the status, the head and the body.
func raw(t testing.TB, addr, message string) (int, http.Header, string) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, message)
	method, _, _ := strings.Cut(message, " ")
	r, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("no answer to %.80q: %v", message, err)
	}
	defer r.Body.Close()
	b, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	return r.StatusCode, r.Header, string(b)
}

// TestHostile sends what a page, a proxy or a program of somebody else could
// send, each with a valid session, and wants every one refused with nothing
// of what was captured in the answer.
func TestHostile(t *testing.T) {
	d, s := newDemo(t, 6)
	c, srv := serve(t, Options{Store: s, Attacks: func() []Attack { return d.attacks }})
	addr := strings.TrimPrefix(srv.URL, "http://")
	_, port, _ := net.SplitHostPort(addr)
	cl := open(t, c, srv.URL)
	cookie := "Cookie: " + cl.cookie()

	const rows = "GET /api/rows HTTP/1.1"
	post := "POST /api/logout HTTP/1.1"
	self := "Host: " + addr
	for _, h := range []struct {
		name, line string
		headers    []string
		want       int
	}{
		// Host: rebinding and other spellings of this machine.
		{"rebinding name", rows, []string{"Host: evil.example:" + port, cookie}, 403},
		{"localhost as a prefix", rows, []string{"Host: localhost.evil.example:" + port, cookie}, 403},
		{"trailing dot", rows, []string{"Host: localhost.:" + port, cookie}, 403},
		{"IPv6 unspecified", rows, []string{"Host: [::]:" + port, cookie}, 403},
		{"IPv4 in IPv6", rows, []string{"Host: [::ffff:127.0.0.1]:" + port, cookie}, 403},
		{"long IPv6", rows, []string{"Host: [0:0:0:0:0:0:0:1]:" + port, cookie}, 403},
		{"0.0.0.0", rows, []string{"Host: 0.0.0.0:" + port, cookie}, 403},
		{"decimal IP", rows, []string{"Host: 2130706433:" + port, cookie}, 403},
		{"octal IP", rows, []string{"Host: 0177.0.0.1:" + port, cookie}, 403},
		{"short IP", rows, []string{"Host: 127.1:" + port, cookie}, 403},
		{"wrong port", rows, []string{"Host: 127.0.0.1:1", cookie}, 403},
		{"no port", rows, []string{"Host: 127.0.0.1", cookie}, 403},
		{"empty Host", rows, []string{"Host: ", cookie}, 403},
		{"name in upper case with user", rows, []string{"Host: x@localhost:" + port, cookie}, 400},
		{"two Hosts", rows, []string{self, "Host: evil.example", cookie}, 400},
		{"absolute form to another host", "GET http://evil.example/api/rows HTTP/1.1", []string{self, cookie}, 403},
		{"CONNECT", "CONNECT " + addr + " HTTP/1.1", []string{self, cookie}, 404},

		// Origin and Sec-Fetch-Site on what changes something.
		{"null origin", post, []string{self, cookie, "Origin: null", "Content-Type: application/json"}, 403},
		{"other port", post, []string{self, cookie, "Origin: http://127.0.0.1:1", "Content-Type: application/json"}, 403},
		{"https for http", post, []string{self, cookie, "Origin: https://" + addr, "Content-Type: application/json"}, 403},
		{"other name of this machine", post, []string{self, cookie, "Origin: http://localhost:" + port, "Content-Type: application/json"}, 403},
		{"no origin, cross-site", post, []string{self, cookie, "Sec-Fetch-Site: cross-site", "Content-Type: application/json"}, 403},
		{"no origin, same-site", post, []string{self, cookie, "Sec-Fetch-Site: same-site", "Content-Type: application/json"}, 403},
		{"no origin, nothing", post, []string{self, cookie, "Content-Type: application/json"}, 403},
		{"own origin but cross-site", post, []string{self, cookie, "Origin: http://" + addr, "Sec-Fetch-Site: cross-site", "Content-Type: application/json"}, 403},
		{"form", post, []string{self, cookie, "Origin: http://" + addr, "Content-Type: application/x-www-form-urlencoded"}, 403},
		{"text/plain JSON", post, []string{self, cookie, "Origin: http://" + addr, "Content-Type: text/plain"}, 403},
		{"two origins", post, []string{self, cookie, "Origin: http://" + addr, "Origin: http://evil.example", "Content-Type: application/json"}, 403},

		// Reading from other pages.
		{"cross-site read", rows, []string{self, cookie, "Sec-Fetch-Site: cross-site"}, 403},
		{"same-site read, another port's page", rows, []string{self, cookie, "Sec-Fetch-Site: same-site"}, 403},
		{"read with foreign origin", rows, []string{self, cookie, "Origin: http://evil.example"}, 403},
		{"script of another page", "GET /app.js HTTP/1.1", []string{self, cookie, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: script"}, 403},
		{"frame of another page", "GET / HTTP/1.1", []string{self, cookie, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}, 403},
		{"service worker", "GET /app.js HTTP/1.1", []string{self, cookie, "Service-Worker: script"}, 403},

		// The event stream.
		{"stream, cross-site", "GET /api/live HTTP/1.1", []string{self, cookie, "Sec-Fetch-Site: cross-site"}, 403},
		{"stream, same-site", "GET /api/live HTTP/1.1", []string{self, cookie, "Sec-Fetch-Site: same-site"}, 403},
		{"stream, foreign origin", "GET /api/live HTTP/1.1", []string{self, cookie, "Origin: http://evil.example"}, 403},
		{"stream, typed", "GET /api/live HTTP/1.1", []string{self, cookie, "Sec-Fetch-Site: none"}, 403},
		{"stream, no session", "GET /api/live HTTP/1.1", []string{self}, 401},
		{"stream, token in the address", "GET /api/live?token=" + strings.TrimPrefix(c.StartPath(), "/?token=") + " HTTP/1.1", []string{self}, 401},
		{"WebSocket", "GET /api/live HTTP/1.1", []string{self, cookie, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}, 403},

		// The token and the session.
		{"no session", rows, []string{self}, 401},
		{"no session, page", "GET / HTTP/1.1", []string{self}, 401},
		{"wrong session", rows, []string{self, "Cookie: parley_console_" + port + "=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, 401},
		{"two cookies of the name", rows, []string{self, cookie + "; parley_console_" + port + "=x"}, 401},
		{"wrong token", "GET /?token=AAAA HTTP/1.1", []string{self}, 403},
		{"empty token", "GET /?token= HTTP/1.1", []string{self}, 403},
		{"token with more", "GET " + c.StartPath() + "&next=http://evil.example HTTP/1.1", []string{self}, 400},
		{"token as a header", rows, []string{self, "Authorization: Bearer " + strings.TrimPrefix(c.StartPath(), "/?token=")}, 401},
		{"prefetch of the token", "GET " + c.StartPath() + " HTTP/1.1", []string{self, "Sec-Purpose: prefetch"}, 503},

		// Methods.
		{"state change by GET", "GET /api/logout HTTP/1.1", []string{self, cookie}, 405},
		{"scan started by GET", "GET /api/scan/start HTTP/1.1", []string{self, cookie}, 405},
		{"scan started by another page", "POST /api/scan/start HTTP/1.1", []string{self, cookie, "Origin: http://evil.example", "Content-Type: application/json"}, 403},
		{"scan started by a form", "POST /api/scan/start HTTP/1.1", []string{self, cookie, "Origin: http://" + addr, "Content-Type: text/plain"}, 403},
		{"scan started without a session", "POST /api/scan/start HTTP/1.1", []string{self, "Origin: http://" + addr, "Content-Type: application/json"}, 401},
		{"scan stopped by another page", "POST /api/scan/stop HTTP/1.1", []string{self, cookie, "Sec-Fetch-Site: cross-site", "Content-Type: application/json"}, 403},
		{"progress, cross-site", "GET /api/scan/live HTTP/1.1", []string{self, cookie, "Sec-Fetch-Site: cross-site"}, 403},
		{"findings without a session", "GET /api/scan/findings?scan=open HTTP/1.1", []string{self}, 401},
		{"scan of a path", "GET /api/scan/findings?scan=../../etc/passwd HTTP/1.1", []string{self, cookie}, 404},
		{"override header", "GET /api/logout HTTP/1.1", []string{self, cookie, "X-HTTP-Method-Override: POST"}, 405},
		{"HEAD on the token", "HEAD " + c.StartPath() + " HTTP/1.1", []string{self}, 405},
		{"TRACE", "TRACE /api/rows HTTP/1.1", []string{self, cookie}, 405},
		{"POST to what is read", "POST /api/rows HTTP/1.1", []string{self, cookie, "Origin: http://" + addr, "Content-Type: application/json"}, 405},
		{"PUT on the page", "PUT / HTTP/1.1", []string{self, cookie}, 405},
		{"OPTIONS, a preflight", "OPTIONS /api/rows HTTP/1.1", []string{self, "Origin: http://evil.example", "Access-Control-Request-Method: GET"}, 403},

		// Paths and sizes.
		{"up and out", "GET /../../etc/passwd HTTP/1.1", []string{self, cookie}, 404},
		{"the embedded folder", "GET /dist/app.js HTTP/1.1", []string{self, cookie}, 404},
		{"a source map", "GET /app.js.map HTTP/1.1", []string{self, cookie}, 404},
		{"long address", "GET /api/rows?filter=" + strings.Repeat("a", 9000) + " HTTP/1.1", []string{self, cookie}, 414},
		{"long filter", "GET /api/rows?filter=" + strings.Repeat("a", 3000) + " HTTP/1.1", []string{self, cookie}, 400},
		{"too many rows", "GET /api/rows?limit=100000 HTTP/1.1", []string{self, cookie}, 400},
		{"bad cursor", "GET /api/rows?before=-1 HTTP/1.1", []string{self, cookie}, 400},
		{"both cursors", "GET /api/rows?before=9&after=1 HTTP/1.1", []string{self, cookie}, 400},
		{"short ID", "GET /api/exchanges/1 HTTP/1.1", []string{self, cookie}, 404},
		{"unknown ID", "GET /api/exchanges/01ARZ3NDEKTSV4RRFFQ69G5FAV HTTP/1.1", []string{self, cookie}, 404},
		{"unreadable filter", "GET /api/rows?filter=stat%3A4xx HTTP/1.1", []string{self, cookie}, 400},
	} {
		body := ""
		if strings.HasPrefix(h.line, "POST") || strings.HasPrefix(h.line, "PUT") {
			body = "{}"
			h.headers = append(h.headers, "Content-Length: 2")
		}
		status, head, text := raw(t, addr, h.line+"\r\n"+strings.Join(h.headers, "\r\n")+"\r\nConnection: close\r\n\r\n"+body)
		if status != h.want {
			t.Errorf("%s: %d, want %d: %.120s", h.name, status, h.want, text)
		}
		if strings.Contains(text, "orders/887") || strings.Contains(text, `"rows":[`) {
			t.Errorf("%s: the answer holds what was captured: %.200s", h.name, text)
		}
		if head.Get("Set-Cookie") != "" {
			t.Errorf("%s: a cookie was set", h.name)
		}
		if head.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: another origin may read", h.name)
		}
		// net/http itself refuses what is not HTTP; all else carries our rules.
		if h.want != 400 || strings.Contains(text, "status") {
			if got := head.Get("Content-Security-Policy"); got != policy {
				t.Errorf("%s: Content-Security-Policy is %q", h.name, got)
			}
			if head.Get("X-Content-Type-Options") != "nosniff" || head.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: headers are missing: %v", h.name, head)
			}
		}
	}
	if status := cl.get("/api/rows", nil); status != 200 {
		t.Errorf("after all that the session is gone: %d", status)
	}
}

// TestHosts: every honest way to name this machine is answered.
func TestHosts(t *testing.T) {
	_, s := newEmpty(t)
	c, srv := serve(t, Options{Store: s})
	addr := strings.TrimPrefix(srv.URL, "http://")
	_, port, _ := net.SplitHostPort(addr)
	for _, host := range []string{"127.0.0.1:" + port, "localhost:" + port, "[::1]:" + port} {
		status, _, _ := raw(t, addr, "GET "+c.StartPath()+" HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n")
		if status != http.StatusSeeOther {
			t.Errorf("Host %s: %d, want 303", host, status)
		}
	}
	// A listener that is not on loopback answers nobody unless told to.
	r, _ := http.NewRequest("GET", "http://192.0.2.1:8080/", nil)
	r.RequestURI = "/"
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 8080}))
	if why := c.misdirected(r); why == "" {
		t.Error("a listener on 192.0.2.1 is answered without TLS")
	}
	c.o.Hosts = []string{"192.0.2.1:8080"}
	if why := c.misdirected(r); why == "" {
		t.Error("a named host outside of loopback is answered without TLS")
	}
}

// TestToken: one token opens one session, once.
func TestToken(t *testing.T) {
	_, s := newEmpty(t)
	c, srv := serve(t, Options{Store: s})
	addr := strings.TrimPrefix(srv.URL, "http://")
	ask := func(path string, headers ...string) (int, http.Header, string) {
		return raw(t, addr, "GET "+path+" HTTP/1.1\r\nHost: "+addr+"\r\n"+strings.Join(append(headers, "Connection: close"), "\r\n")+"\r\n\r\n")
	}
	start := c.StartPath()
	status, head, _ := ask(start)
	if status != 303 || head.Get("Location") != "/" {
		t.Fatalf("the start address: %d to %q, want 303 to /", status, head.Get("Location"))
	}
	set := head.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(set, want) {
			t.Errorf("the cookie lacks %s: %s", want, set)
		}
	}
	token := strings.TrimPrefix(start, "/?token=")
	if strings.Contains(set, token) {
		t.Error("the cookie holds the token")
	}
	if status, _, _ := ask(start); status != 403 {
		t.Errorf("the token a second time: %d, want 403", status)
	}
	session, _, _ := strings.Cut(set, ";")
	if status, head, _ := ask(start, "Cookie: "+session); status != 303 || head.Get("Set-Cookie") != "" {
		t.Errorf("the same person a second time: %d, want 303 without a cookie", status)
	}
	if status, _, _ := ask("/?token=" + token + "&token=" + token); status != 400 {
		t.Errorf("the token twice: %d, want 400", status)
	}
	fresh := c.StartPath()
	if status, _, _ := ask(fresh + "&token=x"); status != 400 {
		t.Errorf("a token and another: %d, want 400", status)
	}
	if status, _, _ := ask(fresh); status != 303 {
		t.Errorf("the token after that: %d, want 303: a refused request must not use it up", status)
	}
	// From a link on somebody's page the cookie would not survive a redirect.
	status, head, text := ask(c.StartPath(), "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
	if status != 200 || head.Get("Set-Cookie") == "" || !strings.Contains(text, `http-equiv="refresh" content="0;url=/"`) {
		t.Errorf("from a link: %d %.100q, want a page that goes on to /", status, text)
	}
	// Old tokens fall out.
	old := c.StartPath()
	for range maxTokens {
		c.StartPath()
	}
	if status, _, _ := ask(old); status != 403 {
		t.Errorf("an old token: %d, want 403", status)
	}
	// Another run's session means nothing here, and leaving ends it.
	if status, _, _ := ask("/api/stats", "Cookie: "+session); status != 200 {
		t.Errorf("the session: %d, want 200", status)
	}
	status, _, _ = raw(t, addr, fmt.Sprintf("POST /api/logout HTTP/1.1\r\nHost: %s\r\nOrigin: http://%s\r\nCookie: %s\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", addr, addr, session))
	if status != 204 {
		t.Errorf("leaving: %d, want 204", status)
	}
	if status, _, _ := ask("/api/stats", "Cookie: "+session); status != 401 {
		t.Errorf("the session after leaving: %d, want 401", status)
	}
}
