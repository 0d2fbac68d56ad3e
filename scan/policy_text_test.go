package scan

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var ruleAdded = addition{section: "rules", comment: "authz-object 12345678: why", text: "operation: GET /v1/orders/{id}\nowner: response.user_id"}

// TestInsertKeepsEveryByte puts a rule into policies of different hands.
func TestInsertKeepsEveryByte(t *testing.T) {
	for name, c := range map[string]struct{ before, after string }{
		"in the middle": {
			"api: a.yaml # mine\n\nrules:\n  - operation: GET /a   # one\n    allow: 'true'\n\n# Fields come last.\nfields:\n  - schema: A\n",
			"api: a.yaml # mine\n\nrules:\n  - operation: GET /a   # one\n    allow: 'true'\n  # authz-object 12345678: why\n  - operation: GET /v1/orders/{id}\n    owner: response.user_id\n\n# Fields come last.\nfields:\n  - schema: A\n"},
		"at the margin": {
			"rules:\n- operation: GET /a\n  allow: 'true'\n",
			"rules:\n- operation: GET /a\n  allow: 'true'\n# authz-object 12345678: why\n- operation: GET /v1/orders/{id}\n  owner: response.user_id\n"},
		"without an end of line": {
			"api: a.yaml\nrules:\n    - operation: GET /a\n      allow: 'true'",
			"api: a.yaml\nrules:\n    - operation: GET /a\n      allow: 'true'\n    # authz-object 12345678: why\n    - operation: GET /v1/orders/{id}\n      owner: response.user_id\n"},
		"not there": {
			"api: a.yaml\n",
			"api: a.yaml\n\nrules:\n  # authz-object 12345678: why\n  - operation: GET /v1/orders/{id}\n    owner: response.user_id\n"},
		"empty": {
			"rules: # none yet\napi: a.yaml\n",
			"rules: # none yet\n  # authz-object 12345678: why\n  - operation: GET /v1/orders/{id}\n    owner: response.user_id\napi: a.yaml\n"},
		"of another system": {
			"api: a.yaml\r\nrules:\r\n  - operation: GET /a\r\n    allow: 'true'\r\n",
			"api: a.yaml\r\nrules:\r\n  - operation: GET /a\r\n    allow: 'true'\r\n  # authz-object 12345678: why\r\n  - operation: GET /v1/orders/{id}\r\n    owner: response.user_id\r\n"},
		"with an end": {
			"api: a.yaml\n...\n",
			"api: a.yaml\n\nrules:\n  # authz-object 12345678: why\n  - operation: GET /v1/orders/{id}\n    owner: response.user_id\n...\n"},
		"of several lines": {
			"rules:\n  - operation: GET /a\n    allow: |\n      true\n      && true\n\n  # A last word.\n",
			"rules:\n  - operation: GET /a\n    allow: |\n      true\n      && true\n\n  # A last word.\n  # authz-object 12345678: why\n  - operation: GET /v1/orders/{id}\n    owner: response.user_id\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := insert([]byte(c.before), []addition{ruleAdded})
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != c.after {
				t.Errorf("insert gave\n%s\nwant\n%s", got, c.after)
			}
			var into struct{ Rules []map[string]string }
			if err := yaml.Unmarshal(got, &into); err != nil || into.Rules[len(into.Rules)-1]["owner"] != "response.user_id" {
				t.Errorf("it reads as %v, %v", into, err)
			}
			applies(t, c.before, string(got))
		})
	}
}

// applies has patch make of the one text the other, by the diff.
func applies(t *testing.T, before, after string) {
	t.Helper()
	program, err := exec.LookPath("patch")
	if err != nil {
		t.Log("patch is not installed: the diff is not applied")
		return
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "parley.yaml")
	if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	diff := unified("parley.yaml", []byte(before), []byte(after))
	c := exec.Command(program, "-p1", "--binary", "-s")
	c.Dir, c.Stdin = dir, strings.NewReader(diff)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("patch: %v: %s\n%s", err, out, diff)
	}
	if got, _ := os.ReadFile(file); string(got) != after {
		t.Errorf("patch made\n%s\nwant\n%s\nof\n%s", got, after, diff)
	}
}

// TestInsertIntoBrackets says what to do where nothing can be added.
func TestInsertIntoBrackets(t *testing.T) {
	for _, text := range []string{"rules: []\n", "rules: [{operation: GET /a, allow: 'true'}]\n"} {
		_, err := insert([]byte(text), []addition{ruleAdded})
		e, ok := err.(*InlineError)
		if !ok || e.Section != "rules" || !strings.Contains(e.Lines, "- operation: GET /v1/orders/{id}\n  owner: response.user_id\n") {
			t.Errorf("insert into %q: %v, want an InlineError with the lines", text, err)
		}
	}
}

// TestUnifiedFarApart keeps changes that lie apart in hunks of their own.
func TestUnifiedFarApart(t *testing.T) {
	var before, after strings.Builder
	for i := range 40 {
		line := strings.Repeat("x", i+1) + "\n"
		before.WriteString(line)
		after.WriteString(line)
		if i == 3 || i == 5 || i == 30 || i == 39 {
			after.WriteString("more\n")
		}
	}
	diff := unified("parley.yaml", []byte(before.String()), []byte(after.String()))
	if n := strings.Count(diff, "\n@@ "); n != 3 {
		t.Errorf("%d hunks, want 3:\n%s", n, diff)
	}
	applies(t, before.String(), after.String())
}

// TestQuoted reads back what was written.
func TestQuoted(t *testing.T) {
	for _, s := range []string{"shop", "response.user_id", `"admin" in caller.roles`, "a: b", "it's", "true", "12", "a #b", "!has(x)", "", "* /v1/**", "GET /v1/orders/{id}", "no", "x:", "{a}", "- a", "@x", "key: [1]"} {
		var out struct{ A, B any }
		text := "a: " + quoted(s) + "\nb: " + "[" + inFlow(s) + ", x]\n"
		if err := yaml.Unmarshal([]byte(text), &out); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if list, _ := out.B.([]any); out.A != any(s) || len(list) != 2 || list[0] != any(s) {
			t.Errorf("%q reads as %#v", text, out)
		}
	}
}
