package learn_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/learn"
)

// call makes an exchange of lines as a person writes them.
func call(t testing.TB, line, body string, status int, reply string, fields ...string) *exchange.Exchange {
	t.Helper()
	method, target, ok := strings.Cut(line, " ")
	if !ok {
		t.Fatalf("%q is no request", line)
	}
	x := &exchange.Exchange{Source: exchange.FromProxy, Request: exchange.Request{Method: method, Scheme: "https", Authority: "api.example", Target: target}}
	for i := 0; i+1 < len(fields); i += 2 {
		x.Request.Header = append(x.Request.Header, exchange.Field{Name: fields[i], Value: fields[i+1]})
	}
	if body != "" {
		x.Request.Header = append(x.Request.Header, exchange.Field{Name: "Content-Type", Value: "application/json"})
		x.Request.Body = exchange.Body{Size: int64(len(body)), Data: []byte(body)}
	}
	if status != 0 {
		x.Response = &exchange.Response{Status: status}
		if reply != "" {
			x.Response.Header = exchange.Header{{Name: "Content-Type", Value: "application/json"}}
			x.Response.Body = exchange.Body{Size: int64(len(reply)), Data: []byte(reply)}
		}
	}
	return x
}

const kept = `# The API of the shop, by hand.
openapi: 3.1.0
info: {title: Mine, version: 1.2.3}

servers:
  - url: https://api.example/v1

paths:
  /orders/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: integer, maximum: 9999}} # never more
    get:
      summary: An order
      description: |
        First line.

        Third line.
      responses:
        "200":
          description: It
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Order'}

components:
  schemas:
    # What was ordered.
    Order:
      type: object
      required: [id]
      properties:
        id: {type: integer, maximum: 9999}
        # one of three
        status: {type: string, enum: [new, sent, gone]}
`

func TestMergeKeepsWhatAPersonWrote(t *testing.T) {
	l := learnt([]*exchange.Exchange{
		call(t, "GET /v1/orders/7", "", 200, `{"id":7,"status":"new","note":"x"}`),
		call(t, "GET /v1/orders/8", "", 404, `{"error":"none"}`),
		call(t, "DELETE /v1/orders/8", "", 204, ""),
		call(t, "GET /v1/users?limit=3", "", 200, `{"items":[{"id":1}]}`),
	}, learn.Options{})
	got, err := l.Merge([]byte(kept))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(kept, "\n") {
		if !strings.Contains(string(got), strings.TrimSpace(line)) {
			t.Errorf("the line %q is gone", line)
		}
	}
	for _, want := range []string{"note:", "delete:", `"404":`, "/users:", "name: limit"} {
		if !strings.Contains(string(got), want) && !strings.Contains(string(got), strings.ReplaceAll(want, `"`, "'")) {
			t.Errorf("merged text lacks %s", want)
		}
	}
	if strings.Count(string(got), "\n\n") < strings.Count(kept, "\n\n") {
		t.Errorf("empty lines are gone")
	}
	again, err := l.Merge(got)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, got) {
		t.Error("merging again changed something")
	}
	file := filepath.Join(t.TempDir(), "openapi.yaml")
	if err := os.WriteFile(file, got, 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := contract.FromAPI(file)
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	if k.Match("DELETE", "/v1/orders/7").Operation == nil || k.Match("GET", "/v1/users").Operation == nil {
		t.Errorf("the new operations are not found:\n%s", got)
	}
	if t.Failed() {
		t.Logf("%s", got)
	}
}

// The whole of an example merged into its own true description, and into
// itself.
func TestMergeIsIdempotent(t *testing.T) {
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			l := learnt(e.recorded(t), learn.Options{})
			own, err := l.OpenAPI()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := l.Merge(own); err != nil || !bytes.Equal(own, again) {
				t.Errorf("merged into itself it changed (%v):\n%s", err, again)
			}
			once, err := l.Merge(e.openAPI)
			if err != nil {
				t.Fatal(err)
			}
			if twice, err := l.Merge(once); err != nil || !bytes.Equal(once, twice) {
				t.Errorf("merged twice it changed (%v)", err)
			}
			for _, line := range strings.Split(string(e.openAPI), "\n") {
				if strings.HasPrefix(strings.TrimSpace(line), "#") && !strings.Contains(string(once), strings.TrimSpace(line)) {
					t.Errorf("the comment %q is gone", line)
				}
			}
			policy := l.Policy()
			merged, err := l.MergePolicy(policy, own)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(policy, merged) {
				t.Errorf("the policy merged into itself changed:\n%s", merged)
			}
			if to := os.Getenv("LEARN_OUT"); to != "" {
				os.WriteFile(filepath.Join(to, e.name+"-merged.yaml"), once, 0o600)
			}
		})
	}
}

const keptPolicy = `# By hand.
api: openapi.yaml
mode: enforce

rules:
  # This one is ours.
  - operation: GET /v1/me
    allow: caller.id != ""

fields:
  - schema: UserPatch
    writable_by: {plan: [admin, sales]} # sales, too
`

func TestMergePolicyKeepsRules(t *testing.T) {
	l := learnt(examples[0].recorded(t), learn.Options{})
	api, err := l.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	got, err := l.MergePolicy([]byte(keptPolicy), api)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(keptPolicy, "\n") {
		if !strings.Contains(string(got), strings.TrimSpace(line)) {
			t.Errorf("the line %q is gone:\n%s", line, got)
		}
	}
	for _, want := range []string{"owner: response.user_id", "issuer: https://login.shop.example", "schema: OrderPatch"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("the merged policy lacks %s:\n%s", want, got)
		}
	}
	if again, err := l.MergePolicy(got, api); err != nil || !bytes.Equal(got, again) {
		t.Errorf("merging again changed something (%v)", err)
	}
}

// What is proposed for an API with a description and a policy of its own fits
// both: the merged policy loads.
func TestMergeIntoTheTrueFiles(t *testing.T) {
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			dir := t.TempDir()
			own, err := os.ReadFile("../example/" + e.name + "/parley.yaml")
			if err != nil {
				t.Fatal(err)
			}
			for name, text := range map[string][]byte{"openapi.yaml": e.openAPI, "parley.yaml": own} {
				if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			k, err := contract.FromAPI(filepath.Join(dir, "openapi.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			l := learnt(e.recorded(t), learn.Options{API: k})
			api, err := l.Merge(e.openAPI)
			if err != nil {
				t.Fatal(err)
			}
			policy, err := l.MergePolicy(own, api)
			if err != nil {
				t.Fatal(err)
			}
			for name, text := range map[string][]byte{"openapi.yaml": api, "parley.yaml": policy} {
				if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if k, err = contract.Load(filepath.Join(dir, "parley.yaml")); err != nil || len(k.NotJudged) > 0 {
				t.Fatalf("the merged files do not load: %v\n%s", err, policy)
			}
			for _, line := range strings.Split(string(own), "\n") {
				if !strings.Contains("\n"+string(policy), "\n"+line+"\n") {
					t.Errorf("the line %q is gone", line)
				}
			}
			if string(api) != string(e.openAPI) {
				t.Errorf("the true description lacked something:\n%s", api)
			}
		})
	}
}

// JSON stays JSON, and names without anything yet get something.
func TestMergeForms(t *testing.T) {
	l := learnt([]*exchange.Exchange{call(t, "GET /v1/<a>/7?x=1", "", 200, `{"id":7,"price":1.50}`), call(t, "GET /v1/b", "", 200, `{"n":1}`)}, learn.Options{})
	for _, old := range []string{
		`{"openapi":"3.1.0","info":{"title":"T <b>","version":"1"},"paths":{"/v1/b":{"get":{"responses":{"200":{"description":"x"}}}}},"x-number":1.50}`,
		"openapi: 3.1.0\ninfo: {title: T, version: \"1\"}\npaths:\ncomponents:\n",
		"openapi: 3.1.0\ninfo: {title: T, version: \"1\"}\npaths: {}\n",
	} {
		got, err := l.Merge([]byte(old))
		if err != nil {
			t.Fatal(err)
		}
		if old[0] == '{' && (!json.Valid(got) || !strings.Contains(string(got), `"x-number": 1.50`) || !strings.Contains(string(got), "T <b>")) {
			t.Errorf("JSON became\n%s", got)
		}
		if again, err := l.Merge(got); err != nil || !bytes.Equal(again, got) {
			t.Errorf("merging again changed something (%v):\n%s\n%s", err, got, again)
		}
		file := filepath.Join(t.TempDir(), "openapi.yaml")
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := contract.FromAPI(file)
		if err != nil {
			t.Fatalf("%v\n%s", err, got)
		}
		if k.Match("GET", "/v1/b").Operation == nil {
			t.Errorf("the operation is not there:\n%s", got)
		}
	}
	for _, old := range []string{"api: openapi.yaml\nrules:\nfields:\n", "api: openapi.yaml\n"} {
		l := learnt(examples[1].recorded(t), learn.Options{})
		once, err := l.MergePolicy([]byte(old), nil)
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := l.MergePolicy(once, nil); err != nil || !bytes.Equal(once, twice) || !strings.Contains(string(once), "owner: object.data.createdBy") {
			t.Errorf("merged twice it changed, or has no rules (%v):\n%s", err, once)
		}
	}
	for _, bad := range []string{"[1]", "x", "a: [", "\t"} {
		if got, err := l.Merge([]byte(bad)); err == nil {
			t.Errorf("Merge(%q) = %q, want an error", bad, got)
		}
	}
}
