package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/parley-project/parley/console"
	"github.com/parley-project/parley/store"
)

func consoleCommand() *cobra.Command {
	var file, listen, policy, api, result string
	var calls bool
	c := &cobra.Command{
		Use:   "console",
		Short: "look at a store",
		Long: "Shows what a store holds, in the browser, and what is added while it is open.\n" +
			"With --call its pages Trace and Compose make calls, too, and record them.",
		Example: "  parley console --store .parley/up.db\n  parley console --store .parley/guard.db -c parley.yaml\n  parley console --call",
		Args:    cobra.NoArgs,
	}
	f := c.Flags()
	f.StringVar(&file, "store", "", "SQLite file that parley guard or parley up wrote (default: the newest in .parley)")
	f.StringVar(&listen, "listen", "", "address (default 127.0.0.1:7070 or the next free port)")
	f.StringVarP(&policy, "config", "c", "", "policy (parley.yaml) to explain it by")
	f.StringVar(&api, "api", "", "OpenAPI file, when there is no policy")
	f.StringVar(&result, "scan", "", "result of parley scan to show (default: the one beside the store)")
	f.BoolVar(&calls, "call", false, "let its pages make calls, recorded in the store (default: .parley/calls.db)")
	c.MarkFlagsMutuallyExclusive("config", "api")
	c.RunE = func(c *cobra.Command, _ []string) (err error) {
		if calls && file == "" {
			file = filepath.Join(".parley", "calls.db")
		} else if !calls {
			if file, err = storeFile(file); err != nil {
				return err
			}
		}
		o := console.Options{Version: version(), Title: file, Collections: filepath.Join(filepath.Dir(file), "collections")}
		if policy != "" || api != "" {
			if o.Contract, err = loadContract(policy, api); err != nil {
				return err
			}
		}
		db, err := consoleStore(file, calls)
		if err != nil {
			return err
		}
		defer func() {
			if calls {
				closeStore(db, &err)
			} else {
				db.Close() // it was only read
			}
		}()
		if calls {
			people, err := peopleOf(policy)
			if err != nil {
				return err
			}
			if o.Client, err = consoleClient(db, localAuthority(file), "", people); err != nil {
				return err
			}
		}
		l, err := addressOf(listen, "127.0.0.1:7070")
		if err != nil {
			return err
		}
		o.Store, o.Learnt = db, console.LearnStore(db, o.Contract)
		if o.Scans, err = scansOf(file, result); err != nil {
			return err
		}
		view, err := console.New(o)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.OutOrStdout(), "console  %s  (opens once; Ctrl-C ends it)\n", "http://"+localhost(l.Addr())+view.StartPath())
		group, ctx := errgroup.WithContext(c.Context())
		group.Go(func() error { return serveConsole(ctx, l, view) })
		return group.Wait()
	}
	return c
}

// scansOf are the results of scans to show: the one that was named, or what
// stands beside the store. They are read again when they change, and may be
// written later.
func scansOf(file, result string) ([]console.Scan, error) {
	if result != "" {
		last := console.ScanFile(result)
		if r, err := last(); err != nil || r == nil {
			if err == nil {
				err = &fs.PathError{Op: "open", Path: result, Err: fs.ErrNotExist}
			}
			return nil, &hintError{err, "--scan is the JSON that parley scan keeps beside its store", exitUsage}
		}
		return []console.Scan{{Name: "scan", Last: last, Store: storeOf(result)}}, nil
	}
	own := resultFile(file)
	if _, err := os.Stat(own); err != nil {
		own = filepath.Join(filepath.Dir(file), "scan.json")
	}
	scans := []console.Scan{{Name: "scan", Last: console.ScanFile(own), Store: storeOf(own)}}
	guarded := filepath.Join(filepath.Dir(file), "scan-guarded.json")
	if _, err := os.Stat(guarded); err == nil && filepath.Base(own) == "scan.json" {
		scans[0].Name = "open"
		scans = append(scans, console.Scan{Name: "guarded", Last: console.ScanFile(guarded), Store: storeOf(guarded)})
	}
	return scans, nil
}

// storeOf is the store that a result stands beside.
func storeOf(result string) string { return usualStore(strings.TrimSuffix(result, ".json") + ".db") }

// consoleStore opens the store to look at it, or to record in it as well.
func consoleStore(file string, record bool) (*store.Store, error) {
	if !record {
		db, err := store.Open(file, store.Options{ReadOnly: true})
		if err != nil {
			return nil, &hintError{err, "--store is a file that parley guard or parley up wrote", exitUsage}
		}
		return db, nil
	}
	db, err := openStore(file)
	if errors.Is(err, store.ErrInUse) {
		return nil, &hintError{store.ErrInUse, "its own console makes calls, too; or give another file with --store", exitIncomplete}
	}
	return db, err
}

// localAuthority is the certificate of the authority that guard made beside a
// store, or "".
func localAuthority(file string) string {
	ca := filepath.Join(filepath.Dir(file), "ca.pem")
	if _, err := os.Stat(ca); err != nil {
		return ""
	}
	return ca
}
