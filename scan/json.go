package scan

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/parley-project/parley/exchange"
)

// A Document is a result with how it came about: what is written as
// parley.scan/1, and kept for whoever looks at it later. Members are added
// under that name, never taken away or changed.
type Document struct {
	*Result
	Tool struct {
		Name    string `json:"name"`
		Version string `json:"version,omitempty"`
	} `json:"tool"`
	// FailOn is the severity from which on confirmed findings fail: a
	// severity's name or "never"; Failures counts them.
	FailOn   string `json:"fail_on"`
	Failures int    `json:"failures"`
	// Exit is the code that the command ended with.
	Exit int `json:"exit"`
	// How is what the scan was given, without credentials.
	How How `json:"how"`
}

// How is what a scan was given: enough to begin it again.
type How struct {
	API       string   `json:"api,omitempty"`
	Config    string   `json:"config,omitempty"`
	From      []string `json:"from,omitempty"`
	FromStore string   `json:"from_store,omitempty"`
	// As are the people as they were given; one whose credential stood on the
	// command line is a name alone.
	As      []string `json:"as,omitempty"`
	Scope   string   `json:"scope,omitempty"`
	Resolve []string `json:"resolve,omitempty"`
	CACert  string   `json:"cacert,omitempty"`
	Cert    string   `json:"cert,omitempty"`
	Key     string   `json:"key,omitempty"`
	Proxy   string   `json:"proxy,omitempty"`
	HTTP    string   `json:"http,omitempty"`
	Signing string   `json:"signing_key,omitempty"`
	// NoSignUp is true when nobody was to be registered.
	NoSignUp bool `json:"no_sign_up,omitempty"`
}

// JSON writes a document. Its result must have been masked.
func JSON(w io.Writer, d *Document) error {
	d.Tool.Name = "parley"
	if d.Findings == nil {
		d.Findings = []*Finding{}
	}
	if d.People == nil {
		d.People = []Asker{}
	}
	if d.Access == nil {
		d.Access = []Row{}
	}
	for _, f := range d.Findings {
		if f.Proof == nil {
			f.Proof = []Shown{}
		}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(d)
}

// ReadJSON reads what JSON wrote.
func ReadJSON(data []byte) (*Document, error) {
	d := &Document{Result: &Result{}}
	if err := json.Unmarshal(data, d); err != nil {
		return nil, fmt.Errorf("scan: %w", err)
	}
	if d.Schema != Schema {
		return nil, fmt.Errorf("scan: %q is not %s", d.Schema, Schema)
	}
	d.Findings = slices.DeleteFunc(d.Findings, func(f *Finding) bool { return f == nil }) // the file may be anybody's
	return d, nil
}

// Find returns the finding that an ID means: the beginning of its fingerprint.
func (r *Result) Find(id string) *Finding {
	for _, f := range r.Findings {
		if len(id) >= 4 && len(id) <= len(f.Fingerprint) && f.Fingerprint[:len(id)] == id {
			return f
		}
	}
	return nil
}

// Counted counts findings by how they stand.
func (r *Result) Counted() (confirmed, likely, known, suppressed int) {
	for _, f := range r.Findings {
		switch {
		case f.Suppressed != "":
			suppressed++
		case f.Known:
			known++
		case f.Verdict == exchange.Confirmed:
			confirmed++
		default:
			likely++
		}
	}
	return
}

// Took is how long the scan took, for a person.
func (r *Result) Took() string { return r.Time.Round(100 * time.Millisecond).String() }
