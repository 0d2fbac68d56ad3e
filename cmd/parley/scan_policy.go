package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/parley-project/parley/internal/config"
	"github.com/parley-project/parley/report"
	"github.com/parley-project/parley/scan"
)

// A policyFile is what `parley scan --write-policy` writes, and where.
type policyFile struct {
	name string // empty: nothing is written
	keys string // file of the key set that tokens are verified with

	text    []byte // what it says now
	keyText []byte
}

func (p *policyFile) flags(c *cobra.Command) {
	c.Flags().StringVar(&p.name, "write-policy", "", "write the lines that stop what is confirmed into this parley.yaml; a new one gets all that guard needs")
	c.Flags().StringVar(&p.keys, "keys", "", "with --write-policy: the key set (JWK Set) of the API's tokens, when the API does not publish it")
}

// maxPolicy bounds what is read of files that a person names.
const maxPolicy = 8 << 20

// read looks at the files before anything is asked.
func (p *policyFile) read() (err error) {
	if p.name == "" {
		if p.keys != "" {
			return &usageError{"--keys belongs to --write-policy", "parley scan ... --write-policy parley.yaml --keys " + p.keys}
		}
		return nil
	}
	if p.keys != "" {
		if p.keyText, err = readUpTo(p.keys, maxPolicy); err != nil {
			return &usageError{fmt.Sprintf("--keys: %s cannot be read", p.keys), "a JWK Set: {\"keys\": [...]}"}
		}
	}
	p.text, err = readUpTo(p.name, maxPolicy)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if _, err := os.Stat(filepath.Dir(p.name)); err != nil {
			return &usageError{fmt.Sprintf("--write-policy: there is no folder %s", filepath.Dir(p.name)), "make it first"}
		}
		return nil
	case err != nil:
		return &usageError{fmt.Sprintf("--write-policy: %s cannot be read", p.name), "name a file of at most 8 MiB"}
	}
	if len(bytes.TrimSpace(p.text)) > 0 {
		if _, err := config.Parse(p.name, p.text); err != nil {
			return err
		}
	}
	return nil
}

func readUpTo(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = errors.New("it is too large")
	}
	return data, err
}

// write adds what stops the findings and tells of it: the lines for review, and
// what each finding is stopped by.
func (p *policyFile) write(out io.Writer, res *scan.Result) error {
	if p.name == "" {
		return nil
	}
	patch, err := res.Policy(scan.PolicyOptions{File: p.name, Text: p.text, Keys: p.keyText})
	var inline *scan.InlineError
	switch {
	case errors.As(err, &inline):
		return &hintError{fmt.Errorf("%s: %s is written in brackets", p.name, inline.Section), "put it on lines of their own, each behind a dash, and scan again; it would get:\n" + inline.Lines, exitUsage}
	case err != nil:
		return err
	}
	for _, b := range patch.Beside {
		name := filepath.Join(filepath.Dir(p.name), b.Name)
		if had, err := os.ReadFile(name); err == nil && !bytes.Equal(had, b.Data) {
			return &hintError{fmt.Errorf("%s is there already, and the new %s needs one of that name", name, filepath.Base(p.name)), "move it, or write the policy into another folder", exitUsage}
		}
	}
	if patch.Diff != "" {
		for _, b := range patch.Beside {
			if err := os.WriteFile(filepath.Join(filepath.Dir(p.name), b.Name), b.Data, 0o600); err != nil {
				return &hintError{err, "name a folder that can be written", exitIncomplete}
			}
		}
		if err := replaceFile(p.name, patch.Text); err != nil {
			return &hintError{err, "name a file that can be written", exitIncomplete}
		}
	}
	return tellPatch(out, patch)
}

// replaceFile writes a file beside and puts it in the place of the one that was
// there, so that nobody ever reads half of it.
func replaceFile(name string, data []byte) error {
	mode := os.FileMode(0o600)
	if info, err := os.Stat(name); err == nil {
		mode = info.Mode().Perm()
	}
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".parley-*.yaml")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// sameStop reports whether two findings of a check are stopped in the same way.
func sameStop(a, b scan.Stop) bool { return a.Check == b.Check && a.Says == b.Says }

func tellPatch(out io.Writer, p *scan.Patch) error {
	var b strings.Builder
	if len(p.Written)+len(p.Stopped)+len(p.Left) == 0 {
		fmt.Fprintf(&b, "\n%s: nothing is confirmed, and nothing is added\n", p.File)
		_, err := io.WriteString(out, b.String())
		return err
	}
	b.WriteString("\n" + p.Diff)
	if p.Diff != "" {
		b.WriteString("\n")
	}
	for _, group := range []struct {
		word  string
		stops []scan.Stop
	}{{"written", p.Written}, {"stopped", p.Stopped}, {"by hand", p.Left}} {
		for i, s := range group.stops {
			if i > 0 && sameStop(group.stops[i-1], s) {
				continue
			}
			at := s.Operation
			if n := len(slices.DeleteFunc(slices.Clone(group.stops[i:]), func(o scan.Stop) bool { return !sameStop(s, o) })); n > 1 {
				at += fmt.Sprintf(" and %d more", n-1)
			}
			fmt.Fprintf(&b, "%-8s %s %s %s\n         %s\n", group.word, s.Finding, s.Check, at, s.Says)
		}
	}
	for _, n := range p.Notes {
		fmt.Fprintf(&b, "note     %s\n", n)
	}
	switch {
	case p.Diff == "":
		fmt.Fprintf(&b, "%s: nothing had to be added\n", p.File)
	default:
		names := []string{p.File}
		for _, f := range p.Beside {
			names = append(names, f.Name)
		}
		fmt.Fprintf(&b, "wrote %s; rehearse it: parley guard --try traffic.har -c %s\n", strings.Join(names, ", "), p.File)
	}
	for line := range strings.Lines(b.String()) {
		if _, err := io.WriteString(out, report.Visible(strings.TrimSuffix(line, "\n"))+"\n"); err != nil {
			return err
		}
	}
	return nil
}
