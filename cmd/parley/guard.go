package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/internal/config"
	"github.com/parley-project/parley/learn"
	"github.com/parley-project/parley/store"
)

func guardCommand() *cobra.Command {
	var policy, api, upstream, mode, listen, dir, storeFile, learnFile string
	var check, strict, noStore, try bool
	var o tryOptions
	c := &cobra.Command{
		Use:   "guard [--try SOURCE...]",
		Short: "protect an API",
		Long: "Stands in front of an API: refuses, filters and repairs by its contract and policy.\n" +
			"Without an explicit mode it only reports: nothing changes for the API's clients.\n\n" +
			"With --try it rehearses the policy on recorded traffic instead: HAR files and other\n" +
			"recordings that are named, a store, or both. It listens on nothing and sends nothing.\n" +
			"It exits with 1 when an exchange that was answered would be refused, or a field of\n" +
			"an answer removed or masked; what is only repaired, such as headers, does not count.",
		Example: "  parley guard -c parley.yaml\n  parley guard --try traffic.har -c parley.yaml\n  parley guard --try --store .parley/guard.db --filter 'path:/v1/orders' -c new.yaml\n  parley guard --api openapi.yaml --upstream http://127.0.0.1:9000\n  parley guard -c parley.yaml --check",
		Args: func(c *cobra.Command, args []string) error {
			if !try && len(args) > 0 {
				return &usageError{fmt.Sprintf("%q: guard takes no file", args[0]), "parley guard --try " + args[0] + " rehearses a policy on it; a policy is given with -c"}
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVarP(&policy, "config", "c", "", "policy (parley.yaml)")
	f.StringVar(&api, "api", "", "OpenAPI file, when there is no policy")
	f.StringVar(&upstream, "upstream", "", "URL of the API")
	f.StringVar(&mode, "mode", "", "enforce or report, whatever the policy says")
	f.StringVar(&listen, "listen", "", "address for HTTPS (default: the policy's, or 127.0.0.1:8443 or the next free port)")
	f.StringVar(&dir, "dir", ".parley", "folder for the store and the local certificate authority")
	f.StringVar(&storeFile, "store", "", "SQLite file for what is seen (default: guard.db in --dir)")
	f.StringVar(&learnFile, "learn", "", "OpenAPI file to write what is learnt into, every minute and at the end")
	f.BoolVar(&noStore, "no-store", false, "record nothing")
	f.BoolVar(&check, "check", false, "judge the configuration and stop")
	f.BoolVar(&strict, "strict", false, "what cannot be judged is an error")
	f.BoolVar(&try, "try", false, "rehearse the policy on recorded traffic: the files that are named, - for stdin, or --store")
	f.StringVar(&o.filter, "filter", "", "with --try: which exchanges, such as 'path:/v1/orders'")
	f.StringVar(&o.format, "format", "", "with --try: text, json, sarif, junit or html")
	f.StringVar(&o.keys, "keys", "", "with --try: file of the key set, when the policy names a URL: nothing is fetched")
	c.MarkFlagsMutuallyExclusive("config", "api")
	for _, other := range []string{"check", "listen", "upstream", "mode", "no-store", "learn"} {
		c.MarkFlagsMutuallyExclusive("try", other)
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		for _, name := range []string{"filter", "format", "keys"} {
			if !try && c.Flags().Changed(name) {
				return &usageError{"--" + name + " belongs to --try", "parley guard --try traffic.har --" + name + " ..."}
			}
		}
		if policy == "" && api == "" {
			if _, err := os.Stat("parley.yaml"); err != nil {
				return &usageError{"no policy", "parley guard -c parley.yaml, or parley guard --api openapi.yaml --upstream URL"}
			}
			policy = "parley.yaml"
		}
		k, err := loadContract(policy, api)
		if err != nil {
			return err
		}
		if err := setMode(k, mode); err != nil {
			return err
		}
		if strict && len(k.NotJudged) > 0 {
			return &hintError{fmt.Errorf("%d operations cannot be judged, the first: %s", len(k.NotJudged), k.NotJudged[0]), "mend it, or leave --strict out", exitUsage}
		}
		if try {
			o.files, o.store = args, storeFile
			return runTry(c, k, o)
		}
		if check {
			if err := identity.CheckPeople(k.Sections["identities"], filepath.Dir(k.File)); err != nil {
				return err
			}
			p, err := readParts(k, standOptions{upstream: upstream, log: talk(c.ErrOrStderr())})
			if err != nil {
				return err
			}
			defer p.close()
			return printContract(c.OutOrStdout(), k)
		}
		return runGuard(c, k, standOptions{dir: dir, listen: listen, upstream: upstream, log: talk(c.ErrOrStderr())}, storeFile, learnFile, noStore)
	}
	return c
}

// setMode puts what a person said over what the file says.
func setMode(k *contract.Contract, mode string) error {
	switch contract.Mode(mode) {
	case "":
	case contract.Enforce, contract.Report:
		k.Mode = contract.Mode(mode)
	default:
		hint := "enforce or report"
		if near := config.Nearest(mode, []string{"enforce", "report"}); near != "" {
			hint = "did you mean " + near + "?"
		}
		return &usageError{fmt.Sprintf("--mode: there is no mode %q", mode), hint}
	}
	return nil
}

func runGuard(c *cobra.Command, k *contract.Contract, o standOptions, storeFile, learnFile string, noStore bool) (err error) {
	spendMemory()
	later := &later{}
	o.recorder = later
	if learnFile != "" {
		g := newLearning(later, learn.New(learn.Options{API: k, Title: k.Title}))
		o.recorder = g
		if err := learnable(learnFile); err != nil {
			g.close()
			return err
		}
		defer g.finish(learnFile, c.ErrOrStderr(), &err)
		go g.learnInto(c.Context(), learnFile, time.Minute, func(err error) { o.log.Warn("learn: " + err.Error()) })
	}
	s, err := newStand(k, o)
	if err != nil {
		return err
	}
	defer s.close()
	if !noStore {
		if storeFile == "" {
			storeFile = filepath.Join(o.dir, "guard.db")
		}
		db, err := openStore(storeFile)
		if err != nil {
			return err
		}
		defer closeStore(db, &err)
		later.recorder = db
	}
	s.reach(c.Context())
	for _, n := range s.notes {
		say(c.ErrOrStderr(), "note", n)
	}
	out := c.OutOrStdout()
	fmt.Fprintf(out, "guard  %s  ->  %s  (%s)\n", s.url(), k.Upstream, k.Mode)
	if s.caFile != "" {
		fmt.Fprintf(out, "ca     %s\n", s.caFile)
	}
	return s.serve(c.Context())
}

// openStore makes the folder and opens the store in it.
func openStore(file string) (*store.Store, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, &hintError{err, "give a folder that can be written with --dir", exitIncomplete}
	}
	db, err := store.Open(file, store.Options{})
	if errors.Is(err, store.ErrInUse) {
		return nil, &hintError{err, "another parley runs here: end it, or give this one its own folder with --dir", exitIncomplete}
	}
	return db, err
}

// closeStore drains the queue: nothing that was recorded is lost.
func closeStore(db *store.Store, err *error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if ferr := db.Flush(ctx); ferr != nil && *err == nil {
		*err = ferr
	}
	if cerr := db.Close(); cerr != nil && *err == nil {
		*err = cerr
	}
}

// printContract says what a configuration judges and what it does not.
func printContract(w io.Writer, k *contract.Contract) error {
	rules := 0
	for _, op := range k.Operations {
		rules += len(op.Rules)
	}
	fmt.Fprintf(w, "%s: %d operations, %d rules, mode %s\n", k.File, len(k.Operations), rules, k.Mode)
	for _, op := range k.Unjudged {
		fmt.Fprintf(w, "unjudged    %s\n", op.Name)
	}
	for _, line := range k.NotJudged {
		fmt.Fprintf(w, "not judged  %s\n", line)
	}
	return nil
}
