package archive

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

func TestPostmanRefuses(t *testing.T) {
	deep := strings.Repeat(`{"item":[`, 300)
	for _, c := range []struct{ doc, want, hint string }{
		{"", "c.json:1:1: is empty", ""},
		{"{\"info\": {\"name\": \"a\",},\n\"item\": []}", "c.json:1:23: expected a member's name, found '}'", "a comma before it is one too many"},
		{"{\"info\": {},\n  \"item\": [{} {}]}", "c.json:2:15: expected a comma or ], found '{'", "a comma is missing before it"},
		{"{'info': {}}", "c.json:1:2: expected a member's name, found '\\''", "JSON has double quotes only"},
		{"// mine\n{}", "c.json:1:1: expected a value, found '/'", "JSON has no comments"},
		{"{\"a\": \"b\n\"}", "c.json:1:9: a string goes over the end of the line", `a line end in a string is written \n; or its closing quote is missing`},
		{"{\"é\": \"\\x\"}", "c.json:1:9: expected an escape after a backslash, found 'x'", `a backslash itself is written \\`},
		{"{\"a\": \"\xff\"}", "c.json:1:8: found a byte that is not UTF-8", "save the file as UTF-8"},
		{"{\"a\": 01}", "c.json:1:7: 01 is not a number", "write text in double quotes"},
		{"{\"a\": [1, 2", "c.json:1:12: expected a comma or ], found the end of the file", "the file may have been cut off"},
		{"{} {}", "c.json:1:4: found '{' after the end of the JSON text", "one file holds one JSON text"},
		{deep, "c.json:1:2259: is nested more than 500 deep", ""},
		{`{"values": []}`, "c.json:1:1: is JSON, but no collection: it has neither info and item (Postman 2) nor requests (Postman 1)", "it looks like an environment: give it as one"},
		{`{"openapi": "3.1.0"}`, "c.json:1:1: is JSON, but no collection: it has neither info and item (Postman 2) nor requests (Postman 1)", "it looks like an OpenAPI description: give it as --api"},
		{`{"item": []}`, "c.json:1:1: is no Postman collection: info is missing", "info holds name and schema"},
		{`{"info": {"name": "x"}}`, "c.json:1:1: is no Postman collection: item is missing", "item is the list of requests and folders"},
		{`[{"a": 1}]`, "c.json:1:1: is JSON, but no collection: it has neither info and item (Postman 2) nor requests (Postman 1)", "it looks like rows of data: give them as --data"},
		{`"text"`, "c.json:1:1: is JSON, but no collection: it has neither info and item (Postman 2) nor requests (Postman 1)", ""},
	} {
		_, err := readPostman("c.json", []byte(c.doc))
		var e *Error
		if !errors.As(err, &e) || e.Error() != c.want || e.Hint != c.hint {
			hint := ""
			if e != nil {
				hint = e.Hint
			}
			t.Errorf("Read(%.40q) = %v (%s), want %s (%s)", c.doc, err, hint, c.want, c.hint)
		}
	}
}

const small = `{"info":{"name":"é","schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json","_x":[1.0,{"y":null}]},
"item":[{"name":"f","x-folder":1,"item":[
 {"name":"a","_mine":{"z":1,"a":2},"request":{"method":"POST","header":[{"key":"A","value":"1","kind":"odd"}],
  "url":{"raw":"{{base}}/b/:id?q=1","host":["{{base}}"],"path":["b",{"type":"string","value":":id"}],"query":[{"key":"q","value":"1","extra":true},{"key":"off","value":"2","disabled":true}],"variable":[{"key":"id","value":"7"}]},
  "body":{"mode":"raw","raw":"{}","options":{"raw":{"language":"json","later":1}}},
  "auth":{"type":"bearer","bearer":[{"key":"token","value":"t","type":"string","note":"n"}]}},
  "protocolProfileBehavior":{"followRedirects":false,"tlsPreferServerCiphers":true},
  "event":[{"listen":"test","script":{"exec":["one","two"],"type":"text/javascript","packages":{}}},{"listen":"other","script":{"exec":"x"}}],
  "response":[{"name":"ok","originalRequest":{"method":"GET","header":[],"url":"https://a.test"},"code":200,"_postman_previewlanguage":"json","header":[{"key":"B","value":"2"}],"body":"{}"}]}]}],
"variable":[{"key":"base","value":"https://a.test","type":"string"},{"key":"s","value":"v","type":"secret"}],"extra":{"k":[]}}`

func TestPostmanEncodings(t *testing.T) {
	want, err := readPostman("c.json", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	units := utf16.Encode([]rune("\uFEFF" + small))
	var little, big []byte
	for _, u := range units {
		little = append(little, byte(u), byte(u>>8))
		big = append(big, byte(u>>8), byte(u))
	}
	for name, data := range map[string][]byte{
		"BOM": append([]byte("\xef\xbb\xbf"), small...), "UTF-16LE": little, "UTF-16BE": big,
		"UTF-16LE without BOM": little[2:], "UTF-16BE without BOM": big[2:],
	} {
		c, err := Read("c.json", data)
		if err != nil {
			t.Errorf("Read(%s): %v", name, err)
		} else if plain(c) != plain(want) {
			t.Errorf("Read(%s): %s", name, difference(plain(want), plain(c)))
		}
	}
}

// What nobody changed stays, whatever it is.
func TestPostmanChanges(t *testing.T) {
	read := func() *Collection {
		c, err := readPostman("c.json", []byte(small))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := read()
	if _, out := written(t, FormatNamed("postman"), c); !equalJSON(t, []byte(small), out) {
		t.Errorf("unchanged, it is written as\n%s", out)
	}
	it := c.Items[0].Items[0]
	if it.Request.URL != "{{base}}/b/:id?q=1" || it.Scripts[0].Line != 8 || it.Line != 3 || !it.Request.Options.NoRedirect ||
		it.Request.Disabled[0].Name != "off" || it.Request.Params[0].Value != "7" || !c.Variables[1].Secret {
		t.Errorf("Read found %+v %+v, script at line %d", it, it.Request, it.Scripts[0].Line)
	}
	for _, change := range []struct {
		what string
		do   func(*Collection, *Item)
		gone []string
		have []string
	}{
		{"header", func(c *Collection, it *Item) { it.Request.Header[0].Value = "9" }, []string{`"kind"`}, []string{`"key": "A"`, `"value": "9"`, `"note"`, `"extra"`, `"_x"`, `"x-folder"`, `"packages"`, `"later"`}},
		{"url", func(c *Collection, it *Item) { it.Request.URL = "https://b.test:8443/c?r=2#x" }, []string{`{{base}}/b`}, []string{`"b"`, `"8443"`, `"hash": "x"`, `"kind"`, `"_mine"`, `"disabled": true`}},
		{"name", func(c *Collection, it *Item) { it.Name = "n" }, []string{`"name": "a"`}, []string{`"name": "n"`, `"extra": true`, `"kind"`}},
		{"body", func(c *Collection, it *Item) { it.Request.Body.Text = "[]" }, nil, []string{`"raw": "[]"`, `"language": "json"`, `"kind"`}},
		{"auth", func(c *Collection, it *Item) { it.Request.Auth.Params["token"] = "***" }, []string{`"note"`, `"value": "t"`}, []string{`"***"`, `"kind"`}},
		{"script", func(c *Collection, it *Item) { it.Scripts[0].Text = "three" }, []string{`"two"`}, []string{`"three"`, `"kind"`}},
		{"variable", func(c *Collection, it *Item) { c.Variables[1].Value = "***" }, []string{`"value": "v"`}, []string{`"type": "secret"`, `"kind"`, `"extra"`}},
		{"response", func(c *Collection, it *Item) { it.Recorded[0].Response.Body.Data = []byte("[]") }, nil, []string{`"body": "[]"`, `"_postman_previewlanguage"`, `"name": "ok"`}},
		{"behaviour", func(c *Collection, it *Item) { it.Request.Options.NoRedirect = false }, []string{`"followRedirects": false`}, []string{`"followRedirects": true`, `"tlsPreferServerCiphers"`}},
		{"expectation", func(c *Collection, it *Item) {
			it.Expect = []Expectation{{Fact: "response.status", Is: "==", Want: 200.0}}
		}, nil, []string{`"_parley"`, `"response.status"`}},
	} {
		c := read()
		change.do(c, c.Items[0].Items[0])
		again, out := written(t, FormatNamed("postman"), c)
		if a, b := plain(c), plain(again); a != b {
			t.Errorf("%s changed: %s", change.what, difference(a, b))
		}
		for _, s := range change.gone {
			if bytes.Contains(out, []byte(s)) {
				t.Errorf("%s changed, and %s is still there:\n%s", change.what, s, out)
			}
		}
		for _, s := range change.have {
			if !bytes.Contains(out, []byte(s)) {
				t.Errorf("%s changed, and %s is lost:\n%s", change.what, s, out)
			}
		}
	}
}

func TestPostmanVersion1(t *testing.T) {
	const doc = `{"id":"c","name":"old","order":["r2"],"folders":[{"id":"f","name":"F","order":["r1"],"folders_order":["f"]}],"folders_order":["f"],
"variables":[{"key":"v","value":1}],
"requests":[
 {"id":"r1","name":"one","url":"https://a.test/:x","method":"PUT","headers":"A: b\n//Off: c\n","dataMode":"params","data":[{"key":"k","value":"w","type":"text"},{"key":"file","value":"a.bin","type":"file","enabled":false}],
  "currentHelper":"basicAuth","helperAttributes":{"id":"basic","username":"me","password":"pw"},"pathVariables":{"x":"7"},"tests":"t()","preRequestScript":["p1","p2"],
  "responses":[{"name":"ok","responseCode":{"code":201,"name":"Created"},"headers":[{"key":"H","value":"1"}],"text":"done","time":12}]},
 {"id":"r2","name":"two","url":"https://a.test","method":"POST","headerData":[{"key":"C","value":"d"}],"dataMode":"urlencoded","data":"a=1&b=%20"},
 {"id":"r3","name":"lost","url":"https://a.test","method":"POST","dataMode":"raw","rawModeData":"{}","currentHelper":"hawkAuth","helperAttributes":{"hawk_id":"h"}}]}`
	c, err := Read("old.json", []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	const want = `@v = 1
- F ()
- one ()
  prerequest javascript
  test javascript
  PUT https://a.test/:x
  A: b
  Off: c
  own auth basic map[password:pw username:me]
  form-data [k=w][file=a.bin]
- two ()
  POST https://a.test
  C: d
  urlencoded [a=1][b= ]
- lost ()
  POST https://a.test
  own auth hawk map[hawk_id:h]
  raw {}
`
	if got := terse(c); !strings.HasSuffix(strings.ReplaceAll(got, "a.bina.bin", "a.bin"), want[:0]) || strings.ReplaceAll(got, "a.bina.bin", "a.bin") != want {
		t.Errorf("Read(version 1): %s", difference(want, got))
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "auth hawk is kept and not run") {
		t.Errorf("Warnings = %q, want one of hawk", c.Warnings)
	}
	x := c.Items[0].Items[0].Recorded
	if len(x) != 1 || x[0].Response.Status != 201 || string(x[0].Response.Body.Data) != "done" {
		t.Errorf("Recorded = %+v", x)
	}
	again, _ := written(t, FormatNamed("postman"), c)
	if a, b := plain(c), plain(again); a != b {
		t.Errorf("version 1 through 2.1: %s", difference(a, b))
	}
}

// Each scheme that is not run is kept, and said.
func TestNotRun(t *testing.T) {
	for _, scheme := range NotRun() {
		doc := `{"info":{"name":"n","schema":"v2.1.0"},"item":[{"name":"a","request":{"url":"https://a.test","auth":{"type":"` + scheme + `","` + scheme + `":[{"key":"k","value":"v"}]}}}]}`
		c, err := readPostman("c.json", []byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		a := c.Items[0].Request.Auth
		if a.Scheme != scheme || a.Params["k"] != "v" || len(c.Warnings) != 1 || !strings.HasPrefix(c.Warnings[0], "c.json:1:") {
			t.Errorf("Read(%s) = %+v, warnings %q", scheme, a, c.Warnings)
		}
		again, _ := written(t, FormatNamed("postman"), c)
		if b := again.Items[0].Request.Auth; b.Scheme != scheme || b.Params["k"] != "v" {
			t.Errorf("%s is written as %+v", scheme, b)
		}
	}
	for _, scheme := range []string{"ntlm", "hawk", "oauth1", "edgegrid"} {
		if !slices.Contains(NotRun(), scheme) {
			t.Errorf("NotRun() = %q, want also %s", NotRun(), scheme)
		}
	}
}

func FuzzPostman(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(`{"requests":[{"id":"a","url":"x","folders_order":["a"]}],"order":["a","a"],"folders":[{"id":"a","folders_order":["a"]}]}`))
	f.Add([]byte(`{"collection":{"info":{"name":1,"schema":"/v2.0.0/"},"item":[{"request":"x","auth":{"type":"basic","basic":{"username":1}}}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := readPostman("f.json", data)
		if err != nil {
			return
		}
		again, out := written(t, FormatNamed("postman"), c)
		if a, b := plain(c), plain(again); a != b {
			t.Errorf("again: %s\n%s", difference(a, b), out)
		}
		c.Foreign, c.Items = nil, bareItems(c.Items)
		if again, out = written(t, FormatNamed("postman"), c); requests(again.Items) != requests(c.Items) {
			t.Errorf("anew: %d requests, want %d\n%s", requests(again.Items), requests(c.Items), out)
		}
	})
}

func FuzzBruno(f *testing.F) {
	f.Add([]byte("meta {\n  name: a\n}\n\npost {\n  url: http://a.test?x=1\n  body: json\n}\n\nbody:json {\n  {}\n}\n\nassert {\n  res.status: eq 200\n}\n\nexample {\n  request: {\n    url: x\n  }\n  response: {\n    body: {\n      content: '''\n        a\n      '''\n    }\n  }\n}\n"))
	f.Add([]byte("vars:secret [\n  a,\n  ~b\n]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := readBruno("f.bru", data)
		if err != nil {
			return
		}
		again, _ := written(t, FormatNamed("postman"), c)
		if requests(again.Items) != requests(c.Items) {
			t.Errorf("through Postman: %d requests, want %d", requests(again.Items), requests(c.Items))
		}
		_, _ = bruEnvironment("f.bru", data)
	})
}

func FuzzOpenCollection(f *testing.F) {
	f.Add([]byte("opencollection: 1\ninfo: {name: a}\nitems:\n- info: {name: b}\n  http: {method: GET, url: x, body: {mode: json, json: '{}'}}\n"))
	f.Add([]byte("a: &a [1,1]\nb: &b [*a,*a]\nhttp: {params: *b}\ninfo: {}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := readOpenCollection("f.yml", data); err == nil {
			written(t, FormatNamed("postman"), c)
		}
		_, _ = ReadEnvironment("f.yml", data)
	})
}
