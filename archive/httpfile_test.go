package archive

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/parley-project/parley/internal/needs"
)

func httpDocuments(t *testing.T) map[string][]byte {
	t.Helper()
	docs := map[string][]byte{}
	for _, file := range corpus(t, "http", "*.http") {
		docs[filepath.Base(file)] = contents(t, file)
	}
	f, err := os.Open(corpus(t, "http", "jetbrains-spec-examples.jsonl")[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for n := 1; s.Scan(); n++ {
		var row map[string]any
		if err := json.Unmarshal(s.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		text, _ := row["text"].(string)
		docs["spec-"+strings.Repeat("0", n/10)+string(rune('a'+n%26))+".http"] = []byte(text)
	}
	return docs
}

func TestHTTPFileCorpus(t *testing.T) {
	format := FormatNamed("http")
	all := 0
	for name, data := range httpDocuments(t) {
		c, err := readHTTPFile(name, data)
		if err != nil {
			t.Errorf("Read(%s): %v", name, err)
			continue
		}
		all += requests(c.Items)
		again, out := written(t, format, c)
		if a, b := plain(c), plain(again); a != b {
			t.Errorf("%s again: %s", name, difference(a, b))
		}
		want := strings.TrimRight(strings.ReplaceAll(decodeText(data), "\r\n", "\n"), "\n")
		if got := strings.TrimRight(string(out), "\n"); got != want {
			t.Errorf("%s is written as another text: %s", name, difference(want, got))
		}
		bare := *c
		bare.Foreign, bare.Items = nil, bareItems(c.Items)
		again, out = written(t, format, &bare)
		if a, b := plain(c), plain(again); a != b {
			t.Errorf("%s without its own text: %s\n%s", name, difference(a, b), out)
		}
		byPostman, _ := written(t, FormatNamed("postman"), c)
		if a, b := plain(c), plain(byPostman); a != b {
			t.Errorf("%s through Postman: %s", name, difference(a, b))
		}
	}
	needs.Figure(t, "requests in .http files read", "%d", all)
}

// What the format has no word for comes back all the same.
func TestHTTPFileKeepsPostman(t *testing.T) {
	for _, file := range corpus(t, "postman", "*.postman_collection.json") {
		name := filepath.Base(file)
		c, err := readPostman(name, contents(t, file))
		if err != nil {
			t.Errorf("Read(%s): %v", name, err)
			continue
		}
		forget(c.Items)
		again, _ := written(t, FormatNamed("http"), c)
		if a, b := plain(c), plain(again); a != b {
			t.Errorf("%s through .http: %s", name, difference(a, b))
		}
	}
}

// forget drops recorded exchanges, which .http has no place for.
func forget(items []*Item) {
	for _, it := range items {
		it.Recorded = nil
		forget(it.Items)
	}
}

func TestHTTPFile(t *testing.T) {
	const doc = `@host = https://api.test
# shared by all
@token = abc

### log in
# the first thing to do
# @name login
# @no-redirect
# @timeout 5 s
POST {{host}}/login HTTP/1.1
Content-Type: application/x-www-form-urlencoded
// a remark
Accept: */*

user=me
&password=a%20b

> {%
  client.global.set("id", response.body.user.id);
  client.test("ok", function() {
    client.assert(response.status === 200, "no");
  });
%}

###
{{host}}/orders
    ?from=1
    &to={{ end }}
Authorization: Basic me you
X-Token: {{login.response.body.access_token}}

### upload
PUT {{host}}/file

< ./body.bin
> {% client.log("x") %}
<> was.json
`
	c, err := readHTTPFile("a.http", []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	want := `@host = https://api.test
@token = abc
- login (log in\nthe first thing to do)
  test jetbrains
  expect response.status == 200
  capture id response.body.$.user.id
  capture login.response.body.access_token response.body.$.access_token
  POST {{host}}/login
  Content-Type: application/x-www-form-urlencoded
  Accept: */*
  raw user=me&password=a%20b
  options {"HTTP":"1.1","NoRedirect":true,"Timeout":5}
-  ()
  GET {{host}}/orders?from=1&to={{ end }}
  X-Token: {{login.response.body.access_token}}
  own auth basic map[password:you username:me]
- upload ()
  test jetbrains
  PUT {{host}}/file
  file ./body.bin
`
	if got := terse(c); got != want {
		t.Errorf("Read found other things: %s\n%s", difference(want, got), got)
	}
	if len(c.Warnings) != 1 || !strings.HasPrefix(c.Warnings[0], "a.http:36: ") {
		t.Errorf("Warnings = %q, want one of line 36", c.Warnings)
	}
	// One thing changes, the rest stays as it was written.
	c.Items[1].Request.URL = "{{host}}/customers"
	var b bytes.Buffer
	if err := writeHTTPFile(&b, c); err != nil {
		t.Fatal(err)
	}
	for _, kept := range []string{"# shared by all\n", "// a remark\n", "&password=a%20b\n", "### upload\nPUT {{host}}/file\n\n< ./body.bin\n", "GET {{host}}/customers\n"} {
		if !strings.Contains(b.String(), kept) {
			t.Errorf("Write has not %q:\n%s", kept, b.String())
		}
	}
}

// terse is what a collection says, for people.
func terse(c *Collection) string {
	var b strings.Builder
	for _, v := range c.Variables {
		fmt.Fprintf(&b, "@%s = %s\n", v.Name, v.Value)
	}
	var walk func([]*Item)
	walk = func(items []*Item) {
		for _, it := range items {
			fmt.Fprintf(&b, "- %s (%s)\n", it.Name, strings.ReplaceAll(it.Doc, "\n", `\n`))
			for _, s := range it.Scripts {
				fmt.Fprintf(&b, "  %s %s\n", s.When, s.Language)
			}
			for _, e := range it.Expect {
				fmt.Fprintf(&b, "  expect %s %s %v\n", e.Fact, e.Is, e.Want)
			}
			for _, e := range it.Capture {
				fmt.Fprintf(&b, "  capture %s %s\n", e.Variable, e.Fact)
			}
			if r := it.Request; r != nil {
				fmt.Fprintf(&b, "  %s %s\n", r.Method, r.URL)
				for _, f := range r.Header {
					fmt.Fprintf(&b, "  %s: %s\n", f.Name, f.Value)
				}
				if r.Auth != nil {
					fmt.Fprintf(&b, "  own auth %s %v\n", r.Auth.Scheme, r.Auth.Params)
				}
				if r.Body != nil {
					fmt.Fprintf(&b, "  %s %s%s", r.Body.Mode, r.Body.Text, r.Body.File)
					for _, f := range r.Body.Fields {
						fmt.Fprintf(&b, "[%s=%s%s]", f.Name, f.Value, f.File)
					}
					b.WriteByte('\n')
				}
				if !reflect.DeepEqual(r.Options, Options{}) {
					data, _ := json.Marshal(r.Options)
					var all map[string]any
					_ = json.Unmarshal(data, &all)
					for k, v := range all {
						if v == nil || v == "" || v == false || v == 0.0 {
							delete(all, k)
						}
					}
					data, _ = json.Marshal(all)
					fmt.Fprintf(&b, "  options %s\n", data)
				}
			}
			walk(it.Items)
		}
	}
	walk(c.Items)
	return b.String()
}

func TestHTTPFileRefuses(t *testing.T) {
	for _, c := range []struct{ doc, want string }{
		{"GET http://a.test\nno field here\n", `a.http:2:1: expected a header field, found "no field here"`},
		{"### x\n@broken\nGET http://a.test", `a.http:2:1: expected a variable, found "@broken"`},
		{"GET http://a.test\n\n> {% never\nends", "a.http:3:1: a script without an end"},
		{"{\"a\": 1}", `a.http:1:1: expected a request line, found "{\"a\": 1}"`},
		{"# @parley {broken\nGET http://a.test", "a.http:1:1: @parley is followed by what is no JSON of ours"},
	} {
		_, err := readHTTPFile("a.http", []byte(c.doc))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("Read(%q) = %v, want %s", c.doc, err, c.want)
		}
	}
}

func FuzzHTTPFile(f *testing.F) {
	f.Add("### a\n# @name b\nPOST http://a.test/ HTTP/2\nA: b\n\n{}\n\n> {% client.log(1) %}\n")
	f.Add("@a = b\nhttp://{{a}}\n  ?x=1\n\n< f\n")
	f.Add("POST http://a.test\nContent-Type: multipart/form-data; boundary=x\n\n--x\nContent-Disposition: form-data; name=\"a\"\n\n< b\n--x--\n")
	f.Add("# @parley {\"folder\":true}\n###\n# @parley {\"depth\":1}\nGET x\n")
	f.Fuzz(func(t *testing.T, doc string) {
		c, err := readHTTPFile("f.http", []byte(doc))
		if err != nil {
			return
		}
		again, out := written(t, FormatNamed("http"), c)
		if a, b := plain(c), plain(again); a != b {
			t.Errorf("again: %s\n%s", difference(a, b), out)
		}
		c.Foreign, c.Items = nil, bareItems(c.Items)
		again, out = written(t, FormatNamed("http"), c)
		if a, b := plain(c), plain(again); a != b {
			t.Errorf("anew: %s\n%s", difference(a, b), out)
		}
	})
}
