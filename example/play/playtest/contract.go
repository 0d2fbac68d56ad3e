// Package playtest is what the tests of every example hold it to: its contract
// is true.
package playtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/parley-project/parley/example/play"
)

// An API is an example with its contract.
type API struct {
	OpenAPI []byte
	// Base is the path of the server that the contract's paths stand under.
	Base       string
	Handler    http.Handler
	Keys       play.Keys
	Legitimate []play.Step
	// Routes is how many operations the API has.
	Routes int
}

// TestContract holds an API to its contract: every route is in it and nothing
// else, and every answer of the legitimate script is one that it declares, with
// no member more.
func TestContract(t *testing.T, a API) {
	t.Run("routes", a.testRoutes)
	t.Run("answers", a.testAnswers)
}

func (a API) document(t *testing.T) map[string]any {
	t.Helper()
	var tree any
	if err := yaml.Unmarshal(a.OpenAPI, &tree); err != nil {
		t.Fatal(err)
	}
	// Through JSON, so that numbers and maps are what the schema library knows.
	text, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc.(map[string]any)
}

var variable = regexp.MustCompile(`\{[^}]+\}`)

func (a API) testRoutes(t *testing.T) {
	var declared, offered []string
	for path, item := range asMap(a.document(t)["paths"]) {
		for method := range asMap(item) {
			if method != "parameters" {
				declared = append(declared, strings.ToUpper(method)+" "+path)
			}
		}
		w := httptest.NewRecorder()
		a.Handler.ServeHTTP(w, httptest.NewRequest("OPTIONS", a.Base+variable.ReplaceAllString(path, "1"), nil))
		for m := range strings.SplitSeq(w.Header().Get("Allow"), ", ") {
			if m != "OPTIONS" && m != "HEAD" {
				offered = append(offered, m+" "+path)
			}
		}
	}
	slices.Sort(declared)
	slices.Sort(offered)
	if !slices.Equal(declared, offered) {
		t.Errorf("openapi.yaml declares\n%s\nand the API offers\n%s", strings.Join(declared, "\n"), strings.Join(offered, "\n"))
	}
	if len(declared) != a.Routes {
		t.Errorf("openapi.yaml declares %d operations, and the API has %d routes", len(declared), a.Routes)
	}
}

func (a API) testAnswers(t *testing.T) {
	doc := a.document(t)
	parts := map[string]bool{}
	findParts(doc, parts)
	forAnswers(doc, "#", parts)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(a.Handler)
	defer server.Close()
	n, err := play.NewRunner(http.DefaultClient, server.URL, a.Keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	operations := map[string]bool{}
	for _, step := range a.Legitimate {
		r, err := n.Send(context.Background(), step)
		if err != nil {
			t.Fatal(err)
		}
		what := fmt.Sprintf("%s %s: %d", step.Method, step.Path, r.Status)
		path, ours := a.template(doc, r.Step.Path)
		if !ours {
			continue // under another base path, which has the same operations
		}
		operation, ok := dig(doc, "paths", path, strings.ToLower(step.Method)).(map[string]any)
		if !ok {
			if r.Status != 404 && r.Status != 405 && step.Method != "HEAD" && step.Method != "OPTIONS" {
				t.Errorf("%s, and it is not in the contract", what)
			}
			continue
		}
		operations[step.Method+" "+path] = true
		status := fmt.Sprint(r.Status)
		if dig(operation, "responses", status) == nil {
			status = status[:1] + "XX"
		}
		pointer := fmt.Sprintf("#/paths/%s/%s/responses/%s", escape(path), strings.ToLower(step.Method), status)
		response, _ := dig(operation, "responses", status).(map[string]any)
		if ref, ok := response["$ref"].(string); ok {
			pointer = ref
			response, _ = dig(doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...).(map[string]any)
		}
		if response == nil {
			t.Errorf("%s is a status that the contract does not declare", what)
			continue
		}
		for name := range asMap(response["headers"]) {
			if r.Header.Get(name) == "" {
				t.Errorf("%s lacks %s", what, name)
			}
		}
		content := asMap(response["content"])
		if len(r.Body) == 0 && len(content) == 0 {
			continue
		}
		media, ok := content[play.MediaType(r)].(map[string]any)
		if !ok {
			t.Errorf("%s is of type %s, which the contract does not declare", what, play.MediaType(r))
			continue
		}
		if media["schema"] == nil {
			continue
		}
		schema, err := compiler.Compile("openapi.json" + pointer + "/content/" + escape(play.MediaType(r)) + "/schema")
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(r.JSON); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if len(operations) != a.Routes {
		t.Errorf("the script uses %d of %d operations", len(operations), a.Routes)
	}
}

// findParts notes the schemas that others are put together from.
func findParts(v any, parts map[string]bool) {
	switch t := v.(type) {
	case map[string]any:
		list, _ := t["allOf"].([]any)
		for _, s := range list {
			if ref, ok := asMap(s)["$ref"].(string); ok {
				parts[ref] = true
			}
		}
		for _, m := range t {
			findParts(m, parts)
		}
	case []any:
		for _, m := range t {
			findParts(m, parts)
		}
	}
}

// forAnswers forbids undeclared members everywhere, which the contract leaves
// to whoever enforces it, and members that are only written.
func forAnswers(v any, at string, parts map[string]bool) {
	switch t := v.(type) {
	case map[string]any:
		if properties := asMap(t["properties"]); len(properties) > 0 && t["type"] == "object" {
			if _, mixed := t["allOf"]; !mixed && !parts[at] {
				t["additionalProperties"] = false
			}
			for name, p := range properties {
				if asMap(p)["writeOnly"] == true {
					properties[name] = false
					if required, ok := t["required"].([]any); ok {
						t["required"] = slices.DeleteFunc(required, func(r any) bool { return r == name })
					}
				}
			}
		}
		for name, m := range t {
			forAnswers(m, at+"/"+name, parts)
		}
	case []any:
		for _, m := range t {
			forAnswers(m, "", parts)
		}
	}
}

// template finds the path of the contract that a request's path fits.
func (a API) template(doc map[string]any, path string) (template string, ours bool) {
	path, _, _ = strings.Cut(path, "?")
	path, ours = strings.CutPrefix(path, a.Base)
	got := strings.Split(path, "/")
	best := -1
	for candidate := range asMap(doc["paths"]) {
		want := strings.Split(candidate, "/")
		if len(want) != len(got) {
			continue
		}
		fits, exact := true, 0
		for i := range want {
			if want[i] == got[i] {
				exact++
			} else if !variable.MatchString(want[i]) {
				fits = false
			}
		}
		if fits && exact > best {
			template, best = candidate, exact
		}
	}
	return template, ours
}

func asMap(v any) map[string]any { m, _ := v.(map[string]any); return m }

func dig(v any, names ...string) any {
	for _, n := range names {
		v = asMap(v)[n]
	}
	return v
}

func escape(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(name)
}
