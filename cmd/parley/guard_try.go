package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/filter"
	"github.com/parley-project/parley/guard"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/report"
	"github.com/parley-project/parley/store"
)

// tryOptions are what a person may say to `parley guard --try`.
type tryOptions struct {
	files                       []string
	store, filter, format, keys string
	write                       func(io.Writer, *report.Report) error // nil: text or json
}

// check reads what was said, before anything is done.
func (o *tryOptions) check() error {
	if o.format == "" {
		o.format = "text"
	}
	f, ok := report.FormatByName(o.format)
	if !ok {
		return &usageError{fmt.Sprintf("--format: there is no report format %q", o.format), strings.Join(report.FormatNames(), ", ")}
	}
	if o.format != "text" && o.format != "json" {
		o.write = f.Write
	}
	return nil
}

// runTry rehearses a policy on recorded traffic: nothing is listened on, and
// nothing sent.
func runTry(c *cobra.Command, k *contract.Contract, o tryOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	e, err := clientSide(o.filter)
	if err != nil {
		return err
	}
	stderr := c.ErrOrStderr()
	verifier, unproved, err := offlineVerifier(k, o.keys, stderr)
	if err != nil {
		return err
	}
	if verifier != nil {
		defer verifier.Close()
	}
	r, err := guard.NewRehearsal(k, guard.RehearsalOptions{Identity: verifier, Unproved: unproved})
	if err != nil {
		return err
	}
	sources, err := sourcesOf(c.InOrStdin(), stderr, o)
	if err != nil {
		return err
	}
	defer func() {
		for _, s := range sources {
			s.close()
		}
	}()
	ctx, n := c.Context(), 0
	for _, s := range sources {
		if err := s.each(ctx, nil, func(x *exchange.Exchange) {
			if n++; n%500 == 0 {
				progress(stderr, "%d exchanges read", n)
			}
			r.Look(s.name, x)
		}); err != nil {
			progress(stderr, "")
			return err
		}
	}
	if n == 0 {
		return &hintError{fmt.Errorf("%s: no exchange was recorded in it", sources[0].name), "a HAR has them, or what parley guard stores; requests alone have no answers", exitUsage}
	}
	made := report.New(report.Options{Title: sources[0].name, Filter: o.filter, Version: version(), Made: time.Now(), FailOn: exchange.Info, Locate: placesOf(k)})
	done := 0
	for _, s := range sources {
		if err := s.each(ctx, e, func(x *exchange.Exchange) {
			if done++; done%500 == 0 {
				progress(stderr, "%d of %d exchanges judged", done, n)
			}
			if y := r.Try(s.name, x); y != nil && o.write != nil {
				made.Add(tried(y))
			}
		}); err != nil {
			progress(stderr, "")
			return err
		}
	}
	progress(stderr, "")
	out := r.Result()
	if out.Exchanges == 0 {
		if out.Elsewhere > 0 {
			return &hintError{fmt.Errorf("no exchange of %d is one of this API", out.Elsewhere), "the paths of the description begin with its servers' path: do those recorded?", exitUsage}
		}
		return &hintError{errors.New("no exchange passes the filter"), "leave --filter out to see them all", exitUsage}
	}
	visibly(out)
	switch {
	case o.write != nil:
		err = o.write(c.OutOrStdout(), made)
	case o.format == "json":
		err = tryJSON(c.OutOrStdout(), k, sources, o.filter, out)
	default:
		width := 80
		if n, ok := terminalWidth(c.OutOrStdout()); ok {
			width = max(min(n, 120), 60)
		}
		err = tryText(c.OutOrStdout(), out, width)
	}
	if err != nil {
		return err
	}
	if out.Callers > 0 {
		say(stderr, "hint", hintCallers(unproved))
	}
	if out.Found() {
		return &foundError{text: tryFound(out)}
	}
	return nil
}

func hintCallers(unproved bool) string {
	if unproved {
		return "save the key set that the policy names, and give it with --keys FILE"
	}
	return "export the HAR with sensitive data, or record with parley guard: it writes down who asked before it masks"
}

// offlineVerifier is the policy's, with nothing fetched. When the keys are at a
// URL and no file of them was given it is nil, and tokens are unproved.
func offlineVerifier(k *contract.Contract, keys string, stderr io.Writer) (v *identity.Verifier, unproved bool, err error) {
	section := k.Sections["identity"]
	if !section.Present() {
		if keys != "" {
			return nil, false, &usageError{"--keys: the policy has no section identity", "keys verify what identity: {jwt: ...} names"}
		}
		return nil, false, nil
	}
	c, err := identity.Parse(section, filepath.Dir(k.File))
	if err != nil {
		return nil, false, err
	}
	if keys != "" {
		if c.JWT == nil {
			return nil, false, &usageError{"--keys: the policy takes no tokens", "keys verify what identity: {jwt: ...} names"}
		}
		if _, err := os.Stat(keys); err != nil {
			return nil, false, &hintError{err, "--keys is a file with a JWK Set: {\"keys\": [...]}", exitUsage}
		}
		c.JWT.Keys = keys
	}
	if c.JWT != nil && strings.Contains(c.JWT.Keys, "://") {
		return nil, true, nil
	}
	v, err = identity.New(c, identity.Options{Warn: func(err error) { say(stderr, "warning", err.Error()) }})
	return v, false, err
}

// tried is an exchange as reports for machines have it: what an honest client
// would have noticed is something that was found.
func tried(y *exchange.Exchange) *exchange.Exchange {
	answered := y.Response != nil && y.Response.Status < 400
	z := *y
	z.Actions = nil
	for _, a := range y.Actions {
		if a.Kind == exchange.Refused && !answered {
			continue
		}
		z.Actions = append(z.Actions, a)
		member := a.Where == "response body" && (a.Kind == exchange.Stripped || a.Rule != "")
		if a.Kind != exchange.Refused && !member {
			continue
		}
		f := exchange.Finding{Check: a.Check, Verdict: exchange.Confirmed, Severity: exchange.High, Step: exchange.StepServer, Evidence: []exchange.Evidence{a.Evidence}}
		if a.Rule != "" {
			f.Evidence = append(f.Evidence, exchange.Evidence{Where: "policy", Name: a.Rule, Says: "would " + string(a.Kind)})
		}
		z.Findings = append(z.Findings, f)
	}
	return &z
}

// A trySource is where exchanges come from, oldest first, as often as asked.
type trySource struct {
	name  string
	each  func(ctx context.Context, e *filter.Expr, f func(*exchange.Exchange)) error
	close func()
}

// keepParsed is the size of files up to which what was read is kept for the
// second time. Larger ones are read again, one after the other.
const keepParsed = 64 << 20

func sourcesOf(stdin io.Reader, stderr io.Writer, o tryOptions) ([]trySource, error) {
	var out []trySource
	left := int64(keepParsed)
	for _, file := range o.files {
		keep := file == "-" || len(o.files) == 1
		if info, err := os.Stat(file); err == nil && !keep {
			left -= info.Size()
			keep = left >= 0
		}
		out = append(out, fileSource(stdin, stderr, file, keep))
	}
	if len(o.files) > 0 && o.store == "" {
		return out, nil
	}
	file, err := storeFile(o.store)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(file, store.Options{ReadOnly: true})
	if err != nil {
		return nil, &hintError{err, "is it a store of parley's?", exitUsage}
	}
	return append(out, trySource{file, func(ctx context.Context, e *filter.Expr, f func(*exchange.Exchange)) error {
		return forwards(ctx, db, e, f)
	}, func() { db.Close() }}), nil
}

// fileSource reads a file of another program's.
func fileSource(stdin io.Reader, stderr io.Writer, file string, keep bool) trySource {
	var kept []*exchange.Exchange
	var told bool
	read := func() ([]*exchange.Exchange, error) {
		c, err := readCollection(stdin, file, convertOptions{})
		if err != nil {
			return nil, err
		}
		if c.Format == "har" && !told {
			tellWarnings(stderr, c.Warnings)
			told = true
		}
		xs := recordedIn(c.Items, nil)
		slices.SortStableFunc(xs, func(a, b *exchange.Exchange) int { return cmp.Compare(a.Start.UnixNano(), b.Start.UnixNano()) })
		return xs, nil
	}
	return trySource{file, func(ctx context.Context, e *filter.Expr, f func(*exchange.Exchange)) error {
		xs := kept
		if xs == nil {
			var err error
			if xs, err = read(); err != nil {
				return err
			}
			if keep {
				kept = xs
			}
		}
		for _, x := range xs {
			if err := ctx.Err(); err != nil {
				return err
			}
			if e.Match(x) {
				f(x)
			}
		}
		return nil
	}, func() {}}
}

// recordedIn gathers what was recorded, through all folders.
func recordedIn(items []*archive.Item, xs []*exchange.Exchange) []*exchange.Exchange {
	for _, it := range items {
		xs = recordedIn(it.Items, append(xs, it.Recorded...))
	}
	return xs
}

// forwards goes through a store from the oldest exchange to the newest that was
// there when it began.
func forwards(ctx context.Context, db *store.Store, e *filter.Expr, f func(*exchange.Exchange)) error {
	st, err := db.Stats(ctx)
	if err != nil {
		return err
	}
	q := store.Query{Filter: e, Limit: page, Before: 2} // the first by itself: After must name one
	for {
		p, err := db.List(ctx, q)
		if err != nil {
			return err
		}
		for i := len(p.Rows) - 1; i >= 0; i-- {
			if p.Rows[i].Cursor > st.Last {
				return nil
			}
			x, err := db.Get(ctx, p.Rows[i].ID)
			if err == store.ErrNotFound {
				continue // deleted since
			}
			if err != nil {
				return err
			}
			f(x)
		}
		after := max(q.After, 1)
		if q.After > 0 {
			after = max(after, p.Prev)
			if p.Prev <= q.After || p.Prev >= st.Last && !p.Partial && len(p.Rows) < page {
				return nil
			}
		}
		q.After, q.Before = after, 0
	}
}

// visibly masks what strangers wrote and makes it fit for a line.
func visibly(r *guard.Rehearsed) {
	key := make([]byte, 32)
	rand.Read(key)
	m := identity.NewMasker(key)
	line := func(s *string) { *s = report.Visible(m.Text(*s)) }
	for _, rows := range [][]*guard.Row{r.Rows, r.Unruled, r.Unmatched} {
		for _, row := range rows {
			line(&row.Rule)
			line(&row.Operation)
			line(&row.Example)
			row.Exchange = exchange.ID(report.Visible(string(row.Exchange)))
		}
	}
}

// tryJSON writes parley.rehearsal/1.
func tryJSON(w io.Writer, k *contract.Contract, sources []trySource, filter string, r *guard.Rehearsed) error {
	names := make([]string, len(sources))
	for i, s := range sources {
		names[i] = s.name
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(struct {
		Schema  string   `json:"schema"`
		Policy  string   `json:"policy"`
		Sources []string `json:"sources"`
		Filter  string   `json:"filter,omitempty"`
		*guard.Rehearsed
	}{"parley.rehearsal/1", k.File, names, filter, r})
}
