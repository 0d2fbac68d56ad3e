package run

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call/script"
)

const docPage = "../../doc/call.md"

// The page's tables are what the program knows, and its examples can be read.
func TestPage(t *testing.T) {
	data, err := os.ReadFile(docPage)
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	for name, text := range map[string]string{"facts": factTable(), "dynamic": "`" + strings.Join(script.DynamicNames(), "` `") + "`\n"} {
		begin, end := "<!-- "+name+": generated -->\n", "<!-- end -->"
		i := strings.Index(page, begin)
		if i < 0 {
			t.Fatalf("%s has no %q", docPage, begin)
		}
		i += len(begin)
		j := i + strings.Index(page[i:], end)
		if page[i:j] != text && !*update {
			t.Errorf("%s: %s is\n%s\nwant\n%s\n(go test ./call/run -run TestPage -update)", docPage, name, page[i:j], text)
		}
		page = page[:i] + text + page[j:]
	}
	if *update {
		if err := os.WriteFile(docPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(page, -1)
	if len(examples) == 0 {
		t.Error("the page has no example")
	}
	for _, e := range examples {
		if _, err := archive.Read("page.yaml", []byte(e[1])); err != nil {
			t.Errorf("an example cannot be read: %v\n%s", err, e[1])
		}
	}
}

func factTable() string {
	kinds := map[archive.FactKind]string{archive.TextFact: "text", archive.NumberFact: "number", archive.BoolFact: "true, false", archive.TimeFact: "time",
		archive.ListFact: "list", archive.JSONFact: "JSON"}
	name := func(s string) string {
		switch {
		case s == "":
			return ""
		case strings.HasSuffix(s, "."):
			s += "NAME"
		case strings.HasSuffix(s, "$"):
			s += "…"
		}
		return "`" + s + "`"
	}
	var b strings.Builder
	b.WriteString("| fact | short | is | |\n|---|---|---|---|\n")
	for _, f := range archive.Facts {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name(f.Name), name(f.Short), kinds[f.Kind], f.Doc)
	}
	return b.String()
}
