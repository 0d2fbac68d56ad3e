package scan_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/parley-project/parley/identity"
)

// TestNobodyIsLockedOut scans an API with two log-ins that tell who has an
// account, and lock it at the third mistake: who was given is not locked out.
func TestNobodyIsLockedOut(t *testing.T) {
	var mu sync.Mutex
	wrong := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := map[string]string{"Bearer token-of-anna-1": "anna", "Bearer token-of-bert-2": "bert"}[r.Header.Get("Authorization")]
		switch {
		case r.Method == "POST" && strings.HasSuffix(r.URL.Path, "/login"):
			var in map[string]any
			json.NewDecoder(r.Body).Decode(&in)
			email, _ := in["email"].(string)
			mu.Lock()
			defer mu.Unlock()
			if wrong[email]++; strings.HasPrefix(email, "anna@") || strings.HasPrefix(email, "bert@") {
				tellMemo(w, 401, map[string]any{"error": "wrong password"})
				return
			}
			tellMemo(w, 404, map[string]any{"error": "no such person"})
		case r.URL.Path == "/v1/me" && who != "":
			tellMemo(w, 200, map[string]any{"id": who, "email": who + "@example.com"})
		default:
			refuseMemo(w, 401)
		}
	}))
	t.Cleanup(server.Close)
	login := `: {post: {security: [], requestBody: {content: {application/json: {schema: {type: object, required: [email, password], properties: {email: {type: string, format: email}, password: {type: string}}}}}}, responses: {'200': {description: in}, '401': {description: no}}}}`
	o := optionsFor(t, server.URL, []byte("openapi: 3.1.0\ninfo: {title: x, version: '1'}\nsecurity: [{bearer: []}]\npaths:\n  /v1/me: {get: {responses: {'200': {description: me}}}}\n  /v1/login"+login+"\n  /v2/login"+login+"\ncomponents: {securitySchemes: {bearer: {type: http, scheme: bearer}}}\n"))
	for _, name := range []string{"anna-1", "bert-2"} {
		o.People = append(o.People, &identity.Person{Name: name[:4], Auth: identity.NewBearer(identity.Secret("token-of-" + name))})
	}
	r := scanWith(t, o)
	for _, who := range []string{"anna@example.com", "bert@example.com"} {
		if wrong[who] > 2 {
			t.Errorf("%s was tried %d times%s", who, wrong[who], tell(r))
		}
	}
	if !strings.Contains(tell(r), "authn-enumeration") {
		t.Errorf("it is not seen that the log-ins tell who has an account%s", tell(r))
	}
}
