package guard_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/guard"
	"github.com/parley-project/parley/identity"
)

const tenantAPI = `
openapi: 3.1.0
info: {title: tenants, version: "1"}
servers: [{url: /api}, {url: /gateway/api}]
security: [{key: []}]
components:
  securitySchemes: {key: {type: apiKey, in: header, name: Key}}
paths:
  /tenants/{tenant}/notes/{note}:
    parameters:
      - {name: tenant, in: path, required: true, schema: {type: string}}
      - {name: note, in: path, required: true, schema: {type: string}}
    get:
      operationId: getNote
      parameters: [{name: If-None-Match, in: header, schema: {type: string}}]
      responses: &note
        "200": {description: it, content: {application/json: {schema: {type: object, properties: {data: {type: object, properties: {tenant: {type: string}, by: {type: string}}}}}}}}
    put:
      operationId: putNote
      parameters: [{name: If-Match, in: header, required: true, schema: {type: string}}]
      requestBody: {required: true, content: {application/json: {schema: {type: object}}}}
      responses: {<<: *note, "428": {description: which version}}
    delete:
      operationId: deleteNote
      parameters: [{name: If-Match, in: header, required: true, schema: {type: string}}]
      responses: {"204": {description: gone}}
  /notes/{note}:
    parameters: [{name: note, in: path, required: true, schema: {type: string}}]
    get: {operationId: getOwn, responses: *note}
    delete: {operationId: deleteOwn, responses: {"204": {description: gone}}}
`

const tenantPolicy = `
api: openapi.yaml
upstream: http://127.0.0.1:1
mode: enforce
identity:
  api_keys:
    header: Key
    keys:
      - {name: ann, sha256: %x, subject: ann, claims: {tenant: acme}}
      - {name: ben, sha256: %x, subject: ben, claims: {tenant: blue}}
      - {name: cid, sha256: %x, subject: cid, claims: {tenant: acme}}
rules:
  - operation: '* /**/tenants/{tenant}/**'
    allow: request.path.tenant == caller.claims.tenant
    hide_existence: true
  - operation: getNote
    allow: response.data.tenant == caller.claims.tenant
    hide_existence: true
  - operation: putNote
    owner: object.data.by
  - operation: deleteNote
    owner: object.data.by
  - operation: deleteOwn
    owner: object.data.by
    hide_existence: true
`

// What an API with tenants asks of rules: a claim ties a nested path to the
// caller, another rule on the same operation does not hide what the first does,
// and conditional requests keep their statuses.
func TestTenants(t *testing.T) {
	dir := t.TempDir()
	policy := fmt.Sprintf(tenantPolicy, sha256.Sum256([]byte("ann")), sha256.Sum256([]byte("ben")), sha256.Sum256([]byte("cid")))
	for name, text := range map[string]string{"openapi.yaml": tenantAPI, "parley.yaml": policy} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k, err := contract.Load(filepath.Join(dir, "parley.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	ids, err := identity.Parse(k.Sections["identity"], dir)
	if err != nil {
		t.Fatal(err)
	}
	v, err := identity.New(ids, identity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	m := &memory{}
	g, err := guard.New(k, guard.Options{TLSInFront: true, Identity: v, Recorder: m})
	if err != nil {
		t.Fatal(err)
	}
	// The API asks nobody: note 1 is ann's of acme, note 2 was deleted.
	h := g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case filepath.Base(r.URL.Path) == "2":
			w.WriteHeader(http.StatusGone)
		case r.Method == "DELETE":
			w.WriteHeader(http.StatusNoContent)
		default:
			if r.Header.Get("If-None-Match") != "" {
				t.Error("a 304 of the API could not be judged, and it was told the condition")
			}
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("ETag", `"v1"`)
			fmt.Fprint(w, `{"data":{"tenant":"acme","by":"ann"}}`)
		}
	}))
	tests := []struct {
		key, method, target, header string
		want                        int
		check                       string // that refused
	}{
		{"ann", "GET", "/api/tenants/acme/notes/1", "", 200, ""},
		{"ann", "GET", "/gateway/api/tenants/acme/notes/1", "", 200, ""},
		{"ben", "GET", "/api/tenants/acme/notes/1", "", 404, "authz-object"},
		{"ben", "GET", "/gateway/api/tenants/acme/notes/1", "", 404, "authz-object"},
		{"ben", "GET", "/api/tenants/blue/notes/1", "", 404, "authz-object"}, // acme's under the own path
		{"ann", "GET", "/api/tenants/acme/notes/1", `If-None-Match: "v0", W/"v1"`, 304, ""},
		{"ann", "GET", "/api/tenants/acme/notes/1", `If-None-Match: "v0"`, 200, ""},
		{"ann", "GET", "/api/tenants/acme/notes/1", `If-None-Match: v1`, 200, ""},
		{"ben", "GET", "/api/tenants/blue/notes/1", `If-None-Match: "v1"`, 404, "authz-object"},
		{"ann", "PUT", "/api/tenants/acme/notes/1", `If-Match: "v1"`, 200, ""},
		{"ann", "PUT", "/api/tenants/acme/notes/1", "", 428, "request-parameters"},
		{"ann", "DELETE", "/api/tenants/acme/notes/1", "", 400, "request-parameters"}, // declares no 428
		{"cid", "PUT", "/api/tenants/acme/notes/1", `If-Match: "v1"`, 403, "authz-object-write"},
		{"cid", "DELETE", "/api/tenants/acme/notes/1", `If-Match: "v1"`, 403, "authz-object-delete"},
		{"ben", "DELETE", "/api/tenants/acme/notes/1", `If-Match: "v1"`, 404, "authz-object-delete"},
		{"ann", "DELETE", "/api/tenants/acme/notes/2", `If-Match: "v1"`, 410, "authz-object-delete"},
		{"ben", "DELETE", "/api/tenants/acme/notes/2", `If-Match: "v1"`, 404, "authz-object-delete"},
		{"ann", "DELETE", "/api/notes/1", "", 204, ""},
		{"cid", "DELETE", "/api/notes/1", "", 404, "authz-object-delete"},
		{"cid", "DELETE", "/api/notes/2", "", 404, "authz-object-delete"}, // whose it was is not known
		{"ann", "OPTIONS", "/api/tenants/acme/notes/2", "", 204, ""},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s %s %s %s", tt.key, tt.method, tt.target, tt.header), func(t *testing.T) {
			var body io.Reader
			if tt.method == "PUT" {
				body = strings.NewReader("{}")
			}
			r := httptest.NewRequest(tt.method, tt.target, body)
			if tt.method == "PUT" {
				r.Header.Set("Content-Type", "application/json")
			}
			setHeader(r.Header, tt.header)
			r.Header.Set("Key", tt.key)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.want {
				t.Errorf("answered %d, want %d", w.Code, tt.want)
			}
			if w.Code == 304 && (w.Body.Len() > 0 || w.Header().Get("Content-Type") != "" || w.Header().Get("ETag") == "") {
				t.Errorf("304 with %v and %d bytes, want the ETag alone", w.Header(), w.Body.Len())
			}
			if tt.method == "OPTIONS" && w.Header().Get("X-Content-Type-Options") == "" {
				t.Errorf("guard's own answer has %v, want the fields of its refusals", w.Header())
			}
			got := ""
			for _, a := range m.client(t).Actions {
				if a.Kind == exchange.Refused {
					got = a.Check
				}
			}
			if got != tt.check {
				t.Errorf("refused by %q, want %q", got, tt.check)
			}
		})
	}
}
