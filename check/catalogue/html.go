package catalogue

import (
	_ "embed"
	"html/template"
	"io"

	"github.com/parley-project/parley/check"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"seen": func(e Entry) string { return seen(e.Check) }, "stopped": func(e Entry) string { return stopped(e.Check) },
	"facts": func(e Entry) []check.Fact { return facts(e.Check) }, "paragraph": paragraph,
	"class": check.ClassName, "weakness": check.WeaknessName, "cwe": check.WeaknessID,
	"step": func(e Entry) int { return int(e.Step) },
}).Parse(pageText))

// HTML writes one page that needs nothing else: no script, no font, no image.
// Every check has an anchor of its ID.
func HTML(w io.Writer, entries []Entry, by By) error {
	return page.Execute(w, struct {
		Groups []Group
		Single []Entry
	}{Grouped(entries, by), unique(entries)})
}

// unique are the entries without repetition, in their order: an anchor stands
// once.
func unique(entries []Entry) []Entry {
	seen := map[string]bool{}
	var out []Entry
	for _, e := range entries {
		if !seen[e.ID] {
			seen[e.ID] = true
			out = append(out, e)
		}
	}
	return out
}
