package run

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"
	"time"
)

//go:embed page.tmpl
var pageText string

//go:embed page.css
var pageStyle string

var page = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{
		"visible": visible,
		"round":   func(d time.Duration) string { return round(d) },
		"inc":     func(n int) int { return n + 1 },
	}).Parse(pageText))
})

// HTML writes what was kept as one page without script: it is whole in one
// file, for light and dark screens.
func HTML(w io.Writer, k *Keep) error {
	type row struct {
		*Result
		N     int
		Word  string
		Held  int
		Count int
	}
	var rows []row
	for i, r := range k.Results {
		one := row{Result: r, N: i + 1, Word: "ok"}
		switch {
		case r.Skipped != "":
			one.Word = "skipped"
		case r.Failure != "":
			one.Word = "incomplete"
		case r.Failed():
			one.Word = "failed"
		}
		for _, a := range r.Assertions {
			if !a.Skipped {
				one.Count++
			}
			if a.Passed {
				one.Held++
			}
		}
		rows = append(rows, one)
	}
	return page().Execute(w, map[string]any{
		"Info": k.Info, "Summary": k.Summary, "Rows": rows, "Line": k.Summary.Line(), "Style": template.CSS(pageStyle),
		"Many": k.Info.Iterations > 1, "Made": k.Info.Start.UTC().Format(time.RFC3339),
		"Name": func(r row) string {
			return strings.Join(append(r.Path[:len(r.Path):len(r.Path)], r.Name), " / ")
		},
		"Proto": func(r row) string { return strings.TrimSpace(fmt.Sprintf("%d %s", r.Status, r.Proto)) },
	})
}
