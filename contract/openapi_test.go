package contract

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-project/parley/internal/config"
	"github.com/parley-project/parley/internal/jsonscan"
)

// TestAPIErrors: what is wrong with a description is one line with its place.
func TestAPIErrors(t *testing.T) {
	const head = "openapi: 3.1.0\npaths:\n"
	for _, tt := range []struct{ name, text, want string }{
		{"a.yaml", "", "is empty"},
		{"a.yaml", "a: [", "1: did not find expected node content"},
		{"a.yaml", "- a", "1:1: is not an OpenAPI document: expected fields"},
		{"a.yaml", "info: {}", "1:1: is not an OpenAPI document | it begins with a line such as openapi: 3.1.0"},
		{"a.yaml", "openapi: 4.0.0", `1:10: OpenAPI "4.0.0" is not known | 3.0, 3.1 and 3.2 are; for 2.0 write swagger: "2.0"`},
		{"a.yaml", "swagger: '1.2'", `1:10: Swagger "1.2" is not known | OpenAPI 2.0, 3.0, 3.1 and 3.2 are`},
		{"a.json", "{", "1:2: the document ends too early"},
		{"a.json", "{\n \"openapi\": \"3.0.0\",\n \"paths\": {,}}", "3:11: invalid character ','"},
		{"a.json", `{"openapi":"3.0.0"} x`, "1:21: something follows the end of the document"},
		{"a.yaml", "openapi: 3.1.0\npaths: [a]", "2:8: paths: expected fields"},
		{"a.yaml", head + "  a: {}\n", ``},
		{"a.yaml", head + "  a: {get: {}}\n", `3:3: the path "a" does not begin with a slash`},
		{"a.yaml", head + "  /a/{b: {get: {}}\n", `3:3: the path "/a/{b": its braces do not match`},
		{"a.yaml", head + "  /a/{}: {get: {}}\n", `3:3: the path "/a/{}": a variable has no name`},
		{"a.yaml", head + "  /a: {get: x}\n", `3:13: GET /a: expected fields`},
		{"a.yaml", head + "  /a: {get: {parameters: {}}}\n", `3:26: parameters: expected a list`},
		{"a.yaml", head + "  /a: {get: {parameters: [{in: query}]}}\n", `3:27: a parameter needs name and in`},
		{"a.yaml", head + "  /a: {get: {parameters: [{name: a, in: body2}]}}\n", `3:41: a parameter is not in "body2" | one of path, query, header, cookie`},
		{"a.yaml", head + "  /a: {get: {parameters: [{$ref: '#/components/parameters/P'}]}}\n", `3:34: nothing is at "#/components/parameters/P"`},
		{"a.yaml", head + "  /a: {$ref: '#/components/pathItems/A'}\n", `3:14: nothing is at "#/components/pathItems/A"`},
		{"a.yaml", head + "  /a: {post: {requestBody: {content: {application/json: {schema: {properties: {x: {$ref: '#/components/schemas/User'}}}}}}}}\ncomponents: {schemas: {Usr: {}}}\n",
			`3:90: nothing is at "#/components/schemas/User" | did you mean "Usr"?`},
		{"a.yaml", head + "  /a: {get: {responses: {'200': {content: {application/json: {schema: {$ref: 'https://x.example/s.json'}}}}}}}\n",
			`3:78: the reference "https://x.example/s.json" leads out of this machine and is not fetched | save the file beside this one and refer to it by name`},
		{"a.yaml", head + "  /a: {post: {requestBody: {$ref: 'other.yaml#/x'}}}\n", `3:35: the reference "other.yaml#/x": other.yaml: cannot be read: no such file or directory`},
		{"a.yaml", head + "  /a: {post: {requestBody: {$ref: ''}}}\n", `3:35: the reference is empty`},
		{"a.yaml", head + "  /a: {post: {requestBody: {$ref: '#/paths/~1a/post/requestBody'}}}\n", `3:28: the reference leads back to itself`},
	} {
		_, err := fromText(t, tt.name, tt.text)
		got := ""
		if err != nil {
			var e *config.Error
			if !errors.As(err, &e) {
				t.Errorf("%s: %v is no config.Error", tt.text, err)
				continue
			}
			dir := filepath.Dir(e.File) + "/"
			got = strings.TrimPrefix(strings.ReplaceAll(err.Error(), dir, ""), tt.name+":")
			got = strings.TrimPrefix(got, " ")
			if e.Hint != "" {
				got += " | " + e.Hint
			}
		}
		if got != tt.want {
			t.Errorf("%q:\n got %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

func TestSeveralFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"openapi.yaml": `
openapi: 3.1.0
security: [{key: []}, {}]
servers:
  - url: https://{region}.example/{version}
    variables: {region: {default: eu}, version: {default: v2, enum: [v1, v2]}}
  - url: /
paths:
  /users/{id}: {$ref: 'paths/users.yaml'}
  /internal:
    servers: [{url: //inner.example/x/}]
    get: {security: [], responses: {"200": {description: ok}}}
`,
		"paths/users.yaml": `
parameters: [{$ref: '../shared.json#/ID'}]
put:
  operationId: put
  requestBody: {$ref: '../shared.json#/Body'}
  responses:
    2xx: {content: {application/json; charset=utf-8: {schema: {$ref: '../shared.json#/User'}}}}
    default: {content: {application/*: {schema: {type: object}}, text/plain: {}}}
`,
		"shared.json": `{
 "ID": {"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}},
 "Body": {"required": true, "content": {"Application/JSON": {"schema": {"$ref": "#/User"}}}},
 "User": {"type": "object", "properties": {"name": {"type": "string", "enum": ["\ud83d\ude00"]}, "boss": {"$ref": "#/User"}, "id": {"readOnly": true}}}
}`,
	} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := FromAPI(filepath.Join(dir, "openapi.yaml"))
	if err != nil || len(c.NotJudged) > 0 {
		t.Fatal(err, c)
	}
	var names []string
	for _, o := range c.Operations {
		names = append(names, o.Name)
	}
	if got, want := strings.Join(names, ", "), "PUT /users/{id}, PUT /v1/users/{id}, PUT /v2/users/{id}, GET /x/internal"; got != want {
		t.Fatalf("operations %s, want %s", got, want)
	}
	o := c.Match("PUT", "/v1/users/7").Operation
	if o == nil || o.ID != "put" || !o.Public || len(o.Security) != 2 || !o.BodyRequired || o.Place != "users.yaml:3" {
		t.Fatalf("%+v", o)
	}
	b := o.RequestBody("application/json")
	for text, want := range map[string]string{
		`{"name":"😀","boss":{"boss":{}}}`: "",
		`{"name":"x"}`:                    "/name invalid",
		`{"boss":{"boss":{"role":1}}}`:    "/boss/boss/role undeclared",
		`{"boss":{"id":1}}`:               "/boss/id read-only",
	} {
		f := b.Scan([]byte(text), jsonscan.Limits{})
		got := ""
		for _, v := range f.Result.Violations {
			got += v.Pointer + " " + v.Kind.String()
		}
		if got != want || f.Result.Fault != nil {
			t.Errorf("%s: %s (%v), want %s", text, got, f.Result.Fault, want)
		}
	}
	if o.Response(204) == nil || o.Response(204).Status != "2XX" || o.Response(404).Status != "default" || o.Response(99) != nil {
		t.Errorf("responses: %+v", o.Statuses())
	}
	if o.Response(200).Body("application/json") == nil || o.Response(200).Body("text/html") != nil ||
		o.Response(500).Body("application/problem+json") == nil || o.Response(500).Body("text/plain").JSON() {
		t.Error("media types are not found")
	}
	var none *Response
	if none.Body("x") != nil || (*Operation)(nil).RequestBody("x") != nil {
		t.Error("nothing declares nothing")
	}
}

func TestSwagger(t *testing.T) {
	c, err := fromText(t, "swagger.yaml", `
swagger: "2.0"
basePath: /v2/
consumes: [application/json]
securityDefinitions:
  key: {type: apiKey, in: header, name: X-Key}
security: [{key: []}]
paths:
  /pets:
    get:
      produces: [application/json, text/csv]
      parameters:
        - {name: tags, in: query, type: array, collectionFormat: csv, items: {type: string}, maxItems: 2}
        - {name: limit, in: query, type: integer, required: true, maximum: 5}
        - {name: multi, in: query, type: array, collectionFormat: multi, items: {type: integer}}
      responses:
        200: {schema: {type: array, items: {$ref: '#/definitions/Pet'}}}
    post:
      security: []
      parameters:
        - {name: pet, in: body, required: true, schema: {$ref: '#/definitions/Pet'}}
      responses: {201: {description: made}}
    put:
      consumes: [multipart/form-data]
      parameters:
        - {name: photo, in: formData, type: file}
      responses: {201: {description: made}}
definitions:
  Pet: {type: object, required: [name], properties: {name: {type: string}, id: {type: integer, readOnly: true}}}
`)
	if err != nil || len(c.NotJudged) > 0 {
		t.Fatal(err, c)
	}
	get := operation(t, c, "GET /v2/pets")
	if get.Public || get.Parameters[1].Name != "limit" || !get.Parameters[1].Required || strings.Join(get.Produces, " ") != "application/json text/csv" {
		t.Errorf("%+v", get)
	}
	if s := c.Schemes["key"]; s.Type != "apiKey" || s.In != "header" || s.Name != "X-Key" {
		t.Errorf("schemes %+v", c.Schemes)
	}
	post := operation(t, c, "POST /v2/pets")
	if !post.Public || !post.BodyRequired {
		t.Errorf("%+v", post)
	}
	f := post.RequestBody("application/json").Scan([]byte(`{"id":1}`), jsonscan.Limits{})
	if len(f.Result.Violations) != 2 {
		t.Errorf("violations %+v", f.Result.Violations)
	}
	if put := operation(t, c, "PUT /v2/pets"); put.RequestBody("multipart/form-data") == nil || put.RequestBody("application/json") != nil {
		t.Errorf("%+v", put.Requests)
	}
	for target, want := range map[string]string{
		"/v2/pets?limit=5&tags=a,b&multi=1&multi=2": "",
		"/v2/pets?limit=6":                          `query "limit": maximum`,
		"/v2/pets?tags=a,b,c&limit=1":               `query "tags": maxItems`,
		"/v2/pets?limit=1&multi=x":                  `query "multi": type`,
	} {
		got := ""
		for _, f := range get.CheckParameters(request("GET", target), nil) {
			got += f.String()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
}

// TestNotJudged: what cannot be compiled is listed and never silently without
// a check; what can is judged all the same.
func TestNotJudged(t *testing.T) {
	c, err := fromText(t, "openapi.yaml", `
openapi: 3.1.0
paths:
  /a:
    post:
      parameters:
        - {name: m, in: path, style: matrix, schema: {type: string}}
      requestBody:
        content:
          application/json: {schema: {type: object, properties: {x: {type: objct}}}}
          application/x-www-form-urlencoded: {schema: {type: object}}
      responses:
        "200": {content: {application/json: {schema: {$ref: '#/components/schemas/Nope'}}}}
        "201": {$ref: '#/components/responses/Nope'}
        "202": {content: {application/json: {schema: {type: object}}, application/json;v=1: {schema: {type: array}}}}
        "203": {content: {application/json: {schema: {type: object, properties: {ok: {type: boolean}}}}}}
  /a?b=1:
    get: {}
  /b/{x}: {get: {operationId: one}}
  /b/{y}: {get: {operationId: two}}
`)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		`:13:61: nothing is at "#/components/schemas/Nope": POST /a: response 200 application/json`,
		`:14:23: nothing is at "#/components/responses/Nope": POST /a: response 201`,
		`:15:71: POST /a: response 202 application/json: declared twice with different parameters`,
		`:17:3: GET /a?b=1: a path has no query or fragment; no request is matched with it`,
		`:20: GET /b/{y}: another operation has the same path; no request is matched with it`,
		`:10:69: POST /a: request application/json: type: "objct" is not a type`,
		`:7:11: POST /a: parameter m: its style matrix is not known`,
	} {
		if i >= len(c.NotJudged) || !strings.Contains(c.NotJudged[i], want) {
			t.Errorf("line %d: %q, want %q", i, c.NotJudged, want)
		}
	}
	if len(c.NotJudged) != 7 {
		t.Errorf("%d lines: %s", len(c.NotJudged), strings.Join(c.NotJudged, "\n"))
	}
	o := operation(t, c, "POST /a")
	if b := o.Response(203).Body("application/json"); !b.Judged || b.Program == nil {
		t.Error("the sound response is not judged")
	}
	for _, b := range []*Body{o.RequestBody("application/json"), o.Response(200).Body("application/json"), o.Response(201).Body("application/json"), o.Response(202).Body("application/json")} {
		if b == nil || b.Judged || b.Program != nil {
			t.Errorf("%+v is judged", b)
		}
	}
	if d := c.Describe(); d[0].Operation != "POST /a" || d[0].Judged || d[0].Ruled {
		t.Errorf("%+v", d[0])
	}
	if len(c.Operations) != 2 || operation(t, c, "GET /b/{x}").ID != "one" {
		t.Errorf("%d operations", len(c.Operations))
	}
}
