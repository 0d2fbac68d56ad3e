package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/config"
	"github.com/parley-project/parley/scan"
)

// Two files say what does not count. A baseline has what was found before, and
// is written by --write-baseline; a list of suppressions is written by hand, and
// may stand in the baseline too. Whatever does not count stays to be seen.

// baselineSchema names the form of a baseline.
const baselineSchema = "parley.baseline/1"

type baselineFile struct {
	Schema   string         `yaml:"schema"`
	Target   string         `yaml:"target"`
	Known    []knownFinding `yaml:"known"`
	Suppress []suppressed   `yaml:"suppress"`
}

type knownFinding struct {
	ID        string `yaml:"id"`
	Check     string `yaml:"check"`
	Operation string `yaml:"operation"`
	Verdict   string `yaml:"verdict"`
}

type suppressed struct {
	ID     string `yaml:"id"`
	Reason string `yaml:"reason"`
	Until  string `yaml:"until"`
}

// decisions are what the two files say.
type decisions struct {
	known    map[string]exchange.Verdict
	suppress []scan.Suppression
}

func (o *scanOptions) decisions() (*decisions, error) {
	d := &decisions{}
	if o.baseline != "" {
		s, err := config.Read(o.baseline)
		if err != nil {
			return nil, err
		}
		var b baselineFile
		if err := s.Decode(&b); err != nil {
			return nil, err
		}
		if b.Schema != baselineSchema {
			return nil, s.Errorf("parley scan URL --write-baseline "+o.baseline+" writes one", "schema is %q, not %s", b.Schema, baselineSchema)
		}
		d.known = map[string]exchange.Verdict{}
		for _, k := range b.Known {
			d.known[k.ID] = exchange.Verdict(k.Verdict)
		}
		if err := d.add(s, b.Suppress); err != nil {
			return nil, err
		}
	}
	if o.suppress == "" {
		return d, nil
	}
	s, err := config.Read(o.suppress)
	if err != nil {
		return nil, err
	}
	var list []suppressed
	if s.Kind() == "list" {
		err = s.Decode(&list)
	} else {
		var b struct {
			Suppress []suppressed `yaml:"suppress"`
		}
		err = s.Decode(&b)
		list = b.Suppress
	}
	if err != nil {
		return nil, err
	}
	return d, d.add(s, list)
}

func (d *decisions) add(s config.Section, list []suppressed) error {
	for i, x := range list {
		nth := fmt.Sprintf("suppression %d", i+1)
		if x.ID != "" {
			nth = "suppression of " + x.ID
		}
		switch {
		case len(x.ID) < 8:
			return s.Errorf("id: a finding's fingerprint, or its check and operation: 'authz-object GET /v1/orders/{id}'", "%s: there is no id of at least 8 characters", nth)
		case x.Reason == "":
			return s.Errorf("write why it is lived with: reason: …", "%s: there is no reason", nth)
		}
		one := scan.Suppression{ID: x.ID, Reason: x.Reason}
		if x.Until != "" {
			t, err := time.Parse(time.DateOnly, x.Until)
			if err != nil {
				return s.Errorf("until: 2027-01-31", "%s: until is no date: %q", nth, x.Until)
			}
			one.Until = t
			one.Reason += " (until " + x.Until + ")"
		}
		d.suppress = append(d.suppress, one)
	}
	return nil
}

// apply marks what does not count, and says which decisions have no more effect.
func (d *decisions) apply(res *scan.Result, stderr io.Writer) {
	if d.known != nil {
		res.Know(d.known)
	}
	expired, unused := res.Suppress(d.suppress, time.Now())
	for _, s := range expired {
		say(stderr, "warning", fmt.Sprintf("the suppression of %s has expired on %s: it counts again", s.ID, s.Until.Format(time.DateOnly)))
	}
	for _, s := range unused {
		if res.Incomplete == "" && !res.Partial {
			say(stderr, "hint", fmt.Sprintf("nothing was found of %s: its suppression can go", s.ID))
		}
	}
}

// writeBaseline writes what was found: the same findings are known next time.
func (o *scanOptions) writeBaseline(res *scan.Result) error {
	keep, err := o.suppressedThere()
	if err != nil {
		return err
	}
	if res.Incomplete != "" {
		return &hintError{fmt.Errorf("%s is not written: the scan is not complete", o.write), "a baseline of half a scan would call the other half new", exitIncomplete}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# What parley scan found, and is known. It does not count with --baseline %s.\n", o.write)
	fmt.Fprintf(&b, "schema: %s\ntarget: %s\nknown:", baselineSchema, strconv.Quote(res.Target))
	if len(res.Findings) == 0 {
		fmt.Fprint(&b, " []")
	}
	b.WriteByte('\n')
	for _, f := range res.Findings {
		fmt.Fprintf(&b, "  - {id: %q, check: %s, operation: %s, verdict: %s}\n", f.Fingerprint, f.Check, strconv.Quote(f.Operation), f.Verdict)
	}
	fmt.Fprintf(&b, "# Findings to live with, each with its reason:\n#   - {id: …, reason: …, until: 2027-01-31}\nsuppress:")
	if len(keep) == 0 {
		fmt.Fprint(&b, " []")
	}
	b.WriteByte('\n')
	for _, k := range keep {
		fmt.Fprintf(&b, "  - {id: %s, reason: %s", strconv.Quote(k.ID), strconv.Quote(k.Reason))
		if k.Until != "" {
			fmt.Fprintf(&b, ", until: %s", k.Until)
		}
		fmt.Fprint(&b, "}\n")
	}
	if err := writeSecret(o.write, b.Bytes()); err != nil {
		return &hintError{err, "the folder must be there", exitUsage}
	}
	return nil
}

// suppressedThere are the suppressions of the file that is written anew: they
// are somebody's own work.
func (o *scanOptions) suppressedThere() ([]suppressed, error) {
	if _, err := os.Stat(o.write); err != nil {
		return nil, nil
	}
	s, err := config.Read(o.write)
	if err != nil {
		return nil, err
	}
	var b baselineFile
	if err := s.Decode(&b); err != nil {
		return nil, err
	}
	return b.Suppress, nil
}
