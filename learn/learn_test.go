package learn_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/learn"
)

// token is an unsigned JWT: learning verifies none.
func token(claims string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return "Bearer " + enc([]byte(`{"alg":"ES256"}`)) + "." + enc([]byte(claims)) + ".c2ln"
}

func operations(l *learn.Learner) []string {
	var out []string
	for _, e := range l.Inventory().Operations {
		if e.Seen {
			out = append(out, e.Operation)
		}
	}
	return out
}

func TestPathTemplates(t *testing.T) {
	get := func(paths ...string) (xs []*exchange.Exchange) {
		for _, p := range paths {
			xs = append(xs, call(t, "GET "+p, "", 200, `{"name":"x"}`))
		}
		return xs
	}
	for _, c := range []struct {
		name string
		xs   []*exchange.Exchange
		want []string
	}{
		{"numbers", get("/orders/887", "/orders"), []string{"GET /orders", "GET /orders/{order}"}},
		{"versions stay", get("/v1/me", "/v2/me"), []string{"GET /v1/me", "GET /v2/me"}},
		{"uuid, ulid, hash, token", get("/a/6f1c1f0e-2d5a-4c1b-9d53-0a8b1f3f6a01", "/boxes/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/cities/0a1b2c3d4e5f60718293", "/users/usr_9f8a7b6c"),
			[]string{"GET /a/{a}", "GET /boxes/{box}", "GET /cities/{city}", "GET /users/{user}"}},
		{"fixed words beside values", get("/users/7", "/users/me", "/users/search"), []string{"GET /users/me", "GET /users/search", "GET /users/{user}"}},
		{"siblings", get("/people/ann", "/people/bob", "/people/cid"), []string{"GET /people/{person}"}},
		{"siblings with the same behind them", get("/shops/a/items", "/shops/b/items"), []string{"GET /shops/{shop}/items"}},
		{"two words are two words", get("/reports/daily", "/reports/weekly"), []string{"GET /reports/daily", "GET /reports/weekly"}},
		{"collections", get("/a/{id}", "/b/{{ user id }}", "/c/:name"), []string{"GET /a/{id}", "GET /b/{user_id}", "GET /c/{name}"}},
		{"said by an answer", []*exchange.Exchange{
			call(t, "GET /tenants/acme/books/main/entries/6f1c1f0e-2d5a-4c1b-9d53-0a8b1f3f6a01", "", 200, `{"tenant":"acme","book":"main"}`),
		}, []string{"GET /tenants/{tenant}/books/{book}/entries/{entry}"}},
		{"said by a token", []*exchange.Exchange{
			call(t, "GET /tenants/acme/books", "", 200, `[]`, "Authorization", token(`{"sub":"u1","tenant":"acme"}`)),
		}, []string{"GET /tenants/{tenant}/books"}},
		{"nothing there", []*exchange.Exchange{call(t, "GET /nothing", "", 404, ""), call(t, "GET /v1/x", "", 405, "")}, nil},
		{"failures on a value", []*exchange.Exchange{call(t, "GET /orders/7", "", 200, `{}`), call(t, "GET /orders/first", "", 400, "")}, []string{"GET /orders/{order}"}},
		{"below another base", append(get("/api/x", "/api/y/1", "/api/y"), get("/gate/api/x", "/gate/api/y")...), []string{"GET /api/x", "GET /api/y", "GET /api/y/{y}"}},
		{"HEAD is GET, OPTIONS is nothing", []*exchange.Exchange{call(t, "HEAD /x", "", 200, ""), call(t, "OPTIONS /y", "", 204, "")}, []string{"GET /x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := operations(learnt(c.xs, learn.Options{})); !slices.Equal(got, c.want) {
				t.Errorf("operations %q, want %q", got, c.want)
			}
		})
	}
}

// schemaOf learns one answer's schema from several.
func schemaOf(t *testing.T, path string, replies ...string) string {
	t.Helper()
	var xs []*exchange.Exchange
	for _, r := range replies {
		xs = append(xs, call(t, "GET "+path, "", 200, r))
	}
	api, err := learnt(xs, learn.Options{}).OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	_, schemas, ok := strings.Cut(string(api), "  schemas:\n")
	if !ok {
		t.Fatalf("no schemas:\n%s", api)
	}
	return schemas
}

func TestSchemas(t *testing.T) {
	many := func(n int, form string) (out []string) {
		for i := range n {
			out = append(out, fmt.Sprintf(form, i, []string{"new", "sent", "gone"}[i%3]))
		}
		return out
	}
	for _, c := range []struct {
		name    string
		replies []string
		want    []string
		not     []string
	}{
		{"types", []string{`{"i":1,"n":1.5,"b":true,"s":"a b","d":"2026-01-02","t":"2026-01-02T03:04:05Z","e":"a@b.example","u":"https://a.example/x","g":"6f1c1f0e-2d5a-4c1b-9d53-0a8b1f3f6a01"}`},
			[]string{"i: {type: integer}", "n: {type: number}", "b: {type: boolean}", "s: {type: string}", "format: date}", "format: date-time}", "format: email}", "format: uri}", "format: uuid}"}, []string{"minimum", "maxLength"}},
		{"null and required", []string{`{"a":null,"b":1}`, `{"a":"x"}`}, []string{"required: [a]", `a: {type: [string, "null"]}`}, nil},
		{"an amount", []string{`{"price":13}`}, []string{"price: {type: number}"}, nil},
		{"a few words", many(40, `{"n":%d,"status":%q}`), []string{"enum: [gone, new, sent]"}, nil},
		{"not yet a few words", many(9, `{"n":%d,"status":%q}`), nil, []string{"enum"}},
		{"a map", []string{`{"by_day":{"2026-01-01":1,"2026-01-02":2}}`}, []string{"additionalProperties: {type: integer}"}, []string{"2026-01-01"}},
		{"items merged", []string{`{"items":[{"a":1},{"a":2,"b":"x"}]}`}, []string{"required: [a]", "b: {type: string}"}, nil},
		{"secrets", []string{`{"id":1,"password_hash":"$2a$10$abcdefghijklmnopqrstuv","credit_card":"4111 1111 1111 1111","api_token":"tok_123456789"}`},
			[]string{"password_hash: {type: string, writeOnly: true", "credit_card: {type: string, writeOnly: true", "api_token: {type: string, writeOnly: true", "required: [id]"}, []string{"4111", "$2a$", "tok_123"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := schemaOf(t, "/things/7", c.replies...)
			for _, w := range c.want {
				if !strings.Contains(got, w) {
					t.Errorf("the schema lacks %q:\n%s", w, got)
				}
			}
			for _, w := range c.not {
				if strings.Contains(got, w) {
					t.Errorf("the schema has %q:\n%s", w, got)
				}
			}
		})
	}
}

func TestSecretsAreListed(t *testing.T) {
	l := learnt([]*exchange.Exchange{
		call(t, "GET /users/7", "", 200, `{"id":7,"password_hash":"$2a$10$abcdefghijklmnopqrstuv"}`),
		call(t, "POST /login", `{"email":"a@b.example","password":"hunter2hunter2"}`, 200, `{"token":"abcdefgh"}`),
	}, learn.Options{Examples: true})
	if got := l.Inventory().NeverSend; !slices.Equal(got, []string{"User.password_hash"}) {
		t.Errorf("never to be sent: %q, want User.password_hash alone", got)
	}
	policy := string(l.Policy())
	if !strings.Contains(policy, "never_send: [password_hash]") {
		t.Errorf("the policy lacks it:\n%s", policy)
	}
	api, err := l.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(api)+policy, "hunter2") || strings.Contains(string(api), "abcdefgh") {
		t.Errorf("a secret became an example:\n%s", api)
	}
	files(t, l)
}

func TestSecurity(t *testing.T) {
	bearer := []string{"Authorization", token(`{"sub":"1"}`)}
	l := learnt([]*exchange.Exchange{
		call(t, "GET /open", "", 200, `{}`),
		call(t, "GET /either", "", 200, `{}`), call(t, "GET /either", "", 200, `{}`, bearer...),
		call(t, "GET /closed", "", 401, `{}`), call(t, "GET /closed", "", 200, `{}`, bearer...),
		call(t, "GET /key", "", 200, `{}`, "X-API-Key", "k-1"),
		call(t, "GET /cookie", "", 200, `{}`, "Cookie", "theme=dark; sessionid=abc"),
		call(t, "GET /masked", "", 200, `{}`, "Authorization", "Bearer secret:0123456789ab"),
	}, learn.Options{})
	k, _ := files(t, l)
	for path, want := range map[string]string{"/open": "", "/either": " | bearer", "/closed": "bearer", "/key": "x_api_key", "/cookie": "sessionid", "/masked": "bearer"} {
		var got []string
		for _, alternative := range k.Match("GET", path).Operation.Security {
			name := ""
			for n := range alternative {
				name = n
			}
			got = append(got, name)
		}
		if s := strings.Join(got, " | "); s != want {
			t.Errorf("%s: security %q, want %q", path, s, want)
		}
	}
	if s := k.Schemes["x_api_key"]; s.In != "header" || s.Name != "X-API-Key" {
		t.Errorf("scheme of the key: %+v", s)
	}
}

// Owners by what guard recorded of callers, with everything masked.
func TestOwnersByCaller(t *testing.T) {
	as := func(x *exchange.Exchange, subject string, roles ...string) *exchange.Exchange {
		x.Request.Header = append(x.Request.Header, exchange.Field{Name: "Authorization", Value: "Bearer secret:0123456789ab"})
		x.Server.Caller = &exchange.Caller{Subject: exchange.Subject(subject), Roles: roles}
		x.Server.Credential = &exchange.Credential{Scheme: "bearer", Carrier: "header", Verified: true}
		return x
	}
	sound := []*exchange.Exchange{
		as(call(t, "GET /notes/1", "", 200, `{"id":1,"owner":"ann","last_reader":"ann","kind":"x"}`), "ann"),
		as(call(t, "GET /notes/2", "", 200, `{"id":2,"owner":"bob","last_reader":"ann","kind":"x"}`), "bob"),
		as(call(t, "GET /notes", "", 200, `[{"id":1,"owner":"ann"}]`), "ann"),
		as(call(t, "GET /notes", "", 200, `[{"id":2,"owner":"bob"}]`), "bob"),
		as(call(t, "GET /notes/2", "", 404, `{}`), "ann"),
	}
	l := learnt(sound, learn.Options{})
	policy := string(l.Policy())
	for _, want := range []string{"owner: response.owner\n", "hide_existence: true", "allow: response.all(o, o.owner == caller.id)"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %q:\n%s", want, policy)
		}
	}
	if strings.Contains(policy, "last_reader") || strings.Contains(policy, "unless") {
		t.Errorf("the policy says too much:\n%s", policy)
	}
	files(t, l)

	l = learnt(append(slices.Clone(sound), as(call(t, "GET /notes/1", "", 200, `{"id":1,"owner":"ann","last_reader":"root","kind":"x"}`), "root", "admin")), learn.Options{})
	if policy := string(l.Policy()); !strings.Contains(policy, "owner: response.owner\n    unless: '\"admin\" in caller.roles'") {
		t.Errorf("administrators are no exception:\n%s", policy)
	}
	l = learnt(append(slices.Clone(sound), as(call(t, "GET /notes/1", "", 200, `{"id":1,"owner":"ann","last_reader":"cid","kind":"x"}`), "cid")), learn.Options{})
	if policy := string(l.Policy()); strings.Contains(policy, "owner: response.owner") {
		t.Errorf("a rule that was broken is proposed:\n%s", policy)
	}
}

// What anybody may read shows no owner; the answers to its changes do.
func TestOwnersOfWhatAnybodyReads(t *testing.T) {
	as := func(x *exchange.Exchange, subject string) *exchange.Exchange {
		x.Request.Header = append(x.Request.Header, exchange.Field{Name: "Authorization", Value: "Bearer secret:0123456789ab"})
		x.Server.Caller = &exchange.Caller{Subject: exchange.Subject(subject)}
		x.Server.Credential = &exchange.Credential{Scheme: "bearer", Carrier: "header", Verified: true}
		return x
	}
	policy := string(learnt([]*exchange.Exchange{
		call(t, "GET /notes/1", "", 200, `{"id":1,"owner":"ann"}`),
		call(t, "GET /notes/2", "", 200, `{"id":2,"owner":"bob"}`),
		as(call(t, "PATCH /notes/1", `{"text":"x"}`, 200, `{"id":1,"owner":"ann"}`), "ann"),
		as(call(t, "PATCH /notes/2", `{"text":"y"}`, 200, `{"id":2,"owner":"bob"}`), "bob"),
		as(call(t, "PATCH /notes/2", `{"text":"z"}`, 404, `{}`), "ann"),
	}, learn.Options{}).Policy())
	if !strings.Contains(policy, "operation: PATCH /notes/{note}\n    owner: object.owner\n") {
		t.Errorf("who changed what anybody reads is not its owner:\n%s", policy)
	}
	if strings.Contains(policy, "GET /notes") {
		t.Errorf("what anybody reads has a rule:\n%s", policy)
	}
}

func TestInventoryAndDiff(t *testing.T) {
	file := filepath.Join(t.TempDir(), "openapi.yaml")
	if err := os.WriteFile(file, []byte(`openapi: 3.1.0
info: {title: T, version: "1"}
paths:
  /v1/orders/{id}:
    get:
      security: []
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses:
        "200": {description: It, content: {application/json: {schema: {type: object, properties: {id: {type: integer}, n: {type: integer}}}}}}
    delete:
      security: []
      responses: {"204": {description: Gone}}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := contract.FromAPI(file)
	if err != nil {
		t.Fatal(err)
	}
	page := call(t, "GET /", "", 200, `<a href="/v1/orders/7"></a><script>fetch("/v1/admin/users"); fetch(`+"`/v1/carts/${id}`"+`); x("/static/app.js")</script>`)
	page.Response.Header = exchange.Header{{Name: "Content-Type", Value: "text/html"}}
	l := learnt([]*exchange.Exchange{
		page,
		call(t, "GET /v1/orders/7?deep=1", "", 200, `{"id":7,"n":"text","secret_note":"x"}`),
		call(t, "GET /v1/orders/8", "", 202, `{}`),
		call(t, "GET /v1/debug", "", 200, `{"x":1}`, "Authorization", token(`{"sub":"ann","roles":["staff"]}`)),
	}, learn.Options{API: k})
	var lines []string
	for _, e := range l.Inventory().Operations {
		word := ""
		for name, is := range map[string]bool{"shadow": e.Shadow, "unused": e.Unused, "named": e.Named, "declared": e.Declared && e.Seen} {
			if is {
				word += name
			}
		}
		lines = append(lines, e.Operation+" "+word)
	}
	want := []string{"GET / shadow", "? /v1/admin/users named", "? /v1/carts/{id} named", "GET /v1/debug shadow", "GET /v1/orders/{id} declared", "DELETE /v1/orders/{id} unused"}
	if !slices.Equal(lines, want) {
		t.Errorf("inventory\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	for _, e := range l.Inventory().Operations {
		if e.Operation == "GET /v1/debug" && (e.Open || len(e.Callers) != 1 || e.Callers[0].Subject != "ann" || !slices.Equal(e.Callers[0].Roles, []string{"staff"})) {
			t.Errorf("who asked for /v1/debug: %+v", e)
		}
		if e.Operation == "GET /v1/orders/{id}" && !e.Open {
			t.Errorf("anybody read an order, and it is not said: %+v", e)
		}
	}
	var changes []string
	for _, c := range l.Diff() {
		changes = append(changes, c.Operation+": "+c.What+" "+c.Place)
	}
	want = []string{
		"GET /: new operation /paths/~1/get",
		"GET /v1/debug: new operation /paths/~1v1~1debug/get",
		"GET /v1/orders/{id}: new parameter /parameters/query/deep",
		"GET /v1/orders/{id}: type differs /responses/200/n",
		"GET /v1/orders/{id}: new member /responses/200/secret_note",
		"GET /v1/orders/{id}: new status /responses/202",
	}
	if !slices.Equal(changes, want) {
		t.Errorf("changes\n%s\nwant\n%s", strings.Join(changes, "\n"), strings.Join(want, "\n"))
	}
	if _, err := json.Marshal(l.Diff()); err != nil {
		t.Error(err)
	}
}

// Examples make requests that were really sent.
func TestExamplesGiveBackRequests(t *testing.T) {
	l := learnt([]*exchange.Exchange{
		call(t, "POST /carts/12/items?dry=true", `{"sku":"a-1","count":2}`, 201, `{"id":1}`),
		call(t, "POST /login", `{"email":"a@b.example","password":"hunter2hunter2"}`, 200, `{}`),
	}, learn.Options{Examples: true})
	_, dir := files(t, l)
	file := filepath.Join(dir, "openapi.yaml")
	k, err := contract.FromAPI(file)
	if err != nil {
		t.Fatal(err)
	}
	samples, err := k.Samples(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range samples {
		r := s.Request()
		switch s.Path {
		case "/carts/{cart}/items":
			if r.Target != "/carts/12/items" {
				t.Errorf("the sample asks for %s", r.Target)
			}
			var got map[string]any
			if json.Unmarshal(s.Body, &got) != nil || got["sku"] != "a-1" || got["count"] != 2.0 {
				t.Errorf("the sample sends %s", s.Body)
			}
		case "/login":
			if !strings.Contains(string(s.Body), `"a@b.example"`) || !strings.Contains(string(s.Body), `"password"`) {
				t.Errorf("the log-in's sample sends %s", s.Body)
			}
		}
		if len(s.Faults) > 0 {
			t.Errorf("%s %s: %q", s.Method, s.Path, s.Faults)
		}
	}
}

// What a scan asked and what guard refused is not what clients do.
func TestNotLearnt(t *testing.T) {
	probe := call(t, "GET /a", "", 200, `{}`)
	probe.Source = exchange.FromScan
	refused := call(t, "GET /b", "", 403, `{}`)
	refused.Actions = []exchange.Action{{Kind: exchange.Refused, Enforced: true}}
	upstream := call(t, "GET /c", "", 200, `{}`)
	upstream.Side = exchange.UpstreamSide
	if got := operations(learnt([]*exchange.Exchange{probe, refused, upstream}, learn.Options{})); len(got) > 0 {
		t.Errorf("learnt %q, want nothing", got)
	}
}
