package scan_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-project/parley/scan"
)

// A notesAPI is a small API whose mistakes the examples do not make: each is a
// word, and with none it is sound. People register, log in with a token, a
// cookie or both, and keep notes.
type notesAPI struct {
	flaws map[string]bool
	mu    sync.Mutex
	users map[string]*notesUser // by e-mail
	notes []*note
	locks map[string]int
}

type notesUser struct {
	ID                    int
	Email, password, seen string
	session               string
}

type note struct {
	ID    int    `json:"id"`
	Owner int    `json:"owner_id"`
	Text  string `json:"text"`
}

const notesOpenAPI = `
openapi: 3.1.0
info: {title: Notes, version: 1.0.0}
security: [{bearer: []}, {session: []}]
paths:
  /signup:
    post:
      security: []
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Credentials'}}}}
      responses: {'201': {description: made, content: {application/json: {schema: {type: object, properties: {id: {type: integer}, email: {type: string}}}}}}}
  /login:
    post:
      security: []
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Credentials'}}}}
      responses: {'200': {description: in, content: {application/json: {schema: {type: object, properties: {token: {type: string}}}}}}, '401': {description: wrong}}
  /me:
    get:
      summary: The caller's own data
      responses: {'200': {description: me, content: {application/json: {schema: {type: object, properties: {id: {type: integer}, email: {type: string}}}}}}, '401': {description: nobody}}
  /notes:
    get:
      parameters: [{name: author, in: query, schema: {type: string}, example: somebody}]
      responses: {'200': {description: all, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Note'}}}}}}
    post:
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/New'}}}}
      responses: {'201': {description: made, content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}}
  /notes/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get:
      responses: {'200': {description: one, content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}}
    patch:
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/New'}}}}
      responses: {'200': {description: one, content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}}
    delete:
      responses: {'204': {description: gone}}
  /health:
    get:
      responses: {'200': {description: up, content: {application/json: {schema: {type: object, properties: {up: {type: boolean}, since: {type: string}}}}}}}
  /places/{name}:
    parameters: [{name: name, in: path, required: true, schema: {type: string}, example: delhi}]
    get:
      security: []
      responses: {'200': {description: one, content: {application/json: {schema: {type: object}}}}, '404': {description: none}}
  /places:
    get:
      security: []
      parameters: [{name: q, in: query, schema: {type: string}, example: nowhere}]
      responses: {'200': {description: some, content: {application/json: {schema: {type: array, items: {type: object, properties: {name: {type: string}}}}}}}}
components:
  securitySchemes:
    bearer: {type: http, scheme: bearer}
    session: {type: apiKey, in: cookie, name: sid}
  schemas:
    Credentials: {type: object, required: [email, password], properties: {email: {type: string, format: email}, password: {type: string, minLength: 8}}}
    New: {type: object, required: [text], properties: {text: {type: string, minLength: 1, maxLength: 500}}}
    Note: {type: object, properties: {id: {type: integer}, owner_id: {type: integer}, text: {type: string}}}
`

// notesOptions opens the API and scans it as two that it lets register.
func notesOptions(t testing.TB, flaws ...string) scan.Options {
	t.Helper()
	n := &notesAPI{flaws: map[string]bool{}, users: map[string]*notesUser{}, locks: map[string]int{}}
	for _, f := range flaws {
		n.flaws[f] = true
	}
	server := httptest.NewServer(n)
	t.Cleanup(server.Close)
	return optionsFor(t, server.URL, []byte(notesOpenAPI))
}

func (n *notesAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	o := r.Header.Get("Origin")
	if o != "" && (n.flaws["null"] && o == "null" || n.flaws["longer names"] && strings.HasPrefix(o, "https://127.0.0.1") ||
		n.flaws["names before"] && strings.HasSuffix(o, "127.0.0.1") || n.flaws["reflects"]) {
		w.Header().Set("Access-Control-Allow-Origin", o)
		w.Header().Set("Access-Control-Allow-Credentials", "true")
	}
	switch key := r.Method + " " + parts[0]; {
	case key == "POST signup":
		n.signUp(w, r)
	case key == "POST login":
		n.logIn(w, r)
	case key == "GET health" && n.flaws["open health"]: // which the description forgot
		answer(w, 200, map[string]any{"up": true, "since": "yesterday", "now": rand.Text()})
	case key == "GET places":
		n.places(w, r, parts[1:])
	case parts[0] == "me" || parts[0] == "notes":
		u, byCookie := n.who(r)
		unsafe := r.Method != "GET"
		switch {
		case u == nil && !(n.flaws["nobody writes"] && r.Method == "PATCH") && !(n.flaws["nobody deletes"] && r.Method == "DELETE"):
			answer(w, 401, "who are you?")
		case byCookie && unsafe && r.Header.Get("Origin") != "http://"+r.Host && !n.flaws["any page"] && !n.flaws["any form"]:
			answer(w, 403, "another site")
		case unsafe && r.Method != "DELETE" && !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") && !n.flaws["any form"]:
			answer(w, 415, "JSON, please")
		case parts[0] == "me":
			answer(w, 200, map[string]any{"id": u.ID, "email": u.Email})
		default:
			n.note(w, r, u, parts[1:])
		}
	default:
		answer(w, 404, "nothing here")
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	if s, ok := v.(string); ok {
		v = map[string]string{"error": s}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if status != 204 {
		json.NewEncoder(w).Encode(v)
	}
}

func (n *notesAPI) read(r *http.Request) map[string]any {
	var in map[string]any
	json.NewDecoder(r.Body).Decode(&in)
	return in
}

func (n *notesAPI) signUp(w http.ResponseWriter, r *http.Request) {
	in := n.read(r)
	email, _ := in["email"].(string)
	password, _ := in["password"].(string)
	if !strings.Contains(email, "@") || n.users[email] != nil {
		answer(w, 400, "no")
		return
	}
	n.users[email] = &notesUser{ID: len(n.users) + 1, Email: email, password: password, session: rand.Text()}
	answer(w, 201, map[string]any{"id": len(n.users), "email": email})
}

func (n *notesAPI) logIn(w http.ResponseWriter, r *http.Request) {
	in := n.read(r)
	email, _ := in["email"].(string)
	password, text := in["password"].(string)
	u := n.users[email]
	operator, _ := in["password"].(map[string]any)
	_, unequal := operator["$ne"]
	switch {
	case u != nil && n.flaws["operators"] && unequal:
	case !text:
		answer(w, 400, "no text")
		return
	case n.locks[email] >= 5 && n.flaws["locks silently"]:
		answer(w, 401, "wrong")
		return
	case n.locks[email] >= 5 && !n.flaws["guess freely"]:
		w.Header().Set("Retry-After", "60")
		answer(w, 429, "later")
		return
	case u == nil && n.flaws["tells by text"]:
		answer(w, 401, map[string]string{"error": "wrong", "hint": "there is no " + email, "ref": rand.Text()})
		return
	case u == nil || u.password != password:
		if u != nil && n.flaws["tells by time"] {
			time.Sleep(250 * time.Millisecond)
		}
		n.locks[email]++
		answer(w, 401, map[string]string{"error": "wrong", "hint": "look at the " + email, "ref": rand.Text()})
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "sid", Value: u.session, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	answer(w, 200, map[string]string{"token": n.token(u)})
}

var strong = rand.Text()

func (n *notesAPI) secret() string {
	if n.flaws["weak secret"] {
		return "secret"
	}
	return strong
}

// token is a JWT, or where tokens are opaque a text that is looked up.
func (n *notesAPI) token(u *notesUser) string {
	if n.flaws["opaque"] {
		if u.seen == "" {
			u.seen = rand.Text() + rand.Text()
		}
		return u.seen
	}
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`))
	body := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"sub":"%d","email":%q}`, u.ID, u.Email))
	return head + "." + body + "." + n.mac(head+"."+body)
}

func (n *notesAPI) mac(text string) string {
	m := hmac.New(sha256.New, []byte(n.secret()))
	m.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func (n *notesAPI) who(r *http.Request) (u *notesUser, byCookie bool) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if q := r.URL.Query().Get("token"); q != "" && !ok && n.flaws["token in query"] {
		token, ok = q, true
	}
	if !ok {
		c, err := r.Cookie("sid")
		for _, u := range n.users {
			if err == nil && u.session == c.Value {
				return u, true
			}
		}
		return nil, false
	}
	if n.flaws["opaque"] {
		for _, u := range n.users {
			if u.seen != "" && (u.seen == token || n.flaws["half"] && len(token) > 20 && u.seen[:20] == token[:20]) {
				return u, false
			}
		}
		return nil, false
	}
	if n.flaws["fetches keys"] {
		fetchKeys(token)
	}
	i := strings.LastIndexByte(token, '.')
	if i < 0 || n.mac(token[:i]) != token[i+1:] && !(n.flaws["blank signature"] && token[i+1:] == "") {
		return nil, false
	}
	parts := strings.Split(token, ".")
	raw, _ := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct{ Email string }
	json.Unmarshal(raw, &claims)
	return n.users[claims.Email], false
}

// fetchKeys asks for keys where a token says they are, and finds none there.
func fetchKeys(token string) {
	head, _, _ := strings.Cut(token, ".")
	raw, _ := base64.RawURLEncoding.DecodeString(head)
	var h struct{ JKU string }
	if json.Unmarshal(raw, &h); h.JKU != "" {
		if r, err := http.Get(h.JKU); err == nil {
			r.Body.Close()
		}
	}
}

func (n *notesAPI) note(w http.ResponseWriter, r *http.Request, u *notesUser, rest []string) {
	if len(rest) == 0 && r.Method == "GET" {
		mine := []*note{}
		for _, x := range n.notes {
			if x != nil && x.Owner == u.ID {
				mine = append(mine, x)
			}
		}
		answer(w, 200, mine)
		return
	}
	if len(rest) == 0 {
		text, _ := n.read(r)["text"].(string)
		if text == "" {
			answer(w, 422, "text")
			return
		}
		x := &note{ID: len(n.notes) + 1, Owner: u.ID, Text: text}
		n.notes = append(n.notes, x)
		w.Header().Set("Location", "/notes/"+strconv.Itoa(x.ID))
		answer(w, 201, x)
		return
	}
	if m := and.FindStringSubmatch(rest[0]); m != nil && n.flaws["numbers"] {
		if rest[0] = m[1]; m[2] > m[3] {
			rest[0] = "0"
		}
	}
	id, err := strconv.Atoi(rest[0])
	if err != nil || id < 1 || id > len(n.notes) || n.notes[id-1] == nil || u != nil && n.notes[id-1].Owner != u.ID {
		answer(w, 404, "nothing here")
		return
	}
	x := n.notes[id-1]
	switch r.Method {
	case "PATCH":
		text, ok := n.read(r)["text"].(string)
		if !ok || text == "" {
			answer(w, 422, "text")
			return
		}
		if x.Text = text; n.flaws["templates"] {
			x.Text = product.ReplaceAllStringFunc(text, func(s string) string {
				f := product.FindStringSubmatch(s)
				a, _ := strconv.Atoi(f[1])
				b, _ := strconv.Atoi(f[2])
				return strconv.Itoa(a * b)
			})
		}
		answer(w, 200, x)
	case "DELETE":
		n.notes[id-1] = nil
		answer(w, 204, nil)
	case "GET":
		answer(w, 200, x)
	default:
		answer(w, 405, "no")
	}
}

var (
	product = regexp.MustCompile(`\$\{(\d+)\*(\d+)\}`)
	or      = regexp.MustCompile(`^(.*)' (AND|OR) '(\d)'<'(\d)$`)
	and     = regexp.MustCompile(`^(\d+) AND (\d)<(\d)$`)
	sleep   = regexp.MustCompile(`pg_sleep\((\d+)\)`)
)

// places finds one by its name. Two mistakes read the name as a query would be
// read; the sound way compares it.
func (n *notesAPI) places(w http.ResponseWriter, r *http.Request, rest []string) {
	names := []string{"delhi", "lagos", "lima"}
	found := func(name string) []map[string]string {
		out := []map[string]string{}
		m := or.FindStringSubmatch(name)
		for _, p := range names {
			hit := p == name
			if m != nil && n.flaws["quotes"] {
				if hit = p == m[1]; m[2] == "AND" {
					hit = hit && m[3] < m[4]
				} else {
					hit = hit || m[3] < m[4]
				}
			}
			if hit {
				out = append(out, map[string]string{"name": p})
			}
		}
		return out
	}
	if len(rest) == 1 {
		if f := found(rest[0]); len(f) > 0 {
			answer(w, 200, map[string]string{"name": f[0]["name"], "self": r.URL.String()})
		} else {
			answer(w, 404, "no "+rest[0])
		}
		return
	}
	q := r.URL.Query()
	if _, asked := q["q[$gt]"]; asked && n.flaws["query operators"] {
		answer(w, 200, []map[string]string{{"name": "delhi"}, {"name": "lagos"}})
		return
	}
	if m := sleep.FindStringSubmatch(q.Get("q")); m != nil && n.flaws["sleeps"] {
		s, _ := strconv.Atoi(m[1])
		time.Sleep(time.Duration(s) * time.Second)
	}
	answer(w, 200, found(q.Get("q")))
}
