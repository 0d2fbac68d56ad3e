package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/parley-project/parley/example/shop"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/internal/config"
)

// The policies of doc/identities.md and the forms in its table are read, its
// words are those of the decoder, and its transcript is run against the shop.
func TestIdentitiesPage(t *testing.T) {
	b, err := os.ReadFile("../../doc/identities.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	check := func(text string) {
		s, err := config.Parse("parley.yaml", []byte(text))
		if err == nil {
			var people struct {
				Identities config.Section `yaml:"identities"`
			}
			if err = s.Decode(&people); err == nil {
				err = identity.CheckPeople(people.Identities, t.TempDir())
			}
		}
		if err != nil {
			t.Errorf("doc/identities.md has\n%s\nwhich is refused: %v", text, err)
		}
	}
	policies := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(page, -1)
	if len(policies) < 3 {
		t.Fatalf("doc/identities.md has %d policies, want at least 3", len(policies))
	}
	for _, p := range policies {
		check(p[1])
	}
	forms := regexp.MustCompile("`(priya: [^`]*)`").FindAllStringSubmatch(page, -1)
	if len(forms) < 12 {
		t.Errorf("doc/identities.md has %d forms, want at least 12", len(forms))
	}
	for _, f := range forms {
		text := strings.ReplaceAll(f[1], "…", "abc")
		if strings.Contains(f[1], "…") {
			text = strings.NewReplacer("region: abc", "region: eu-west-1").Replace(text)
		}
		check("identities:\n  " + text + "\n")
	}
	source, err := os.ReadFile("../../identity/person.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("`yaml:\"(\\w+)\"`").FindAllStringSubmatch(string(source), -1) {
		if !strings.Contains(page, m[1]) {
			t.Errorf("doc/identities.md has no word about %q", m[1])
		}
	}

	s, err := shop.New(shop.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	resp, err := http.Post(server.URL+"/v1/users", "application/json", strings.NewReader(`{"name":"Kavya","email":"kavya@shop.test","password":"a-long-password-1"}`))
	if err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("the shop takes no customer: %v, %v", resp, err)
	}
	resp.Body.Close()
	t.Chdir(t.TempDir())
	t.Setenv("KAVYA", "a-long-password-1")
	if err := os.WriteFile(filepath.Join(".", "parley.yaml"), []byte(policies[0][1]), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?s)```\n\\$ parley (.*?)\n(.*?)```").FindAllStringSubmatch(page, -1) {
		var out, talk bytes.Buffer
		code := run(strings.Fields(strings.ReplaceAll(m[1], "http://127.0.0.1:9000", server.URL)), &out, &talk)
		rest := strings.ReplaceAll(out.String(), server.URL, "http://127.0.0.1:9000")
		for line := range strings.Lines(m[2]) {
			line = strings.TrimSpace(line)
			if line == "…" {
				continue
			}
			pattern := "(?m)^" + strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*")
			at := regexp.MustCompile(regexp.MustCompile(` +`).ReplaceAllString(pattern, ` +`)).FindStringIndex(rest)
			if at == nil {
				t.Fatalf("%s ends with %d and does not print\n%s\nit prints\n%s%s", m[1], code, line, out.String(), talk.String())
			}
			rest = rest[at[1]:]
		}
	}
}
