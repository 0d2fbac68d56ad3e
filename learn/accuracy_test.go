package learn_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/parley-project/parley/internal/needs"
	"github.com/parley-project/parley/learn"
)

// tree is a description as plain values.
type tree struct {
	root  map[string]any
	bases []string
}

func readTree(t *testing.T, text []byte, bases ...string) *tree {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	// Through JSON, so that all maps have strings for keys.
	j, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	tr := &tree{bases: bases}
	if err := json.Unmarshal(j, &tr.root); err != nil {
		t.Fatal(err)
	}
	return tr
}

func (tr *tree) follow(v any) map[string]any {
	m, _ := v.(map[string]any)
	for range 20 {
		ref, ok := m["$ref"].(string)
		if !ok {
			break
		}
		var at any = tr.root
		for _, p := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			at, _ = at.(map[string]any)[p], true
		}
		m, _ = at.(map[string]any)
	}
	return m
}

// operation finds the template that a path fits, and the operation there.
func (tr *tree) operation(method, path string) (template string, op map[string]any) {
	if method == "HEAD" {
		method = "GET"
	}
	best := -1
	for _, base := range tr.bases {
		rest, ok := strings.CutPrefix(path, base)
		if !ok {
			continue
		}
		got := strings.Split(rest, "/")
		for _, candidate := range slices.Sorted(maps.Keys(tr.follow(tr.root["paths"]))) {
			want := strings.Split(candidate, "/")
			if len(want) != len(got) {
				continue
			}
			fits, exact := true, 0
			for i := range want {
				if want[i] == got[i] {
					exact++
				} else if !strings.HasPrefix(want[i], "{") {
					fits = false
				}
			}
			o := tr.follow(tr.follow(tr.follow(tr.root["paths"])[candidate])[strings.ToLower(method)])
			if fits && exact > best && o != nil {
				best, template, op = exact, candidate, o
			}
		}
	}
	return template, op
}

// at lists the schemas that say something of a member: of allOf, oneOf and
// anyOf, too.
func (tr *tree) parts(schema map[string]any) []map[string]any {
	schema = tr.follow(schema)
	out := []map[string]any{schema}
	for _, word := range []string{"allOf", "oneOf", "anyOf"} {
		list, _ := schema[word].([]any)
		for _, s := range list {
			out = append(out, tr.parts(tr.follow(s))...)
		}
	}
	return out
}

// types are the types that a schema allows, sorted.
func (tr *tree) types(schema map[string]any) string {
	set := map[string]bool{}
	for _, p := range tr.parts(schema) {
		values, _ := p["enum"].([]any)
		if c, ok := p["const"]; ok {
			values = append(values, c)
		}
		for _, v := range values {
			if _, text := v.(string); text {
				set["string"] = true
			}
		}
		switch x := p["type"].(type) {
		case string:
			set[x] = true
		case []any:
			for _, e := range x {
				set[fmt.Sprint(e)] = true
			}
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(set)), " ")
}

func (tr *tree) member(schema map[string]any, name string) map[string]any {
	for _, p := range tr.parts(schema) {
		if s := tr.follow(tr.follow(p["properties"])[name]); s != nil {
			return s
		}
	}
	for _, p := range tr.parts(schema) {
		if s := tr.follow(p["additionalProperties"]); s != nil {
			return s
		}
	}
	return nil
}

func (tr *tree) items(schema map[string]any) map[string]any {
	for _, p := range tr.parts(schema) {
		if s := tr.follow(p["items"]); s != nil {
			return s
		}
	}
	return nil
}

func (tr *tree) reply(op map[string]any, status int, mt string) map[string]any {
	rs := tr.follow(op["responses"])
	r := tr.follow(rs[fmt.Sprint(status)])
	if r == nil {
		r = tr.follow(rs[fmt.Sprint(status/100)+"XX"])
	}
	return tr.follow(tr.follow(tr.follow(r["content"])[mt])["schema"])
}

func (tr *tree) request(op map[string]any, mt string) map[string]any {
	return tr.follow(tr.follow(tr.follow(tr.follow(op["requestBody"])["content"])[mt])["schema"])
}

// compare walks a value through both schemas and notes every member.
func compare(truth, got *tree, a, b map[string]any, v any, at string, seen map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for name, e := range v {
			want := truth.member(a, name)
			if want == nil {
				continue // not true, so not to be learnt
			}
			place := at + "/" + name
			have := got.member(b, name)
			switch w, h := truth.types(want), ""; {
			case have == nil:
				seen[place] = "missing"
			default:
				if h = got.types(have); !sameTypes(w, h, e) {
					seen[place] = fmt.Sprintf("%q, want %q", h, w)
				} else if _, bad := seen[place]; !bad {
					seen[place] = ""
				}
			}
			compare(truth, got, want, have, e, place, seen)
		}
	case []any:
		for _, e := range v {
			compare(truth, got, truth.items(a), got.items(b), e, at+"[]", seen)
		}
	}
}

// sameTypes allows null to be missing: it is learnt when it was seen.
func sameTypes(want, have string, v any) bool {
	clean := func(s string) string {
		return strings.Join(slices.DeleteFunc(strings.Fields(s), func(w string) bool { return w == "null" }), " ")
	}
	if v == nil && !strings.Contains(have, "null") {
		return false
	}
	return clean(want) == clean(have)
}

// What is learnt of the honest script is the truth: the operations that it uses,
// and the members that it saw, with their types.
func TestLearntIsTrue(t *testing.T) {
	bases := map[string][]string{"shop": {""}, "ledger": {"/api", "/ledger/api"}}
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			xs := e.recorded(t)
			api, err := learnt(xs, learn.Options{}).OpenAPI()
			if err != nil {
				t.Fatal(err)
			}
			truth := readTree(t, e.openAPI, bases[e.name]...)
			got := readTree(t, api, "", "/ledger")
			used, members := map[string]bool{}, map[string]string{}
			for _, x := range xs {
				path := x.Request.Path()
				template, op := truth.operation(x.Request.Method, path)
				if op == nil || x.Response.Status == 404 || x.Response.Status == 405 {
					continue
				}
				name := x.Request.Method + " " + template
				if x.Request.Method == "HEAD" {
					name = "GET " + template
				}
				have, learntOp := got.operation(x.Request.Method, path)
				ok := learntOp != nil && alikePaths(template, have)
				used[name] = ok
				if !ok {
					t.Logf("%s: learnt as %q", name, have)
					continue
				}
				note := func(where string, a, b map[string]any, data []byte) {
					var v any
					if a != nil && json.Unmarshal(data, &v) == nil {
						compare(truth, got, a, b, v, name+" "+where, members)
					}
				}
				if x.Response.Status < 400 {
					mt := x.Request.Header.MediaType()
					note("request", truth.request(op, mt), got.request(learntOp, mt), x.Request.Body.Data)
				}
				mt := x.Response.Header.MediaType()
				note(fmt.Sprint(x.Response.Status), truth.reply(op, x.Response.Status, mt), got.reply(learntOp, x.Response.Status, mt), x.Response.Body.Data)
			}
			right, wrong := 0, 0
			for _, ok := range used {
				if ok {
					right++
				}
			}
			if right*100 < len(used)*95 {
				t.Errorf("%d of %d operations learnt, want 95 %%", right, len(used))
			}
			for _, place := range slices.Sorted(maps.Keys(members)) {
				if says := members[place]; says != "" {
					wrong++
					t.Logf("%s: %s", place, says)
				}
			}
			if wrong*100 > len(members)*5 {
				t.Errorf("%d of %d members are wrong, want at most 5 %%", wrong, len(members))
			}
			needs.Figure(t, "learnt from the honest script of the "+e.name, "%d of %d operations, %d of %d members seen with the right type", right, len(used), len(members)-wrong, len(members))
		})
	}
}

// alikePaths compares templates without the names of variables; the learnt one
// has its base path.
func alikePaths(want, have string) bool {
	bare := func(s string) string {
		parts := strings.Split(s, "/")
		for i, p := range parts {
			if strings.HasPrefix(p, "{") {
				parts[i] = "{}"
			}
		}
		return strings.Join(parts, "/")
	}
	return strings.HasSuffix(bare(have), bare(want))
}
