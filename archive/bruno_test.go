package archive

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// A bruJSON is what Bruno's own parser says of a file.
type bruJSON struct {
	Meta struct{ Name, Type string }
	HTTP struct{ Method, URL, Body, Auth string }
	// Params, Headers: as they stand, those that are off too.
	Params  []bruEntry
	Headers []bruEntry
	Auth    map[string]json.RawMessage
	Body    struct {
		JSON, Text, XML, Sparql string
		FormURLEncoded          []bruEntry `json:"formUrlEncoded"`
		MultipartForm           []bruEntry `json:"multipartForm"`
		File                    []bruEntry
		GraphQL                 *struct{ Query, Variables string }
	}
	Vars struct {
		Req, Res []bruEntry
	}
	Assertions []bruEntry
	Script     struct{ Req, Res string }
	Tests      string
	Docs       string
	Settings   map[string]any
	Examples   []struct {
		Name    string
		Request struct {
			URL, Method string
			Headers     []bruEntry
			Body        struct{ Mode string }
		}
		Response struct {
			Status  json.RawMessage
			Headers []bruEntry
			Body    struct{ Content string }
		}
	}
}

type bruEntry struct {
	Name        string
	Value       any
	Enabled     bool
	Type        string
	FilePath    string `json:"filePath"`
	ContentType string `json:"contentType"`
	Selected    bool
}

func entries(es []bruEntry) []Field {
	var out []Field
	for _, e := range es {
		v, _ := e.Value.(string)
		out = append(out, Field{Name: e.Name, Value: v, Disabled: !e.Enabled})
	}
	return out
}

func noDoc(fs []Field) []Field {
	var out []Field
	for _, f := range fs {
		f.Doc = ""
		out = append(out, f)
	}
	return out
}

// TestBrunoCorpus compares with what Bruno's parser made of the same files.
func TestBrunoCorpus(t *testing.T) {
	for _, file := range corpus(t, "http/bruno", "*.bru") {
		name := filepath.Base(file)
		c, err := Read(name, contents(t, file))
		if err != nil {
			t.Errorf("Read(%s): %v", name, err)
			continue
		}
		data, err := os.ReadFile(strings.TrimSuffix(file, ".bru") + ".json")
		if err != nil {
			continue
		}
		var want bruJSON
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatal(err)
		}
		same := func(what string, got, want any) {
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %s = %+v, want %+v", name, what, got, want)
			}
		}
		b := c.Foreign.(*bruFile)
		same("headers", noDoc(b.fields("headers")), entries(want.Headers))
		for scheme, raw := range want.Auth {
			if scheme == "mode" {
				continue
			}
			var params map[string]any
			_ = json.Unmarshal(raw, &params)
			a := b.auth(scheme)
			if scheme == "oauth2" {
				same("oauth2 "+name, a.Params["clientSecret"], params["clientSecret"])
				same("oauth2 "+name, a.Params["grant_type"], params["grantType"])
				continue
			}
			for k, v := range params {
				if theirs := authBruno[scheme][k]; theirs != "" {
					k = theirs
				}
				same(scheme+" "+k, a.Params[k], v)
			}
		}
		if want.HTTP.Method == "" {
			same("docs", c.Doc, want.Docs)
			same("scripts", len(c.Scripts), 2)
			continue
		}
		if requests(c.Items) != 1 {
			t.Errorf("%s: %d requests, want 1", name, requests(c.Items))
			continue
		}
		it := c.Items[0]
		r := it.Request
		same("name", it.Name, want.Meta.Name)
		same("method", r.Method, strings.ToUpper(want.HTTP.Method))
		bare, _, _ := strings.Cut(r.URL, "?")
		wanted, _, _ := strings.Cut(want.HTTP.URL, "?")
		same("url", bare, wanted)
		var query, path, off []Field
		for _, p := range want.Params {
			f := entries([]bruEntry{p})[0]
			switch {
			case p.Type == "path":
				path = append(path, f)
			case !p.Enabled:
				off = append(off, f)
			default:
				query = append(query, f)
			}
		}
		same("path", noDoc(r.Params), path)
		same("disabled", noDoc(r.Disabled), off)
		for _, q := range query {
			if !strings.Contains(r.URL, escapeForm(q.Name)+"="+escapeForm(q.Value)) {
				t.Errorf("%s: %s has not %s=%s", name, r.URL, q.Name, q.Value)
			}
		}
		same("docs", it.Doc, want.Docs)
		for mode, text := range map[string]string{"json": want.Body.JSON, "text": want.Body.Text, "xml": want.Body.XML, "sparql": want.Body.Sparql} {
			if text != "" {
				same("body "+mode, b.body(mode, nil).Text, text)
			}
		}
		if g := want.Body.GraphQL; g != nil {
			same("graphql", b.body("graphql", nil).Text, g.Query)
			same("graphql variables", b.body("graphql", nil).Variables, g.Variables)
		}
		var form []Field
		for _, f := range b.form(b.get("body:form-urlencoded")) {
			form = append(form, f.Field)
		}
		same("form", noDoc(form), entries(want.Body.FormURLEncoded))
		parts := b.form(b.get("body:multipart-form"))
		same("parts", len(parts), len(want.Body.MultipartForm))
		for i, p := range parts[:min(len(parts), len(want.Body.MultipartForm))] {
			w := want.Body.MultipartForm[i]
			if files, ok := w.Value.([]any); ok {
				w.Value = ""
				same("file of "+p.Name, any(p.File), files[0])
			}
			same("part", []any{p.Name, p.Value, !p.Disabled, p.MediaType}, []any{w.Name, w.Value, w.Enabled, w.ContentType})
		}
		for i, f := range b.form(b.get("body:file")) {
			w := want.Body.File[i]
			same("file", []any{f.File, f.MediaType, !f.Disabled}, []any{w.FilePath, w.ContentType, w.Selected})
		}
		var vars []Field
		for _, v := range it.Variables {
			vars = append(vars, Field{Name: v.Name, Value: v.Value, Disabled: v.Disabled})
		}
		same("vars", vars, entries(want.Vars.Req))
		on := 0
		for _, v := range want.Vars.Res {
			if v.Enabled {
				on++
			}
		}
		same("captures", len(it.Capture), on)
		on = 0
		for _, a := range want.Assertions {
			if a.Enabled {
				on++
			}
		}
		same("assertions", len(it.Expect), on)
		texts := map[string]string{}
		for _, s := range it.Scripts {
			texts[s.Text] = s.When
		}
		for _, s := range []struct{ text, when string }{{want.Script.Req, "prerequest"}, {want.Script.Res, "test"}, {want.Tests, "test"}} {
			if s.text != "" {
				same("script "+s.text, texts[s.text], s.when)
			}
		}
		if v, ok := want.Settings["followRedirects"]; ok {
			same("followRedirects", !r.Options.NoRedirect, v)
		}
		if v, ok := want.Settings["timeout"].(float64); ok {
			same("timeout", r.Options.Timeout*1000, v)
		}
		n := 0
		for _, e := range want.Examples {
			if e.Response.Status == nil && e.Response.Body.Content == "" {
				continue
			}
			if n >= len(it.Recorded) {
				t.Errorf("%s: %d examples, want %d", name, len(it.Recorded), len(want.Examples))
				break
			}
			x := it.Recorded[n]
			n++
			same("example", x.Request.URL(), e.Request.URL)
			same("example's method", x.Request.Method, strings.ToUpper(e.Request.Method))
			same("example's body", string(x.Response.Body.Data), e.Response.Body.Content)
			same("example's status", json.RawMessage(`"`+string(rune('0'+x.Response.Status/100))), json.RawMessage(strings.TrimSpace(string(e.Response.Status))[:2]))
			same("example's fields", len(x.Request.Header), len(e.Request.Headers))
		}
		again, _ := written(t, FormatNamed("postman"), c)
		if a, b := plain(c), plain(again); a != b {
			t.Errorf("%s through Postman: %s", name, difference(a, b))
		}
	}
}

func TestOpenCollectionFolder(t *testing.T) {
	file := corpus(t, "http/opencollection", "opencollection.yml")[0]
	c, err := ReadFolder(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	want := `- Get Users ()
  GET https://api.example.com/users
  X-Collection-Header: collection-header-value
- Users ()
- Create User ()
  POST https://api.example.com/users
  X-Collection-Header: collection-header-value
  raw {
  "name": "John Doe"
}
`
	if got := terse(c); got != want || c.Name != "Test OpenCollection" {
		t.Errorf("ReadFolder found %q\n%s\nwant\n%s", c.Name, got, want)
	}
	env := corpus(t, "http/opencollection/environments", "dev.yml")[0]
	vars, err := ReadEnvironment(env, contents(t, env))
	if err != nil || !reflect.DeepEqual(vars, []Variable{{Name: "baseUrl", Value: "https://api.dev.example.com"}, {Name: "apiKey", Value: "dev-api-key-123"}}) {
		t.Errorf("ReadEnvironment(dev.yml) = %v, %v", vars, err)
	}
	for _, file := range append(corpus(t, "http/opencollection", "*.yml"), corpus(t, "http/opencollection/users", "create-user.yml")...) {
		if _, err := Read(file, contents(t, file)); err != nil {
			t.Errorf("Read(%s): %v", file, err)
		}
	}
}

func TestBruno(t *testing.T) {
	const doc = `meta {
  name: a
}

// said of nothing
patch {
  url: https://a.test/:id?x=1
  body: form-urlencoded
  auth: apikey
}

auth:apikey {
  key: X-Key
  value: {{key}}
  placement: queryparams
}

body:form-urlencoded {
  # a remark
  @description('''
    two
    lines
  ''')
  a: '''
    one
      two
  '''
  ~b: 2
}

assert {
  res.status: in [200, 201]
  res.body.items[0].id: gte 3
  res.headers['x-y']: contains z
  res.responseTime: lt 500
  res.body: isJson
  ~res.status: eq 500
}

vars:post-response {
  id: res.body.id
  sum: res.body.a + 1
}

settings {
  followRedirects: false
  timeout: 1500
}
`
	c, err := Read("a.bru", []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	want := `- a ()
  expect response.status in [200 201]
  expect response.body.$.items[0].id >= 3
  expect response.header.x-y contains z
  expect times.total < 500ms
  capture id response.body.$.id
  PATCH https://a.test/:id?x=1
  own auth apikey map[in:query key:X-Key value:{{key}}]
  urlencoded [a=one
  two][b=2]
  options {"NoRedirect":true,"Timeout":1.5}
`
	if got := terse(c); got != want {
		t.Errorf("Read found %s\n%s", difference(want, got), got)
	}
	if f := c.Items[0].Request.Body.Fields; f[0].Doc != "two\nlines" || !f[1].Disabled {
		t.Errorf("fields = %+v", f)
	}
	if len(c.Warnings) != 2 {
		t.Errorf("Warnings = %q, want two", c.Warnings)
	}
	for doc, want := range map[string]string{
		"meta {\n  name: a\n": "a.bru:1:1: the block meta has no end",
		"meta {\n}\nwhat":     `a.bru:3:1: expected a block, found "what"`,
	} {
		if _, err := Read("a.bru", []byte(doc)); err == nil || err.Error() != want {
			t.Errorf("Read(%q) = %v, want %s", doc, err, want)
		}
	}
}

func TestBrunoFolder(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"bruno.json":           `{"name":"shop","version":"1","type":"collection"}`,
		"collection.bru":       "headers {\n  A: all\n  B: all\n}\nauth {\n  mode: bearer\n}\nauth:bearer {\n  token: t\n}\nvars:pre-request {\n  v: 1\n}\n",
		"second.bru":           "meta {\n  name: second\n  seq: 2\n}\nget {\n  url: https://a.test/2\n  auth: inherit\n}\n",
		"first.bru":            "meta {\n  name: first\n  seq: 1\n}\nget {\n  url: https://a.test/1\n  auth: none\n}\nheaders {\n  a: own\n}\n",
		"sub/folder.bru":       "meta {\n  name: Sub\n}\nheaders {\n  C: sub\n}\n",
		"sub/x.bru":            "get {\n  url: https://a.test/x\n}\n",
		"environments/dev.bru": "vars {\n  host: h\n}\n",
		"node_modules/y.bru":   "broken",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := ReadFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := `@v = 1
- first ()
  GET https://a.test/1
  a: own
  B: all
  own auth none map[]
- second ()
  GET https://a.test/2
  A: all
  B: all
- Sub ()
-  ()
  GET https://a.test/x
  C: sub
  A: all
  B: all
  own auth none map[]
`
	if got := terse(c); got != want || c.Name != "shop" || c.Auth == nil || c.Auth.Scheme != "bearer" || c.Format != "bruno" {
		t.Errorf("ReadFolder found %q %s %+v: %s\n%s", c.Name, c.Format, c.Auth, difference(want, got), got)
	}
	if _, err := ReadFolder(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a folder without a collection") {
		t.Errorf("ReadFolder(empty) = %v", err)
	}
}

// A little YAML that means a great deal is refused.
func TestOpenCollectionIsBounded(t *testing.T) {
	doc := "info: {name: a}\nhttp: {method: GET, url: x}\nl0: &l0 [x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 12; i++ {
		doc += fmt.Sprintf("l%d: &l%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*l%d,", i-1), 9), ","))
	}
	if _, err := Read("a.yml", []byte(doc)); err == nil || !strings.Contains(err.Error(), "a.yml:") {
		t.Errorf("Read(aliases of aliases) = %v, want an error with its line", err)
	}
	const nested = `info: {name: a}
http:
  method: post
  url: https://a.test/:id
  params: {query: [{name: q, value: "1"}], path: [{name: id, value: "7"}]}
  auth: {type: basic, basic: {username: me, password: pw}}
  body: {type: json, data: "{}"}
runtime:
  scripts: [{type: before-request, code: x()}]
  assertions: [{expression: res.status, operator: eq, value: "200"}]
`
	c, err := Read("a.yml", []byte(nested))
	want := `- a ()
  prerequest bruno
  expect response.status == 200
  POST https://a.test/:id?q=1
  own auth basic map[password:pw username:me]
  raw {}
`
	if err != nil || terse(c) != want {
		t.Errorf("Read found %v\n%s", err, terse(c))
	}
}
