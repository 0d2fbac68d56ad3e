package archive

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

type curlSample struct{ Name, Command string }

func curlSamples(t testing.TB) []curlSample {
	t.Helper()
	f, err := os.Open(harFiles(t, "http/curl-commands.jsonl")[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []curlSample
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var c curlSample
		if err := json.Unmarshal(s.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

// bare is a collection without its places in the file.
func bare(c *Collection) []Item {
	var out []Item
	for _, it := range c.Items {
		i := *it
		i.Line, i.Column = 0, 0
		out = append(out, i)
	}
	return out
}

func TestCurlSamples(t *testing.T) {
	samples := curlSamples(t)
	for _, s := range samples {
		t.Run(s.Name, func(t *testing.T) {
			c, err := Read("x.sh", []byte(s.Command))
			if err != nil {
				t.Fatal(err)
			}
			text := writtenAs(t, "curl", c)
			again, err := readCurl("again.sh", []byte(text))
			if err != nil {
				t.Fatalf("%v in\n%s", err, text)
			}
			if !reflect.DeepEqual(bare(again), bare(c)) {
				g, _ := json.MarshalIndent(bare(again), "", " ")
				w, _ := json.MarshalIndent(bare(c), "", " ")
				t.Errorf("read %s, want %s in\n%s", aroundDiff(string(g), string(w)), aroundDiff(string(w), string(g)), text)
			}
		})
	}
	t.Logf("%d commands", len(samples))
}

func TestCurlMeaning(t *testing.T) {
	type want struct {
		method, url, header, body string
	}
	for command, w := range map[string]want{
		`curl a.test`:                                                        {"GET", "http://a.test", "Accept: */*", ""},
		`curl -d a=b -d c http://a.test`:                                     {"POST", "http://a.test", "Accept: */*", "raw a=b&c"},
		`curl -Gd 'a=b c' http://a.test/x?q#f`:                               {"GET", "http://a.test/x?q&a=b c#f", "Accept: */*", ""},
		`curl -sSLk -XDELETE http://a.test`:                                  {"DELETE", "http://a.test", "Accept: */*", ""},
		`curl --json '{}' a.test`:                                            {"POST", "http://a.test", "Content-Type: application/json|Accept: application/json", "raw {}"},
		`curl -A x -e y -b 'a=b' -H 'Accept:' a.test`:                        {"GET", "http://a.test", "User-Agent: x|Referer: y|Cookie: a=b|-Accept: ", ""},
		`curl -H "Authorization: Bearer $TOKEN" $HOST/x`:                     {"GET", "{{HOST}}/x", "Accept: */*|Authorization: Bearer {{TOKEN}}", ""},
		`curl -I a.test`:                                                     {"HEAD", "http://a.test", "Accept: */*", ""},
		`curl -T dir/f.txt a.test/up/`:                                       {"PUT", "http://a.test/up/f.txt", "Accept: */*", "file dir/f.txt"},
		`curl --data-urlencode 'a=b c&d' --data-urlencode =é a.test`:         {"POST", "http://a.test", "Accept: */*", "raw a=b+c%26d&%C3%A9"},
		`curl -d @f a.test`:                                                  {"POST", "http://a.test", "Accept: */*", "file f"},
		`curl --data=x --url=a.test`:                                         {"POST", "http://a.test", "Accept: */*", "raw x"},
		`curl $'http://a.test/\x41' --data-raw $'a\nb'`:                      {"POST", "http://a.test/A", "Accept: */*", "raw a\nb"},
		"$ curl \\\n -r 0-9 a.test | jq . > out":                             {"GET", "http://a.test", "Range: bytes=0-9|Accept: */*", ""},
		"curl ^\"http://a.test/^?a=1^&b=2^\" ^\r\n  -H ^\"X: \\^\"q\\^\"^\"": {"GET", "http://a.test/?a=1&b=2", `Accept: */*|X: "q"`, ""},
		`curl "http://a.test/$(whoami)?x=${V:-d}&y=${W:0:1}$((1/0))"`:        {"GET", "http://a.test/{{output1}}?x={{V}}&y={{W}}{{output2}}", "Accept: */*", ""},
		`curl -d @<(echo hi) "a.test/$1"`:                                    {"POST", "http://a.test/{{1}}", "Accept: */*", "file {{output1}}"},
		`curl --url-query 'a=b c' http://a.test`:                             {"GET", "http://a.test/?a=b+c", "Accept: */*", ""},
	} {
		c, err := Read("x.sh", []byte(command))
		if err != nil {
			t.Errorf("Read(%s): %v", command, err)
			continue
		}
		r := c.Items[0].Request
		var h []string
		for _, f := range r.Header {
			s := f.Name + ": " + f.Value
			if f.Disabled {
				s = "-" + s
			}
			h = append(h, s)
		}
		got := want{r.Method, r.URL, strings.Join(h, "|"), ""}
		if r.Body != nil {
			got.body = r.Body.Mode + " " + r.Body.Text + r.Body.File
		}
		if got != w {
			t.Errorf("Read(%s) found\n%q, want\n%q", command, got, w)
		}
	}
}

func TestCurlErrors(t *testing.T) {
	for command, want := range map[string]string{
		"curl --headr x a.test": "x.sh:1:6: curl has no option --headr",
		"curl a.test\ncurl -d":  "x.sh:2:6: option -d needs a value",
		"curl 'a.test":          "x.sh:1:6: ",
		"curl -m soon a.test":   "x.sh:1:6: --max-time takes a number",
		"curl -F x a.test":      "x.sh:1:6: a form's field is NAME=VALUE",
		"echo curl":             "x.sh:1:1: calls curl nowhere",
		"curl -H 'a: b'":        "x.sh:1:1: curl is called without a URL",
	} {
		_, err := readCurl("x.sh", []byte(command))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Read(%s) found %v, want %s", command, err, want)
		}
	}
}

func TestCurlGlob(t *testing.T) {
	for u, want := range map[string]string{
		"http://a/{x,y}/[1-3]":  "http://a/x/1 http://a/x/2 http://a/x/3 http://a/y/1 http://a/y/2 http://a/y/3",
		"http://a/[08-10]":      "http://a/08 http://a/09 http://a/10",
		"http://a/[a-e:2]":      "http://a/a http://a/c http://a/e",
		"http://[::1]:80/{{x}}": "http://[::1]:80/{{x}}",
		"http://a/{x":           "",
		"http://a/[1-999999]":   "",
		"http://a/[9-1]":        "",
	} {
		if got := strings.Join(globbed(u), " "); got != want {
			t.Errorf("globbed(%s) found %q, want %q", u, got, want)
		}
	}
}

// TestCurlProperty writes requests of all kinds of text and reads them back.
func TestCurlProperty(t *testing.T) {
	text := rapid.Custom(func(t *rapid.T) string {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching("[ -~\\n\\t\\\\$'\"!`{}^@&;]{0,20}")).Draw(t, "text")
		return strings.ReplaceAll(s, "\x00", "") // no argument can hold it
	})
	line := rapid.Map(text, func(s string) string { return strings.TrimSpace(strings.NewReplacer("\n", "", "\r", "").Replace(s)) })
	name := rapid.StringMatching("X-[A-Za-z]{1,5}")
	rapid.Check(t, func(t *rapid.T) {
		r := &Request{Method: rapid.SampledFrom([]string{"GET", "POST", "PUT", "DELETE", "M-SEARCH"}).Draw(t, "method"),
			URL: "http://a.test/" + rapid.StringMatching(`[a-z?&=%.,;~!'()$"{}\[\] -]{0,12}`).Draw(t, "path")}
		r.Options.NoRedirect = true
		r.Header = []Field{{Name: "Accept", Value: "*/*"}}
		for range rapid.IntRange(0, 3).Draw(t, "fields") {
			r.Header = append(r.Header, Field{Name: name.Draw(t, "name"), Value: line.Draw(t, "value")})
		}
		switch rapid.IntRange(0, 2).Draw(t, "body") {
		case 1:
			r.Body = &Body{Mode: "raw", MediaType: "application/x-www-form-urlencoded", Text: text.Draw(t, "data")}
		case 2:
			r.Body = &Body{Mode: "form-data"}
			for range rapid.IntRange(1, 3).Draw(t, "parts") {
				f := FormField{Field: Field{Name: name.Draw(t, "part"), Value: text.Draw(t, "content")}}
				if rapid.Bool().Draw(t, "typed") {
					f.MediaType = "text/plain; charset=utf-8"
				}
				if rapid.Bool().Draw(t, "file") {
					f.Value, f.File = "", "dir/"+rapid.StringMatching(`[a-z ;,"\\.]{1,6}x`).Draw(t, "path")
					f.FileName = rapid.StringMatching(`[a-z";,. ]{0,5}`).Draw(t, "filename")
				}
				r.Body.Fields = append(r.Body.Fields, f)
			}
		}
		var b bytes.Buffer
		if err := writeCurl(&b, &Collection{Format: "curl", Items: []*Item{{Request: r, Foreign: &curlForeign{}}}}); err != nil {
			t.Fatal(err)
		}
		c, err := readCurl("x.sh", b.Bytes())
		if err != nil || len(c.Items) != 1 {
			t.Fatalf("Read found %v in\n%s", err, b.String())
		}
		got := c.Items[0].Request
		want := *r
		if !reflect.DeepEqual(got, &want) {
			g, _ := json.Marshal(got)
			w, _ := json.Marshal(want)
			t.Fatalf("read %s,\nwant %s in\n%s", g, w, b.String())
		}
	})
}

func FuzzCurl(f *testing.F) {
	for _, s := range []string{"curl -d @- a <<E\nx\nE\n", `curl -F 'a="b;c";type=x;filename=y' $X "${Y}"z`, "curl ^\"a^\" ^\n -H ^\"b: c^\"", "curl -u a:b --next b -T f {a,b}[1-2]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := readCurl("x.sh", []byte(s))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := writeCurl(&b, c); err != nil {
			t.Fatal(err)
		}
		again, err := readCurl("x.sh", b.Bytes())
		if err != nil || len(again.Items) != len(c.Items) {
			t.Fatalf("reading %q again: %v", b.String(), err)
		}
	})
}
