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

// strange is an API of notes that is sound, and names what it made in a way of
// its own. Notes 1 to 9 of anna were there before; the list shows two of them.
type strange struct {
	sync.Mutex
	way   string
	notes map[string]map[string]any
	last  int
	wrong []string // what was asked that would change what was there before
	jobs  int
}

func (n *strange) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.Lock()
	defer n.Unlock()
	who := map[string]string{"Bearer token-of-anna-1": "anna", "Bearer token-of-bert-2": "bert"}[r.Header.Get("Authorization")]
	path := r.URL.EscapedPath()
	id, isItem := strings.CutPrefix(path, "/v1/notes/")
	note := n.notes[id]
	var in map[string]any
	json.NewDecoder(r.Body).Decode(&in)
	switch {
	case r.Method != "GET" && strings.Contains(r.URL.Path, ".."), r.Method != "GET" && len(id) == 1 && id >= "1" && id <= "9":
		n.wrong = append(n.wrong, r.Method+" "+path)
		refuseMemo(w, 404)
	case who == "":
		refuseMemo(w, 401)
	case path == "/v1/logout" && who != "":
		n.wrong = append(n.wrong, fmt.Sprint(r.Method, " ", path, " ", r.Header))
		tellMemo(w, 200, map[string]any{"out": true})
	case path == "/v1/me" && r.Method == "PUT" || path == "/v1/me" && (r.Method == "DELETE" || r.Method == "POST"):
		n.wrong = append(n.wrong, r.Method+" what "+who+" has")
		tellMemo(w, 200, map[string]any{"id": who})
	case path == "/v1/me":
		tellMemo(w, 200, map[string]any{"id": who, "email": who + "@example.com"})
	case path == "/v1/notes" && r.Method == "GET":
		items := []any{}
		for i := range n.last + 1 {
			if v := n.notes[fmt.Sprint(i)]; v != nil && v["owner"] == who && (i <= 2 || i > 9) {
				items = append(items, v)
			}
		}
		tellMemo(w, 200, map[string]any{"items": items})
	case path == "/v1/notes" && r.Method == "POST":
		text, _ := in["text"].(string)
		if text == "" || in["colour"] == nil {
			refuseMemo(w, 400)
			return
		}
		switch n.way {
		case "has it already": // what is listed is answered, and nothing is made
			tellMemo(w, 200, n.notes["1"])
			return
		case "201 of what is there, unlisted":
			tellMemo(w, 201, n.notes["7"])
			return
		case "has it already, unlisted":
			tellMemo(w, 200, n.notes["7"])
			return
		}
		n.last++
		id := fmt.Sprint(n.last)
		if other, ok := in["owner_id"].(string); ok && n.way == "for another" {
			who = other
		}
		n.notes[id] = map[string]any{"id": n.last, "owner": who, "text": text, "colour": in["colour"], "stars": in["stars"]}
		switch n.way {
		case "a job": // it is told where to ask how far it is
			n.jobs++
			w.Header().Set("Location", fmt.Sprint("/v1/jobs/", n.jobs%9+1))
			tellMemo(w, 202, map[string]any{"state": "queued"})
		case "a job's number":
			n.jobs++
			tellMemo(w, 202, map[string]any{"id": n.jobs%9 + 1, "state": "queued"})
		case "dots":
			w.Header().Set("Location", "/v1/notes/%2e%2e")
			tellMemo(w, 201, map[string]any{"state": "made"})
		case "dots in the body":
			tellMemo(w, 201, map[string]any{"id": "..", "state": "made"})
		case "a path in the body":
			tellMemo(w, 201, map[string]any{"id": "../admin", "state": "made"})
		default:
			w.Header().Set("Location", "/v1/notes/"+id)
			tellMemo(w, 201, n.notes[id])
		}
	case isItem && (note == nil || note["owner"] != who):
		refuseMemo(w, 404)
	case isItem && r.Method == "GET":
		tellMemo(w, 200, note)
	case isItem && r.Method == "DELETE":
		delete(n.notes, id)
		w.WriteHeader(204)
	case isItem && (r.Method == "PUT" || r.Method == "PATCH"):
		for k, v := range in {
			if k == "text" || k == "colour" || k == "stars" {
				note[k] = v
			}
		}
		tellMemo(w, 200, note)
	case path == "/v1/notes" || path == "/v1/me" || isItem:
		refuseMemo(w, 405)
	default:
		refuseMemo(w, 404)
	}
}

// TestStrangeNames holds that whatever an API says that a new thing is called,
// nothing is asked to change that was there before.
func TestStrangeNames(t *testing.T) {
	for _, way := range []string{"", "has it already", "has it already, unlisted", "a job", "a job's number", "dots", "dots in the body", "a path in the body", "for another", "201 of what is there, unlisted"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			n := &strange{way: way, notes: map[string]map[string]any{}}
			for range 9 {
				n.last++
				n.notes[fmt.Sprint(n.last)] = map[string]any{"id": n.last, "owner": "anna", "text": "old", "colour": "red", "stars": 3}
			}
			server := httptest.NewServer(n)
			t.Cleanup(server.Close)
			api := strings.Replace(memosAPI, "paths:\n", "paths:\n  /v1/logout: {get: {responses: {'200': {description: out}}}}\n", 1)
			if way == "for another" {
				api = strings.Replace(api, "{text: {type: string, maxLength: 60}", "{owner_id: {type: string}, text: {type: string, maxLength: 60}", 1)
			}
			o := optionsFor(t, server.URL, []byte(api))
			for _, name := range []string{"anna-1", "bert-2"} {
				o.People = append(o.People, &identity.Person{Name: name[:4], Auth: identity.NewBearer(identity.Secret("token-of-" + name))})
			}
			r := scanWith(t, o)
			n.Lock()
			defer n.Unlock()
			if len(n.wrong) > 0 {
				t.Errorf("asked: %v%s", slices.Compact(n.wrong), tell(r))
			}
			if left := len(n.notes) - 9; (way == "" || way == "for another") && left > 0 {
				t.Errorf("%d notes are left: %v%s", left, n.notes, tell(r))
			} else if left > 0 && len(r.Left)+len(r.Notes) == 0 {
				t.Errorf("%d notes are left, and nobody is told", left)
			}
		})
	}
}
