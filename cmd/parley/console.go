package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/parley-project/parley/console"
	"github.com/parley-project/parley/store"
)

func consoleCommand() *cobra.Command {
	var file, listen, policy, api string
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
		o.Store = db
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
