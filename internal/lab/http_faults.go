package lab

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// maxEndless is where an endless body ends after all: nothing here runs on
// when a client is gone or broken itself.
const maxEndless = 3 << 30

// Faults answers, in every version of HTTP, as servers should not:
//
//	/endless-redirects    each answer points on
//	/redirect-off?to=URL  to another place
//	/redirect-to-http     to the same place in clear
//	/endless-body         gigabytes
//	/body?size=N          N bytes
//	/gzip-bomb            a little gzip that is a gigabyte of zeros
//	/421                  the wrong connection
//	/problem              RFC 9457, and its status
//	/200-with-error       a failure that calls itself a success
//	/hang                 nothing
//	/interim              103, then 200
//	/trailers             a body with a trailer
//	/cookies              cookies of all kinds, and one that is refused
//	/hsts                 HSTS, Alt-Svc, Server-Timing
func Faults() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("/endless-redirects", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		moved(w, 302, "/endless-redirects?n="+strconv.Itoa(n+1))
	})
	m.HandleFunc("/redirect-off", func(w http.ResponseWriter, r *http.Request) { moved(w, statusOf(r, 307), r.URL.Query().Get("to")) })
	m.HandleFunc("/redirect-to-http", func(w http.ResponseWriter, r *http.Request) { moved(w, 307, "http://"+r.Host+"/") })
	m.HandleFunc("/endless-body", func(w http.ResponseWriter, r *http.Request) { pour(w, maxEndless) })
	m.HandleFunc("/body", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.ParseInt(r.URL.Query().Get("size"), 10, 64)
		if err != nil || n < 0 || n > maxEndless {
			n = 0
		}
		w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
		pour(w, n)
	})
	m.HandleFunc("/gzip-bomb", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(Bomb(1 << 30))
	})
	m.HandleFunc("/421", func(w http.ResponseWriter, r *http.Request) { reply(w, 421, map[string]any{"error": "misdirected"}) })
	m.HandleFunc("/problem", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(403)
		io.WriteString(w, `{"type":"https://api.parley.test/problems/credit","title":"You do not have enough credit","status":403,"detail":"30 is left, 50 is needed","instance":"/account/1"}`)
	})
	m.HandleFunc("/200-with-error", func(w http.ResponseWriter, r *http.Request) {
		reply(w, 200, map[string]any{"success": false, "error": map[string]any{"code": 500, "message": "database is away"}})
	})
	m.HandleFunc("/hang", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	m.HandleFunc("/interim", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(103)
		reply(w, 200, map[string]any{"ok": true})
	})
	m.HandleFunc("/trailers", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Checksum")
		io.WriteString(w, "checked")
		http.NewResponseController(w).Flush()
		w.Header().Set("X-Checksum", "7")
	})
	m.HandleFunc("/cookies", func(w http.ResponseWriter, r *http.Request) {
		for _, c := range []string{"sid=s1; Path=/; HttpOnly; Secure; SameSite=Lax", "lang=en; Path=/", "wide=1; Domain=test", "__Host-x=1; Domain=parley.test; Secure; Path=/"} {
			w.Header().Add("Set-Cookie", c)
		}
		reply(w, 200, map[string]any{"cookies": cookiesOf(r)})
	})
	m.HandleFunc("/hsts", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		w.Header().Set("Alt-Svc", `h3=":443"; ma=86400, h3-29=":443"`)
		w.Header().Set("Server-Timing", `authn;dur=0.3, app;dur=46.9;desc="the, app"`)
		reply(w, 200, map[string]any{"ok": true})
	})
	m.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { reply(w, 200, map[string]any{"headers": headersOf(r)}) })
	return m
}

func moved(w http.ResponseWriter, status int, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(status)
}

func statusOf(r *http.Request, usual int) int {
	if n, err := strconv.Atoi(r.URL.Query().Get("status")); err == nil && n >= 300 && n <= 399 {
		return n
	}
	return usual
}

// pour writes n bytes until the client is gone.
func pour(w io.Writer, n int64) {
	piece := bytes.Repeat([]byte("0123456789abcdef"), 4<<10)
	for n > 0 {
		k, err := w.Write(piece[:min(n, int64(len(piece)))])
		if n -= int64(k); err != nil {
			return
		}
	}
}

// Bomb is gzip that opens to n zero bytes.
func Bomb(n int64) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	io.Copy(z, io.LimitReader(zeros{}, n))
	z.Close()
	return b.Bytes()
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// ok is a whole answer of HTTP/1.1.
func ok(body string) string {
	return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
}

// padding is a field that is n bytes long.
func padding(n int) string { return "X-Padding: " + strings.Repeat("a", max(n-13, 0)) + "\r\n" }
