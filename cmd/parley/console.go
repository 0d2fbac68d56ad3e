package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/parley-project/parley/console"
	"github.com/parley-project/parley/store"
)

func consoleCommand() *cobra.Command {
	var file, listen, policy, api string
	c := &cobra.Command{
		Use:     "console",
		Short:   "look at a store",
		Long:    "Shows what a store holds, in the browser, and what is added while it is open.",
		Example: "  parley console --store .parley/up.db\n  parley console --store .parley/guard.db -c parley.yaml",
		Args:    cobra.NoArgs,
	}
	f := c.Flags()
	f.StringVar(&file, "store", "", "SQLite file that parley guard or parley up wrote (default: the newest in .parley)")
	f.StringVar(&listen, "listen", "", "address (default 127.0.0.1:7070 or the next free port)")
	f.StringVarP(&policy, "config", "c", "", "policy (parley.yaml) to explain it by")
	f.StringVar(&api, "api", "", "OpenAPI file, when there is no policy")
	c.MarkFlagsMutuallyExclusive("config", "api")
	c.RunE = func(c *cobra.Command, _ []string) (err error) {
		if file, err = storeFile(file); err != nil {
			return err
		}
		o := console.Options{Version: version(), Title: file}
		if policy != "" || api != "" {
			if o.Contract, err = loadContract(policy, api); err != nil {
				return err
			}
		}
		db, err := store.Open(file, store.Options{ReadOnly: true})
		if err != nil {
			return &hintError{err, "--store is a file that parley guard or parley up wrote", exitUsage}
		}
		defer db.Close() // it was only read
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
