package filter

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated parts of doc/filter.md anew")

const page = "../doc/filter.md"

// doc/filter.md is true: its table is that of the words, its filters can be
// read, and its errors are those that are given.
func TestDocumentation(t *testing.T) {
	old, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(old)

	var table strings.Builder
	table.WriteString("| word | looks at | values |\n|---|---|---|\n")
	for _, f := range Fields() {
		name := "`" + f.Name
		if f.Arg != "" {
			name += "." + f.Arg
		}
		name += "`"
		for _, a := range f.Aliases {
			name += ", `" + a + "`"
		}
		values := ""
		if len(f.Values) > 0 {
			values = "`" + strings.Join(f.Values, "`, `") + "`"
		}
		fmt.Fprintf(&table, "| %s | %s | %s |\n", name, f.Doc, values)
	}
	const begin, end = "-update -->\n", "<!-- end -->"
	i := strings.Index(text, begin)
	j := strings.Index(text, end)
	if i < 0 || j < i {
		t.Fatal("doc/filter.md lacks the place of the table")
	}
	text = text[:i+len(begin)] + table.String() + text[j:]

	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (?:filter: .*|) ?\\|$")
	errors := strings.Index(text, "## Errors")
	text = text[:errors] + row.ReplaceAllStringFunc(text[errors:], func(line string) string {
		f := row.FindStringSubmatch(line)[1]
		_, err := Parse(f)
		if err == nil {
			t.Errorf("doc/filter.md: %s is no error", f)
			return line
		}
		return "| `" + f + "` | " + err.Error() + " |"
	})
	if n := len(row.FindAllString(text[errors:], -1)); n < 8 {
		t.Errorf("doc/filter.md has %d errors, want at least 8", n)
	}

	filters := 0
	for _, block := range regexp.MustCompile("(?s)```filter\n(.*?)```").FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(block[1]) {
			filters++
			if _, err := Parse(strings.TrimSuffix(line, "\n")); err != nil {
				t.Errorf("doc/filter.md: %s: %v", strings.TrimSpace(line), err)
			}
		}
	}
	if filters < 8 {
		t.Errorf("doc/filter.md has %d filters, want at least 8", filters)
	}

	if *update {
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if text != string(old) {
		t.Error("doc/filter.md is not up to date: go test ./filter -run TestDocumentation -update")
	}
}
