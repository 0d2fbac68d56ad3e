package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/example/shop"
	"github.com/parley-project/parley/gateway"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/internal/config"
)

const guardPage = root + "/doc/guard.md"

// doc/guard.md is true: what checks do is what their fixtures show, each
// example of a policy is loaded, the fields of each section are those that are
// known there, and errors are those that are given.
//
//	go test ./cmd/parley -run TestGuardPage -update
func TestGuardPage(t *testing.T) {
	old, err := os.ReadFile(guardPage)
	if err != nil {
		t.Fatal(err)
	}
	text := string(old)
	dir := policyFolder(t)

	const begin, end = "-update -->\n", "<!-- end -->"
	i, j := strings.Index(text, begin), strings.Index(text, end)
	if i < 0 || j < i {
		t.Fatal("doc/guard.md lacks the place of the table of checks")
	}
	text = text[:i+len(begin)] + checkTable(t) + text[j:]

	at := strings.Index(text, "## Errors")
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\|.*\\|$")
	if n := len(row.FindAllString(text[at:], -1)); n < 10 {
		t.Errorf("doc/guard.md has %d errors, want at least 10", n)
	}
	text = text[:at] + row.ReplaceAllStringFunc(text[at:], func(line string) string {
		policy := row.FindStringSubmatch(line)[1]
		var e *config.Error
		if err := loadPolicy(dir, policy); !errors.As(err, &e) {
			t.Errorf("doc/guard.md: %s: %v, want an error with a place", policy, err)
			return line
		}
		cell := func(s string) string {
			return strings.ReplaceAll(strings.ReplaceAll(s, dir+string(filepath.Separator), ""), "|", `\|`)
		}
		return fmt.Sprintf("| `%s` | %s | %s |", policy, cell(e.Text), cell(e.Hint))
	})

	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(text, -1)
	if len(blocks) < 8 {
		t.Errorf("doc/guard.md has %d examples, want at least 8", len(blocks))
	}
	for _, b := range blocks {
		if err := loadPolicy(dir, b[1]); err != nil {
			t.Errorf("doc/guard.md: %v in\n%s", err, b[1])
		}
	}
	for section, known := range map[string]string{
		"parley.yaml": "qqqqqq: 1", "rules": "rules: [{qqqqqq: 1}]", "fields": "fields: [{qqqqqq: 1}]", "limits": "limits: [{qqqqqq: 1}]",
		"cors": "cors: {qqqqqq: 1}", "body": "body: {qqqqqq: 1}", "listen": "listen: {qqqqqq: 1}", "tls": "tls: {qqqqqq: 1}", "forward": "forward: {qqqqqq: 1}",
		"alert":    "alert: {qqqqqq: 1}",
		"trace":    "trace: {qqqqqq: 1}",
		"identity": "identity: {qqqqqq: 1}", "identity.jwt": "identity: {jwt: {qqqqqq: 1}}", "identity.api_keys": "identity: {api_keys: {qqqqqq: 1}}",
		"identity.subject": "identity: {subject: {qqqqqq: 1}}", "identity.api_keys.keys": "identity: {api_keys: {keys: [{qqqqqq: 1}]}}",
	} {
		var e *config.Error
		if err := loadPolicy(dir, known); !errors.As(err, &e) {
			t.Errorf("%s: %v, want an error about an unknown field", known, err)
			continue
		}
		list, ok := strings.CutPrefix(e.Hint, "known here: ")
		if !ok {
			t.Errorf("%s: the hint is %q, want the fields that are known", known, e.Hint)
			continue
		}
		want, got := strings.Split(list, ", "), documented(text, section)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("doc/guard.md, section %s, has the fields\n%v\nwant\n%v", section, got, want)
		}
	}

	if *update {
		if err := os.WriteFile(guardPage, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if text != string(old) {
		t.Error("doc/guard.md is not up to date: go test ./cmd/parley -run TestGuardPage -update")
	}
}

// policyFolder has what the policies of the page refer to: the shop's.
func policyFolder(t *testing.T) string {
	t.Helper()
	s, err := shop.New(shop.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	dir := t.TempDir()
	if err := s.WriteConfiguration(dir, "http://127.0.0.1:9000"); err != nil {
		t.Fatal(err)
	}
	return dir
}

// loadPolicy loads a policy, or a part of one, as guard would.
func loadPolicy(dir, text string) error {
	if !strings.Contains("\n"+text, "\napi:") {
		text = "api: openapi.yaml\n" + text
	}
	file := filepath.Join(dir, "page.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	k, err := contract.Load(file)
	if err != nil {
		return err
	}
	if err := gateway.ParseListen(k.Sections["listen"], &gateway.Options{}); err != nil {
		return err
	}
	if _, err := gateway.ParseTLS(k.Sections["tls"], dir); err != nil {
		return err
	}
	if _, err := gateway.ParseForward(k.Sections["forward"], dir); err != nil {
		return err
	}
	if _, err := gateway.ParseAlert(k.Sections["alert"], dir); err != nil {
		return err
	}
	if _, err := gateway.ParseTrace(k.Sections["trace"], dir); err != nil {
		return err
	}
	c, err := identity.Parse(k.Sections["identity"], dir)
	if err != nil {
		return err
	}
	v, err := identity.New(c, identity.Options{})
	if err == nil {
		v.Close()
	}
	return err
}

// documented are the fields in the table under a section's heading.
func documented(text, section string) []string {
	_, rest, _ := strings.Cut(text, "\n### "+section+"\n")
	if i := strings.Index(rest, "\n##"); i >= 0 {
		rest = rest[:i]
	}
	var out []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_0-9]+)` \\|").FindAllStringSubmatch(rest, -1) {
		out = append(out, m[1])
	}
	return out
}

var standards = regexp.MustCompile(`RFC \d+(?:, \d+(?:\.\d+)*)?`)

// unshown are changes that no fixture can show: fixtures know no identities, so
// that there is nothing to challenge with.
var unshown = map[string][]string{"status-401-challenge": {"`WWW-Authenticate`"}}

// checkTable says what guard does by each check, as its fixtures have it.
func checkTable(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| check | a request is refused with | a response is changed at | source |\n|---|---|---|---|\n")
	for _, c := range check.All {
		if c.Admit == nil && c.Release == nil {
			continue
		}
		refused, changed := deedsOf(t, c.ID)
		changed = append(changed, unshown[c.ID]...)
		if c.Release != nil && c.Admit == nil && len(changed) == 0 && len(refused) == 0 || c.Admit != nil && len(refused) == 0 {
			t.Errorf("%s: no fixture shows what guard does", c.ID)
		}
		sources := standards.FindAllString(strings.Join(strings.Fields(c.Doc+" "+c.Fix), " "), -1)
		slices.Sort(sources)
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.ID, strings.Join(refused, ", "), strings.Join(changed, ", "), strings.Join(slices.Compact(sources), "; "))
	}
	return b.String()
}

// deedsOf are the statuses that a check refuses with, and the places that it
// changes.
func deedsOf(t *testing.T, id string) (refused, changed []string) {
	files, _ := filepath.Glob(filepath.Join(root, "check/testdata", id, "*.txtar"))
	for _, f := range files {
		a, err := txtar.ParseFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range a.Files {
			if part.Name != "want" {
				continue
			}
			for line := range strings.Lines(string(part.Data)) {
				w := strings.Fields(line)
				switch {
				case len(w) < 2:
				case w[0] == "refuse":
					refused = append(refused, w[1])
				case (w[0] == "repair" || w[0] == "strip") && w[1] == "header" && len(w) > 2:
					changed = append(changed, "`"+w[2]+"`")
				case w[0] == "repair" || w[0] == "strip":
					changed = append(changed, map[string]string{"response": "body", "cookie": "`Set-Cookie`"}[w[1]])
					if changed[len(changed)-1] == "" {
						changed[len(changed)-1] = w[1]
					}
				}
			}
		}
	}
	slices.Sort(refused)
	slices.Sort(changed)
	return slices.Compact(refused), slices.Compact(changed)
}
