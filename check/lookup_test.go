package check_test

import (
	"strings"
	"testing"

	"github.com/parley-project/parley/check"
)

func TestLookup(t *testing.T) {
	for _, c := range []struct{ word, first, what string }{
		{"authz-object", "authz-object", ""},
		{"BOLA", "authz-object", ""},
		{"bfla", "authz-function", ""},
		{"mass-assignment", "request-mass-assignment", ""},
		{"API1:2023", "authz-", "API1:2023 Broken Object Level Authorization"},
		{"api5", "authz-function", "API5:2023 Broken Function Level Authorization"},
		{"CWE-639", "authz-", "CWE-639 Authorization Bypass Through User-Controlled Key"},
		{"cwe639", "authz-", "CWE-639 Authorization Bypass Through User-Controlled Key"},
		{"20", "request-", "20 members"},
		{"43", "dns-", "43 a name"},
		{"client", "client-", "step client"},
		{"status", "status-", "checks that begin with status"},
		{"response-nos", "response-nosniff", ""},
	} {
		f, ok := check.Lookup(c.word)
		if !ok {
			t.Errorf("Lookup(%q) found nothing", c.word)
			continue
		}
		if c.first == "" && len(f.Checks) > 0 || c.first != "" && (len(f.Checks) == 0 || !strings.HasPrefix(f.Checks[0].ID, c.first)) {
			t.Errorf("Lookup(%q) found %d checks, want the first to be %q", c.word, len(f.Checks), c.first)
		}
		if !strings.HasPrefix(f.What, c.what) || c.what == "" && f.What != "" {
			t.Errorf("Lookup(%q) is %q, want %q", c.word, f.What, c.what)
		}
	}
	for _, w := range []string{"", "0", "60", "cwe-1", "cwe-", "api11", "no-such"} {
		if f, ok := check.Lookup(w); ok {
			t.Errorf("Lookup(%q) found %q and %d checks, want nothing", w, f.What, len(f.Checks))
		}
	}
}

// Every name leads to one check, and everything that a check refers to exists.
func TestNames(t *testing.T) {
	seen := map[string]string{}
	for _, c := range check.All {
		for _, n := range append([]string{c.ID}, c.Aliases...) {
			if seen[n] != "" {
				t.Errorf("%q names %s and %s", n, seen[n], c.ID)
			}
			if n != strings.ToLower(n) {
				t.Errorf("%s: the name %q is not in lower case", c.ID, n)
			}
			seen[n] = c.ID
		}
		if check.ClassName(c.OWASP) == "" {
			t.Errorf("%s: there is no OWASP class %q", c.ID, c.OWASP)
		}
		if check.WeaknessName(c.CWE) == "" {
			t.Errorf("%s: %s has no name in names.go", c.ID, check.WeaknessID(c.CWE))
		}
		for _, id := range c.Implies {
			if check.ByID(id) == nil {
				t.Errorf("%s implies %q, which is no check", c.ID, id)
			}
		}
		for _, n := range c.Conversation {
			if _, ok := check.FactOf(n); !ok {
				t.Errorf("%s keeps %d, which is no fact", c.ID, n)
			}
		}
	}
	for i, f := range check.Facts {
		if f.Number != i+1 || f.Says == "" || f.Part == "" {
			t.Errorf("fact %d has number %d, part %q and text %q", i+1, f.Number, f.Part, f.Says)
		}
	}
	if len(check.Facts) != 59 {
		t.Errorf("there are %d facts, want 59", len(check.Facts))
	}
}
