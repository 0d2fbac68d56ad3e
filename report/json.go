package report

import (
	"encoding/json"
	"io"
	"time"

	"github.com/parley-project/parley/exchange"
)

// Schema names the JSON form; doc/schema describes it. Members are added under
// the same name, never taken away or changed.
const Schema = "parley.finding/1"

type jsonReport struct {
	Schema    string              `json:"schema"`
	Tool      jsonTool            `json:"tool"`
	Made      *time.Time          `json:"made,omitempty"`
	Title     string              `json:"title,omitempty"`
	Filter    string              `json:"filter,omitempty"`
	Exchanges int                 `json:"exchanges"` // looked at
	FailOn    string              `json:"fail_on"`
	Failures  int                 `json:"failures"`
	Found     map[string]int      `json:"found"` // findings by severity
	Omitted   int                 `json:"omitted,omitempty"`
	Findings  []jsonFinding       `json:"findings"`
	Actions   []jsonAction        `json:"actions"`
	Checks    map[string]jsonRule `json:"checks"` // those named above
}

type jsonTool struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

type jsonEntry struct {
	Check       string              `json:"check"`
	Severity    string              `json:"severity"`
	Step        string              `json:"step"`
	Operation   string              `json:"operation"`
	Place       *jsonPlace          `json:"place,omitempty"`
	Evidence    []exchange.Evidence `json:"evidence"`
	Fingerprint string              `json:"fingerprint"`
	Count       int                 `json:"count"`
	Exchanges   []exchange.ID       `json:"exchanges"`
	First       time.Time           `json:"first"`
	Last        time.Time           `json:"last"`
}

type jsonFinding struct {
	jsonEntry
	Verdict string `json:"verdict"`
	Failure bool   `json:"failure"`
}

type jsonAction struct {
	jsonEntry
	Kind     string `json:"kind"`
	Enforced bool   `json:"enforced"`
	Status   int    `json:"status,omitempty"`
	Rule     string `json:"rule,omitempty"`
}

type jsonPlace struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
}

type jsonRule struct {
	Title string `json:"title"`
	Doc   string `json:"doc,omitempty"`
	Fix   string `json:"fix,omitempty"`
	OWASP string `json:"owasp,omitempty"`
	CWE   int    `json:"cwe,omitempty"`
}

// JSON writes a report as parley.finding/1.
func JSON(w io.Writer, r *Report) error {
	out := jsonReport{Schema: Schema, Tool: jsonTool{"parley", r.Version}, Title: Visible(r.Title), Filter: Visible(r.Filter), Exchanges: r.Exchanges,
		FailOn: r.FailOn.String(), Failures: r.Failures(), Found: map[string]int{}, Omitted: r.Omitted,
		Findings: []jsonFinding{}, Actions: []jsonAction{}, Checks: map[string]jsonRule{}}
	if !r.Made.IsZero() {
		made := r.Made.UTC()
		out.Made = &made
	}
	found, _ := r.Tally()
	for s, n := range found {
		out.Found[exchange.Severity(s).String()] = n
	}
	for _, e := range r.Entries() {
		c := e.Check
		out.Checks[c.ID] = jsonRule{Title: c.Title, Doc: oneLine(c.Doc), Fix: oneLine(c.Fix), OWASP: c.OWASP, CWE: c.CWE}
		j := jsonEntry{Check: c.ID, Severity: e.Severity.String(), Step: e.Step.String(), Operation: Visible(e.Operation), Evidence: visibleEvidence(e.Evidence),
			Fingerprint: e.Fingerprint, Count: e.Count, Exchanges: e.Exchanges, First: e.First.UTC(), Last: e.Last.UTC()}
		if file, line := r.locate(e.Operation); file != "" {
			j.Place = &jsonPlace{file, line}
		}
		if e.Kind == Finding {
			out.Findings = append(out.Findings, jsonFinding{j, string(e.Verdict), e.Failure(r.FailOn)})
		} else {
			out.Actions = append(out.Actions, jsonAction{j, string(e.Kind), e.Enforced, e.Status, e.Rule})
		}
	}
	return encode(w, out)
}

// encode writes JSON for people to read.
func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func (r *Report) locate(operation string) (file string, line int) {
	if r.Locate == nil {
		return "", 0
	}
	return r.Locate(operation)
}

func visibleEvidence(es []exchange.Evidence) []exchange.Evidence {
	out := make([]exchange.Evidence, len(es))
	for i, e := range es {
		out[i] = exchange.Evidence{Where: Visible(e.Where), Name: Visible(e.Name), Says: Visible(e.Says)}
	}
	return out
}
