package archive

import (
	"encoding/json"
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
