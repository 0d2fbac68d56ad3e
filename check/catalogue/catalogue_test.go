package catalogue_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/check/catalogue"
)

func entries() []catalogue.Entry {
	var es []catalogue.Entry
	for _, c := range check.All {
		es = append(es, catalogue.Entry{Check: c, Switches: []string{"parley shop --flaw " + c.ID}, Paste: "parley shop --flaw " + c.ID})
	}
	return es
}

// Whatever a check says of itself fits a terminal of 80 columns, and all that
// it says is there.
func TestText(t *testing.T) {
	for _, e := range entries() {
		var b bytes.Buffer
		if err := catalogue.Text(&b, e); err != nil {
			t.Fatal(err)
		}
		narrow(t, e.ID, b.String())
		for line := range strings.Lines(e.Remedy) {
			if !strings.Contains(b.String(), strings.TrimSpace(line)) {
				t.Errorf("%s: the text lacks the policy's line %q", e.ID, strings.TrimSpace(line))
			}
		}
		flat := strings.Join(strings.Fields(b.String()), " ")
		for _, want := range []string{e.Title, strings.Join(strings.Fields(e.Doc), " "), e.Fix, e.OWASP, check.WeaknessID(e.CWE), e.Severity.String(), e.Paste} {
			if !strings.Contains(flat, want) {
				t.Errorf("%s: the text lacks %q", e.ID, want)
			}
		}
	}
}

// Each way to group has every check, under names of its own.
func TestList(t *testing.T) {
	for _, by := range catalogue.Groupings {
		var b bytes.Buffer
		if err := catalogue.List(&b, entries(), catalogue.By(by)); err != nil {
			t.Fatal(err)
		}
		narrow(t, by, b.String())
		for _, c := range check.All {
			if !regexp.MustCompile(`(?m)^  ` + c.ID + ` `).MatchString(b.String()) {
				t.Errorf("--by %s lacks %s", by, c.ID)
			}
		}
		names := map[string]bool{}
		for _, g := range catalogue.Grouped(entries(), catalogue.By(by)) {
			if names[g.Name] || g.Name == "" {
				t.Errorf("--by %s has the group %q twice, or without a name", by, g.Name)
			}
			names[g.Name] = true
		}
	}
}

func narrow(t *testing.T, what, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if utf8.RuneCountInString(line) > 80 && len(strings.Fields(line)) > 1 {
			t.Errorf("%s: %d columns: %s", what, utf8.RuneCountInString(line), line)
		}
		if strings.TrimRight(line, " ") != line {
			t.Errorf("%s: space at the end of %q", what, line)
		}
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	if err := catalogue.JSON(&b, entries()); err != nil {
		t.Fatal(err)
	}
	var got []struct {
		ID, Title, Step, Severity string
		OWASP, CWE                struct{ ID, Name string }
		Aliases, Implies          []string
		Seen, Refused, Released   bool
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(check.All) {
		t.Fatalf("%d checks, want %d", len(got), len(check.All))
	}
	for i, c := range check.All {
		g := got[i]
		if g.ID != c.ID || g.Step != c.Step.String() || g.Severity != c.Severity.String() || g.OWASP.Name == "" || g.CWE.Name == "" || g.Aliases == nil ||
			g.Refused != (c.Admit != nil) || g.Released != (c.Release != nil) || g.Seen != (c.Inspect != nil) {
			t.Errorf("%s is told as %+v", c.ID, g)
		}
	}
}

// The page stands alone: one anchor a check, no reference that leads nowhere,
// and nothing that is loaded.
func TestHTML(t *testing.T) {
	for _, by := range catalogue.Groupings {
		var b bytes.Buffer
		if err := catalogue.HTML(&b, entries(), catalogue.By(by)); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		for _, c := range check.All {
			if n := strings.Count(text, ` id="`+c.ID+`"`); n != 1 {
				t.Errorf("by %s: %d anchors of %s, want 1", by, n, c.ID)
			}
		}
		for _, m := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(text, -1) {
			if !strings.HasPrefix(m[1], "#") || !strings.Contains(text, ` id="`+m[1][1:]+`"`) {
				t.Errorf("by %s: the page leads to %s", by, m[1])
			}
		}
		if m := regexp.MustCompile(`<script|<img|<link|src=|url\(|ZgotmplZ|<no value>`).FindString(text); m != "" {
			t.Errorf("by %s: the page has %s", by, m)
		}
	}
}
