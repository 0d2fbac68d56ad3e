package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/parley-project/parley/report"
	"github.com/parley-project/parley/scan"
)

func scanCommand() *cobra.Command {
	var o scanOptions
	c := &cobra.Command{
		Use:   "scan URL",
		Short: "ask an API what an attacker would, as two people",
		Long: "Asks an API the questions an attacker would, as two people, and proves what it finds:\n" +
			"with a text that only the victim planted, or a change that the victim reads back.\n" +
			"It changes nothing but what it made, and takes that away again.\n\n" +
			"Only this machine is scanned, and the hosts in a --scope file. What is confirmed\n" +
			"counts; what is likely is told with the control that is missing.",
		Example: "  parley scan --api openapi.yaml --as priya=@priya.txt --as rajan=@rajan.txt http://localhost:9000\n" +
			"  parley scan -c parley.yaml https://localhost:8443 --format sarif > parley.sarif\n" +
			"  parley scan --from recording.har --as priya=env:PRIYA --as rajan=env:RAJAN http://localhost:9000\n" +
			"  parley scan -c parley.yaml http://localhost:9000 --baseline known.yaml\n" +
			"  parley scan -c parley.yaml http://localhost:9000 --write-policy parley.yaml\n" +
			"  parley scan --replay ab12cd34",
		Args: cobra.ArbitraryArgs,
	}
	o.flags(c)
	c.RunE = func(c *cobra.Command, args []string) error { return runScan(c, &o, args) }
	return c
}

func runScan(c *cobra.Command, o *scanOptions, args []string) (err error) {
	ctx, stderr := c.Context(), c.ErrOrStderr()
	if err := o.check(args); err != nil {
		return err
	}
	decided, err := o.decisions()
	if err != nil {
		return err
	}
	co, err := o.client()
	if err != nil {
		return err
	}
	if err := o.mayScan(ctx, o.target, &co); err != nil {
		return err
	}
	k, err := o.know(ctx, c.InOrStdin(), stderr)
	if err != nil {
		return err
	}
	defer k.close()
	if k.contract == nil {
		if o.dryRun {
			return &usageError{"--dry-run sends nothing, so nobody says what the API has", "give its description with --api openapi.yaml, or traffic with --from recording.har"}
		}
		if err := k.discover(ctx, o.base, co, stderr); err != nil {
			return err
		}
	}
	so, err := o.options(ctx, k, co)
	if err != nil {
		return err
	}
	if o.dryRun {
		return o.plan(ctx, c.OutOrStdout(), so)
	}
	if err := os.MkdirAll(filepath.Dir(o.journal), 0o700); err != nil {
		return &hintError{err, "name another file with --journal FILE", exitIncomplete}
	}
	so.Journal = o.journal
	if o.cleanup {
		return o.cleanUp(ctx, c.OutOrStdout(), stderr, so)
	}
	if o.replay != "" {
		return o.showAgain(c, so)
	}
	seen, err := o.openWitness()
	if err != nil {
		return err
	}
	so.Recorder = seen
	so.Progress = scanProgress(stderr)
	res, err := scan.Run(ctx, so)
	progress(stderr, "")
	if err != nil {
		return errors.Join(scanError(err, o), seen.close(nil))
	}
	res.Mask(seen.masked, seen.secrets.Text)
	decided.apply(res, stderr)
	if err := seen.close(res); err != nil {
		return err
	}
	tellPeople(stderr, res)
	return o.finish(c, k, res)
}

// finish writes the result wherever it was asked for.
func (o *scanOptions) finish(c *cobra.Command, k *known, res *scan.Result) error {
	doc := o.document(res)
	if err := o.keep(doc); err != nil {
		return err
	}
	if o.write != "" {
		if err := o.writeBaseline(res); err != nil {
			return err
		}
	}
	if o.har != "" {
		if err := writeHAR(o.har, res.Exchanges()); err != nil {
			return err
		}
	}
	if err := o.print(c.OutOrStdout(), k, doc); err != nil {
		return err
	}
	told := c.OutOrStdout()
	if o.format != "text" {
		told = c.ErrOrStderr()
	}
	if err := o.policy.write(told, res); err != nil {
		return err
	}
	return o.outcome(c.Context(), res)
}

// exit is the code that a result ends with: one that is not complete comes
// before what was found on the way.
func (o *scanOptions) exit(res *scan.Result) int {
	switch {
	case res.Incomplete == "it was interrupted":
		return exitInterrupted
	case res.Incomplete != "":
		return exitIncomplete
	case res.Confirmed(o.severity) > 0:
		return exitFound
	}
	return 0
}

func (o *scanOptions) outcome(ctx context.Context, res *scan.Result) error {
	switch o.exit(res) {
	case exitInterrupted:
		return context.Canceled
	case exitIncomplete:
		return &hintError{fmt.Errorf("the scan is not complete: %s", report.Visible(res.Incomplete)), incompleteHint(res), exitIncomplete}
	case exitFound:
		return &foundError{n: res.Confirmed(o.severity), on: o.severity}
	}
	return nil
}

func incompleteHint(res *scan.Result) string {
	switch res.Incomplete {
	case "the budget of requests is used up":
		return "raise it with --requests N, or ask less with --only"
	case "the time for it is over":
		return "give it more with --time, or ask less with --only"
	}
	return "does the API run well? parley trace " + res.Target + " shows how far a call gets"
}

// plan says what would be sent.
func (o *scanOptions) plan(ctx context.Context, out io.Writer, so scan.Options) error {
	p, err := scan.PlanOf(ctx, so)
	if err != nil {
		return scanError(err, o)
	}
	if o.format == "json" {
		return indented(out, p)
	}
	return scan.WritePlan(out, p, o.view(out))
}

// cleanUp undoes what the journal of a broken-off scan remembers.
func (o *scanOptions) cleanUp(ctx context.Context, out, stderr io.Writer, so scan.Options) error {
	if _, err := os.Stat(o.journal); err != nil {
		fmt.Fprintf(out, "nothing is left to be undone: there is no %s\n", o.journal)
		return nil
	}
	so.Progress = scanProgress(stderr)
	u, err := scan.CleanUp(ctx, so)
	progress(stderr, "")
	if err != nil {
		return scanError(err, o)
	}
	fmt.Fprintf(out, "%d undone\n", u.Done)
	for _, l := range u.Left {
		fmt.Fprintf(out, "left: %s: nobody who asks may take it away\n", report.Visible(newMasker().Text(l)))
	}
	if len(u.Failed) > 0 {
		for _, f := range u.Failed {
			fmt.Fprintf(out, "left: %s\n", report.Visible(newMasker().Text(f)))
		}
		return &hintError{fmt.Errorf("%d could not be undone", len(u.Failed)), "undo them by hand, then remove " + o.journal, exitIncomplete}
	}
	if err := os.Remove(o.journal); err != nil {
		return err
	}
	return nil
}
