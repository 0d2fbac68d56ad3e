package console

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// policy is the page's Content-Security-Policy. Trusted Types without a policy
// means that no script can make markup out of a string at all.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// head sets what every answer carries, errors included.
func head(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY") // for what does not know frame-ancestors
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Embedder-Policy", "require-corp")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Vary", "Sec-Fetch-Site")
}

// misdirected says why the request's Host is not one of ours, or "". A name
// that resolves to 127.0.0.1 today is how a foreign page reads what is local
// (DNS rebinding), so names are compared, never resolved.
func (c *Console) misdirected(r *http.Request) string {
	const why = "this console does not answer to that host name"
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if local == nil {
		return "this console cannot tell which address it was reached at"
	}
	name, port, err := net.SplitHostPort(local.String())
	if err != nil {
		return why
	}
	ip := net.ParseIP(name)
	if slices.Contains(c.o.Hosts, r.Host) && (r.TLS != nil || ip.IsLoopback()) {
		return ""
	}
	if !ip.IsLoopback() {
		return "this console answers on loopback only"
	}
	suffix := ":" + port
	if port == "80" && r.TLS == nil || port == "443" && r.TLS != nil {
		suffix = "" // browsers leave the default port away
	}
	for _, n := range []string{"localhost", "127.0.0.1", "[::1]", hostForm(ip)} {
		if r.Host == n+suffix {
			return ""
		}
	}
	return why
}

func hostForm(ip net.IP) string {
	if ip.To4() == nil {
		return "[" + ip.String() + "]"
	}
	return ip.String()
}

// foreign says why a request comes from somebody else's page, or "". Other
// ports of this machine are same-site, not same-origin, and are refused too.
// Only following a link to the first page is free to all.
func foreign(r *http.Request) string {
	if r.Header.Get("Service-Worker") != "" {
		return "this console has no service worker"
	}
	if r.Header.Get("Upgrade") != "" && !strings.EqualFold(r.Header.Get("Upgrade"), "h2c") {
		return "this console has no WebSocket"
	}
	if len(r.Header["Sec-Fetch-Site"]) > 1 || len(r.Header["Origin"]) > 1 {
		return "ambiguous origin"
	}
	site := r.Header.Get("Sec-Fetch-Site")
	switch site {
	case "", "same-origin":
	case "none": // typed or pasted by the person
		if r.URL.Path == "/api/live" {
			return "the event stream is for the console's own page"
		}
	default:
		if r.URL.Path != "/" || r.Method != http.MethodGet ||
			r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document" {
			return "this request was made by another site's page"
		}
	}
	if o, ok := r.Header["Origin"]; ok && o[0] != origin(r) {
		return "this request was made by another origin"
	}
	return ""
}

// notOurs says why a request that changes something cannot be shown to come
// from our own page, or "". Unlike reading, here absence is not enough.
func notOurs(r *http.Request) string {
	if r.Header.Get("Origin") == "" && r.Header.Get("Sec-Fetch-Site") != "same-origin" {
		return "a request that changes something must carry its Origin"
	}
	if ct := r.Header.Get("Content-Type"); ct != "application/json" {
		return "a request that changes something must be application/json"
	}
	return ""
}

func origin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// doors holds who may come in. Only hashes are kept, and they are compared in
// constant time.
type doors struct {
	mu       sync.Mutex
	tokens   [][32]byte
	sessions []session
}

type session struct {
	hash [32]byte
	end  chan struct{} // closed when the session ends
}

const (
	maxTokens   = 8
	maxSessions = 32
)

func secret() string {
	var b [32]byte
	rand.Read(b[:]) // does not fail: the program ends instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (d *doors) newToken() string {
	t := secret()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.tokens) == maxTokens {
		d.tokens = slices.Delete(d.tokens, 0, 1)
	}
	d.tokens = append(d.tokens, sha256.Sum256([]byte(t)))
	return t
}

// open exchanges a token for a session, once. The oldest session makes room
// when there are too many.
func (d *doors) open(token string) (string, bool) {
	h := sha256.Sum256([]byte(token))
	d.mu.Lock()
	defer d.mu.Unlock()
	at := -1
	for i := range d.tokens {
		if subtle.ConstantTimeCompare(d.tokens[i][:], h[:]) == 1 {
			at = i
		}
	}
	if at < 0 {
		return "", false
	}
	d.tokens = slices.Delete(d.tokens, at, at+1)
	if len(d.sessions) == maxSessions {
		close(d.sessions[0].end)
		d.sessions = slices.Delete(d.sessions, 0, 1)
	}
	s := secret()
	d.sessions = append(d.sessions, session{sha256.Sum256([]byte(s)), make(chan struct{})})
	return s, true
}

// find returns the session that the request's cookie names.
func (d *doors) find(r *http.Request) (session, bool) {
	cs := r.CookiesNamed(cookieName(r))
	if len(cs) != 1 { // two of one name: somebody else set one of them
		return session{}, false
	}
	h := sha256.Sum256([]byte(cs[0].Value))
	d.mu.Lock()
	defer d.mu.Unlock()
	var found session
	ok := false
	for _, s := range d.sessions {
		if subtle.ConstantTimeCompare(s.hash[:], h[:]) == 1 {
			found, ok = s, true
		}
	}
	return found, ok
}

func (d *doors) known(r *http.Request) bool {
	_, ok := d.find(r)
	return ok
}

func (d *doors) end(s session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.sessions {
		if d.sessions[i].hash == s.hash {
			close(s.end)
			d.sessions = slices.Delete(d.sessions, i, i+1)
			return
		}
	}
}

// cookieName holds the port: cookies do not know ports, and two consoles on
// one machine must not end each other's sessions.
func cookieName(r *http.Request) string {
	_, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		port = "0"
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		port = "0"
	}
	return "parley_console_" + port
}

func cookie(r *http.Request, value string) *http.Cookie {
	return &http.Cookie{Name: cookieName(r), Value: value, Path: "/", HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode}
}

func (c *Console) logout(w http.ResponseWriter, r *http.Request) {
	if s, ok := c.doors.find(r); ok {
		c.doors.end(s)
	}
	gone := cookie(r, "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	w.WriteHeader(http.StatusNoContent)
}
