package scan_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/parley-project/parley/identity"
)

// sound is an API of notes that is sound in an unusual way.
type sound struct {
	sync.Mutex
	way   string
	notes map[string]map[string]any
	gone  map[string]bool
	last  int
	n     int
}

func (n *sound) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.Lock()
	defer n.Unlock()
	n.n++
	who := map[string]string{"Bearer token-of-anna-1": "anna", "Bearer token-of-bert-2": "bert"}[r.Header.Get("Authorization")]
	path := r.URL.EscapedPath()
	id, isItem := strings.CutPrefix(path, "/v1/notes/")
	note := n.notes[id]
	var in map[string]any
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
	bad := dec.Decode(&in) != nil || dec.More()
	text, isText := in["text"].(string)
	mine := note != nil && note["owner"] == who
	valid := func() bool {
		stars, _ := in["stars"].(float64)
		return !bad && (in["text"] == nil || isText && len(text) <= 60) && (in["colour"] == nil || in["colour"] == "red" || in["colour"] == "blue") && (in["stars"] == nil || stars >= 1 && stars <= 5 && stars == float64(int(stars)))
	}
	set := func(note map[string]any) {
		for k, v := range in {
			if k == "text" || k == "colour" || k == "stars" || n.way == "keeps all" && note[k] == nil {
				note[k] = v
			}
		}
		if t, ok := note["text"].(string); ok && n.way == "capitals" {
			note["text"] = strings.ToUpper(t)
		}
		if n.way == "last writer" {
			note["state"] = "open"
		}
	}
	switch {
	case n.way == "busy now and then" && n.n%13 == 0:
		w.Header().Set("Retry-After", "1")
		refuseMemo(w, 503)
	case n.way == "limits" && n.n%40 > 34:
		w.Header().Set("Retry-After", "1")
		refuseMemo(w, 429)
	case path != "/v1/me" && path != "/v1/notes" && path != "/v1/go" && !isItem:
		if n.way == "one page" && r.Method == "GET" {
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Content-Security-Policy", "default-src 'none'")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("X-Frame-Options", "DENY")
			w.Header().Set("Cache-Control", "no-store")
			fmt.Fprint(w, "<!doctype html><title>app</title>")
			return
		}
		refuseMemo(w, 404)
	case who == "":
		refuseMemo(w, 401)
	case path == "/v1/me" && r.Method == "GET":
		tellMemo(w, 200, map[string]any{"id": who, "email": who + "@example.com"})
	case path == "/v1/go" && r.Method == "GET":
		tellMemo(w, 200, map[string]any{"here": true})
	case path == "/v1/notes" && r.Method == "GET":
		if l := r.URL.Query().Get("limit"); l != "" && (len(l) > 2 || strings.Trim(l, "0123456789") != "" || l == "0" || l == "00" || len(l) == 2 && l > "50") {
			refuseMemo(w, 400)
			return
		}
		if s := r.URL.Query().Get("sort"); s != "" && s != "up" && s != "down" {
			refuseMemo(w, 400)
			return
		}
		items := []any{}
		for i := range n.last + 1 {
			if v := n.notes[fmt.Sprint(i)]; v != nil && !n.gone[fmt.Sprint(i)] && v["owner"] == who {
				items = append(items, v)
			}
		}
		tellMemo(w, 200, map[string]any{"items": items})
	case (r.Method == "POST" && path == "/v1/notes" || isItem && (r.Method == "PUT" || r.Method == "PATCH")) && r.Header.Get("Content-Type") != "application/json":
		refuseMemo(w, 415)
	case path == "/v1/notes" && r.Method == "POST":
		if !valid() || in["text"] == nil || in["colour"] == nil || in["stars"] == nil {
			refuseMemo(w, 400)
			return
		}
		n.last++
		id := fmt.Sprint(n.last)
		n.notes[id] = map[string]any{"id": n.last, "owner": who}
		set(n.notes[id])
		w.Header().Set("Location", "/v1/notes/"+id)
		tellMemo(w, 201, n.notes[id])
	case isItem && r.Method == "DELETE" && n.way == "always gone": // whoever asks is told that it is not there any more
		if mine {
			delete(n.notes, id)
		}
		w.WriteHeader(204)
	case isItem && !mine && n.way == "says nothing of others" && (r.Method == "PATCH" || r.Method == "PUT"):
		tellMemo(w, 202, nil)
	case isItem && (!mine || n.gone[id] && n.way != "keeps what is gone"):
		if n.way == "an empty answer" && r.Method == "GET" {
			tellMemo(w, 200, map[string]any{})
			return
		}
		refuseMemo(w, 404)
	case isItem && r.Method == "GET":
		tellMemo(w, 200, note)
	case isItem && r.Method == "DELETE":
		if n.way == "keeps what is gone" {
			note["state"] = "archived"
			n.gone[id] = true
		} else {
			delete(n.notes, id)
		}
		w.WriteHeader(204)
	case isItem && (r.Method == "PUT" || r.Method == "PATCH"):
		if !valid() || r.Method == "PUT" && (in["text"] == nil || in["colour"] == nil || in["stars"] == nil) {
			refuseMemo(w, 400)
			return
		}
		set(note)
		tellMemo(w, 200, note)
	default:
		w.Header().Set("Allow", "GET")
		refuseMemo(w, 405)
	}
}

// TestSoundWays scans APIs that are sound in an unusual way: nothing is
// confirmed that is not in the plainest of them.
func TestSoundWays(t *testing.T) {
	for _, way := range []string{"", "keeps all", "capitals", "busy now and then", "limits", "one page", "always gone", "says nothing of others", "keeps what is gone", "an empty answer", "last writer"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			n := &sound{way: way, notes: map[string]map[string]any{}, gone: map[string]bool{}}
			server := httptest.NewServer(n)
			t.Cleanup(server.Close)
			o := optionsFor(t, server.URL, []byte(memosAPI))
			for _, name := range []string{"anna-1", "bert-2"} {
				o.People = append(o.People, &identity.Person{Name: name[:4], Auth: identity.NewBearer(identity.Secret("token-of-" + name))})
			}
			r := scanWith(t, o)
			found := slices.DeleteFunc(confirmed(r), func(id string) bool {
				return strings.HasPrefix(id, "response-csp") || strings.HasPrefix(id, "response-frame") || strings.HasPrefix(id, "response-nosniff") || strings.HasPrefix(id, "response-cache") || id == "response-schema" || id == "response-excessive-data" || id == "request-duplicate-member" || id == "status-undeclared"
			})
			if len(found) > 0 {
				t.Errorf("%v%s", found, tell(r))
			}
		})
	}
}
