package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/internal/needs"
)

// One endpoint takes any text, one says exactly what it takes, and one is
// denied to everybody.
const crsAPI = `openapi: 3.1.0
info: {title: notes, version: "1"}
security: []
paths:
  /:
    get: &page
      parameters: [{name: test, in: query, schema: {type: string}}]
      responses: {"200": {description: it, content: {text/plain: {}}}}
    post: &form
      parameters: [{name: test, in: query, schema: {type: string}}]
      requestBody: {content: {"*/*": {}}}
      responses: {"200": {description: it, content: {text/plain: {}}}}
  /{page}: &any
    parameters: [{name: page, in: path, required: true, schema: {type: string}}]
    get: *page
    post: *form
  /{page}/{part}:
    parameters:
      - {name: page, in: path, required: true, schema: {type: string}}
      - {name: part, in: path, required: true, schema: {type: string}}
    get: *page
    post: *form
  /v1/notes:
    post:
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Note"}}}}
      responses: {"201": {description: it, content: {application/json: {schema: {$ref: "#/components/schemas/Note"}}}}}
  /v1/orders:
    get:
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100}}
        - {name: state, in: query, schema: {type: string, pattern: "^[a-z]{1,10}$"}}
      responses: {"200": {description: them, content: {application/json: {schema: {type: object, properties: {items: {type: array}}}}}}}
    post:
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [sku, amount]
              properties: {sku: {type: string, pattern: "^[A-Z0-9]{1,12}$"}, amount: {type: integer, minimum: 1, maximum: 99}}
      responses: {"204": {description: done}}
  /v1/admin/{name}:
    get:
      parameters: [{name: name, in: path, required: true, schema: {type: string}}]
      responses: {"200": {description: a secret, content: {text/plain: {}}}}
components:
  schemas:
    Note: {type: object, required: [text], properties: {text: {type: string}}}
`

const crsPolicy = `api: openapi.yaml
mode: enforce
rules:
  - {operation: "GET /v1/admin/{name}", allow: "false"}
`

// A crsCase is one request of the OWASP Core Rule Set's own tests.
type crsCase struct {
	family, name string
	attack       bool // a rule is expected to speak up
	raw          []byte
	payloads     []string // texts of the request that must not come back
	texts        []string // those of the query and the body
}

// crsCases reads the corpus.
func crsCases(t *testing.T) []crsCase {
	folder := os.Getenv("PARLEY_FIXTURES")
	if folder == "" {
		t.Skip("PARLEY_FIXTURES is not set")
	}
	files, _ := filepath.Glob(filepath.Join(folder, "crs", "*", "*.yaml"))
	if len(files) == 0 {
		t.Fatalf("no cases in %s", folder)
	}
	var cases []crsCase
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Tests []struct {
				ID     int `yaml:"test_id"`
				Stages []struct {
					Input struct {
						Method, URI, Version *string
						Data                 *string
						Headers              yaml.Node
						Encoded              string `yaml:"encoded_request"`
					}
					Output struct {
						Log struct {
							Expect []int `yaml:"expect_ids"`
						}
					}
				}
			}
		}
		if err := yaml.Unmarshal(data, &doc); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		rule := strings.TrimSuffix(filepath.Base(file), ".yaml")
		for _, test := range doc.Tests {
			for _, s := range test.Stages {
				c := crsCase{family: rule[:3], name: fmt.Sprintf("%s-%d", rule, test.ID), attack: len(s.Output.Log.Expect) > 0}
				if s.Input.Encoded != "" {
					if c.raw, err = base64.StdEncoding.DecodeString(s.Input.Encoded); err != nil {
						t.Fatalf("%s: %v", c.name, err)
					}
					cases = append(cases, c)
					continue
				}
				word := func(s *string, usual string) string {
					if s == nil {
						return usual
					}
					return *s
				}
				var b bytes.Buffer
				uri := word(s.Input.URI, "/")
				fmt.Fprintf(&b, "%s %s %s\r\n", word(s.Input.Method, "GET"), uri, word(s.Input.Version, "HTTP/1.1"))
				if _, query, ok := strings.Cut(uri, "?"); ok {
					c.texts = append(c.texts, query)
					if d, err := url.QueryUnescape(query); err == nil {
						c.texts = append(c.texts, d)
					}
				}
				length := false
				for i := 0; i+1 < len(s.Input.Headers.Content); i += 2 {
					name, value := s.Input.Headers.Content[i].Value, s.Input.Headers.Content[i+1].Value
					length = length || strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "Transfer-Encoding")
					if !strings.EqualFold(name, "Accept") {
						c.payloads = append(c.payloads, value)
					}
					fmt.Fprintf(&b, "%s: %s\r\n", name, value)
				}
				body := word(s.Input.Data, "")
				if body != "" && !length {
					fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
				}
				fmt.Fprintf(&b, "\r\n%s", body)
				c.texts = append(c.texts, body)
				c.payloads = append(c.payloads, c.texts...)
				c.raw = b.Bytes()
				cases = append(cases, c)
			}
		}
	}
	return cases
}

// Attacks on applications are decided: never a failure of guard's own, never
// their text in guard's answer, and no rule of the API broken.
func TestCoreRuleSet(t *testing.T) {
	cases := crsCases(t)
	api := &crsUpstream{}
	upstream := httptest.NewServer(api)
	t.Cleanup(upstream.Close)
	dir := t.TempDir()
	for name, text := range map[string]string{"openapi.yaml": crsAPI, "parley.yaml": crsPolicy} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k, err := contract.Load(filepath.Join(dir, "parley.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s, client := standFor(t, k, upstream.URL, &counter{})
	config := client.Transport.(*http.Transport).TLSClientConfig
	address := s.gateway.Addr().String()

	count := map[string]map[string]int{}
	add := func(family, what string) {
		if count[family] == nil {
			count[family] = map[string]int{}
		}
		count[family][what]++
	}
	reflected := 0
	own := func(name string, status int, body []byte, payloads []string) {
		if api.take() > 0 {
			return // what the API said
		}
		for _, p := range payloads {
			if len(p) >= 6 && bytes.Contains(body, []byte(p)) {
				reflected++
				t.Errorf("%s: guard's answer %d holds %q: %s", name, status, p, body)
			}
		}
	}
	for _, c := range cases {
		// As it is, on the wire.
		status, body, err := overTLS(address, config, c.raw)
		switch {
		case err != nil:
			add(c.family, "undecided")
			t.Errorf("%s: no answer: %v\n%q", c.name, err, c.raw)
			continue
		case status >= 500 && status != 501 && status != 505:
			add(c.family, "failed")
			t.Errorf("%s: answered %d\n%q", c.name, status, c.raw)
		case status >= 400:
			add(c.family, "refused")
			if c.attack {
				add(c.family, "attacks refused")
			}
		default:
			add(c.family, "passed")
		}
		add(c.family, "cases")
		if c.attack {
			add(c.family, "attacks")
		}
		own(c.name, status, body, c.payloads)

		// Its texts, where the contract says what may come.
		texts := c.texts
		if needs.Full() {
			texts = c.payloads
		}
		for _, p := range slices.Compact(texts) {
			if p == "" || !c.attack {
				continue
			}
			text, _ := json.Marshal(object{"sku": p, "amount": 1})
			for _, req := range []*http.Request{
				ask4("GET", s.url()+"/v1/orders?limit=1&state="+url.QueryEscape(p), ""),
				ask4("GET", s.url()+"/v1/orders?limit="+url.QueryEscape(p), ""),
				ask4("POST", s.url()+"/v1/orders", string(text)),
				ask4("GET", s.url()+"/v1/admin/"+url.PathEscape(p), ""),
			} {
				resp, err := client.Do(req)
				if err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				body, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				add("strict", "requests")
				switch {
				case resp.StatusCode >= 500 && resp.StatusCode != 501:
					t.Errorf("%s: %s %s answered %d", c.name, req.Method, req.URL, resp.StatusCode)
				case resp.StatusCode >= 400:
					add("strict", "refused")
				default:
					add("strict", "passed")
				}
				own(c.name, resp.StatusCode, body, []string{p})
			}
		}
	}
	for _, f := range api.faults {
		t.Error("reached the API: " + f)
	}
	needs.Figure(t, "crs, texts that came back in guard's own answers", "%d", reflected)
	for _, family := range slices.Sorted(maps.Keys(count)) {
		n := count[family]
		if family == "strict" {
			needs.Figure(t, "crs, texts of attacks at strict endpoints", "%d requests, %d refused, %d within the schema; %d broke a rule", n["requests"], n["refused"], n["passed"], len(api.faults))
			continue
		}
		needs.Figure(t, "crs "+family, "%d requests decided, %d refused (%d of %d attacks by their form alone), %d failed", n["cases"], n["refused"], n["attacks refused"], n["attacks"], n["failed"])
	}
}

func ask4(method, target, body string) *http.Request {
	r, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

// crsUpstream judges what comes to it by the contract, with code of its own.
type crsUpstream struct {
	mu     sync.Mutex
	came   int
	faults []string
}

// take returns how many requests came since the last time.
func (u *crsUpstream) take() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := u.came
	u.came = 0
	return n
}

func (u *crsUpstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.came++
	fault := func(why string) {
		u.faults = append(u.faults, fmt.Sprintf("%s: %s %s %q", why, r.Method, r.RequestURI, body))
	}
	for _, reading := range readings(r.URL.EscapedPath()) {
		if strings.HasPrefix(strings.ToLower(reading), "/v1/admin") {
			fault("denied")
		}
	}
	switch {
	case r.URL.Path == "/v1/orders" && r.Method == "POST":
		var o struct {
			SKU    string
			Amount int
		}
		if json.Unmarshal(body, &o) != nil || len(o.SKU) > 12 || o.Amount < 1 || strings.Trim(o.SKU, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
			fault("not by the schema")
		}
		w.WriteHeader(204)
		return
	case r.URL.Path == "/v1/orders":
		q := r.URL.Query()
		if s := q.Get("state"); len(s) > 10 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") != "" {
			fault("not by the schema")
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"items":[]}`)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	io.WriteString(w, "ok")
}
