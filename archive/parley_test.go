package archive

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const parleySample = `name: Shop
doc: All that a shop is asked.
include: [login.http]
variables:
  base: https://shop.test
  token: {value: abc, secret: true}
  limit: 10
auth: {bearer: '{{token}}'}
requests:
  - https://shop.test/health
  - name: log in
    post: '{{base}}/login'
    as: priya
    auth: none
    headers:
      Accept: application/json
      X-Two: [a, b]
    json: {user: priya, n: [1, 2.50, true, null], s: "12", empty: {}, nested: {b: 1, a: 2}}
    expect:
      status: 200
      time: < 500ms
      body.$.items[0].id: {type: integer}
      body.$.items[*].id: {count: 2, contains: 7}
      body.$.x: {equals: {a: 1}}
      header.Location: {matches: '^/orders/\d+$'}
      header.X-Powered-By: {exists: false}
      tls.version: {in: [TLS 1.2, TLS 1.3]}
      tls.verified: true
      dns.addresses: [127.0.0.1]
      http: "2"
      contract: valid
      cookies.sid.refused: {exists: false}
      body.$.name: '!= nobody'
      body: == == two equals signs
    capture:
      id: body.$.id
      session: {fact: cookies.sid, secret: true}
      order: {fact: header.Location, matches: '/(\d+)$'}
  - folder: Orders
    doc: What was bought.
    variables: {page: 1}
    auth: {basic: {username: u, password: p}}
    requests:
      - name: list
        get: '{{base}}/orders'
        query: {page: '{{page}}', q: a b&c}
        needs: [log in]
        send: {http: 2, timeout: 5s, redirects: 3, send_anyway: true, resolve: ['a:443:127.0.0.1'], no_cookies: true}
        rows: [{page: 1, q: x}, {page: 2}]
      - name: form
        method: PURGE
        url: '{{base}}/f'
        form: {a: 1, b: [x, y]}
      - name: parts
        put: '{{base}}/p'
        multipart: {a: 1, f: {file: a.png, type: image/png, filename: b.png}}
        send: {redirects: false}
        rows: rows.csv
      - name: text
        patch: '{{base}}/t'
        headers: [{name: A, value: 1}, {name: B, value: 2}, {name: A, value: 3}]
        text: "a\nb"
      - name: file
        post: '{{base}}/u/:id'
        params: {id: 7}
        file: data.bin
      - name: graph
        post: '{{base}}/g'
        graphql: {query: '{ me }', variables: {a: 1}, operation: me}
`

func TestParleyRead(t *testing.T) {
	c, err := readParley("shop.yaml", []byte(parleySample))
	if err != nil {
		t.Fatal(err)
	}
	login, orders := c.Items[1], c.Items[2]
	for _, v := range []struct {
		what      string
		got, want any
	}{
		{"plain URL", c.Items[0].Request.Method + " " + c.Items[0].Request.URL, "GET https://shop.test/health"},
		{"include", c.Include, []string{"login.http"}},
		{"secret", c.Variables[1], Variable{Name: "token", Value: "abc", Secret: true}},
		{"number as a variable", c.Variables[2].Value, "10"},
		{"auth", c.Auth, &Auth{Scheme: "bearer", Params: map[string]string{"token": "{{token}}"}}},
		{"auth of a request", login.Request.Auth, &Auth{Scheme: "none"}},
		{"json", login.Request.Body.Text, `{"user":"priya","n":[1,2.50,true,null],"s":"12","empty":{},"nested":{"b":1,"a":2}}`},
		{"header lines", login.Request.Header, []Field{{Name: "Accept", Value: "application/json"}, {Name: "X-Two", Value: "a"}, {Name: "X-Two", Value: "b"}}},
		{"status", login.Expect[0], Expectation{Fact: "response.status", Is: "==", Want: 200.0, Line: 20}},
		{"time", login.Expect[1], Expectation{Fact: "times.total", Is: "<", Want: "500ms", Line: 21}},
		{"two predicates", login.Expect[4].Is, "contains"},
		{"escaped operator", login.Expect[len(login.Expect)-1].Want, "== two equals signs"},
		{"capture", login.Capture[1], Capture{Variable: "session", Fact: "client.cookies.sid", Secret: true, Line: 37}},
		{"pattern", login.Capture[2].Matches, `/(\d+)$`},
		{"query", orders.Items[0].Request.URL, "{{base}}/orders?page={{page}}&q=a+b%26c"},
		{"send", orders.Items[0].Request.Options, Options{HTTP: "2", Timeout: 5, Redirects: true, MaxRedirect: 3, Insecure: true, Resolve: []string{"a:443:127.0.0.1"}, NoCookies: true}},
		{"needs", orders.Items[0].Needs, []string{"log in"}},
		{"rows", orders.Items[0].Rows[0]["page"], 1.0},
		{"rows of a file", orders.Items[2].RowsFile, "rows.csv"},
		{"method", orders.Items[1].Request.Method, "PURGE"},
		{"place", []int{login.Line, login.Column}, []int{11, 5}},
	} {
		if !reflect.DeepEqual(v.got, v.want) {
			t.Errorf("readParley: %s: found %#v, want %#v", v.what, v.got, v.want)
		}
	}
}

// withoutPlaces takes out what writing moves.
func withoutPlaces(items []*Item) {
	for _, it := range items {
		it.Line, it.Column = 0, 0
		for i := range it.Expect {
			it.Expect[i].Line = 0
		}
		for i := range it.Capture {
			it.Capture[i].Line = 0
		}
		withoutPlaces(it.Items)
	}
}

func TestParleyRoundTrip(t *testing.T) {
	first, err := readParley("shop.yaml", []byte(parleySample))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := writeParley(&b, first); err != nil {
		t.Fatal(err)
	}
	second, err := readParley("shop.yaml", b.Bytes())
	if err != nil {
		t.Fatalf("what was written cannot be read: %v\n%s", err, b.String())
	}
	withoutPlaces(first.Items)
	withoutPlaces(second.Items)
	if !reflect.DeepEqual(first, second) {
		t.Errorf("written and read again it is another collection:\n%s", b.String())
		for i := range first.Items {
			if !reflect.DeepEqual(first.Items[i], second.Items[i]) {
				t.Errorf("item %d: found %+v, want %+v", i, second.Items[i], first.Items[i])
			}
		}
	}
	if !isParley("shop.yaml", b.Bytes()) {
		t.Errorf("isParley(%q) is false", b.String())
	}
}

// Each error has its place and, where a known name is close by, that name.
func TestParleyErrors(t *testing.T) {
	one := func(s string) string { return "requests:\n  - get: http://a.test/\n" + s }
	for _, v := range []struct{ text, want, hint string }{
		{"name: x\n", "x.yaml:1:1: has no requests", "requests:"},
		{"requests:\n  - gett: http://a\n", `x.yaml:2:5: unknown field "gett"`, `did you mean "get"?`},
		{"requests:\n  - get: http://a\n    post: http://b\n", "x.yaml:3:11: the URL is given twice", "one of them"},
		{"requests:\n  - get: http://a\n    method: PUT\n", `x.yaml:2:10: both a method and "get"`, "one of them"},
		{"requests:\n  - name: a\n", "x.yaml:2:5: a request without a URL", "get:"},
		{one("    expect: {status: ok}\n"), "x.yaml:3:22: status is a number", ""},
		{one("    expect: {statsu: 200}\n"), `x.yaml:3:14: "statsu" is no fact`, `did you mean "status"?`},
		{one("    expect: {heder.X: 1}\n"), `x.yaml:3:14: "heder.X" is no fact`, `did you mean "header.X"?`},
		{one("    expect: {tls.versoin: 1}\n"), `x.yaml:3:14: "tls.versoin" is no fact`, `did you mean "tls.version"?`},
		{one("    expect: {'body.$.a[': 1}\n"), `x.yaml:3:14: "$.a[" is no JSONPath`, "body.$"},
		{one("    expect: {body.a: 1}\n"), `x.yaml:3:14: "body.a" is no fact`, "body.$.a"},
		{one("    expect: {status: {equal: 200}}\n"), `x.yaml:3:23: "equal" is no way to compare`, `did you mean "equals"?`},
		{one("    expect: {times.total: soon}\n"), `x.yaml:3:27: soon is no length of time`, "500ms"},
		{one("    expect: {header.A: {matches: '('}}\n"), `x.yaml:3:34: no regular expression`, "RE2"},
		{one("    expect: {body.$.a: {type: int}}\n"), `x.yaml:3:31: "int" is no type`, "known here"},
		{one("    expect: {contract: fine}\n"), `x.yaml:3:24: contract is never "fine"`, "valid"},
		{one("    capture: {a: nothing}\n"), `x.yaml:3:18: "nothing" is no fact`, "known are"},
		{one("    capture: {a: {fact: status, matches: '['}}\n"), `x.yaml:3:42: no regular expression`, "RE2"},
		{"requests:\n  - {name: a, get: 'http://a'}\n  - {name: a, get: 'http://a'}\n", `x.yaml:3:5: a request is named "a" already, in line 2`, "another"},
		{"requests:\n  - {name: abcd, get: 'http://a'}\n  - {name: b, get: 'http://a', needs: abce}\n", `x.yaml:3:39: no request is named "abce"`, `did you mean "abcd"?`},
		{"requests:\n  - {name: a, get: 'http://a', needs: b}\n  - {name: b, get: 'http://a'}\n", `x.yaml:2:39: "b" comes later`, "first"},
		{one("    json: {a: 1}\n    text: b\n"), "x.yaml:4:11: a body as json and as text", "one of them"},
		{one("    json: {a: 1, a: 2}\n"), `x.yaml:3:18: "a" is given twice`, ""},
		{one("    send: {http: 4}\n"), `x.yaml:3:18: "4" is no version of HTTP`, "1.1"},
		{one("    send: {redirects: 1000}\n"), "x.yaml:3:23: redirects is not between", ""},
		{one("    auth: {baerer: x}\n"), `x.yaml:3:12: "baerer" is no scheme`, `did you mean "bearer"?`},
		{one("    headers: {'a b': x}\n"), `x.yaml:3:14: "a b" is no name of a header field`, ""},
		{"requests:\n  - folder: a\n    get: http://a\n", `x.yaml:3:5: "get" has no meaning in a folder`, "known here"},
		{"requests: {a: b}\n", "x.yaml:1:11: expected a list", ""},
		{one("    rows: [1]\n"), "x.yaml:3:12: a row has fields", ""},
	} {
		_, err := readParley("x.yaml", []byte(v.text))
		e, ok := err.(*Error)
		if !ok || !strings.HasPrefix(e.Error(), v.want) || !strings.Contains(e.Hint, v.hint) {
			t.Errorf("readParley(%q) found %v (%+v), want %v (%s)", v.text, err, e, v.want, v.hint)
		}
	}
}

// What other formats allow and ours does not is written so that it can be read.
func TestParleyWritesForeign(t *testing.T) {
	get := func(name, u string) *Item {
		return &Item{Name: name, Request: &Request{Method: "GET", URL: u, Header: []Field{{Name: "a b", Value: "1"}, {Name: "{{x}}", Value: "2"}}}}
	}
	hawk := get("hawk", "http://a.test/")
	hawk.Request.Auth = &Auth{Scheme: "hawk", Params: map[string]string{"authId": "1"}}
	c := &Collection{Format: "postman", Items: []*Item{get("a", "http://a.test/"), get("a", "http://b.test/"), get("", ""), hawk, {Name: "empty", Items: []*Item{}}}}
	var b bytes.Buffer
	if err := writeParley(&b, c); err != nil {
		t.Fatal(err)
	}
	got, err := readParley("c.yaml", b.Bytes())
	if err != nil {
		t.Fatalf("what was written cannot be read: %v\n%s", err, b.String())
	}
	if got.Items[1].Name != "a (2)" || got.Items[2].Request.URL != "{{url}}" || got.Items[3].Request.Auth.Scheme != "hawk" || len(got.Items[0].Request.Header) != 1 {
		t.Errorf("writeParley wrote\n%s", b.String())
	}
}

func TestFacts(t *testing.T) {
	for _, n := range Facts {
		for _, name := range []string{n.Name, n.Short} {
			switch {
			case name == "":
				continue
			case strings.HasSuffix(name, "."):
				name += "X"
			case strings.HasSuffix(name, "$"):
				name += ".a"
			}
			f, _, err := ParseFact(name)
			if err != nil || f.FactName.Name != n.Name {
				t.Errorf("ParseFact(%s) found %+v, %v, want %s", name, f.FactName, err, n.Name)
				continue
			}
			for _, again := range []string{f.String(), f.Canonical()} {
				if g, _, err := ParseFact(again); err != nil || g.Name != f.Name || g.Argument != f.Argument {
					t.Errorf("ParseFact(%s) found %+v, %v, want what %s is", again, g, err, name)
				}
			}
		}
	}
}

// What is read can be written, and what is written be read.
func FuzzParley(f *testing.F) {
	f.Add(parleySample)
	f.Add("requests: [{get: 'http://a', json: &a [*a]}]")
	f.Add("requests:\n- 'http://a/{{b}}'\n")
	f.Add("requests: [{folder: a, requests: [{get: b, text: ~, expect: {body: {equals: {}}}}]}]")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := readParley("f.yaml", []byte(text))
		if err != nil {
			if _, ok := err.(*Error); !ok {
				t.Fatalf("readParley found %T %v, want an *Error", err, err)
			}
			return
		}
		var b bytes.Buffer
		if err := writeParley(&b, c); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if _, err := readParley("f.yaml", b.Bytes()); err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, b.String())
		}
	})
}

// Every collection of the corpus can be written in our format and read again,
// with as many requests.
func TestParleyOfCorpus(t *testing.T) {
	root := os.Getenv("PARLEY_FIXTURES")
	if root == "" {
		t.Skip("PARLEY_FIXTURES is not set")
	}
	n := 0
	for _, pattern := range []string{"postman/*collection.json", "http/*.http", "http/bruno/*.bru", "har/*.har"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c, err := Read(file, data)
			if err != nil {
				continue // other tests say which must be refused
			}
			n++
			var b bytes.Buffer
			if err := writeParley(&b, c); err != nil {
				t.Errorf("%s cannot be written: %v", file, err)
				continue
			}
			got, err := readParley("c.yaml", b.Bytes())
			if err != nil {
				t.Errorf("%s, written, cannot be read: %v", file, err)
			} else if a, b := requestsIn(c.Items), requestsIn(got.Items); a != b {
				t.Errorf("%s has %d requests, written and read again %d", file, a, b)
			}
		}
	}
	if n == 0 {
		t.Errorf("no collection was read in %s", root)
	}
}

func requestsIn(items []*Item) int {
	n := 0
	for _, it := range items {
		if it.Request != nil {
			n++
		}
		n += requestsIn(it.Items)
	}
	return n
}
