package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/report"
	"github.com/parley-project/parley/scan"
)

// scanProgress says on a terminal how far a scan is.
func scanProgress(stderr io.Writer) func(scan.Progress) {
	var last time.Time
	return func(p scan.Progress) {
		if time.Since(last) < 50*time.Millisecond {
			return
		}
		last = time.Now()
		progress(stderr, "%.78s", progressLine(p))
	}
}

func progressLine(p scan.Progress) string {
	line := p.Phase
	if p.Of > 0 {
		line += fmt.Sprintf(" %d/%d", p.Done, p.Of)
	}
	return report.Visible(fmt.Sprintf("%s · %d requests · %d found · %s", line, p.Requests, p.Findings, p.Asking))
}

// view is how a result is written for a person.
func (o *scanOptions) view(out io.Writer) scan.View {
	v := scan.View{Color: colored(out), Verbose: o.verbose, Visible: report.Visible}
	if n, ok := terminalWidth(out); ok {
		v.Width = max(min(n, 120), 60)
	}
	return v
}

func (o *scanOptions) document(res *scan.Result) *scan.Document {
	d := &scan.Document{Result: res, FailOn: o.failOn, Failures: res.Confirmed(o.severity), Exit: o.exit(res), How: o.how()}
	d.Tool.Version = version()
	return d
}

// keep writes the result beside the store, where --replay and the console find
// it.
func (o *scanOptions) keep(d *scan.Document) error {
	var b bytes.Buffer
	if err := scan.JSON(&b, d); err != nil {
		return err
	}
	if err := writeSecret(o.result, b.Bytes()); err != nil {
		return &hintError{err, "name another place with --store FILE", exitIncomplete}
	}
	return nil
}

// print puts the result onto stdout in the format that was asked for.
func (o *scanOptions) print(out io.Writer, k *known, d *scan.Document) error {
	switch o.format {
	case "text":
		return scan.Write(out, d.Result, o.view(out))
	case "json":
		return scan.JSON(out, d)
	}
	format, _ := report.FormatByName(o.format)
	return format.Write(out, o.report(k, d.Result))
}

// report makes one of a result.
func (o *scanOptions) report(k *known, res *scan.Result) *report.Report {
	ro := report.Options{Title: res.Target, Version: version(), Made: time.Now(), FailOn: o.severity}
	if k.dir == "" { // what was put together here is no file of anybody's
		ro.Locate = placesOf(k.contract)
	}
	r := report.New(ro)
	for _, f := range res.Findings {
		r.Prove(proved(f))
	}
	r.Exchanges, r.Incomplete, r.Baseline = res.Requests, res.Incomplete, o.baseline != ""
	for _, c := range check.All {
		if c.Probe != nil && res.Incomplete == "" && (len(o.only) == 0 || slices.Contains(o.only, c.ID)) {
			r.Asked = append(r.Asked, c.ID)
		}
	}
	return r
}

// proved is a finding as reports take it.
func proved(f *scan.Finding) report.Proved {
	p := report.Proved{Finding: exchange.Finding{Check: f.Check, Severity: f.Severity, Verdict: f.Verdict, Step: f.Step, Evidence: f.Evidence, Fingerprint: f.Fingerprint},
		Operation: f.Operation, Operations: f.Operations, Count: f.Count, Exchanges: f.Exchanges(), Marks: f.Marks,
		Proof: report.Proof{Says: f.Says(), Parameter: f.Parameter, By: f.By, Of: f.Of, Missing: f.Missing, Suppressed: f.Suppressed, Known: f.Known, Again: "parley scan --replay " + f.ID}}
	for _, s := range f.Proof {
		p.Curl = append(p.Curl, s.Curl)
	}
	return p
}

func indented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// readResult reads what the last scan found.
func readResult(file string) (*scan.Document, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, &hintError{fmt.Errorf("%s: there is no result of a scan", file), "parley scan URL makes one; --store FILE.db says beside which store it stands", exitUsage}
	}
	d, err := scan.ReadJSON(data)
	if err != nil {
		return nil, &hintError{fmt.Errorf("%s: %w", filepath.Clean(file), err), "scan again: it is written anew", exitUsage}
	}
	return d, nil
}
