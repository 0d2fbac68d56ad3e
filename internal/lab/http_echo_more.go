package lab

import (
	"compress/zlib"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// maxHops is how far a chain of redirects may be asked to be.
const maxHops = 50

// echoMore are the answers of Echo that show one thing each.
func echoMore(m *http.ServeMux) {
	m.HandleFunc("/response-headers", func(w http.ResponseWriter, r *http.Request) {
		for name, vs := range r.URL.Query() {
			for _, v := range vs {
				w.Header().Add(name, v)
			}
		}
		reply(w, 200, valuesOf(r.URL.Query()))
	})
	m.HandleFunc("/deflate", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Content-Encoding", "deflate")
		z := zlib.NewWriter(w)
		defer z.Close()
		json.NewEncoder(z).Encode(map[string]any{"deflated": true, "headers": headersOf(r), "method": r.Method})
	})
	m.HandleFunc("/encoding/utf8", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, "<!doctype html><p>Ünïcödé: ∮ E⋅da = Q, здравствуйте, 你好, 🙂</p>")
	})
	m.HandleFunc("/type/html", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, "<!doctype html><title>lab</title><h1>It answers</h1>")
	})
	m.HandleFunc("/type/xml", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/xml; charset=utf-8")
		io.WriteString(w, `<?xml version="1.0" encoding="utf-8"?><food><name>Waffles</name><price>5.95</price></food>`)
	})
	m.HandleFunc("/ip", func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		reply(w, 200, map[string]any{"ip": host})
	})
	m.HandleFunc("/time/now", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, time.Now().UTC().Format(http.TimeFormat))
	})
	m.HandleFunc("/bearer-auth", func(w http.ResponseWriter, r *http.Request) {
		if token := r.Header.Get("Authorization"); len(token) <= len("Bearer ") || token[:7] != "Bearer " {
			w.Header().Set("WWW-Authenticate", `Bearer realm="lab"`)
			reply(w, 401, map[string]any{"authenticated": false})
			return
		}
		reply(w, 200, map[string]any{"authenticated": true})
	})
	for _, path := range []string{"/redirect/", "/relative-redirect/", "/absolute-redirect/"} {
		m.HandleFunc(path+"{n}", func(w http.ResponseWriter, r *http.Request) {
			n, err := strconv.Atoi(r.PathValue("n"))
			if err != nil || n > maxHops {
				n = maxHops
			}
			to := "/get"
			if n > 1 {
				to = path + strconv.Itoa(n-1)
			}
			if path == "/absolute-redirect/" {
				to = schemeOf(r) + "://" + r.Host + to
			}
			moved(w, http.StatusFound, to)
		})
	}
}
