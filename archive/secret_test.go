package archive_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/internal/lab/leak"
	"github.com/parley-project/parley/internal/needs"
)

// marked are 25 secrets, each in a place of its own.
var marked = func() map[string]string {
	m := map[string]string{}
	for i, place := range strings.Fields("bearer basic apikey cookie set-cookie query userinfo form json json-nested graphql multipart " +
		"variable variable-flag folder-variable script doc proxy proxy-user cert-password private-key url-token response aws client-secret") {
		m[place] = fmt.Sprintf("MARK%02dx7Qz9Lk2vB%02d", i, i)
	}
	return m
}()

func pem(name string) string {
	return "-----BEGIN PRIVATE KEY-----\n" + marked[name] + "AAAA\n-----END PRIVATE KEY-----\n"
}

func gzipped(s string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.Bytes()
}

func zlibbed(s string) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.Bytes()
}

// secretCollection has all of them.
func secretCollection() *archive.Collection {
	m := marked
	request := func(name, method, url string, b *archive.Body, h ...archive.Field) *archive.Item {
		return &archive.Item{Name: name, Request: &archive.Request{Method: method, URL: url, Header: h, Body: b}}
	}
	raw := func(media, text string) *archive.Body {
		return &archive.Body{Mode: "raw", MediaType: media, Text: text}
	}
	c := &archive.Collection{Name: "secrets", Doc: "Try it with Authorization: Bearer " + m["doc"] + "."}
	c.Variables = []archive.Variable{
		{Name: "api_token", Value: m["variable"]}, {Name: "colour", Value: m["variable-flag"], Secret: true}, {Name: "host", Value: "a.test"}}
	c.Scripts = []archive.Script{{When: "prerequest", Language: "javascript", Text: `pm.variables.set("password", "` + m["script"] + `");`}}
	basic := request("basic", "GET", "https://{{host}}/b", nil)
	basic.Request.Auth = &archive.Auth{Scheme: "basic", Params: map[string]string{"username": "u", "password": m["basic"]}}
	key := request("apikey", "GET", "https://a.test/k", nil)
	key.Request.Auth = &archive.Auth{Scheme: "apikey", Params: map[string]string{"key": "X-Custom", "value": m["apikey"], "in": "header"}}
	aws := request("aws", "GET", "https://a.test/aws", nil)
	aws.Request.Auth = &archive.Auth{Scheme: "aws-sigv4", Params: map[string]string{"accessKey": "AK", "secretKey": m["aws"], "region": "r", "service": "s"}}
	oauth := request("oauth", "GET", "https://a.test/o", nil)
	oauth.Request.Auth = &archive.Auth{Scheme: "oauth2", Params: map[string]string{"clientId": "c", "clientSecret": m["client-secret"], "accessTokenUrl": "https://a.test/t", "grant_type": "client_credentials"}}
	proxy := request("proxy", "GET", "https://a.test/p", nil)
	proxy.Request.Options.Proxy = "http://user:" + m["proxy"] + "@proxy.test:3128"
	form := request("form", "POST", "https://a.test/f", &archive.Body{Mode: "urlencoded", Fields: []archive.FormField{
		{Field: archive.Field{Name: "password", Value: m["form"]}}, {Field: archive.Field{Name: "a", Value: "b"}}}})
	multipart := request("multipart", "POST", "https://a.test/m", &archive.Body{Mode: "form-data", Fields: []archive.FormField{
		{Field: archive.Field{Name: "client_secret", Value: m["multipart"]}}}})
	graphql := request("graphql", "POST", "https://a.test/g", &archive.Body{Mode: "graphql", Text: "query { a }", Variables: `{"password": "` + m["graphql"] + `"}`})
	folder := &archive.Item{Name: "folder", Items: []*archive.Item{form, multipart, graphql}}
	folder.Variables = []archive.Variable{{Name: "client_secret", Value: m["folder-variable"]}}
	c.Items = []*archive.Item{
		request("bearer", "GET", "https://a.test/x?access_token="+m["query"], nil,
			archive.Field{Name: "Authorization", Value: "Bearer " + m["bearer"]}, archive.Field{Name: "Cookie", Value: "sid=" + m["cookie"] + "; theme=dark"},
			archive.Field{Name: "X-Ref", Value: "Bearer {{api_token}}"}),
		request("userinfo", "GET", "https://user:"+m["userinfo"]+"@a.test/", nil),
		request("urltoken", "GET", "https://"+m["url-token"]+"@a.test/", nil),
		request("json", "POST", "https://a.test/j", raw("application/json", `{"password": "`+m["json"]+`", "user": {"api_key": "`+m["json-nested"]+`"}, "id": {{id}}}`),
			archive.Field{Name: "Content-Type", Value: "application/json"}),
		request("key", "PUT", "https://a.test/key", raw("text/plain", pem("private-key"))),
		basic, key, aws, oauth, proxy, folder,
	}
	return c
}

// secretExchange was recorded: what it holds is packed and coded as on a wire.
func secretExchange() *exchange.Exchange {
	m := marked
	at := time.Unix(1e9, 0).UTC()
	data := gzipped(`{"token": "` + m["response"] + `", "echo": "` + m["bearer"] + `"}`)
	basic := base64.StdEncoding.EncodeToString([]byte("u:" + m["basic"]))
	return &exchange.Exchange{ID: exchange.NewID(at), Start: at, Source: exchange.FromCall,
		TCP: &exchange.TCP{Remote: netip.MustParseAddrPort("127.0.0.1:443")},
		Request: exchange.Request{Method: "POST", Scheme: "https", Authority: "a.test", Target: "/x?api_key=" + m["query"], Proto: "HTTP/1.1",
			Header: exchange.Header{{Name: "Authorization", Value: "Basic " + basic}, {Name: "Cookie", Value: "a=" + m["cookie"]},
				{Name: "Proxy-Authorization", Value: "Bearer " + m["bearer"]}, {Name: "Content-Type", Value: "application/x-www-form-urlencoded"}},
			Body: exchange.Body{Data: []byte("password=" + m["form"]), Size: int64(len("password=" + m["form"]))}},
		Response: &exchange.Response{Status: 200, Proto: "HTTP/1.1", Header: exchange.Header{{Name: "Content-Type", Value: "application/json"},
			{Name: "Content-Encoding", Value: "gzip"}, {Name: "Set-Cookie", Value: "sid=" + m["set-cookie"] + "; Path=/"}},
			Body: exchange.Body{Data: data, Size: int64(len(data))}},
		Failure: "proxy http://u:" + m["proxy"] + "@p refused"}
}

// curlSecrets has those that only a command line can hold.
func curlSecrets() string {
	return "curl -x http://p:80 -U 'u:" + marked["proxy-user"] + "' -E 'c.pem:" + marked["cert-password"] + "' --oauth2-bearer " + marked["bearer"] +
		" -u " + marked["url-token"] + ": -b 'a=" + marked["cookie"] + "' https://a.test/\n"
}

func TestHideSecrets(t *testing.T) {
	write := func(t *testing.T, f *archive.Format, c *archive.Collection) string {
		var b bytes.Buffer
		if err := f.Write(&b, c); err != nil {
			t.Fatalf("Write(%s): %v", f.Name, err)
		}
		return b.String()
	}
	// The sources: everything in every format, in plain.
	sources := map[string]string{"curl options": curlSecrets()}
	names := map[string]string{"curl options": "curl"}
	all := ""
	for _, f := range archive.Formats {
		if f.Write == nil {
			continue
		}
		c := secretCollection()
		c.Items = append(c.Items, &archive.Item{Name: "recorded", Request: archive.FromExchanges("", []*exchange.Exchange{secretExchange()}).Items[0].Request,
			Recorded: []*exchange.Exchange{secretExchange()}})
		sources[f.Name], names[f.Name] = write(t, f, c), f.Name
		all += sources[f.Name]
	}
	var har bytes.Buffer
	deflated := secretExchange()
	deflated.Response.Header[1].Value, deflated.Response.Body.Data = "deflate", zlibbed(`{"token": "`+marked["response"]+`"}`)
	deflated.Response.Body.Size = int64(len(deflated.Response.Body.Data))
	if err := archive.WriteHAR(&har, []*exchange.Exchange{secretExchange(), deflated}); err != nil {
		t.Fatal(err)
	}
	sources["our har"], names["our har"] = har.String(), "har"
	all += har.String() + curlSecrets()
	if len(marked) != 25 {
		t.Fatalf("%d secrets are marked, want 25", len(marked))
	}
	for place, s := range marked {
		if leak.Find([]byte(all), s) == "" {
			t.Errorf("the sources do not hold the secret of %s", place)
		}
	}
	pairs := 0
	for source, text := range sources {
		for _, to := range archive.Formats {
			if to.Write == nil {
				continue
			}
			pairs++
			c, err := archive.FormatNamed(names[source]).Read("in", []byte(text))
			if err != nil {
				t.Fatalf("Read(%s): %v in\n%s", source, err, text)
			}
			archive.Hide(c, identity.NewMasker([]byte("key")))
			out := write(t, to, c) + strings.Join(c.Warnings, "\n")
			for place, s := range marked {
				if source == "curl" && (place == "apikey" || place == "variable-flag") {
					continue // a command line does not say that X-Custom and colour are secrets
				}
				if form := leak.Find([]byte(out), s); form != "" {
					t.Errorf("%s to %s: the secret of %s is there as %s: %s", source, to.Name, place, form, lineOf(out, s))
				}
			}
			if strings.Contains(text, "{{id}}") && !strings.Contains(out, "{{id}}") && !strings.Contains(out, "${id}") {
				t.Errorf("%s to %s: the reference {{id}} is gone", source, to.Name)
			}
			if strings.Contains(text, "{{api_token}}") && !strings.Contains(out, "{{api_token}}") && !strings.Contains(out, "${api_token}") {
				t.Errorf("%s to %s: the reference {{api_token}} is gone", source, to.Name)
			}
		}
	}
	t.Logf("%d pairs of formats, %d secrets", pairs, len(marked))
	// Errors say nothing of what they could not read.
	for source, text := range sources {
		for _, f := range archive.Formats {
			for _, broken := range []string{text[:len(text)*2/3], text + "\x00'\"{", strings.Replace(text, ":", "'", 1)} {
				if _, err := f.Read("in", []byte(broken)); err != nil {
					for place, s := range marked {
						if form := leak.Find([]byte(archive.HideError(err).Error()), s); form != "" {
							t.Errorf("%s read as %s: the error holds the secret of %s: %v", source, f.Name, place, err)
						}
					}
				}
			}
		}
	}
}

func lineOf(out, s string) string {
	for line := range strings.Lines(out) {
		if i := strings.Index(line, s); i >= 0 {
			return line[max(0, i-80):min(len(line), i+40)]
		}
	}
	return ""
}

func TestHideKeepsEquals(t *testing.T) {
	c := secretCollection()
	c.Items[0].Request.Header[0].Value = "Bearer " + marked["json"]
	archive.Hide(c, identity.NewMasker([]byte("key")))
	masked := strings.TrimPrefix(c.Items[0].Request.Header[0].Value, "Bearer ")
	if !strings.HasPrefix(masked, "secret:") || !strings.Contains(c.Items[3].Request.Body.Text, masked) {
		t.Errorf("Hide made %q and %q, want the same placeholder", masked, c.Items[3].Request.Body.Text)
	}
	if v := c.Items[0].Request.Header[2].Value; v != "Bearer {{api_token}}" {
		t.Errorf("Hide made %q of a reference", v)
	}
	if v := c.Items[0].Request.Header[1].Value; !strings.HasSuffix(v, "; theme=secret:"+v[len(v)-12:]) {
		t.Errorf("Hide made %q of cookies, want their names", v)
	}
}

// TestHideTwice hides what is hidden: nothing changes any more, also in files
// of others, and what is no secret stays.
func TestHideTwice(t *testing.T) {
	dir := os.Getenv("PARLEY_FIXTURES")
	if dir == "" {
		needs.Missing(t, "PARLEY_FIXTURES", "set it to the folder of the corpora")
	}
	files := 0
	for _, pattern := range []string{"har/*.har", "postman/*.json", "http/*.http"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range names {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c, err := archive.Read(file, data)
			if err != nil {
				continue // bad-*, environments: other tests
			}
			files++
			f := archive.FormatNamed(c.Format)
			var plain, once, twice bytes.Buffer
			f.Write(&plain, c)
			archive.Hide(c, identity.NewMasker([]byte("key")))
			if err := f.Write(&once, c); err != nil {
				t.Fatal(err)
			}
			again, err := f.Read(file, once.Bytes())
			if err != nil {
				t.Fatalf("%s: what was hidden cannot be read: %v", filepath.Base(file), err)
			}
			archive.Hide(again, identity.NewMasker([]byte("other key")))
			if err := f.Write(&twice, again); err != nil {
				t.Fatal(err)
			}
			if once.String() != twice.String() {
				t.Errorf("%s: Hide changed what was hidden: %s", filepath.Base(file), firstDifference(twice.String(), once.String()))
			}
			if a, b := strings.Count(plain.String(), "\n"), strings.Count(once.String(), "\n"); a != b {
				t.Errorf("%s: has %d lines, want %d: %s", filepath.Base(file), b, a, firstDifference(once.String(), plain.String()))
			}
		}
	}
	t.Logf("%d files", files)
}

func firstDifference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return fmt.Sprintf("line %d: %.200q, want %.200q", i+1, as[i], bs[i])
		}
	}
	return "one is longer"
}

func TestHideValues(t *testing.T) {
	for _, test := range []struct{ name, value, want string }{
		{"url", "https://{{user}}:{{pass}}@h/?token={{t}}", "https://{{user}}:{{pass}}@h/?token={{t}}"},
		{"url", "https://u:{{pass}}@h/", "https://u:{{pass}}@h/"},
		{"url", "https://{{u}}:hunter2@h/", "https://{{u}}:secret:…@h/"},
		{"url", "https://u:hunter2@h/a?x=1&api_key=abc", "https://u:secret:…@h/a?x=1&api_key=secret:…"},
		{"url", "https://me@h/", "https://me@h/"},
		{"url", "https://h/{{token}}/x", "https://h/{{token}}/x"},
		{"Authorization", "Bearer {{token}}", "Bearer {{token}}"},
		{"Authorization", "Token {{a}}:{{b}}", "Token {{a}}:{{b}}"},
		{"Authorization", "Bearer abc{{b}}", "Bearer secret:…{{b}}"},
		{"Authorization", "Basic dTpw", "Basic secret:…"},
		{"Cookie", "sid={{sid}}; other=7", "sid={{sid}}; other=secret:…"},
		{"X-Api-Key", "{{key}}", "{{key}}"},
		{"X-Api-Key", "k1", "secret:…"},
		{"Accept", "application/json", "application/json"},
		{"X-Anything", "AKIAIOSFODNN7EXAMPLE", "secret:…"},
		{"body", `{"password": "{{pw}}", "n": {{n}}, "token": "t", "a": "b"}`, `{"password": "{{pw}}", "n": {{n}}, "token": "secret:…", "a": "b"}`},
		{"body", "grant_type=password&password=pw", "grant_type=password&password=secret:…"},
		{"script", `pm.set("token", "abcd"); const apiKey = 'abcd', n = "abcd"`, `pm.set("token", "secret:…"); const apiKey = 'secret:…', n = "abcd"`},
	} {
		it := &archive.Item{Request: &archive.Request{Method: "POST", URL: "http://a/"}}
		at := &it.Request.URL
		switch test.name {
		case "url":
		case "body":
			it.Request.Body = &archive.Body{Mode: "raw"}
			at = &it.Request.Body.Text
		case "script":
			it.Scripts = []archive.Script{{}}
			at = &it.Scripts[0].Text
		default:
			it.Request.Header = []archive.Field{{Name: test.name}}
			at = &it.Request.Header[0].Value
		}
		*at = test.value
		archive.Hide(&archive.Collection{Items: []*archive.Item{it}}, identity.NewMasker([]byte("key")))
		if got := hashes.ReplaceAllString(*at, "secret:…"); got != test.want {
			t.Errorf("Hide(%s %s) made %s, want %s", test.name, test.value, got, test.want)
		}
	}
}

var hashes = regexp.MustCompile(`secret:[0-9a-f]{12}`)

// FuzzHide hides what is in files of any kind: nothing breaks, and what was
// hidden can be read.
func FuzzHide(f *testing.F) {
	for _, format := range archive.Formats {
		if format.Write != nil {
			var b bytes.Buffer
			format.Write(&b, secretCollection())
			f.Add(b.String())
		}
	}
	f.Add(`{"log":{"entries":[{"request":{"url":"http://u:{{p}}@a/","cookies":[{"value":"x"}],"postData":{"text":"a=b","mimeType":"x"}}}]}}`)
	f.Fuzz(func(t *testing.T, s string) {
		for _, format := range archive.Formats {
			c, err := format.Read("in", []byte(s))
			if err != nil {
				continue
			}
			archive.Hide(c, identity.NewMasker([]byte("key")))
			if format.Write == nil {
				continue
			}
			if err := format.Write(&bytes.Buffer{}, c); err != nil {
				t.Fatal(err)
			}
		}
	})
}
