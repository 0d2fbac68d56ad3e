package scan_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/scan"
)

// accounted writes the policy of a result and holds that each finding is
// written, stopped or left, and that it loads.
func accounted(t *testing.T, r *scan.Result) *scan.Patch {
	t.Helper()
	file := filepath.Join(t.TempDir(), "parley.yaml")
	p, err := r.Policy(scan.PolicyOptions{File: file})
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, stops := range [][]scan.Stop{p.Written, p.Stopped, p.Left} {
		for _, s := range stops {
			told[s.Finding] = true
			if s.Says == "" {
				t.Errorf("nothing is said of %s", s.Check)
			}
		}
	}
	n := 0
	for _, f := range r.Findings {
		if f.Verdict == exchange.Confirmed && f.Counts() {
			if n++; !told[f.ID] {
				t.Errorf("%s at %s is neither written nor stopped nor left", f.Check, f.Operation)
			}
		}
	}
	if n == 0 {
		if len(p.Text) > 0 {
			t.Errorf("nothing was confirmed, and a policy was written:\n%s", p.Text)
		}
		return p
	}
	if _, err := contract.Parse(file, p.Text); err != nil {
		t.Errorf("%v\n%s", err, p.Text)
	}
	again, err := r.Policy(scan.PolicyOptions{File: file, Text: p.Text})
	if err != nil || again.Diff != "" {
		t.Errorf("writing it twice: %v\n%s", err, again.Diff)
	}
	return p
}

// TestPolicyWithoutCallers is of an API whose tokens nobody can verify: what
// depends on who asks is left, with the reason.
func TestPolicyWithoutCallers(t *testing.T) {
	for _, flaws := range [][]string{{"opaque", "nobody deletes"}, {"nobody writes"}, {"weak secret"}, {"token in query"}, {"any form"},
		{"quotes"}, {"sleeps"}, {"templates"}, {"guess freely"}, {"tells by text"}, {"reflects"}, {"fetches keys"}} {
		t.Run(strings.Join(flaws, ", "), func(t *testing.T) {
			p := accounted(t, scanWith(t, notesOptions(t, flaws...)))
			if strings.Contains(string(p.Text), "identity:") || strings.Contains(string(p.Text), "caller.") {
				t.Errorf("there is no key set, and the policy speaks of callers:\n%s", p.Text)
			}
			for _, s := range append(p.Written, p.Stopped...) {
				if strings.HasPrefix(s.Check, "authz-") || strings.HasPrefix(s.Check, "authn-jwt") {
					t.Errorf("%s: %s; want it left", s.Check, s.Says)
				}
			}
			for _, s := range p.Left {
				if strings.HasPrefix(s.Check, "authz-") && !strings.Contains(s.Says, "guard cannot tell who asks: ") {
					t.Errorf("%s is left without a reason: %s", s.Check, s.Says)
				}
				t.Logf("%s: %s", s.Check, s.Says)
			}
		})
	}
}

// TestPolicyAccountsForAll says of each finding of an odd API what becomes of it.
func TestPolicyAccountsForAll(t *testing.T) {
	for _, way := range []string{"hash", "card", "any type", "any number", "any word", "get changes", "override", "redirects", "huge", "debug", "old", "twice", "no maximum", "no minimum", "long texts", "any order"} {
		t.Run(way, func(t *testing.T) {
			p := accounted(t, scanMemos(t, way))
			for _, s := range p.Left {
				t.Logf("%s %s: %s", s.Check, s.Operation, s.Says)
			}
			for _, s := range append(p.Stopped, p.Written...) {
				t.Logf("stopped %s %s: %s", s.Check, s.Operation, s.Says)
			}
		})
	}
}

// TestPolicyOfNothing adds nothing where nothing was found.
func TestPolicyOfNothing(t *testing.T) {
	r := scanBriefly(t)
	text := "api: openapi.yaml\n# mine\n"
	p, err := r.Policy(scan.PolicyOptions{Text: []byte(text)})
	if err != nil || p.Diff != "" || string(p.Text) != text {
		t.Errorf("Policy gave %v\n%s", err, p.Text)
	}
	if _, err := new(scan.Result).Policy(scan.PolicyOptions{}); err == nil {
		t.Error("a result that was read from a file wrote a policy")
	}
}
