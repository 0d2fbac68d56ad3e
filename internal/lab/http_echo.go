package lab

import (
	"compress/gzip"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Bounds of what a client may ask for.
const (
	maxEchoed = 4 << 20
	maxDelay  = 10 * time.Second
	maxLines  = 100
)

// Echo answers with what it was asked, as JSON: args, headers, data, form,
// json, files, url, method. User and password of /basic-auth and /digest-auth
// are "postman" and "password".
func Echo() http.Handler {
	m := http.NewServeMux()
	for _, path := range []string{"/", "/get", "/post", "/put", "/patch", "/delete", "/anything"} {
		m.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { echo(w, r, nil) })
	}
	m.HandleFunc("/headers", func(w http.ResponseWriter, r *http.Request) { reply(w, 200, map[string]any{"headers": headersOf(r)}) })
	m.HandleFunc("/status/{code}", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.PathValue("code"))
		if err != nil || n < 200 || n > 599 {
			n = 400
		}
		if n == 204 || n == 304 {
			w.WriteHeader(n)
			return
		}
		reply(w, n, map[string]any{"status": n})
	})
	m.HandleFunc("/cookies", func(w http.ResponseWriter, r *http.Request) { reply(w, 200, map[string]any{"cookies": cookiesOf(r)}) })
	m.HandleFunc("/cookies/set", func(w http.ResponseWriter, r *http.Request) {
		for name, vs := range r.URL.Query() {
			http.SetCookie(w, &http.Cookie{Name: name, Value: vs[0], Path: "/"})
		}
		w.Header().Set("Location", "/cookies")
		w.WriteHeader(http.StatusFound)
	})
	m.HandleFunc("/cookies/delete", func(w http.ResponseWriter, r *http.Request) {
		for name := range r.URL.Query() {
			http.SetCookie(w, &http.Cookie{Name: name, Path: "/", MaxAge: -1})
		}
		w.Header().Set("Location", "/cookies")
		w.WriteHeader(http.StatusFound)
	})
	m.HandleFunc("/redirect-to", func(w http.ResponseWriter, r *http.Request) {
		status, err := strconv.Atoi(r.URL.Query().Get("status"))
		if err != nil || status < 300 || status > 399 {
			status = http.StatusFound
		}
		w.Header().Set("Location", r.URL.Query().Get("url"))
		w.WriteHeader(status)
	})
	m.HandleFunc("/basic-auth", func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "postman" || password != "password" {
			w.Header().Set("WWW-Authenticate", `Basic realm="lab"`)
			reply(w, 401, map[string]any{"authenticated": false})
			return
		}
		reply(w, 200, map[string]any{"authenticated": true})
	})
	m.HandleFunc("/digest-auth", digest)
	echoMore(m)
	m.HandleFunc("/delay/{seconds}", func(w http.ResponseWriter, r *http.Request) {
		s, err := strconv.ParseFloat(r.PathValue("seconds"), 64)
		if err != nil || s < 0 {
			s = 0
		}
		wait(r.Context(), min(time.Duration(s*float64(time.Second)), maxDelay))
		echo(w, r, map[string]any{"delay": r.PathValue("seconds")})
	})
	m.HandleFunc("/gzip", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		json.NewEncoder(z).Encode(map[string]any{"gzipped": true, "headers": headersOf(r), "method": r.Method})
	})
	m.HandleFunc("/stream/{n}", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.PathValue("n"))
		if err != nil || n < 0 || n > maxLines {
			n = maxLines
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		for i := range n {
			json.NewEncoder(w).Encode(map[string]any{"id": i, "url": urlOf(r)})
			http.NewResponseController(w).Flush()
		}
	})
	return m
}

// echo answers with the request, and with more beside it.
func echo(w http.ResponseWriter, r *http.Request, more map[string]any) {
	out := map[string]any{"args": valuesOf(r.URL.Query()), "headers": headersOf(r), "url": urlOf(r), "method": r.Method}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		if !readBody(w, r, out) {
			return
		}
	}
	for k, v := range more {
		out[k] = v
	}
	reply(w, 200, out)
}

// readBody puts a request's body into out, in all the forms that it can have.
func readBody(w http.ResponseWriter, r *http.Request, out map[string]any) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxEchoed)
	form, files := map[string]any{}, map[string]any{}
	out["data"], out["json"] = map[string]any{}, nil
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case kind == "multipart/form-data":
		if err := r.ParseMultipartForm(maxEchoed); err != nil {
			reply(w, 400, map[string]any{"error": "multipart"})
			return false
		}
		form = valuesOf(r.MultipartForm.Value)
		for _, fs := range r.MultipartForm.File {
			for _, f := range fs {
				if in, err := f.Open(); err == nil {
					data, _ := io.ReadAll(in)
					in.Close()
					files[f.Filename] = "data:application/octet-stream;base64," + b64(data)
				}
			}
		}
	default:
		data, err := io.ReadAll(r.Body)
		if err != nil {
			reply(w, 413, map[string]any{"error": "too large"})
			return false
		}
		if kind == "application/x-www-form-urlencoded" {
			form = formOf(string(data))
			out["json"] = form
			out["data"] = ""
			break
		}
		if len(data) > 0 {
			out["data"] = string(data)
		}
		var v any
		if (kind == "application/json" || strings.HasSuffix(kind, "+json")) && json.Unmarshal(data, &v) == nil {
			out["json"], out["data"] = v, v
		}
	}
	out["form"], out["files"] = form, files
	return true
}

func reply(w http.ResponseWriter, status int, v map[string]any) {
	b, err := json.Marshal(v)
	if err != nil {
		b, status = []byte(`{"error":"unspeakable"}`), 500
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	w.Write(b)
}

func headersOf(r *http.Request) map[string]string {
	out := map[string]string{"host": r.Host, "x-forwarded-proto": schemeOf(r)}
	for name, vs := range r.Header {
		out[strings.ToLower(name)] = strings.Join(vs, ", ")
	}
	if r.ContentLength > 0 {
		out["content-length"] = strconv.FormatInt(r.ContentLength, 10)
	}
	return out
}

func cookiesOf(r *http.Request) map[string]string {
	out := map[string]string{}
	for _, c := range r.Cookies() {
		out[c.Name] = c.Value
	}
	return out
}

// valuesOf has a text for a name that came once and a list for others.
func valuesOf(vs map[string][]string) map[string]any {
	out := map[string]any{}
	for name, v := range vs {
		if len(v) == 1 {
			out[name] = v[0]
		} else {
			out[name] = v
		}
	}
	return out
}

func schemeOf(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

func urlOf(r *http.Request) string { return schemeOf(r) + "://" + r.Host + r.URL.RequestURI() }

// digest asks for the Digest scheme (RFC 7616) by MD5, or by SHA-256 with
// ?algorithm=SHA-256. The nonce does not change: this is no place for secrets.
func digest(w http.ResponseWriter, r *http.Request) {
	const realm, nonce, user, password = "lab", "bm9uY2Utb2YtdGhlLWxhYg", "postman", "password"
	algorithm, sum := "MD5", func(s string) string { return sumOf(md5.New(), s) }
	if r.URL.Query().Get("algorithm") == "SHA-256" {
		algorithm, sum = "SHA-256", func(s string) string { return sumOf(sha256.New(), s) }
	}
	p := paramsOf(strings.TrimPrefix(r.Header.Get("Authorization"), "Digest "))
	want := sum(strings.Join([]string{sum(user + ":" + realm + ":" + password), nonce, p["nc"], p["cnonce"], p["qop"],
		sum(r.Method + ":" + r.URL.RequestURI())}, ":"))
	if p["username"] != user || p["response"] != want || p["nonce"] != nonce || p["uri"] != r.URL.RequestURI() || p["qop"] != "auth" {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Digest realm=%q, nonce=%q, qop="auth", algorithm=%s`, realm, nonce, algorithm))
		reply(w, 401, map[string]any{"authenticated": false})
		return
	}
	reply(w, 200, map[string]any{"authenticated": true})
}

func sumOf(h hash.Hash, s string) string {
	io.WriteString(h, s)
	return hex.EncodeToString(h.Sum(nil))
}
