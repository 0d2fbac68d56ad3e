package contract

import (
	"bufio"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-project/parley/exchange"
)

// fromText loads an API description given as text.
func fromText(t testing.TB, name, text string) (*Contract, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return FromAPI(file)
}

const parameterAPI = `
openapi: 3.0.3
paths:
  /things/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: integer, minimum: 1}}
    get:
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100}}
        - {name: rate, in: query, schema: {type: number}}
        - {name: on, in: query, schema: {type: boolean}}
        - {name: word, in: query, schema: {type: string, pattern: '^[a-z]+$', maxLength: 5}}
        - {name: kind, in: query, schema: {type: string, enum: [a, b]}}
        - {name: level, in: query, schema: {type: integer, enum: [1, 2]}}
        - {name: uuid, in: query, schema: {type: string, format: uuid}}
        - {name: tags, in: query, schema: {type: array, maxItems: 3, items: {type: string, pattern: '^[a-z]+$'}}}
        - {name: ids, in: query, explode: false, schema: {type: array, maxItems: 2, items: {type: integer}}}
        - {name: pipes, in: query, style: pipeDelimited, explode: false, schema: {type: array, items: {type: integer}}}
        - {name: filter, in: query, style: deepObject, schema: {type: object, properties: {age: {type: integer}, name: {type: string}}}}
        - {name: either, in: query, schema: {oneOf: [{type: integer}, {type: string, enum: [all]}]}}
        - {name: none, in: query, schema: {type: integer, nullable: true}}
        - {name: flag, in: query, allowEmptyValue: true, schema: {type: boolean}}
        - {name: json, in: query, content: {application/json: {schema: {type: object, required: [a], properties: {a: {type: integer}}}}}}
        - {name: must, in: query, required: true, schema: {type: string}}
        - {name: X-Count, in: header, schema: {type: integer}}
        - {name: X-List, in: header, schema: {type: array, items: {type: integer}}}
        - {name: Authorization, in: header, schema: {type: integer}}
        - {name: theme, in: cookie, schema: {type: string, enum: [dark, light]}}
        - {name: ref, in: query, schema: {$ref: '#/components/schemas/Small'}}
      responses: {"200": {description: ok}}
  /form:
    get:
      parameters:
        - {name: page, in: query, schema: {type: object, properties: {size: {type: integer}, from: {type: integer}}}}
      responses: {"200": {description: ok}}
components:
  securitySchemes:
    key: {type: apiKey, in: query, name: api_key}
  schemas:
    Small: {type: string, maxLength: 3}
`

func TestCheckParameters(t *testing.T) {
	c, err := fromText(t, "openapi.yaml", parameterAPI)
	if err != nil || len(c.NotJudged) > 0 {
		t.Fatal(err, c.NotJudged)
	}
	for _, tt := range []struct {
		target string
		header string // "Name: value" lines
		want   string
	}{
		{"/things/1?must=x", "", ""},
		{"/things/0?must=x", "", `path "id": minimum`},
		{"/things/a?must=x", "", `path "id": type`},
		{"/things/1", "", `query "must": required`},
		{"/things/1?must=", "", ``},
		{"/things/1?must=x&limit=100", "", ``},
		{"/things/1?must=x&limit=101", "", `query "limit": maximum`},
		{"/things/1?must=x&limit=0", "", `query "limit": minimum`},
		{"/things/1?must=x&limit=ten", "", `query "limit": type`},
		{"/things/1?must=x&limit=", "", `query "limit": type`},
		{"/things/1?must=x&limit=1.0", "", `query "limit": type`},
		{"/things/1?must=x&limit=007", "", `query "limit": type`},
		{"/things/1?must=x&limit=%31%30", "", ``},
		{"/things/1?must=x&limit=1&limit=2", "", `query "limit": repeated`},
		{"/things/1?must=x&l%69mit=1&limit=2", "", `query "limit": repeated`},
		{"/things/1?must=x&limit=1%00", "", `query "limit": encoding`},
		{"/things/1?must=x&limit=%zz", "", `query "limit": encoding`},
		{"/things/1?must=x&limit=1;on=true", "", `query "limit": type`},
		{"/things/1?must=x&rate=-1.5e3", "", ``},
		{"/things/1?must=x&rate=NaN", "", `query "rate": type`},
		{"/things/1?must=x&on=true", "", ``},
		{"/things/1?must=x&on=1", "", `query "on": type`},
		{"/things/1?must=x&word=abc", "", ``},
		{"/things/1?must=x&word=Abc", "", `query "word": pattern`},
		{"/things/1?must=x&word=abcdef", "", `query "word": maxLength`},
		{"/things/1?must=x&word=%22", "", `query "word": pattern`},
		{"/things/1?must=x&kind=a", "", ``},
		{"/things/1?must=x&kind=c", "", `query "kind": enum`},
		{"/things/1?must=x&level=2", "", ``},
		{"/things/1?must=x&level=3", "", `query "level": enum`},
		{"/things/1?must=x&uuid=6f1c2b9e-2f1d-4f6b-9c2b-0d9d0f7c1a2b", "", ``},
		{"/things/1?must=x&uuid=6f1c", "", `query "uuid": format`},
		{"/things/1?must=x&tags=a&tags=b", "", ``},
		{"/things/1?must=x&tags=a&tags=B", "", `query "tags": pattern`},
		{"/things/1?must=x&tags=a&tags=b&tags=c&tags=d", "", `query "tags": maxItems`},
		{"/things/1?must=x&ids=1,2", "", ``},
		{"/things/1?must=x&ids=1,2,3", "", `query "ids": maxItems`},
		{"/things/1?must=x&ids=1%2C2%2C3", "", `query "ids": maxItems`},
		{"/things/1?must=x&ids=1,b", "", `query "ids": type`},
		{"/things/1?must=x&ids=1&ids=2", "", `query "ids": repeated`},
		{"/things/1?must=x&pipes=1|2", "", ``},
		{"/things/1?must=x&pipes=1|x", "", `query "pipes": type`},
		{"/things/1?must=x&filter[age]=3&filter[name]=a", "", ``},
		{"/things/1?must=x&filter[age]=x", "", `query "filter": type`},
		{"/things/1?must=x&filter[role]=x", "", `query "filter": undeclared`},
		{"/things/1?must=x&filter[age]=3&filter[age]=4", "", `query "filter[age]": repeated`},
		{"/things/1?must=x&either=5", "", ``},
		{"/things/1?must=x&either=all", "", ``},
		{"/things/1?must=x&either=some", "", `query "either": oneOf`},
		{"/things/1?must=x&none=", "", ``},
		{"/things/1?must=x&flag", "", ``},
		{"/things/1?must=x&json={%22a%22:1}", "", ``},
		{"/things/1?must=x&json={%22a%22:1,%22b%22:1}", "", `query "json": undeclared`},
		{"/things/1?must=x&json={%22a%22:1,%22a%22:2}", "", `query "json": repeated`},
		{"/things/1?must=x&json={", "", `query "json": type`},
		{"/things/1?must=x&role=admin", "", `query "role": undeclared`},
		{"/things/1?must=x&Limit=1", "", `query "Limit": undeclared`},
		{"/things/1?must=x&api_key=secret", "", ``},
		{"/things/1?must=x&&", "", ``},
		{"/things/1?must=x&ref=abc", "", ``},
		{"/things/1?must=x&ref=abcd", "", `query "ref": maxLength`},
		{"/things/1?must=x", "X-Count: 3\nAuthorization: Bearer x\nX-Other: y", ``},
		{"/things/1?must=x", "X-Count: many", `header "X-Count": type`},
		{"/things/1?must=x", "X-Count: 3\nx-count: 4", `header "X-Count": repeated`},
		{"/things/1?must=x", "X-List: 1, 2\nX-List: 3", ``},
		{"/things/1?must=x", "X-List: 1, b", `header "X-List": type`},
		{"/things/1?must=x", "Cookie: a=b; theme=dark", ``},
		{"/things/1?must=x", "Cookie: theme=pink", `cookie "theme": enum`},
		{"/things/1?must=x", "Cookie: theme=dark; theme=light", `cookie "theme": repeated`},
		{"/form?size=3&from=1", "", ``},
		{"/form?size=x", "", `query "page": type`},
		{"/form?other=x", "", `query "other": undeclared`},
	} {
		path, _, _ := strings.Cut(tt.target, "?")
		m := c.Match("GET", path)
		r := &exchange.Request{Method: "GET", Target: tt.target}
		for _, h := range strings.Split(tt.header, "\n") {
			if n, v, ok := strings.Cut(h, ": "); ok {
				r.Header = append(r.Header, exchange.Field{Name: n, Value: v})
			}
		}
		var got []string
		for _, f := range m.Operation.CheckParameters(r, m.Params) {
			got = append(got, f.String())
		}
		if g := strings.Join(got, ", "); g != tt.want {
			t.Errorf("%s %s:\n got %s\nwant %s", tt.target, tt.header, g, tt.want)
		}
	}
}

// TestHostileQuery: whatever stands in a query, the check ends, and no value
// gets into a fault.
func TestHostileQuery(t *testing.T) {
	c, err := fromText(t, "openapi.yaml", parameterAPI)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range fixtureFiles(t, "url/paths/*.txt") {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		for in := bufio.NewScanner(f); in.Scan(); {
			for _, value := range []string{in.Text(), url.QueryEscape(in.Text())} {
				r := &exchange.Request{Method: "GET", Target: "/things/1?must=x&limit=" + value}
				m := c.Match("GET", r.Path())
				faults := m.Operation.CheckParameters(r, m.Params)
				if len(faults) == 0 {
					t.Fatalf("%s: no fault", r.Target)
				}
			}
		}
		f.Close()
	}
}

func BenchmarkCheckParameters(b *testing.B) {
	c, err := fromText(b, "openapi.yaml", parameterAPI)
	if err != nil {
		b.Fatal(err)
	}
	r := &exchange.Request{Method: "GET", Target: "/things/1?must=x&limit=10&word=abc"}
	m := c.Match("GET", r.Path())
	b.ReportAllocs()
	for b.Loop() {
		if f := m.Operation.CheckParameters(r, m.Params); len(f) > 0 {
			b.Fatal(fmt.Sprint(f))
		}
	}
}

func request(method, target string) *exchange.Request {
	return &exchange.Request{Method: method, Target: target}
}
