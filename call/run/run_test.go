package run

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/call/script"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/internal/lab"
)

// server starts the laboratory's echo, or another handler.
func server(t testing.TB, h http.Handler) string {
	if h == nil {
		h = lab.Echo()
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// read makes a collection of YAML in a folder of its own, in which $U is the
// server.
func read(t testing.TB, base, text string) *archive.Collection {
	t.Helper()
	file := filepath.Join(t.TempDir(), "c.yaml")
	text = strings.ReplaceAll(text, "$U", base)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := archive.Read(file, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// play runs a collection and keeps what came of it.
func play(t testing.TB, c *archive.Collection, o Options) (*Keep, *Summary) {
	t.Helper()
	k := &Keep{}
	o.Reporters = append(o.Reporters, k)
	r, err := New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s, err := r.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return k, s
}

// outcome is a result in a line: "a: ok", "b: 1 failed", "c: at tcp".
func outcome(r *Result) string {
	failed := 0
	for _, a := range r.Assertions {
		if !a.Passed && !a.Skipped {
			failed++
		}
	}
	switch {
	case r.Skipped != "":
		return r.Name + ": skipped"
	case r.Failure != "":
		return r.Name + ": at " + r.FailedAt
	case failed > 0:
		return fmt.Sprintf("%s: %d failed", r.Name, failed)
	}
	return r.Name + ": ok"
}

func outcomes(k *Keep) []string {
	var out []string
	for _, r := range k.Results {
		out = append(out, outcome(r))
	}
	return out
}

func messages(k *Keep) string {
	var b strings.Builder
	for _, r := range k.Results {
		fmt.Fprintf(&b, "%s %s %s\n", outcome(r), r.URL, r.Failure)
		for _, a := range r.Assertions {
			fmt.Fprintf(&b, "  %v %s %s: %s\n", a.Passed, a.Step, a.Name, a.Message)
		}
	}
	return b.String()
}

func TestRequests(t *testing.T) {
	u := server(t, nil)
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "a.txt"), []byte("from a file"), 0o600)
	for _, v := range []struct{ name, request, expect string }{
		{"query", "get: $U/get\n    query: {a: 'x y&z', b: '{{v}}'}", `{body.$.args.a: 'x y&z', body.$.args.b: 'a&b="c"'}`},
		{"json is escaped", "post: $U/post\n    json: {a: '{{v}}', n: 1}", `{body.$.json.a: 'a&b="c"', body.$.json.n: 1}`},
		{"text", "post: $U/post\n    text: '{{v}}'", `{body.$.data: 'a&b="c"', 'body.$.headers["content-type"]': text/plain}`},
		{"form", "post: $U/post\n    form: {a: '{{v}}', b: [x, y]}", `{body.$.form.a: 'a&b="c"', body.$.form.b: [x, y]}`},
		{"multipart", "post: $U/post\n    multipart: {a: '{{v}}', f: {file: a.txt, type: text/x}}", `{body.$.form.a: 'a&b="c"', 'body.$.files["a.txt"]': {exists: true}}`},
		{"file", "put: $U/put\n    file: a.txt", `{body.$.data: from a file}`},
		{"graphql", "post: $U/post\n    graphql: {query: '{ me }', variables: {a: 1}}", `{body.$.json.query: '{ me }', body.$.json.variables.a: 1}`},
		{"header", "get: $U/get\n    headers: {X-A: '{{n}}', X-B: 7}", `{'body.$.headers["x-a"]': 'inner 7', 'body.$.headers["x-b"]': '7'}`},
		{"method", "method: PATCH\n    url: $U/patch", `{request.method: PATCH}`},
		{"basic", "get: $U/basic-auth\n    auth: {basic: 'postman:password'}", `{status: 200}`},
		{"bearer", "get: $U/headers\n    auth: {bearer: abcdefgh}", `{'body.$.headers["authorization"]': Bearer abcdefgh}`},
		{"api key", "get: $U/headers\n    auth: {apikey: {key: X-Api-Key, value: abc}}", `{'body.$.headers["x-api-key"]': abc}`},
		{"inherited", "get: $U/headers", `{'body.$.headers["authorization"]': Bearer of all}`},
		{"none", "get: $U/headers\n    auth: none", `{'body.$.headers["authorization"]': {exists: false}}`},
		{"digest", "get: $U/digest-auth\n    auth: {digest: 'postman:password'}", `{status: 200}`},
		{"no redirect", "get: $U/redirect-to?url=/get", `{status: 302, redirects: 0, header.location: /get}`},
		{"redirect", "get: $U/redirect-to?url=/get\n    send: {redirects: true}", `{status: 200, redirects: 1, url: '$U/get'}`},
		{"dynamic", "get: $U/get?g={{$guid}}", `{body.$.args.g: {matches: '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'}}`},
		{"fragment and spaces", "get: '$U/a b/ü?x=y z#frag'", `{'request.url': '$U/a%20b/%C3%BC?x=y%20z'}`},
		{"gzip", "get: $U/gzip", `{body.$.gzipped: true}`},
		{"expect a variable", "get: $U/get?a=7", `{body.$.args.a: '{{seven}}'}`},
	} {
		t.Run(v.name, func(t *testing.T) {
			text := "variables: {v: 'a&b=\"c\"', n: 'inner {{seven}}', seven: 7}\nauth: {bearer: of all}\nrequests:\n  - name: one\n    " + v.request + "\n    expect: " + v.expect + "\n"
			c := read(t, u, text)
			c.File = filepath.Join(dir, "c.yaml")
			k, s := play(t, c, Options{Call: call.Options{Clear: true}})
			if s.Exit() != 0 {
				t.Errorf("Run(%s) found %v, want all well", v.request, messages(k))
			}
		})
	}
}

func TestWhatGoesWrong(t *testing.T) {
	u := server(t, nil)
	for _, v := range []struct{ name, text, outcome, says string }{
		{"status", "get: $U/status/404\n    expect: {status: 200}", "one: 1 failed", "got 404, want 200"},
		{"body", "get: $U/get?a=1\n    expect: {body.$.args.a: 1}", "one: 1 failed", `got "1", want 1`},
		{"absent", "get: $U/get\n    expect: {body.$.nothing: 1}", "one: 1 failed", "it is not there, want 1"},
		{"no JSON", "get: $U/status/204\n    expect: {body.$.a: 1}", "one: 1 failed", "no JSON"},
		{"time", "get: $U/get\n    expect: {time: '> 1h'}", "one: 1 failed", `want > "1h"`},
		{"capture", "get: $U/get\n    capture: {a: body.$.nothing}", "one: 1 failed", "body.$.nothing is not there"},
		{"unknown name", "get: $U/get?a={{nobody}}", "one: at request", "c.yaml:2: no variable is named nobody"},
		{"names in a circle", "get: $U/get?a={{x}}\n    variables: {x: '{{y}}', y: '{{x}}'}", "one: at request", "no variable is named"},
		{"refused", "get: http://127.0.0.1:1/", "one: at tcp", "refused"},
		{"no name", "get: http://nobody.invalid/", "one: at dns", "nobody.invalid"},
		{"timeout", "get: $U/delay/5\n    send: {timeout: 20ms}", "one: at server", ""},
		{"expected failure", "get: http://127.0.0.1:1/\n    expect: {failed_at: tcp}", "one: ok", ""},
		{"file outside", "post: $U/post\n    file: ../../../etc/hostname", "one: at request", "outside of the collection's folder"},
		{"file missing", "post: $U/post\n    file: missing.txt", "one: at request", "cannot be read"},
		{"header of two lines", "get: $U/get\n    headers: {A: \"b\\nc\"}", "one: at request", "more than one line"},
		{"identity unknown", "get: $U/get\n    as: nobody", "one: at request", "nobody"},
		{"contract without one", "get: $U/get\n    expect: {contract: valid}", "one: 1 failed", "--api"},
		{"a URL of no form", "get: 'http://a b/'", "one: at request", ""},
	} {
		t.Run(v.name, func(t *testing.T) {
			k, _ := play(t, read(t, u, "requests:\n  - name: one\n    "+v.text+"\n"), Options{})
			if got := outcome(k.Results[0]); got != v.outcome || !strings.Contains(messages(k), v.says) {
				t.Errorf("Run(%s) found %v, want %v with %q\n%s", v.text, got, v.outcome, v.says, messages(k))
			}
		})
	}
}

func TestVariablePrecedence(t *testing.T) {
	u := server(t, nil)
	given := &script.Variables{}
	given.Set("a", "given")
	environment := Variables("e", []archive.Variable{{Name: "a", Value: "environment"}, {Name: "b", Value: "environment"}, {Name: "c", Value: "environment"}})
	globals := Variables("g", []archive.Variable{{Name: "d", Value: "global"}, {Name: "e", Value: "global"}})
	text := "variables: {a: collection, b: collection, c: collection, d: collection}\nrequests:\n" +
		"  - {name: x, get: '$U/get?v={{a}},{{b}},{{c}},{{d}},{{e}}', expect: {body.$.args.v: 'given,row,environment,collection,global'}}\n"
	k, s := play(t, read(t, u, text), Options{Given: given, Environment: environment, Globals: globals, Data: []map[string]any{{"a": "row", "b": "row"}}})
	if s.Exit() != 0 {
		t.Errorf("Run found %v, want that order", messages(k))
	}
}

func TestNeedsBailAndFolder(t *testing.T) {
	u := server(t, nil)
	text := `requests:
  - {name: a, get: $U/status/500, expect: {status: 200}}
  - {name: b, get: $U/get, needs: a}
  - {name: c, get: $U/get, needs: b}
  - folder: f
    requests:
      - {name: d, get: $U/get}
      - {name: e, get: $U/get, needs: d}
`
	for _, v := range []struct {
		name string
		o    Options
		want []string
	}{
		{"all", Options{}, []string{"a: 1 failed", "b: skipped", "c: skipped", "d: ok", "e: ok"}},
		{"jobs", Options{Jobs: 4}, []string{"a: 1 failed", "b: skipped", "c: skipped", "d: ok", "e: ok"}},
		{"bail", Options{Bail: true}, []string{"a: 1 failed"}},
		{"folder", Options{Folder: "f"}, []string{"d: ok", "e: ok"}},
		{"one request and what it needs", Options{Folder: "e"}, []string{"d: ok", "e: ok"}},
		{"twice", Options{Folder: "d", Iterations: 2}, []string{"d: ok", "d: ok"}},
	} {
		k, _ := play(t, read(t, u, text), v.o)
		if got := outcomes(k); !reflect.DeepEqual(got, v.want) {
			t.Errorf("Run(%s) found %v, want %v", v.name, got, v.want)
		}
	}
	if _, err := New(read(t, u, text), Options{Folder: "g"}); err == nil || !strings.Contains(err.Error(), `"g"`) {
		t.Errorf("New with a folder that is not there found %v, want an error", err)
	}
}

func TestRowsAndIterations(t *testing.T) {
	u := server(t, nil)
	text := `requests:
  - name: a
    get: $U/get?n={{n}}&i={{i}}
    rows: [{n: 1}, {n: 2}]
    expect: {body.$.args.i: '{{want}}'}
`
	data := []map[string]any{{"i": "x", "want": "x"}, {"i": "y", "want": "y"}, {"i": "z", "want": "no"}}
	for _, jobs := range []int{1, 3} {
		k, s := play(t, read(t, u, text), Options{Data: data, Jobs: jobs})
		want := []string{"a: ok", "a: ok", "a: ok", "a: ok", "a: 1 failed", "a: 1 failed"}
		if got := outcomes(k); !reflect.DeepEqual(got, want) {
			t.Errorf("Run with %d jobs found %v, want %v", jobs, got, want)
		}
		for i, r := range k.Results {
			if r.Iteration != i/2 || r.Row != i%2 {
				t.Errorf("result %d is of iteration %d and row %d, want %d and %d", i, r.Iteration, r.Row, i/2, i%2)
			}
		}
		if s.Iterations != 3 || s.Requests != 6 || s.Failed != 2 {
			t.Errorf("Run found %+v, want 3 iterations, 6 requests, 2 failed", s)
		}
	}
}

// Requests that need nothing of each other are under way at the same time; one
// that uses what another captured waits for it; the report is in order.
func TestJobs(t *testing.T) {
	var mu sync.Mutex
	together, most := 0, 0
	var both sync.WaitGroup
	both.Add(2)
	u := server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		together++
		most = max(most, together)
		mu.Unlock()
		if strings.HasPrefix(r.URL.Path, "/wait") {
			both.Done()
			both.Wait() // for the other one: one after the other this never ends
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"path":%q}`, r.URL.Path)
		mu.Lock()
		together--
		mu.Unlock()
	}))
	text := `requests:
  - {name: a, get: $U/wait/a, capture: {got: body.$.path}}
  - {name: b, get: $U/wait/b}
  - {name: c, get: "$U/c?{{got}}", expect: {request.url: "$U/c?/wait/a"}}
`
	k, s := play(t, read(t, u, text), Options{Jobs: 8})
	if got, want := outcomes(k), []string{"a: ok", "b: ok", "c: ok"}; !reflect.DeepEqual(got, want) || s.Exit() != 0 {
		t.Errorf("Run found %v, want %v\n%s", got, want, messages(k))
	}
	if most < 2 {
		t.Errorf("%d requests were under way at the same time, want 2", most)
	}
}

func TestCookies(t *testing.T) {
	u := server(t, nil)
	text := `requests:
  - {name: set, get: '$U/cookies/set?sid=s1', expect: {cookies.sid: s1, cookies.sid.kept: true, cookies: [sid]}}
  - {name: sent, get: $U/cookies, expect: {body.$.cookies.sid: s1}}
  - {name: not sent, get: $U/cookies, send: {no_cookies: true}, expect: {body.$.cookies.sid: {exists: false}}}
`
	k, s := play(t, read(t, u, text), Options{})
	if s.Exit() != 0 {
		t.Errorf("Run found %v, want all well", messages(k))
	}
}

func TestIncludes(t *testing.T) {
	u := server(t, nil)
	c := read(t, u, "include: login.yaml\nvariables: {user: me}\nrequests:\n  - {name: b, get: '$U/get?t={{token}}&u={{user}}&w={{where}}', needs: log in, expect: {body.$.args.t: abc, body.$.args.u: me, body.$.args.w: there}}\n")
	dir := filepath.Dir(c.File)
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(text, "$U", u)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("login.yaml", "variables: {user: them, where: there}\nrequests:\n  - {name: log in, get: '$U/get?token=abc', capture: {token: body.$.args.token}}\n")
	k, s := play(t, c, Options{})
	if got, want := outcomes(k), []string{"log in: ok", "b: ok"}; s.Exit() != 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("Run found %v, want %v\n%s", got, want, messages(k))
	}
	write("login.yaml", "include: login.yaml\nrequests: []\n")
	if _, err := New(c, Options{}); err == nil || !strings.Contains(err.Error(), "included by what it includes") {
		t.Errorf("New found %v, want an error about the circle", err)
	}
	os.Remove(filepath.Join(dir, "login.yaml"))
	if _, err := New(c, Options{}); err == nil || !strings.Contains(err.Error(), "login.yaml") {
		t.Errorf("New found %v, want an error that names the file", err)
	}
}

const describedAPI = `openapi: 3.0.3
info: {title: t, version: "1"}
paths:
  /get:
    get:
      parameters: [{name: n, in: query, schema: {type: integer}}]
      responses:
        "200":
          description: fine
          content:
            application/json:
              schema:
                type: object
                required: [url, missing]
                properties: {url: {type: string}, missing: {type: integer}}
`

func TestContract(t *testing.T) {
	file := filepath.Join(t.TempDir(), "api.yaml")
	os.WriteFile(file, []byte(describedAPI), 0o600)
	k, err := contract.FromAPI(file)
	if err != nil {
		t.Fatal(err)
	}
	u := server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("n") == "2" {
			w.Write([]byte(`{"url":"a","missing":1}`))
			return
		}
		w.Write([]byte(`{"url":1}`))
	}))
	text := `requests:
  - {name: good, get: '$U/get?n=2', expect: {contract: valid, contract.operation: GET /get}}
  - {name: bad, get: '$U/get?n=x', expect: {contract: violated, contract.violations: {count: 3}}}
  - {name: nowhere, get: $U/other, expect: {contract: unknown}}
  - {name: said, get: '$U/get?n=1', expect: {contract: valid}}
`
	got, _ := play(t, read(t, u, text), Options{Contract: k})
	if o, want := outcomes(got), []string{"good: ok", "bad: ok", "nowhere: ok", "said: 1 failed"}; !reflect.DeepEqual(o, want) || !strings.Contains(messages(got), "missing") {
		t.Errorf("Run found %v, want %v\n%s", o, want, messages(got))
	}
}

// fakeScripts runs Go functions for scripts, by their text.
type fakeScripts map[string]func(e *script.Event) error

func (f fakeScripts) Compile(s archive.Script, place string) (script.Program, error) {
	p, ok := f[strings.TrimSpace(s.Text)]
	if !ok {
		return nil, fmt.Errorf("%s: syntax", s.Text)
	}
	return fakeProgram(p), nil
}

type fakeProgram func(e *script.Event) error

func (f fakeProgram) Run(_ context.Context, e *script.Event) error { return f(e) }

func scripted(name, url string, scripts ...archive.Script) *archive.Item {
	return &archive.Item{Name: name, Scope: archive.Scope{Scripts: scripts}, Request: &archive.Request{Method: "GET", URL: url}}
}

func TestScripts(t *testing.T) {
	u := server(t, nil)
	var order []string
	rounds := 0
	note := func(word string) func(*script.Event) error {
		return func(e *script.Event) error { order = append(order, word+" "+e.Item); return nil }
	}
	engine := fakeScripts{
		"before all": note("before all"), "after all": note("after all"),
		"set": func(e *script.Event) error {
			e.Scopes.Environment.Set("x", "changed")
			e.Request.Header = append(e.Request.Header, archive.Field{Name: "X-Script", Value: "{{x}}"})
			return nil
		},
		"look": func(e *script.Event) error {
			passed := strings.Contains(string(e.Body), `"x-script":"changed"`) || strings.Contains(string(e.Body), `"x-script": "changed"`)
			e.Assertions = append(e.Assertions, script.Assertion{Name: "it was sent", Passed: passed, Message: string(e.Body)}, script.Assertion{Name: "later", Skipped: true})
			if e.Response.Status != 200 || e.Sent == nil || !strings.HasPrefix(e.Request.URL, "http://") {
				t.Errorf("the event has %+v, want a response and what was sent", e)
			}
			return nil
		},
		"again": func(e *script.Event) error {
			if rounds++; rounds < 3 {
				e.Next = &script.Next{Name: "b"}
			}
			return nil
		},
		"end":  func(e *script.Event) error { e.Next = &script.Next{End: true}; return nil },
		"skip": func(e *script.Event) error { e.Skip = true; return nil },
		"ask": func(e *script.Event) error {
			a, err := e.Send(t.Context(), &archive.Request{Method: "GET", URL: u + "/get?a={{x}}"})
			if err == nil && !strings.Contains(string(a.Body), "changed") {
				err = fmt.Errorf("the answer is %s", a.Body)
			}
			return err
		},
		"throw": func(e *script.Event) error { return fmt.Errorf("thrown") },
	}
	c := &archive.Collection{Format: "postman", Name: "c", File: "c.json",
		Scope: archive.Scope{Scripts: []archive.Script{{When: "prerequest", Text: "before all"}, {When: "test", Text: "after all"}}},
		Items: []*archive.Item{
			scripted("a", u+"/headers", archive.Script{When: "prerequest", Text: "set"}, archive.Script{When: "test", Text: "look"}),
			scripted("b", u+"/get", archive.Script{When: "test", Text: "again"}),
			scripted("s", u+"/get", archive.Script{When: "prerequest", Text: "skip"}),
			scripted("q", u+"/get", archive.Script{When: "test", Text: "ask"}),
			scripted("t", u+"/get", archive.Script{When: "test", Text: "throw"}),
			scripted("n", u+"/get", archive.Script{When: "test", Text: "no such"}),
			scripted("e", u+"/get", archive.Script{When: "test", Text: "end"}),
			scripted("never", u+"/get"),
		}}
	k, s := play(t, c, Options{Scripts: engine})
	want := []string{"a: ok", "b: ok", "b: ok", "b: ok", "s: skipped", "q: ok", "t: 1 failed", "n: 1 failed", "e: ok"}
	if got := outcomes(k); !reflect.DeepEqual(got, want) {
		t.Errorf("Run found %v, want %v\n%s", got, want, messages(k))
	}
	if len(s.Problems) != 1 {
		t.Errorf("Run found the problems %v, want one", s.Problems)
	}
	if want := []string{"before all a", "after all a", "before all b", "after all b"}; !reflect.DeepEqual(order[:4], want) {
		t.Errorf("scripts ran in the order %v, want %v", order[:4], want)
	}
	r, err := New(c, Options{})
	if err != nil || len(r.Warnings()) != 1 || !strings.Contains(r.Warnings()[0], "not run") {
		t.Errorf("New without an engine warned of %v, %v, want of the scripts", r.Warnings(), err)
	}
}

// Scripts are compiled once, and only those of requests that are run.
func TestFolderCompilesWhatItRuns(t *testing.T) {
	u := server(t, nil)
	compiled := 0
	engine := countingScripts{fakeScripts{"shared": func(*script.Event) error { return nil }}, &compiled}
	bad, needed := scripted("bad", u+"/get", archive.Script{When: "test", Text: "no such"}), scripted("needed", u+"/get")
	a, b := scripted("a", u+"/get"), scripted("b", u+"/get")
	b.Needs = []string{"needed"}
	c := &archive.Collection{Format: "postman", File: "c.json", Items: []*archive.Item{
		{Name: "broken", Scope: archive.Scope{Scripts: []archive.Script{{When: "prerequest", Text: "nor this"}}}, Items: []*archive.Item{bad}},
		needed,
		{Name: "good", Scope: archive.Scope{Scripts: []archive.Script{{When: "test", Text: "shared"}}}, Items: []*archive.Item{a, b}},
	}}
	for _, test := range []struct {
		folder             string
		compiled, problems int
		want               []string
	}{
		{"good", 1, 0, []string{"needed: ok", "a: ok", "b: ok"}},
		{"", 3, 2, []string{"bad: 2 failed", "needed: ok", "a: ok", "b: ok"}},
	} {
		compiled = 0
		k, s := play(t, c, Options{Scripts: engine, Folder: test.folder})
		if got := outcomes(k); !reflect.DeepEqual(got, test.want) || compiled != test.compiled || len(s.Problems) != test.problems {
			t.Errorf("Run(--folder %q) found %v, compiled %d scripts, with %v, want %v, %d, %d problems",
				test.folder, got, compiled, s.Problems, test.want, test.compiled, test.problems)
		}
	}
}

type countingScripts struct {
	fakeScripts
	n *int
}

func (c countingScripts) Compile(s archive.Script, place string) (script.Program, error) {
	*c.n++
	return c.fakeScripts.Compile(s, place)
}

// Of a description nothing is sent that may change something, if so wanted; of
// what a person wrote all is.
func TestSafeOnly(t *testing.T) {
	u := server(t, nil)
	for _, test := range []struct {
		format string
		safe   bool
		want   []string
	}{
		{"openapi", true, []string{"GET", "HEAD", "OPTIONS"}},
		{"openapi", false, []string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}},
		{"postman", true, []string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}},
	} {
		c := &archive.Collection{Format: test.format, File: "c"}
		for _, m := range []string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"} {
			c.Items = append(c.Items, &archive.Item{Name: m, Request: &archive.Request{Method: m, URL: u + "/anything"}})
		}
		k, _ := play(t, c, Options{SafeOnly: test.safe})
		var got []string
		for _, r := range k.Results {
			got = append(got, r.Method)
		}
		warned := k.Info.Warnings
		if left := 7 - len(test.want); !reflect.DeepEqual(got, test.want) || left > 0 && (len(warned) != 1 || !strings.Contains(warned[0], "4 requests left out")) {
			t.Errorf("Run(%s, SafeOnly: %v) sent %v and warned %v, want %v", test.format, test.safe, got, warned, test.want)
		}
	}
}

// What a description promises is not asked when there was no response; the call
// has failed as it is. What a person wrote is.
func TestNoContractWithoutResponse(t *testing.T) {
	for format, failed := range map[string]int{"openapi": 0, "parley": 1} {
		c := &archive.Collection{Format: format, File: "api.yaml", Items: []*archive.Item{{Name: "a",
			Request: &archive.Request{Method: "GET", URL: "http://127.0.0.1:1/"}, Expect: []archive.Expectation{{Fact: "contract", Is: "==", Want: "valid"}}}}}
		k, s := play(t, c, Options{})
		if s.Failed != failed || s.Incomplete != 1 || k.Results[0].Assertions[0].Place != "api.yaml" {
			t.Errorf("Run(%s) found %+v in %s, want %d failed in api.yaml", format, s, k.Results[0].Assertions[0].Place, failed)
		}
	}
}

// A name that nothing has is answered with those that there are.
func TestFolderNames(t *testing.T) {
	for _, test := range []struct {
		items []*archive.Item
		want  string
	}{
		{[]*archive.Item{scripted("a", "http://x"), {Name: "F", Items: []*archive.Item{scripted("b", "http://x")}}}, `folders are "F"; requests are "a", "b"`},
		{[]*archive.Item{scripted("a", "http://x"), scripted("b", "http://x")}, `requests are "a", "b"`},
		{[]*archive.Item{scripted("", "http://x")}, "nothing in it has a name"},
	} {
		var e *archive.Error
		if _, err := New(&archive.Collection{File: "c", Items: test.items}, Options{Folder: "nope"}); !errors.As(err, &e) || e.Hint != test.want {
			t.Errorf("New(--folder nope) found %v, %+v, want the hint %q", err, e, test.want)
		}
	}
}

// What nobody knows is sent as it is written, as Postman does.
func TestPostmanUnknownNames(t *testing.T) {
	u := server(t, nil)
	c := &archive.Collection{Format: "postman", File: "c.json", Items: []*archive.Item{scripted("a", u+"/get?a={{nobody}}")}}
	k, s := play(t, c, Options{})
	if s.Exit() != 0 || len(k.Results[0].Warnings) != 1 || !strings.Contains(k.Results[0].Warnings[0], "nobody") {
		t.Errorf("Run found %v with %v, want a warning", messages(k), k.Results[0].Warnings)
	}
}

// What another program expects and cannot be judged here fails in its turn.
func TestForeignExpectation(t *testing.T) {
	u := server(t, nil)
	it := scripted("a", u+"/get")
	it.Expect = []archive.Expectation{{Fact: "response.status", Is: "==", Want: "ok"}, {Fact: "response.status", Is: "==", Want: 200.0}, {Fact: "weather", Is: "==", Want: "fine"}}
	k, _ := play(t, &archive.Collection{Format: "bruno", File: "c.bru", Items: []*archive.Item{it}}, Options{})
	if got := outcomes(k); !reflect.DeepEqual(got, []string{"a: 2 failed"}) || !strings.Contains(messages(k), "weather") {
		t.Errorf("Run found %v, want two that failed", messages(k))
	}
}

// One collection runs with the cookies of one: iterations at the same time
// have their own.
func TestIterationsApart(t *testing.T) {
	var n atomic.Int64
	u := server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/in" {
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: fmt.Sprint("session-", n.Add(1))})
			return
		}
		c, err := r.Cookie("sid")
		if err != nil {
			w.WriteHeader(403)
			return
		}
		fmt.Fprint(w, c.Value)
	}))
	text := `requests:
  - {name: in, get: $U/in, capture: {mine: cookies.sid}}
  - {name: me, get: $U/me, needs: in, expect: {body: '{{mine}}'}}
`
	k, s := play(t, read(t, u, text), Options{Iterations: 20, Jobs: 5})
	if s.Exit() != 0 || len(k.Results) != 40 {
		t.Errorf("Run found %v, want 40 that went well", messages(k))
	}
}

func TestAs(t *testing.T) {
	u := server(t, nil)
	text := `auth: {bearer: of all}
requests:
  - {name: a, get: $U/headers, expect: {'body.$.headers["authorization"]': Bearer given}}
  - {name: b, get: $U/headers, as: priya, expect: {'body.$.headers["authorization"]': Bearer of priya}}
  - {name: c, get: $U/headers, auth: none, expect: {'body.$.headers["authorization"]': {exists: false}}}
`
	o := Options{Call: call.Options{Clear: true}, Auth: identity.NewBearer("given"), As: func(name string) (identity.Auth, error) {
		return identity.NewBearer(identity.Secret("of " + name)), nil
	}}
	k, s := play(t, read(t, u, text), o)
	if s.Exit() != 0 {
		t.Errorf("Run found %v, want all well", messages(k))
	}
}

func TestDelayEnds(t *testing.T) {
	u := server(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := New(read(t, u, "requests: ['$U/get', '$U/get']\n"), Options{Delay: time.Hour, Reporters: []Reporter{&cancels{cancel: cancel}}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.Run(ctx)
	if err == nil || s.Requests != 1 || s.Stopped == "" {
		t.Errorf("Run found %+v, %v, want one request and that it was interrupted", s, err)
	}
}

// cancels ends the run after the first result.
type cancels struct {
	Keep
	cancel func()
}

func (c *cancels) Add(*Result) error { c.cancel(); return nil }

// Facts of all steps, in all versions of HTTP, over channels that are good and
// one that is not.
func TestSteps(t *testing.T) {
	a := lab.NewAuthority()
	s, err := lab.ServeHTTP(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	text := `requests:
  - name: two
    get: $U/get
    expect: {http: "2", tls.verified: true, tls.version: TLS 1.3, tls.alpn: h2, dns.addresses: [127.0.0.1], dns.resolver: given, tcp.address: 127.0.0.1, tls.expires: "> 1h", tls.names: {contains: '` + s.Name + `'},
      tls.problems: {count: 0}, tcp.reused: false, times.connect: "> 0s", tls.clear: false}
  - {name: again, get: $U/get, expect: {tcp.reused: true}}
  - {name: one, get: $U/get, send: {http: "1.1"}, expect: {http: "1.1", tls.alpn: http/1.1}}
  - {name: three, get: $U/get, send: {http: 3}, expect: {http: "3", tls.alpn: h3, tls.verified: true}}
`
	k, sum := play(t, read(t, s.URL(), text), Options{Call: call.Options{Resolve: s.Resolve(), Roots: a.Pool()}})
	if sum.Exit() != 0 {
		t.Errorf("Run found %v, want all well", messages(k))
	}
	// The same server for whoever does not trust its authority: the call ends
	// before the request, which would carry a credential.
	text = `auth: {bearer: abcdefgh}
requests:
  - {name: stop, get: $U/headers, expect: {tls.verified: false, tls.problems: {contains: unknown-root}}}
  - {name: meant, get: $U/headers, expect: {failed_at: tls}}
  - {name: anyway, get: $U/headers, send: {send_anyway: true}, expect: {status: 200, tls.verified: false, body.$.headers.authorization: Bearer abcdefgh}}
`
	k, sum = play(t, read(t, s.URL(), text), Options{Call: call.Options{Resolve: s.Resolve(), Roots: x509.NewCertPool()}})
	if got, want := outcomes(k), []string{"stop: at tls", "meant: ok", "anyway: ok"}; !reflect.DeepEqual(got, want) || sum.Exit() != 3 {
		t.Errorf("Run found %v and exits with %d, want %v and 3\n%s", got, sum.Exit(), want, messages(k))
	}
}

// Whatever is written, a request can be made of it or is refused.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "{{a}}/b?c={{b}}#d", "X-A", "{{a}}", "body {{b}}", "x", "{{b}}")
	f.Add("", "", "", "", "", "{{", "}}")
	f.Add("POST", "://?=:x/:y", ":", "\n", "{{{a}}}", "{{a}}", "{{{{a}}}}")
	f.Fuzz(func(t *testing.T, method, u, name, value, body, a, b string) {
		scopes := &script.Scopes{Local: &script.Variables{}}
		scopes.Local.Set("a", a)
		scopes.Local.Set("b", b)
		for _, own := range []bool{false, true} {
			w := &writer{scopes: scopes, own: own, dir: t.TempDir()}
			q := &archive.Request{Method: method, URL: u, Params: []archive.Field{{Name: "x", Value: a}}, Header: []archive.Field{{Name: name, Value: value}},
				Body: &archive.Body{Mode: "raw", Text: body, MediaType: "application/json"}}
			r, err := w.request(q, "http")
			if err != nil {
				continue
			}
			if r.URL == "" || strings.ContainsAny(r.Method, " \r\n") {
				t.Fatalf("request(%q, %q) made %q %q", method, u, r.Method, r.URL)
			}
			for _, h := range r.Header {
				if strings.ContainsAny(h.Name+h.Value, "\r\n\x00") {
					t.Fatalf("request made the field %q: %q", h.Name, h.Value)
				}
			}
		}
	})
}

// A request without a name is called what it asks.
func TestNameless(t *testing.T) {
	c := &archive.Collection{Name: "a", File: "a.http", Items: []*archive.Item{{Request: &archive.Request{Method: "GET", URL: server(t, http.NotFoundHandler()) + "/v1"}}}}
	k, _ := play(t, c, Options{})
	if got, want := k.Results[0].Name, "GET "+c.Items[0].Request.URL; got != want {
		t.Errorf("Run named it %q, want %q", got, want)
	}
}
