package identity

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/config"
)

func people(t *testing.T, dir, text string) (map[string]*Person, error) {
	t.Helper()
	s, err := config.Parse("parley.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return ParsePeople(s, dir, func(name string) string { return map[string]string{"TOKEN": "env-token"}[name] })
}

func TestParsePeople(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rajan"), []byte("Bearer from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := people(t, dir, `
priya: env:TOKEN
rajan: "@rajan"
partner: "X-API-Key:k1"
web: "Cookie: sid=s1"
basic: Basic sam:pw
key: {api_key: {in: query, name: key, value: k2}}
dig: {digest: {username: sam, password: pw}, alive: GET /v1/me}
sam:
  login:
    request: POST /v1/login
    json: {user: sam, password: env:TOKEN, n: 1}
    token: $.token
`)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"priya": "Authorization: Bearer env-token", "rajan": "Authorization: Bearer from-file", "partner": "X-API-Key: k1",
		"web": "Cookie: sid=s1", "basic": "Authorization: Basic c2FtOnB3", "key": "/?key=k2",
	} {
		r := &exchange.Request{Method: "GET", Target: "/"}
		if err := got[name].Auth.Apply(context.Background(), r); err != nil {
			t.Fatal(err)
		}
		said := r.Target
		if len(r.Header) > 0 {
			said = r.Header[0].Name + ": " + r.Header[0].Value
		}
		if said != want {
			t.Errorf("%s sends %q, want %q", name, said, want)
		}
	}
	if l := got["sam"].Login; l == nil || l.Method != "POST" || l.URL != "/v1/login" || string(l.Body) != `{"n":1,"password":"env-token","user":"sam"}` {
		t.Errorf("login is %+v", l)
	}
	if got["dig"].Alive != "GET /v1/me" || got["dig"].Auth.Scheme() != "digest" {
		t.Errorf("digest is %+v", got["dig"])
	}
}

// Each mistake is one line with its place, and repeats no secret.
func TestParsePeopleErrors(t *testing.T) {
	for text, want := range map[string]string{
		"priya: env:NONE":      "parley.yaml:1:8: identity priya: the environment has no NONE",
		"priya: '@none'":       "parley.yaml:1:8: identity priya: ",
		"priya: marked secret": "parley.yaml:1:8: identity priya: the credential has a space",
		"priya: {}":            "parley.yaml:1:8: identity priya has no credential",
		"priya: {bearer: a, basic: {username: b}}":                            "parley.yaml:1:27: identity priya has two credentials",
		"priya: {bearr: marked}":                                              "parley.yaml:1:9: ",
		"priya: {basic: {password: marked}}":                                  "parley.yaml:1:16: identity priya has no name",
		"priya: {login: {request: /v1/login, token: $.t}}":                    "a log-in needs a request",
		"priya: {login: {request: POST /v1/login}}":                           "a log-in says in one place",
		"priya: {oauth2: {token_url: 'https://a.test/t'}}":                    "an OAuth 2.0 client needs",
		"priya: {oauth2: {grant: magic, token_url: a, client_id: b}}":         `"magic" is no grant`,
		"priya: {api_key: {in: body, value: marked}}":                         "not in \"body\"",
		"priya: {aws_sigv4: {access_key: a}}":                                 "has no keys",
		"priya: {login: {request: POST /l, json: {a: env:NONE}, token: $.t}}": "the environment has no NONE",
	} {
		_, err := people(t, t.TempDir(), text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "marked") {
			t.Errorf("ParsePeople(%s) says %v, want %q and no secret", text, err, want)
		}
	}
}

// A policy is checked where its secrets are not.
func TestCheckPeople(t *testing.T) {
	for text, says := range map[string]string{
		"a: env:GONE\nb: '@gone.jwt'\nc: {basic: {username: u, password: env:GONE}}\nd: {login: {request: POST /l, json: {p: env:GONE}, token: $.t}}\n":                                                  "",
		"e: {oauth2: {grant: refresh_token, token_url: 'https://a/t', client_id: c, refresh_token: env:GONE}}\nf: {api_key: {value: '@gone'}}\ng: {aws_sigv4: {access_key: env:A, secret_key: env:B}}\n": "",
		"a: {bearer: x, basic: {username: u}}\n":   "two credentials",
		"a: {login: {request: login}}\n":           "a log-in needs a request",
		"a: {oauth2: {grant: implicit}}\n":         "is no grant",
		"a: {barer: x}\n":                          "barer",
		"a: {}\n":                                  "no credential",
		"a: {api_key: {in: body, value: env:K}}\n": "an API key stands in",
	} {
		s, err := config.Parse("parley.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckPeople(s, t.TempDir()); (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("CheckPeople(%q) found %v, want %q", text, err, says)
		}
	}
}
