package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/filter"
	"github.com/parley-project/parley/report"
	"github.com/parley-project/parley/store"
)

// reportOptions say what report to write, and where.
type reportOptions struct {
	file, failOn string
	config, api  string
	format       report.Format
	severity     exchange.Severity

	title, filter string
	contract      *contract.Contract // instead of config and api
	after         store.Cursor       // only what was recorded after that
}

func (o *reportOptions) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.file, "report", "", "write what was found to this file, or - for stdout; its extension says the format")
	f.StringVar(&o.failOn, "fail-on", "high", "severity from which a confirmed finding makes the exit code 1: info to critical, or never")
	f.StringVarP(&o.config, "config", "c", "", "policy (parley.yaml), to name places in the API's description")
	f.StringVar(&o.api, "api", "", "OpenAPI file, when there is no policy")
}

// never is above every severity.
const never = exchange.Critical + 1

// check reads what was said, before anything is done.
func (o *reportOptions) check(format string) error {
	if err := o.severity.UnmarshalText([]byte(o.failOn)); err != nil {
		if o.failOn != "never" {
			return &usageError{fmt.Sprintf("--fail-on: %q is not a severity", o.failOn), "info, low, medium, high, critical or never"}
		}
		o.severity = never
	}
	if o.file == "" {
		return nil
	}
	names := strings.Join(report.FormatNames(), ", ")
	var ok bool
	switch {
	case format != "":
		if o.format, ok = report.FormatByName(format); !ok {
			return &usageError{fmt.Sprintf("--format: there is no report format %q", format), names}
		}
	case o.file == "-":
		o.format, _ = report.FormatByName("text")
	default:
		if o.format, ok = report.FormatOf(o.file); !ok {
			return &usageError{fmt.Sprintf("--report: the name %q does not say which format", filepath.Base(o.file)), "add --format with one of " + names}
		}
	}
	return nil
}

// write makes the report of the exchanges that pass, and returns errFound when
// it has failures.
func (o *reportOptions) write(ctx context.Context, stdout, stderr io.Writer, db *store.Store, e *filter.Expr) (err error) {
	k := o.contract
	if k == nil && (o.config != "" || o.api != "") {
		if k, err = loadContract(o.config, o.api); err != nil {
			return err
		}
	}
	options := report.Options{Title: o.title, Filter: o.filter, Version: version(), Made: time.Now(), FailOn: o.severity, Locate: placesOf(k)}
	if o.file == "-" {
		options.Color = colored(stdout)
		if n, ok := terminalWidth(stdout); ok {
			options.Width = min(n, 120)
		}
	}
	r := report.New(options)
	if err := fill(ctx, r, stderr, db, e, o.after); err != nil {
		return err
	}
	if o.file == "-" {
		err = o.format.Write(stdout, r)
	} else {
		err = o.writeFile(r)
	}
	if err != nil {
		return err
	}
	if o.file != "-" {
		say(stderr, "report", fmt.Sprintf("%s: %s", o.file, report.Summary(r)))
	}
	if n := r.Failures(); n > 0 {
		return &foundError{n: n, on: o.severity}
	}
	return nil
}

// writeFile writes beside the file first: half a report is worse than the one
// before.
func (o *reportOptions) writeFile(r *report.Report) error {
	f, err := os.CreateTemp(filepath.Dir(o.file), ".parley-report-*")
	if err != nil {
		return &hintError{err, "the folder must be there", exitUsage}
	}
	defer os.Remove(f.Name())
	w := bufio.NewWriter(f)
	err = o.format.Write(w, r)
	if err == nil {
		err = w.Flush()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("report: %s: %w", o.file, err)
	}
	return os.Rename(f.Name(), o.file)
}

// fill gives a report what a store holds, back to a place.
func fill(ctx context.Context, r *report.Report, stderr io.Writer, db *store.Store, e *filter.Expr, after store.Cursor) error {
	var failed error
	err := backwards(ctx, db, e, func(p *store.Page) bool {
		for i := range p.Rows {
			if p.Rows[i].Cursor <= after {
				return false
			}
			x, err := db.Get(ctx, p.Rows[i].ID)
			if err == store.ErrNotFound {
				continue // deleted since
			}
			if err != nil {
				failed = err
				return false
			}
			r.Add(x)
		}
		progress(stderr, "%d exchanges looked at", r.Exchanges)
		return true
	})
	progress(stderr, "")
	if err != nil {
		return err
	}
	return failed
}

// beginReport remembers where in the store this run begins: its folder may be
// an old one.
func (u *up) beginReport(ctx context.Context) error {
	st, err := u.db.Stats(ctx)
	if err != nil {
		return err
	}
	u.o.report.title, u.o.report.contract, u.o.report.after = u.contract.Title, u.contract, st.Last
	return nil
}

// writeReport writes what was found since then, if it was asked for. That
// something was is no failure of `up`: the shop is flawed on purpose.
func (u *up) writeReport(ctx context.Context) error {
	if u.o.report.file == "" {
		return nil
	}
	if err := u.db.Flush(ctx); err != nil {
		return err
	}
	e, err := clientSide("")
	if err != nil {
		return err
	}
	err = u.o.report.write(ctx, nil, u.stderr, u.db, e)
	var found *foundError
	if errors.As(err, &found) {
		return nil
	}
	return err
}

// placesOf finds operations in an API's description.
func placesOf(k *contract.Contract) func(string) (string, int) {
	if k == nil {
		return nil
	}
	places := map[string]string{}
	for _, op := range k.Operations {
		places[op.Name] = op.Place
	}
	return func(operation string) (string, int) {
		return report.Place(places[operation])
	}
}

// foundError ends a command with exit code 1: it did its work, and found
// something.
type foundError struct {
	n    int
	on   exchange.Severity
	text string // instead of both
}

func (e *foundError) Error() string {
	if e.text != "" {
		return e.text
	}
	return fmt.Sprintf("%d confirmed at %s or above", e.n, e.on)
}
