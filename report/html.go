package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// The page is one file without a script, an image, a font or anything else
// that would be fetched. Its policy allows the one style sheet in it, by hash,
// and nothing more: should a captured text ever get through as markup, there
// is nothing that it could do. Texts are escaped by html/template, which knows
// where on the page they stand.

//go:embed page.tmpl
var pageText string

//go:embed page.css
var pageStyle string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"visible": Visible, "oneLine": oneLine, "did": did, "plural": plural,
	"upper":    strings.ToUpper,
	"evidence": entryEvidence,
}).Parse(pageText))

// HTML writes a report as one self-contained page.
func HTML(w io.Writer, r *Report) error {
	findings, actions := r.Groups()
	found, did := r.Tally()
	sum := sha256.Sum256([]byte(pageStyle))
	v := htmlPage{Report: r, Style: template.CSS(pageStyle), Findings: findings, Actions: actions, Summary: Summary(r),
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"}
	for s := exchange.Critical; s >= exchange.Info; s-- {
		v.Found = append(v.Found, htmlCount{s.String(), found[s]})
	}
	for _, k := range []string{"refused", "stripped", "repaired", "would refuse", "would strip", "would repair"} {
		if did[k] > 0 {
			v.Did = append(v.Did, htmlCount{k, did[k]})
		}
	}
	if !r.Made.IsZero() {
		v.MadeAt = r.Made.UTC().Format("2 January 2006, 15:04 MST")
	}
	return page.Execute(w, v)
}

type htmlPage struct {
	*Report
	Style             template.CSS
	Policy            string
	Findings, Actions []Group
	Found, Did        []htmlCount
	Summary, MadeAt   string
}

type htmlCount struct {
	Word string
	N    int
}

// Place is where an operation stands in the API's description.
func (p htmlPage) Place(e *Entry) string {
	file, line := p.locate(e.Operation)
	if file == "" || line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, line)
}

// CWE is where a weakness is described.
func (p htmlPage) CWE(n int) string {
	return fmt.Sprintf("https://cwe.mitre.org/data/definitions/%d.html", n)
}

// Anchor is a group's name in the page.
func (p htmlPage) Anchor(kind string, g Group) string { return kind + "-" + Visible(g.Check.ID) }

func entryEvidence(e *Entry) []string {
	var ls []string
	for _, v := range e.Evidence {
		ls = append(ls, Visible(v.String()))
	}
	return ls
}

// Count is how often a group's entries were seen.
func (g Group) Count() int {
	n := 0
	for _, e := range g.Entries {
		n += e.Count
	}
	return n
}
