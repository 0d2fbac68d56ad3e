package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	calls "github.com/parley-project/parley/call/run"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/report"
	"github.com/parley-project/parley/scan"
)

// recall takes from the last result what was given then, where nothing else is
// given now.
//
// A result says whom to ask, by what rules, and which files and variables hold
// the credentials for it: one that came with somebody's folder is not followed.
func (o *scanOptions) recall() error {
	name := resultFile(o.store)
	d, err := readResult(name)
	if err != nil {
		return err
	}
	if info, err := os.Lstat(name); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return &hintError{fmt.Errorf("%s may be read or written by others, so it is none that a scan wrote here", name),
			"scan again; or look at target and how in it, then chmod 600 " + name, exitUsage}
	}
	f := d.Find(o.replay)
	if f == nil {
		var ids []string
		for _, f := range d.Findings[:min(len(d.Findings), 8)] {
			ids = append(ids, f.ID+" "+f.Check)
		}
		hint := "it found nothing"
		if len(ids) > 0 {
			hint = "it found " + strings.Join(ids, ", ")
		}
		return &usageError{fmt.Sprintf("--replay: the last scan has no finding %q", o.replay), hint}
	}
	o.earlier = d
	h := d.How
	if o.api == "" && o.config == "" && len(o.from) == 0 && o.fromStore == "" {
		o.api, o.config, o.from, o.fromStore = h.API, h.Config, h.From, h.FromStore
	}
	if len(o.as) == 0 {
		o.as = h.As
	}
	for _, v := range []struct{ now, then *string }{{&o.scope, &h.Scope}, {&o.cacert, &h.CACert}, {&o.proxy, &h.Proxy}, {&o.http, &h.HTTP}, {&o.signingKey, &h.Signing}} {
		if *v.now == "" {
			*v.now = *v.then
		}
	}
	if o.cert == "" {
		o.cert, o.key = h.Cert, h.Key
	}
	if len(o.resolve) == 0 {
		o.resolve = h.Resolve
	}
	o.noSignUp = o.noSignUp || h.NoSignUp
	return nil
}

// showAgain asks the one check at the one operation again, with objects of its
// own: those of the last scan are gone. It ends with 1 when the flaw is still
// there.
func (o *scanOptions) showAgain(c *cobra.Command, so scan.Options) error {
	ctx, stderr := c.Context(), c.ErrOrStderr()
	was := o.earlier.Find(o.replay)
	seen := &scanWitness{secrets: calls.NewMasker(false)}
	so.Only, so.Progress = []string{was.Check}, scanProgress(stderr)
	so.Recorder = learner{seen}
	so.Operations = was.Operations
	var res *scan.Result
	var now *scan.Finding
	for {
		var err error
		res, err = scan.Run(ctx, so)
		progress(stderr, "")
		if err != nil {
			return scanError(err, o)
		}
		now = same(res, was)
		if now != nil || so.Operations == nil || res.Incomplete != "" {
			break
		}
		// A check may need more than the one operation to come to it.
		so.Operations = nil
	}
	res.Mask(seen.masked, seen.secrets.Text)
	if now == nil {
		if err := o.outcome(ctx, &scan.Result{Target: res.Target, Incomplete: res.Incomplete}); err != nil {
			return err
		}
		if now = near(res, was); now == nil {
			fmt.Fprintf(c.OutOrStdout(), "%s  %s: not there any more\n%s\n", was.Check, report.Visible(was.Operation), requests(res))
			return nil
		}
	}
	if o.format == "json" {
		res.Findings = []*scan.Finding{now}
		if err := scan.JSON(c.OutOrStdout(), o.document(res)); err != nil {
			return err
		}
	} else if err := writeProof(c.OutOrStdout(), now, o.view(c.OutOrStdout())); err != nil {
		return err
	}
	if now.Verdict != exchange.Confirmed {
		say(stderr, "found", "likely, not proved: "+now.Missing)
		return &foundError{text: "it is still there, as far as can be told"}
	}
	return &foundError{text: "it is still there: " + now.Says()}
}

func requests(res *scan.Result) string {
	if res.Requests == 1 {
		return "1 request"
	}
	return fmt.Sprintf("%d requests", res.Requests)
}

// learner takes exchanges for their secrets alone.
type learner struct{ w *scanWitness }

func (l learner) Record(x *exchange.Exchange) { l.w.learn(x) }

// same is the finding of a result that is another one again.
func same(res *scan.Result, was *scan.Finding) *scan.Finding {
	for _, f := range res.Findings {
		if f.Fingerprint == was.Fingerprint {
			return f
		}
	}
	return nil
}

// near is a finding of the same flaw at the same place, shown by other people or
// by another part of the request.
func near(res *scan.Result, was *scan.Finding) *scan.Finding {
	for _, f := range res.Findings {
		if f.Check == was.Check && (f.Operation == was.Operation || slices.Contains(f.Operations, was.Operation)) {
			return f
		}
	}
	return nil
}

// writeProof shows a finding in full: each request and answer, with what tells
// pointed at, and the command that sends it.
func writeProof(out io.Writer, f *scan.Finding, v scan.View) error {
	width := v.Width
	if width == 0 {
		width = 80
	}
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "%s  %s   %s\n", f.Check, report.Visible(f.Operation), report.Visible(f.Says()))
	for _, e := range f.Evidence {
		fmt.Fprintf(w, "  saw: %s\n", report.Visible(e.String()))
	}
	r := report.New(report.Options{})
	r.Prove(proved(f))
	for _, e := range r.Entries() {
		if e.Proof == nil {
			continue
		}
		for i, s := range e.Proof.Steps {
			kind := "proof"
			if s.Control {
				kind = "control"
			}
			fmt.Fprintf(w, "\n%d  %s: %s\n", i+1, kind, s.Title)
			writeLines(w, s, s.RequestLines(), "> ", width)
			writeLines(w, s, s.ResponseLines(), "< ", width)
			if s.Curl != "" {
				for line := range strings.Lines(s.Curl) {
					fmt.Fprintf(w, "   %s\n", report.Visible(strings.TrimRight(line, "\n")))
				}
			}
		}
	}
	verdict := string(f.Verdict)
	if f.Missing != "" {
		verdict += ": " + report.Visible(f.Missing)
	}
	fmt.Fprintf(w, "\n%s, %s\n", f.Severity, verdict)
	return w.Flush()
}

// writeLines writes a message, and ^ under what is to be pointed at.
func writeLines(w io.Writer, s *report.ProofStep, ls []report.Line, lead string, width int) {
	for _, l := range ls {
		text := l.Text
		if r := []rune(text); len(r) > width-len(lead)-3 && s.Point(text) == "" {
			text = string(r[:width-len(lead)-4]) + "…"
		}
		fmt.Fprintf(w, "   %s%s\n", lead, text)
		if under := s.Point(l.Text); under != "" {
			fmt.Fprintf(w, "   %s%s\n", strings.Repeat(" ", len(lead)), under)
		}
	}
}
