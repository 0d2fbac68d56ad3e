package scan_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/scan"
)

const namesOpenAPI = `
openapi: 3.1.0
info: {title: Names, version: 1.0.0}
security: [{bearer: []}]
paths:
  /register:
    post:
      security: []
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [username, password, email], properties: {username: {type: string}, password: {type: string}, email: {type: string, format: email}}}}}}
      responses: {'201': {description: made}}
  /login:
    post:
      security: []
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [username, password], properties: {username: {type: string}, password: {type: string}}}}}}
      responses: {'200': {description: in, content: {application/json: {schema: {type: object, properties: {token: {type: string}}}}}}, '401': {description: wrong}}
  /me:
    get:
      responses: {'200': {description: me, content: {application/json: {schema: {type: object, properties: {username: {type: string}}}}}}, '401': {description: nobody}}
components:
  securitySchemes: {bearer: {type: http, scheme: bearer}}
`

// Who registers with a name and an address logs in with either.
func TestNewcomersLogInByName(t *testing.T) {
	var mu sync.Mutex
	passwords := map[string]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		var in struct{ Username, Password, Email string }
		json.NewDecoder(r.Body).Decode(&in)
		name := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer token-of-")
		switch {
		case r.Method == "POST" && r.URL.Path == "/register" && in.Username != "" && in.Email != "":
			passwords[in.Username] = in.Password
			answer(w, 201, "welcome")
		case r.Method == "POST" && r.URL.Path == "/login" && in.Password != "" && passwords[in.Username] == in.Password:
			answer(w, 200, map[string]string{"token": "token-of-" + in.Username})
		case r.Method == "GET" && r.URL.Path == "/me" && passwords[name] != "":
			answer(w, 200, map[string]string{"username": name})
		case r.Method == "POST" && r.URL.Path == "/register":
			answer(w, 400, "no")
		default:
			answer(w, 401, "who are you?")
		}
	}))
	defer server.Close()
	o := optionsFor(t, server.URL, []byte(namesOpenAPI))
	o.Only = []string{"authz-object"}
	r := scanWith(t, o)
	var spares []string
	for _, p := range r.People {
		spares = append(spares, p.Name)
	}
	if !strings.Contains(strings.Join(spares, " "), "newcomer-1 newcomer-2") {
		t.Errorf("the newcomers did not log in: %q, notes %q", spares, r.Notes)
	}
	for _, l := range r.Left {
		if !strings.Contains(l, "POST /register") {
			t.Errorf("what is left is not named: %q", l)
		}
	}
	if len(r.Left) == 0 {
		t.Error("nobody can be taken away here, and nothing is left")
	}
}

// One person under two names would be found to get what is the other's.
func TestOneCredentialIsOnePerson(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	o := optionsFor(t, server.URL, []byte(namesOpenAPI))
	for _, name := range []string{"ann", "bob"} {
		o.People = append(o.People, &identity.Person{Name: name, Auth: identity.NewBearer("one-and-the-same")})
	}
	_, err := scan.Run(t.Context(), o)
	var same *scan.SamePersonError
	if !errors.As(err, &same) || same.One != "ann" || same.Other != "bob" {
		t.Errorf("two people with one credential are scanned: %v", err)
	}
}
