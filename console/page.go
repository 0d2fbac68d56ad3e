package console

import (
	"bytes"
	"compress/gzip"
	"embed"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

//go:embed dist
var dist embed.FS

// An asset is one file of the web client, ready to send.
type asset struct {
	kind         string
	plain, small []byte
}

// assets are all files that there are, by path. There is no file server: a
// path that is not in this table does not exist. They are compressed when a
// console is asked for the first time: most commands have none.
var assets = sync.OnceValue(func() map[string]asset {
	kinds := map[string]string{
		"index.html":   "text/html; charset=utf-8",
		"app.js":       "text/javascript; charset=utf-8",
		"app.css":      "text/css; charset=utf-8",
		"icon.svg":     "image/svg+xml",
		"licenses.txt": "text/plain; charset=utf-8",
	}
	m := map[string]asset{}
	for name, kind := range kinds {
		b, err := dist.ReadFile("dist/" + name)
		if err != nil {
			continue // TestAssets names what is missing
		}
		var z bytes.Buffer
		g, _ := gzip.NewWriterLevel(&z, gzip.BestCompression)
		g.Write(b)
		g.Close()
		m["/"+name] = asset{kind, b, z.Bytes()}
	}
	return m
})

// page answers for the web client itself and for the start address.
func (c *Console) page(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		problem(w, http.StatusMethodNotAllowed, "this address can only be read")
		return
	}
	path := r.URL.Path
	if path == "/" || path == "/index.html" {
		if path == "/" && strings.Contains(r.URL.RawQuery, "token") {
			c.enter(w, r)
			return
		}
		if !c.doors.known(r) {
			door(w, http.StatusUnauthorized, "This console wants its one-time address.",
				"Open the address that the program printed when it started: it works once, for one browser. "+
					"When it has been used, type the line below where the program was started; it shows the newest store of .parley and prints a new address.", "")
			return
		}
		path = "/index.html"
	}
	a := assets()[path]
	w.Header().Set("Content-Type", a.kind)
	b := a.plain
	w.Header().Add("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		b = a.small
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	if r.Method != http.MethodHead {
		w.Write(b)
	}
}

// enter exchanges the token for a session. It is the one GET that changes
// something, so it refuses what fetches without a person: HEAD and prefetch.
func (c *Console) enter(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET")
		problem(w, http.StatusMethodNotAllowed, "the start address can only be opened")
		return
	}
	if r.Header.Get("Sec-Purpose") != "" || r.Header.Get("Purpose") != "" {
		problem(w, http.StatusServiceUnavailable, "the start address is not for prefetching")
		return
	}
	q := r.URL.Query()
	if len(q["token"]) != 1 || len(q) != 1 {
		door(w, http.StatusBadRequest, "This address is not whole.", "It must hold the token once and nothing else. Copy it again from where the program printed it.", "")
		return
	}
	s, ok := c.doors.open(q.Get("token"))
	if !ok {
		if c.doors.known(r) { // the person went back, or opened the link twice
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		door(w, http.StatusForbidden, "This address has been used, or is from an earlier run.",
			"Each start address opens the console once. Type the line below where the program was started, and open the address that it prints.", "")
		return
	}
	http.SetCookie(w, cookie(r, s))
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		// A link on somebody's page: a SameSite=Strict cookie does not go
		// along with a redirect from there, but does with our own page's.
		door(w, http.StatusOK, "Opening the console …", "", "/")
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

var doorPage = template.Must(template.New("door").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">{{if .Next}}<meta http-equiv="refresh" content="0;url={{.Next}}">{{end}}
<title>Parley</title><link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/app.css"></head>
<body class="door"><main><img src="/icon.svg" alt="" width="34" height="34"><h1>{{.Title}}</h1><p>{{.Text}}</p>{{if .Type}}<pre class="type-this">{{.Type}}</pre>{{end}}</main></body></html>
`))

// door is the page before the console: fixed text, no script.
func door(w http.ResponseWriter, status int, title, text, next string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	line := ""
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		line = "parley console"
	}
	doorPage.Execute(w, struct{ Title, Text, Type, Next string }{title, text, line, next})
}
