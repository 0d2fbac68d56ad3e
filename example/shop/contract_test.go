package shop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/parley-project/parley/example/play"
)

// The contract is true: every route is in it and nothing else, and every answer
// of the legitimate script is one that it declares, with no member more.

func openAPI(t *testing.T) map[string]any {
	t.Helper()
	var tree any
	if err := yaml.Unmarshal(OpenAPI, &tree); err != nil {
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

func TestContractNamesEveryRoute(t *testing.T) {
	var declared []string
	for path, item := range openAPI(t)["paths"].(map[string]any) {
		for method := range item.(map[string]any) {
			if method != "parameters" {
				declared = append(declared, strings.ToUpper(method)+" "+path)
			}
		}
	}
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var offered []string
	for _, d := range declared {
		_, path, _ := strings.Cut(d, " ")
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest("OPTIONS", strings.ReplaceAll(path, "{id}", "1"), nil))
		for m := range strings.SplitSeq(w.Header().Get("Allow"), ", ") {
			if m != "OPTIONS" && m != "HEAD" {
				offered = append(offered, m+" "+path)
			}
		}
	}
	slices.Sort(declared)
	slices.Sort(offered)
	if offered = slices.Compact(offered); !slices.Equal(declared, offered) {
		t.Errorf("openapi.yaml declares\n%s\nand the shop offers\n%s", strings.Join(declared, "\n"), strings.Join(offered, "\n"))
	}
	if want := len(s.table()); len(declared) != want {
		t.Errorf("openapi.yaml declares %d operations, and the shop has %d routes", len(declared), want)
	}
}

// closed forbids undeclared members everywhere: the contract leaves that to
// whoever enforces it.
func closed(v any) {
	switch t := v.(type) {
	case map[string]any:
		if _, ok := t["properties"]; ok && t["type"] == "object" {
			t["additionalProperties"] = false
		}
		for _, m := range t {
			closed(m)
		}
	case []any:
		for _, m := range t {
			closed(m)
		}
	}
}

func TestAnswersKeepTheContract(t *testing.T) {
	doc := openAPI(t)
	closed(doc)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	keys, err := s.Keys()
	if err != nil {
		t.Fatal(err)
	}
	n, err := play.NewRunner(http.DefaultClient, server.URL, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	operations := map[string]bool{}
	for _, step := range Legitimate() {
		r, err := n.Send(context.Background(), step)
		if err != nil {
			t.Fatal(err)
		}
		what := fmt.Sprintf("%s %s: %d", step.Method, step.Path, r.Status)
		path := template(doc, r.Step.Path)
		operation, ok := dig(doc, "paths", path, strings.ToLower(step.Method)).(map[string]any)
		if !ok {
			if r.Status != 404 && r.Status != 405 && step.Method != "HEAD" {
				t.Errorf("%s, and it is not in the contract", what)
			}
			continue
		}
		operations[step.Method+" "+path] = true
		pointer := fmt.Sprintf("#/paths/%s/%s/responses/%d", escape(path), strings.ToLower(step.Method), r.Status)
		response, _ := dig(operation, "responses", fmt.Sprint(r.Status)).(map[string]any)
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
		media, ok := content[mediaType(r)].(map[string]any)
		if !ok {
			t.Errorf("%s is of type %s, which the contract does not declare", what, mediaType(r))
			continue
		}
		if media["schema"] == nil {
			continue
		}
		schema, err := compiler.Compile("openapi.json" + pointer + "/content/" + escape(mediaType(r)) + "/schema")
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(r.JSON); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if want := len(s.table()); len(operations) != want {
		t.Errorf("the script uses %d of %d operations", len(operations), want)
	}
}

// template finds the path of the contract that a request's path fits.
func template(doc map[string]any, path string) string {
	path, _, _ = strings.Cut(path, "?")
	got := strings.Split(path, "/")
	for candidate := range asMap(doc["paths"]) {
		want := strings.Split(candidate, "/")
		if len(want) == len(got) && !slices.ContainsFunc(indexes(want), func(i int) bool { return want[i] != got[i] && want[i] != "{id}" }) {
			return candidate
		}
	}
	return ""
}

func indexes(s []string) (out []int) {
	for i := range s {
		out = append(out, i)
	}
	return out
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
