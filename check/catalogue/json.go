package catalogue

import (
	"encoding/json"
	"io"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

// named is an entry of a public list.
type named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// document is the JSON form of an entry: documented in doc/explain.md.
type document struct {
	ID           string            `json:"id"`
	Title        string            `json:"title"`
	Doc          string            `json:"doc"`
	Fix          string            `json:"fix"`
	Remedy       string            `json:"remedy"`
	Step         exchange.Step     `json:"step"`
	Severity     exchange.Severity `json:"severity"`
	OWASP        named             `json:"owasp"`
	CWE          named             `json:"cwe"`
	Aliases      []string          `json:"aliases"`
	Implies      []string          `json:"implies"`
	Conversation []int             `json:"conversation"`
	Seen         bool              `json:"seen"`     // a finished exchange shows it
	Refused      bool              `json:"refused"`  // guard refuses the request
	Released     bool              `json:"released"` // guard judges the response
	Switches     []string          `json:"switches"`
	Paste        string            `json:"paste"`
}

// JSON writes entries as an array, in their order.
func JSON(w io.Writer, entries []Entry) error {
	out := make([]document, 0, len(entries))
	for _, e := range entries {
		out = append(out, document{
			ID: e.ID, Title: e.Title, Doc: paragraph(e.Doc), Fix: e.Fix, Remedy: e.Remedy, Step: e.Step, Severity: e.Severity,
			OWASP: named{e.OWASP, check.ClassName(e.OWASP)}, CWE: named{check.WeaknessID(e.CWE), check.WeaknessName(e.CWE)},
			Aliases: list(e.Aliases), Implies: list(e.Implies), Conversation: e.Conversation,
			Seen: e.Inspect != nil, Refused: e.Admit != nil, Released: e.Release != nil,
			Switches: list(e.Switches), Paste: e.Paste,
		})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(out)
}

// list is never null, so that programs need not ask.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
