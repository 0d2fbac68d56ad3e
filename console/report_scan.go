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

// fillScan adds what a scan found, each finding with its proof, as the store has
// it. Of an exchange that the store does not have (any more) the request line
// stands.
func (c *Console) fillScan(ctx context.Context, out *report.Report, s *Scan, res *scan.Result) error {
	out.Exchanges, out.Incomplete = res.Requests, res.Incomplete
	for _, f := range res.Findings[:min(len(res.Findings), maxFindings)] {
		p := report.Proved{Finding: exchange.Finding{Check: f.Check, Severity: f.Severity, Verdict: f.Verdict, Step: f.Step, Evidence: f.Evidence, Fingerprint: f.Fingerprint},
			Operation: f.Operation, Operations: f.Operations, Count: f.Count, Marks: f.Marks,
			Proof: report.Proof{Says: f.Says(), Parameter: f.Parameter, By: f.By, Of: f.Of, Missing: f.Missing, Suppressed: f.Suppressed, Known: f.Known, Again: s.replay() + " " + f.ID}}
		for i := range f.Proof {
			x, err := c.shown(ctx, &f.Proof[i])
			if err != nil {
				return err
			}
			p.Exchanges, p.Curl = append(p.Exchanges, x), append(p.Curl, f.Proof[i].Curl)
		}
		out.Prove(p)
	}
	return nil
}

// shown is an exchange of a proof, marked when it is a control.
func (c *Console) shown(ctx context.Context, p *scan.Shown) (*exchange.Exchange, error) {
	var own exchange.Exchange
	x, err := c.source.Get(ctx, p.Exchange)
	switch {
	case err == nil:
		own = *x
	case errors.Is(err, store.ErrNotFound):
		method, target, _ := strings.Cut(p.Request, " ")
		own = exchange.Exchange{ID: p.Exchange, Source: exchange.FromScan, Request: exchange.Request{Method: method, Target: target}}
		if p.Status != 0 {
			own.Response = &exchange.Response{Status: p.Status}
		}
	default:
		return nil, err
	}
	if p.Control {
		own.Links = append(own.Links[:len(own.Links):len(own.Links)], exchange.Link{Kind: exchange.Control})
	}
	return &own, nil
}

// reported fills a report with a scan's findings, or with the list's.
func (c *Console) reported(w http.ResponseWriter, r *http.Request, out *report.Report) bool {
	if r.URL.Query().Has("scan") {
		s, res := c.named(w, r)
		return res != nil && c.query(w, r, func(ctx context.Context) error { return c.fillScan(ctx, out, s, res) })
	}
	q, ok := rowsQuery(w, r)
	if !ok {
		return false
	}
	q.Limit, q.After = maxRows, 0
	return c.query(w, r, func(ctx context.Context) error { return c.fill(ctx, out, q) })
}
