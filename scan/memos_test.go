package scan_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/scan"
)

// memosAPI describes an API that keeps notes of two people. It is as small as
// one can be that has something to read, to make, to change and to list.
const memosAPI = `openapi: 3.1.0
info: {title: Notes, version: "1"}
servers: [{url: /}]
security: [{bearer: []}]
paths:
  /v1/me:
    get:
      responses:
        '200': {description: who, content: {application/json: {schema: {type: object, properties: {id: {type: string}, email: {type: string}, password_hash: {type: string}, card_number: {type: string}}}}}}
        '401': {description: no}
  /v1/notes:
    get:
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 50}}
        - {name: sort, in: query, schema: {type: string, enum: [up, down]}}
      responses:
        '200': {description: notes, content: {application/json: {schema: {type: object, properties: {items: {type: array, items: {$ref: '#/components/schemas/Note'}}}}}}}
        '401': {description: no}
    post:
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/NoteNew'}}}}
      responses:
        '201': {description: made, content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}
        '400': {description: no}
  /v1/notes/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get:
      responses:
        '200': {description: a note, content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}
        '404': {description: no}
    put:
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/NoteNew'}}}}
      responses: {'200': {description: changed}, '400': {description: no}}
    patch:
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/NotePatch'}}}}
      responses: {'200': {description: changed}, '400': {description: no}}
    delete:
      responses: {'204': {description: gone}, '404': {description: no}}
  /v1/go:
    get:
      parameters: [{name: next, in: query, schema: {type: string}}]
      responses: {'200': {description: here}}
components:
  securitySchemes: {bearer: {type: http, scheme: bearer}}
  schemas:
    Note:
      type: object
      properties: {id: {type: integer}, owner: {type: string}, text: {}, colour: {}, stars: {}, state: {type: string, enum: [open, archived]}, views: {type: integer}}
    NoteNew:
      type: object
      required: [text, colour, stars]
      properties: {text: {type: string, maxLength: 60}, colour: {type: string, enum: [red, blue]}, stars: {type: integer, minimum: 1, maximum: 5}}
    NotePatch:
      type: object
      properties: {text: {type: string, maxLength: 60}, colour: {type: string, enum: [red, blue]}, stars: {type: integer, minimum: 1, maximum: 5}}
`

// memos is the API. It is sound, and behaves as its ways say.
type memos struct {
	sync.Mutex
	ways  []string
	all   map[int]map[string]any
	last  int
	reads int
}

func (n *memos) is(way string) bool { return slices.Contains(n.ways, way) }

func tellMemo(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("X-Frame-Options", "DENY")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	switch status {
	case 401:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case 405:
		w.Header().Set("Allow", "GET")
	}
	w.WriteHeader(status)
	if v != nil {
		json.NewEncoder(w).Encode(v)
	}
}

func refuseMemo(w http.ResponseWriter, status int) {
	tellMemo(w, status, map[string]any{"title": http.StatusText(status), "status": status})
}

func (n *memos) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.Lock()
	defer n.Unlock()
	who, ok := map[string]string{"Bearer token-of-anna-1": "anna", "Bearer token-of-bert-2": "bert"}[r.Header.Get("Authorization")]
	method := r.Method
	if m := r.Header.Get("X-HTTP-Method"); m != "" && method == "POST" && n.is("override") {
		method = m
	}
	path := r.URL.Path
	item, isItem := strings.CutPrefix(path, "/v1/notes/")
	id, _ := strconv.Atoi(item)
	switch {
	case n.is("debug") && path == "/v1/internal/notes":
		tellMemo(w, 200, n.all)
	case n.is("old") && path == "/v0/notes":
		tellMemo(w, 200, map[string]any{"items": []any{map[string]any{"id": 1}}})
	case path != "/v1/me" && path != "/v1/notes" && path != "/v1/go" && (!isItem || id == 0):
		if n.is("catches all") && !isItem {
			tellMemo(w, 200, map[string]any{"welcome": "here"})
			return
		}
		refuseMemo(w, 404)
	case !ok:
		refuseMemo(w, 401)
	case path == "/v1/me" && method == "GET":
		me := map[string]any{"id": who, "email": who + "@example.com"}
		if n.is("hash") {
			me["password_hash"] = "$2b$12$abcdefghijklmnopqrstuuO9i7TPgBcOzDAKO1zFeSw/8jtbVxjOe"
		}
		if n.is("card") {
			me["card_number"] = "4111 1111 1111 1111"
		}
		if n.is("masked") {
			me["password_hash"], me["card_number"] = "********", "XXXX XXXX XXXX 1111"
		}
		tellMemo(w, 200, me)
	case path == "/v1/go" && method == "GET":
		if next := r.URL.Query().Get("next"); next != "" && n.is("redirects") {
			w.Header().Set("Location", next)
			tellMemo(w, 302, nil)
			return
		}
		tellMemo(w, 200, map[string]any{"here": true})
	case path == "/v1/notes" && method == "GET":
		n.list(w, r, who)
	case path == "/v1/notes" && method == "POST":
		n.write(w, r, who, map[string]any{})
	case isItem && (n.all[id] == nil || n.all[id]["owner"] != who):
		refuseMemo(w, 404)
	case isItem && method == "GET":
		if n.is("counts views") {
			n.all[id]["views"] = n.all[id]["views"].(int) + 1
		}
		if n.reads++; n.is("changes by itself") && n.reads%4 == 0 {
			n.all[id]["state"] = map[any]any{"open": "archived", "archived": "open"}[n.all[id]["state"]]
		}
		if r.URL.Query().Get("action") == "archive" && n.is("get changes") {
			n.all[id]["state"] = "archived"
		}
		tellMemo(w, 200, n.all[id])
	case isItem && method == "PUT":
		if n.is("put merges") {
			n.write(w, r, who, n.all[id])
			return
		}
		n.write(w, r, who, map[string]any{"id": id})
	case isItem && method == "PATCH":
		n.write(w, r, who, n.all[id])
	case isItem && method == "DELETE":
		delete(n.all, id)
		w.WriteHeader(204)
	case n.is("says 404 to methods"):
		refuseMemo(w, 404)
	case n.is("hides a method") && path == "/v1/me" && method == "PATCH":
		refuseMemo(w, 400)
	default:
		refuseMemo(w, 405)
	}
}

func (n *memos) list(w http.ResponseWriter, r *http.Request, who string) {
	limit, most := 20, 50
	text := r.URL.Query().Get("limit")
	if text != "" {
		v, err := strconv.Atoi(text)
		switch {
		case err != nil:
			refuseMemo(w, 400)
			return
		case n.is("clamps"):
			v = max(1, min(v, most))
		case n.is("no maximum") && v >= 1:
		case n.is("no minimum") && v <= most:
		case v < 1 || v > most:
			refuseMemo(w, 400)
			return
		}
		limit = v
	}
	if s := r.URL.Query().Get("sort"); s != "" && s != "up" && s != "down" && !n.is("any order") {
		refuseMemo(w, 400)
		return
	}
	items := []any{}
	for id := range n.last + 1 {
		if v := n.all[id]; v != nil && v["owner"] == who && (limit < 0 || len(items) < limit) {
			items = append(items, v)
		}
	}
	tellMemo(w, 200, map[string]any{"items": items})
}

// write makes or changes a note.
func (n *memos) write(w http.ResponseWriter, r *http.Request, who string, was map[string]any) {
	body, err := io.ReadAll(r.Body)
	var in map[string]any
	if err != nil || json.Unmarshal(body, &in) != nil || in == nil {
		refuseMemo(w, 400)
		return
	}
	if mt := r.Header.Get("Content-Type"); mt != "application/json" && !n.is("any type") {
		refuseMemo(w, 415)
		return
	}
	if strings.Count(string(body), `"text":`) > 1 && !n.is("twice") || len(body) > 1<<20 && !n.is("huge") {
		refuseMemo(w, 400)
		return
	}
	now := map[string]any{"id": was["id"], "owner": who, "state": "open", "views": 0}
	for _, name := range []string{"text", "colour", "stars"} {
		v, there := in[name]
		text, isText := v.(string)
		number, isNumber := v.(float64)
		var good bool
		switch name {
		case "text":
			good = isText && (len(text) <= 60 || n.is("long texts"))
		case "colour":
			good = text == "red" || text == "blue" || isText && n.is("any word")
		case "stars":
			good = isNumber && (number >= 1 && number <= 5 || n.is("any number"))
		}
		switch {
		case there && !good && n.is("ignores"):
			now[name] = was[name]
		case there && !good:
			refuseMemo(w, 400)
			return
		case there:
			now[name] = v
		case r.Method == "PATCH" && !n.is("patch replaces"), r.Method == "PUT" && n.is("put merges"):
			now[name] = was[name]
		case r.Method == "PATCH":
			now[name] = nil
		default:
			refuseMemo(w, 400)
			return
		}
	}
	status := 200
	if now["id"] == nil {
		n.last++
		now["id"] = n.last
		status = 201
		w.Header().Set("Location", fmt.Sprint("/v1/notes/", n.last))
	}
	n.all[now["id"].(int)] = now
	if n.is("echoes") {
		for k, v := range in {
			now[k] = v
		}
	}
	tellMemo(w, status, now)
}

// scanMemos scans the API of notes with some ways.
func scanMemos(t *testing.T, ways ...string) *scan.Result {
	t.Helper()
	n := &memos{ways: ways, all: map[int]map[string]any{}}
	if n.is("many") {
		for range 60 {
			n.last++
			n.all[n.last] = map[string]any{"id": n.last, "owner": "anna", "text": "old", "colour": "red", "stars": 3, "state": "open", "views": 0}
		}
	}
	server := httptest.NewServer(n)
	t.Cleanup(server.Close)
	o := optionsFor(t, server.URL, []byte(memosAPI))
	for _, name := range []string{"anna", "bert"} {
		token := map[string]string{"anna": "token-of-anna-1", "bert": "token-of-bert-2"}[name]
		o.People = append(o.People, &identity.Person{Name: name, Auth: identity.NewBearer(identity.Secret(token))})
	}
	return scanWith(t, o)
}
