package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/filter"
	"github.com/parley-project/parley/learn"
	"github.com/parley-project/parley/store"
)

// learnOptions are what a person may say to `parley learn`.
type learnOptions struct {
	api, store, filter, from string
	out, policy, inventory   string
	title                    string
	examples                 bool
}

func learnCommand() *cobra.Command {
	var o learnOptions
	c := &cobra.Command{
		Use:   "learn [SOURCE...]",
		Short: "contract from what was seen",
		Long: "Writes an OpenAPI description of an API from recordings (HAR), collections and stores:\n" +
			"path templates, schemas, who may ask. A description that exists is added to: nothing\n" +
			"that a person wrote changes. --policy proposes owners, roles and members in a\n" +
			"parley.yaml in the same way; --inventory lists what was seen, declared and named.",
		Example: "  parley learn recording.har -o openapi.yaml --policy parley.yaml\n" +
			"  parley learn --store .parley/guard.db --filter 'host:api.example' --api openapi.yaml --inventory text\n" +
			"  parley learn shop.postman_collection.json > openapi.yaml",
	}
	f := c.Flags()
	f.StringVar(&o.api, "api", "", "OpenAPI file that exists: its paths are used, and the inventory says what it lacks")
	f.StringVar(&o.store, "store", "", "SQLite file of guard or up, as a further source")
	f.StringVar(&o.filter, "filter", "", "which exchanges, such as 'host:api.example -path:/health'")
	f.StringVar(&o.from, "from", "", "format of the sources (default: seen from name and content)")
	f.StringVarP(&o.out, "output", "o", "", "OpenAPI file to write or add to (default: stdout)")
	f.StringVar(&o.policy, "policy", "", "policy to write or add to (parley.yaml)")
	f.StringVar(&o.inventory, "inventory", "", "list the operations on stdout: text or json")
	f.StringVar(&o.title, "title", "", "what to call the API (default: its host)")
	f.BoolVar(&o.examples, "examples", false, "keep values that were seen as examples, never secret ones")
	c.RunE = func(c *cobra.Command, args []string) error {
		switch {
		case len(args) == 0 && o.store == "":
			return &usageError{"there is nothing to learn from", "parley learn recording.har, or parley learn --store .parley/guard.db"}
		case o.inventory != "" && o.inventory != "text" && o.inventory != "json":
			return &usageError{fmt.Sprintf("--inventory: there is no form %q", o.inventory), "text or json"}
		}
		return runLearn(c, args, o)
	}
	return c
}

func runLearn(c *cobra.Command, args []string, o learnOptions) error {
	e, err := clientSide(o.filter)
	if err != nil {
		return err
	}
	options := learn.Options{Title: o.title, Examples: o.examples, File: besidePolicy(o.policy, o.out)}
	known := o.api
	if _, err := os.Stat(o.out); known == "" && o.out != "" && o.out != "-" && err == nil {
		known = o.out
	}
	if known != "" {
		k, err := contract.FromAPI(known)
		if err != nil {
			return err
		}
		options.API = k
	}
	l := learn.New(options)
	learnt := 0
	for _, in := range args {
		n, err := learnSource(c.InOrStdin(), c.ErrOrStderr(), l, e, in, o.from)
		if err != nil {
			return err
		}
		learnt += n
	}
	if o.store != "" {
		n, err := learnStore(c.Context(), c.ErrOrStderr(), l, e, o.store)
		if err != nil {
			return err
		}
		learnt += n
	}
	if learnt == 0 {
		return &hintError{errors.New("learn: the sources hold no requests"), "a HAR file, a collection, or a store that guard has written", exitUsage}
	}
	if hosts := l.Hosts(); len(hosts) > 1 {
		say(c.ErrOrStderr(), "note", fmt.Sprintf("%d hosts are taken for one API: %s; --filter host:%s keeps one", len(hosts), strings.Join(hosts[:min(len(hosts), 4)], ", "), hosts[0]))
	}
	if left := l.Left(); left != "" {
		say(c.ErrOrStderr(), "warning", left)
	}
	if l.Empty() && o.api == "" {
		return &hintError{errors.New("learn: there is nothing to learn in it: what a scan asked, and what guard refused, is left out"), "record what honest clients do: a HAR, or parley guard", exitUsage}
	}
	return writeLearnt(c.OutOrStdout(), c.ErrOrStderr(), l, o)
}

// besidePolicy is how the policy names the description.
func besidePolicy(policy, out string) string {
	if out == "" || out == "-" {
		return ""
	}
	if rel, err := filepath.Rel(filepath.Dir(policy), out); err == nil && policy != "" {
		return filepath.ToSlash(rel)
	}
	return filepath.ToSlash(out)
}

// nobodyAsked reports whether no call showed a credential although there were
// answers: browsers leave them out of the recordings that they export.
func nobodyAsked(v *learn.Inventory) bool {
	open := false
	for _, e := range v.Operations {
		if len(e.Credentials) > 0 {
			return false
		}
		open = open || e.Open
	}
	return open
}

func writeLearnt(stdout, stderr io.Writer, l *learn.Learner, o learnOptions) error {
	if nobodyAsked(l.Inventory()) {
		say(stderr, "warning", "no call shows a credential, so every operation is written down as open to everybody (security: []); a HAR that was exported without sensitive data has none")
	}
	var api []byte
	var err error
	if o.out != "" && o.out != "-" {
		if api, err = writeMerged(stderr, o.out, l.OpenAPI, l.Merge); err != nil {
			return err
		}
	} else if api, err = l.OpenAPI(); err != nil {
		return err
	}
	if o.policy != "" {
		proposed := func() ([]byte, error) { return l.MergePolicy(nil, api) }
		add := func(old []byte) ([]byte, error) { return l.MergePolicy(old, api) }
		if _, err := writeMerged(stderr, o.policy, proposed, add); err != nil {
			return err
		}
		if _, err := contract.Load(o.policy); err != nil {
			say(stderr, "warning", err.Error()+"; what was proposed does not fit the description that is there: mend the line")
		}
		if err := writeKeySet(stderr, l, filepath.Join(filepath.Dir(o.policy), "jwks.json")); err != nil {
			return err
		}
	}
	switch {
	case o.inventory == "json":
		e := json.NewEncoder(stdout)
		e.SetIndent("", "  ")
		err = e.Encode(l.Inventory())
	case o.inventory == "text":
		err = printInventory(stdout, l.Inventory())
	case o.out == "" || o.out == "-":
		_, err = stdout.Write(api)
	}
	return err
}

// writeMerged writes a file, or adds to the one that is there.
func writeMerged(stderr io.Writer, file string, fresh func() ([]byte, error), add func(old []byte) ([]byte, error)) ([]byte, error) {
	old, err := os.ReadFile(file)
	made := errors.Is(err, fs.ErrNotExist)
	var text []byte
	switch {
	case made:
		text, err = fresh()
	case err != nil:
		return nil, &hintError{err, "give a file that can be read and written", exitUsage}
	default:
		if text, err = add(old); err != nil {
			return nil, &hintError{fmt.Errorf("%s: %w", file, err), "mend it, or write to another file", exitUsage}
		}
	}
	if err != nil {
		return nil, err
	}
	if !made && bytes.Equal(text, old) {
		say(stderr, "unchanged", file+": nothing new")
		return text, nil
	}
	if err := writeBeside(file, text); err != nil {
		return nil, &hintError{err, "the folder must be there", exitIncomplete}
	}
	word := "wrote"
	if !made {
		word = "added to"
	}
	say(stderr, word, file)
	return text, nil
}

// writeBeside writes beside the file first, and keeps the mode of one that is
// there.
func writeBeside(file string, text []byte) error {
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(file); err == nil {
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(mode), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

// writeKeySet keeps the public keys that passed by, unless there is such a file.
func writeKeySet(stderr io.Writer, l *learn.Learner, file string) error {
	keys := l.KeySet()
	if _, err := os.Stat(file); err == nil || keys == nil {
		return nil
	}
	if err := writeBeside(file, keys); err != nil {
		return err
	}
	say(stderr, "wrote", file+", the public keys that were seen")
	return nil
}

// learnStore learns from a store, and returns how many exchanges it looked at.
func learnStore(ctx context.Context, stderr io.Writer, l *learn.Learner, e *filter.Expr, file string) (int, error) {
	name, err := storeFile(file)
	if err != nil {
		return 0, err
	}
	db, err := store.Open(name, store.Options{ReadOnly: true})
	if err != nil {
		return 0, &hintError{err, "is it a store that guard or up has written?", exitUsage}
	}
	defer db.Close()
	n := 0
	var failed error
	err = backwards(ctx, db, e, func(p *store.Page) bool {
		for i := range p.Rows {
			x, err := db.Get(ctx, p.Rows[i].ID)
			if err == store.ErrNotFound {
				continue // deleted since
			}
			if err != nil {
				failed = err
				return false
			}
			l.Add(x)
			n++
		}
		progress(stderr, "%d exchanges looked at", n)
		return true
	})
	progress(stderr, "")
	return n, errors.Join(err, failed)
}
