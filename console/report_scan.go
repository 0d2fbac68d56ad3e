package console

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/report"
	"github.com/parley-project/parley/scan"
	"github.com/parley-project/parley/store"
)

// fillScan adds what a scan found: each finding on the exchange that tells, as
// the store has it. Of one that the store does not have (any more) the request
// line stands. What is suppressed or known is left out.
func (c *Console) fillScan(ctx context.Context, out *report.Report, res *scan.Result) error {
	for _, f := range res.Findings {
		if !f.Counts() {
			continue
		}
		x, err := c.telling(ctx, f)
		if err != nil {
			return err
		}
		own := *x
		own.Actions, own.Server.Operation = nil, f.Operation
		own.Findings = []exchange.Finding{{Check: f.Check, Severity: f.Severity, Verdict: f.Verdict, Step: f.Step, Evidence: f.Evidence, Fingerprint: f.Fingerprint}}
		out.Add(&own)
	}
	return nil
}

// telling is the last exchange of a finding's proof.
func (c *Console) telling(ctx context.Context, f *scan.Finding) (*exchange.Exchange, error) {
	if len(f.Proof) == 0 {
		return &exchange.Exchange{Source: exchange.FromScan}, nil
	}
	p := f.Proof[len(f.Proof)-1]
	x, err := c.source.Get(ctx, p.Exchange)
	if err == nil || !errors.Is(err, store.ErrNotFound) {
		return x, err
	}
	method, target, _ := strings.Cut(p.Request, " ")
	x = &exchange.Exchange{ID: p.Exchange, Source: exchange.FromScan, Request: exchange.Request{Method: method, Target: target}}
	if p.Status != 0 {
		x.Response = &exchange.Response{Status: p.Status}
	}
	return x, nil
}

// reported fills a report with a scan's findings, or with the list's.
func (c *Console) reported(w http.ResponseWriter, r *http.Request, out *report.Report) bool {
	if r.URL.Query().Has("scan") {
		_, res := c.named(w, r)
		return res != nil && c.query(w, r, func(ctx context.Context) error { return c.fillScan(ctx, out, res) })
	}
	q, ok := rowsQuery(w, r)
	if !ok {
		return false
	}
	q.Limit, q.After = maxRows, 0
	return c.query(w, r, func(ctx context.Context) error { return c.fill(ctx, out, q) })
}
