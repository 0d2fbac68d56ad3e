package archive

import (
	"os"
	"strings"
	"testing"
)

// TestFormatsDoc holds doc/formats.md to what there is.
func TestFormatsDoc(t *testing.T) {
	data, err := os.ReadFile("../doc/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for line := range strings.SplitSeq(string(data), "\n") {
		if strings.HasPrefix(line, "| `") {
			var cells []string
			for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
				cells = append(cells, strings.TrimSpace(cell))
			}
			rows = append(rows, cells)
		}
	}
	if len(rows) != len(Formats)+len(NotRun()) {
		t.Fatalf("doc/formats.md has %d rows, want one for each of %d formats and %d schemes", len(rows), len(Formats), len(NotRun()))
	}
	for i, f := range Formats {
		files := "`" + strings.Join(f.Extensions, "` `") + "`"
		if r := rows[i]; r[0] != "`"+f.Name+"`" || r[1] != files || (r[3] == "no") != (f.Write == nil) || r[2] == "" {
			t.Errorf("the row of %s is %q, want its name, %s, and whether it is written", f.Name, r, files)
		}
	}
	for i, scheme := range NotRun() {
		if r := rows[len(Formats)+i]; r[0] != "`"+scheme+"`" || r[1] != notRun[scheme] {
			t.Errorf("the row of %s is %q, want %q", scheme, r, notRun[scheme])
		}
	}
}
