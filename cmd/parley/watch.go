package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-project/parley/filter"
	"github.com/parley-project/parley/store"
)

// watchOptions are what a person may say to `parley watch`.
type watchOptions struct {
	store, filter, format string
	once                  bool
	last                  int
	report                reportOptions
}

func watchCommand() *cobra.Command {
	var o watchOptions
	c := &cobra.Command{
		Use:   "watch",
		Short: "the list, in the terminal",
		Long: "Shows what a store holds and what is added, a line each, the newest at the bottom.\n" +
			"With --report it writes what was found in them instead, and exits with 1 when\n" +
			"something is confirmed at or above --fail-on.",
		Example: "  parley watch --store .parley/guard.db --filter 'is:refused OR status>=500'\n" +
			"  parley watch --once --format json | jq .target\n" +
			"  parley watch --report findings.html",
		Args: cobra.NoArgs,
	}
	f := c.Flags()
	f.StringVar(&o.store, "store", "", "SQLite file (default: the newest in .parley)")
	f.StringVar(&o.filter, "filter", "", "which exchanges, such as 'status:4xx -path:/health'")
	f.StringVar(&o.format, "format", "", "text or json; of a report also sarif, junit, html")
	f.BoolVar(&o.once, "once", false, "show what is there and end")
	f.IntVarP(&o.last, "lines", "n", 100, "how many exchanges to begin with; 0 for all")
	o.report.flags(c)
	c.MarkFlagsMutuallyExclusive("config", "api")
	c.RunE = func(c *cobra.Command, _ []string) error { return runWatch(c, o) }
	return c
}

func runWatch(c *cobra.Command, o watchOptions) error {
	if o.report.file == "" && o.format != "" && o.format != "text" && o.format != "json" {
		return &usageError{fmt.Sprintf("--format: the list has no format %q", o.format), "text or json; or a report: parley watch --report - --format " + o.format}
	}
	if o.last < 0 {
		return &usageError{"-n: must be 0 or more", c.CommandPath() + " --help"}
	}
	if err := o.report.check(o.format); err != nil {
		return err
	}
	e, err := clientSide(o.filter)
	if err != nil {
		return err
	}
	if o.store, err = storeFile(o.store); err != nil {
		return err
	}
	db, err := store.Open(o.store, store.Options{ReadOnly: true})
	if err != nil {
		return &hintError{err, "is it a store of parley's?", exitUsage}
	}
	defer db.Close() // it was only read
	if o.report.file != "" {
		o.report.title, o.report.filter = filepath.Base(o.store), o.filter
		return o.report.write(c.Context(), c.OutOrStdout(), c.ErrOrStderr(), db, e)
	}
	return watch(c.Context(), c.OutOrStdout(), db, e, o)
}

// clientSide reads a filter. Unless it speaks of sides itself it leaves out
// what guard asked of the API: each of those would be there twice.
func clientSide(text string) (*filter.Expr, error) {
	e, err := filter.Parse(text)
	var bad *filter.Error
	if errors.As(err, &bad) {
		return nil, &usageError{fmt.Sprintf("--filter: column %d: %s", bad.Column, bad.What), bad.Hint}
	}
	if err != nil || speaksOfSides(e.Root) {
		return e, err
	}
	return filter.New(filter.And{filter.Not{Node: filter.Term{Key: "side", Op: filter.Is, Value: "upstream"}}, e.Root})
}

func speaksOfSides(n filter.Node) bool {
	switch n := n.(type) {
	case filter.And:
		return slices.ContainsFunc(n, speaksOfSides)
	case filter.Or:
		return slices.ContainsFunc(n, speaksOfSides)
	case filter.Not:
		return speaksOfSides(n.Node)
	case filter.Term:
		return n.Key == "side"
	}
	return false
}

// lookPeriod is how often a store that another process writes is looked at.
const lookPeriod = 250 * time.Millisecond

// watch prints what is there and then, until it is interrupted, what comes.
func watch(ctx context.Context, w io.Writer, db *store.Store, e *filter.Expr, o watchOptions) error {
	print := func(r *store.Row) error { return json.NewEncoder(w).Encode(r) }
	if o.format != "json" {
		print = newLineWriter(w).row
	}
	err := printNew(ctx, db, e, o, print)
	if ctx.Err() != nil && !o.once {
		return nil // Ctrl-C is how it ends
	}
	return err
}

func printNew(ctx context.Context, db *store.Store, e *filter.Expr, o watchOptions, print func(*store.Row) error) error {
	rows, newest, err := last(ctx, db, e, o.last)
	if err != nil {
		return err
	}
	for i := range rows {
		if err := print(&rows[i]); err != nil {
			return err
		}
	}
	tick := time.NewTicker(lookPeriod)
	defer tick.Stop()
	for !o.once {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		for more := true; more; {
			p, err := db.List(ctx, store.Query{Filter: e, After: newest, Limit: page})
			if err != nil {
				return err
			}
			for i := len(p.Rows) - 1; i >= 0; i-- {
				if err := print(&p.Rows[i]); err != nil {
					return err
				}
			}
			more = p.Prev > newest && (p.Partial || len(p.Rows) == page)
			newest = max(newest, p.Prev)
		}
	}
	return nil
}

// page is how many rows are asked for at a time.
const page = 1000

// last returns the newest n rows that pass, oldest first, and where to go on.
func last(ctx context.Context, db *store.Store, e *filter.Expr, n int) (rows []store.Row, newest store.Cursor, err error) {
	err = backwards(ctx, db, e, func(p *store.Page) bool {
		newest = max(newest, p.Prev)
		rows = append(rows, p.Rows...)
		return n == 0 || len(rows) < n
	})
	if n > 0 && len(rows) > n {
		rows = rows[:n]
	}
	slices.Reverse(rows)
	return rows, newest, err
}

// backwards goes through a store from the newest exchange to the oldest, as
// long as f wants more.
func backwards(ctx context.Context, db *store.Store, e *filter.Expr, f func(*store.Page) bool) error {
	q := store.Query{Filter: e, Limit: page}
	for {
		p, err := db.List(ctx, q)
		if err != nil {
			return err
		}
		if !f(&p) || p.Next == 0 {
			return nil
		}
		q.Before = p.Next
	}
}
