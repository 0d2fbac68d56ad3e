package identity

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/internal/config"
)

// load parses and uses an identity section, as guard does at its start.
func load(t *testing.T, dir, text string) (*Config, error) {
	t.Helper()
	s, err := config.Parse("parley.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse(s, dir)
	if err != nil {
		return nil, err
	}
	v, err := New(c, Options{Now: clock, Timeout: time.Second})
	if err != nil {
		return nil, err
	}
	v.Close()
	return c, nil
}

func TestParse(t *testing.T) {
	dir := t.TempDir()
	s := newSigner(t, "k1")
	write(t, filepath.Join(dir, "jwks.json"), jwks(t, s))
	write(t, filepath.Join(dir, "revoked.txt"), nil)
	write(t, filepath.Join(dir, "keys.yaml"), []byte("- {name: partner, sha256: "+hexHash("pk-1")+", subject: p, roles: [partner]}\n"))
	c, err := load(t, dir, `
jwt: {issuer: https://login.example, audience: shop, keys: jwks.json, algorithms: [ES256], leeway: 5s, roles: groups}
cookie: session
api_keys: {header: X-Partner, file: keys.yaml}
subject: {claim: uid, type: integer}
claims: [plan]
revoked: revoked.txt
`)
	if err != nil {
		t.Fatal(err)
	}
	if c.JWT.Leeway != 5*time.Second || c.JWT.Roles != "groups" || c.Cookie != "session" || c.APIKeys.Header != "X-Partner" ||
		c.SubjectClaim != "uid" || !c.IntegerSubject || c.Revoked != filepath.Join(dir, "revoked.txt") {
		t.Errorf("%+v %+v", c, c.JWT)
	}
	write(t, filepath.Join(dir, "keys.yaml"), []byte("keys:\n- {name: partner, sha256: "+hexHash("pk-1")+", subject: p}\n"))
	v := verifier(t, c, Options{})
	if got := ask(t, v, request("/", "X-Partner", "pk-1"), now); got != "good p" {
		t.Error(got)
	}
	if c, err := Parse(config.Section{}, dir); err != nil || c.JWT != nil {
		t.Errorf("no section: %+v, %v", c, err)
	}
}

func TestParseErrors(t *testing.T) {
	dir := t.TempDir()
	s := newSigner(t, "k1")
	file := func(name, content string) { write(t, filepath.Join(dir, name), []byte(content)) }
	file("jwks.json", string(jwks(t, s)))
	file("broken.json", "{")
	file("pem.json", "-----BEGIN PUBLIC KEY-----")
	file("empty.json", `{"keys":[]}`)
	file("oct.json", `{"keys":[{"kty":"oct","k":"`+strings.Repeat("A", 43)+`"}]}`)
	j := s.jwk(t)
	oct := map[string]any{"kty": "oct", "k": strings.Repeat("A", 43)}
	mixed, _ := json.Marshal(map[string]any{"keys": []any{j, oct}})
	file("mixed.json", string(mixed))
	twice, _ := json.Marshal(map[string]any{"keys": []any{j, j}})
	file("twice.json", string(twice))
	j["d"] = "x"
	private, _ := json.Marshal(j)
	file("private.json", string(private))
	if err := os.Chmod(filepath.Join(dir, "private.json"), 0o644); err != nil {
		t.Fatal(err)
	}
	file("badkeys.yaml", "- {name: a, sha256: 12, subject: b}\n")
	file("oddkeys.yaml", "- {name: a, sha265: 12, subject: b}\n")

	jwt := func(rest string) string { return "jwt: {issuer: i, audience: a, " + rest + "}" }
	tests := []struct{ text, place, want, hint string }{
		{"jwt: {isuer: i}", "parley.yaml:1:7", `unknown field "isuer"`, "issuer"},
		{"jwt: {audience: a}", "parley.yaml:1:6", "no issuer", "iss"},
		{"jwt: {issuer: a}", "parley.yaml:1:6", "no audience", "any"},
		{jwt("algorithms: [ES256]"), "parley.yaml:1:6", "no keys", "jwks.json"},
		{jwt("keys: jwks.json"), "parley.yaml:1:6", "no algorithms", "ES256"},
		{jwt("keys: jwks.json, algorithms: []"), "parley.yaml:1:60", "no algorithm", "ES256"},
		{jwt("keys: jwks.json, algorithms: [none]"), "parley.yaml:1:61", `"none"`, "nobody signed"},
		{jwt("keys: jwks.json, algorithms: [ES25]"), "parley.yaml:1:61", `"ES25"`, `"ES256"`},
		{jwt("keys: jwks.json, algorithms: [ES256, HS256]"), "parley.yaml:1:68", "mixes", "one family"},
		{jwt("keys: jwks.json, algorithms: [HS256]"), "parley.yaml:1:37", "no key fits HS256", "are for ES256"},
		{jwt("keys: jwks.json, algorithms: [ES384]"), "parley.yaml:1:37", "no key fits ES384", "are for ES256"},
		{jwt("keys: oct.json, algorithms: [ES256]"), "parley.yaml:1:37", "no key fits ES256", "are for HS256"},
		{jwt("keys: missing.json, algorithms: [ES256]"), "parley.yaml:1:37", "no such file", "JWK Set"},
		{jwt("keys: broken.json, algorithms: [ES256]"), "parley.yaml:1:37", "no JWK Set", "JWK Set"},
		{jwt("keys: pem.json, algorithms: [ES256]"), "parley.yaml:1:37", "no JWK Set", "JWK Set"},
		{jwt("keys: empty.json, algorithms: [ES256]"), "parley.yaml:1:37", "no key fits", ""},
		{jwt("keys: mixed.json, algorithms: [ES256]"), "parley.yaml:1:37", "mixes", "file of their own"},
		{jwt("keys: twice.json, algorithms: [ES256]"), "parley.yaml:1:37", "two keys", ""},
		{jwt("keys: private.json, algorithms: [ES256]"), "parley.yaml:1:37", "everybody", "chmod 600"},
		{jwt("keys: http://login.example/k, algorithms: [ES256]"), "parley.yaml:1:37", "in clear", "https"},
		{jwt("keys: 'https://u:p@login.example/k', algorithms: [ES256]"), "parley.yaml:1:37", "no plain URL", "https"},
		{jwt("keys: http://127.0.0.1:1/k, algorithms: [ES256]"), "parley.yaml:1:37", "refused", "issuer running"},
		{jwt("keys: jwks.json, algorithms: [ES256], leeway: 1h"), "parley.yaml:1:77", "leeway", "30s"},
		{jwt("keys: jwks.json, algorithms: [ES256], leeway: often"), "parley.yaml:1:77", "length of time", "5s"},
		{"cookie: session", "parley.yaml:1:9", "no token", "jwt"},
		{"cookie: 'a b'", "parley.yaml:1:9", "no name", ""},
		{"api_keys: {header: X-Key}", "parley.yaml:1:11", "a file or keys", "keys.yaml"},
		{"api_keys: {header: Authorization, keys: []}", "parley.yaml:1:20", "cannot carry", "X-API-Key"},
		{"api_keys: {file: missing.yaml}", "parley.yaml:1:18", "no such file", "a list"},
		{"api_keys: {file: badkeys.yaml}", filepath.Join(dir, "badkeys.yaml") + ":1:3", "64 hex digits", "sha256sum"},
		{"api_keys: {file: oddkeys.yaml}", filepath.Join(dir, "oddkeys.yaml") + ":1:13", "sha265", "sha256"},
		{"api_keys: {keys: [{name: a}]}", "parley.yaml:1:19", "name and a subject", ""},
		{"subject: {type: number}", "parley.yaml:1:17", `"number"`, "integer"},
		{"revoked: missing.txt", "parley.yaml:1:10", "no such file", "empty file"},
		{"bearer: {}", "parley.yaml:1:1", `unknown field "bearer"`, "jwt"},
	}
	for _, tt := range tests {
		_, err := load(t, dir, tt.text)
		var ce *config.Error
		if !errors.As(err, &ce) {
			t.Errorf("%s: %v, want a config.Error", tt.text, err)
			continue
		}
		if ce.Place() != tt.place || !strings.Contains(ce.Text, tt.want) || !strings.Contains(ce.Hint, tt.hint) {
			t.Errorf("%s\n got %s: %s (%s)\nwant %s: %s (%s)", tt.text, ce.Place(), ce.Text, ce.Hint, tt.place, tt.want, tt.hint)
		}
	}
}
