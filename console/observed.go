package console

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/filter"
)

// Limits of what is gathered of recorded traffic.
const (
	maxObserved = 50_000 // exchanges with findings, the newest ones
	maxGroups   = 2000
)

// observed are the findings of recorded exchanges, grouped by check and
// operation; what was recorded since is added at each look.
type observed struct {
	turn   chan struct{} // held by whoever reads
	follow follower
	groups map[observedKey]*observedView
	full   bool // there were more groups than are kept
}

type observedKey struct{ check, operation string }

// An observedView is what a check found at an operation, however often.
type observedView struct {
	Check     string              `json:"check"`
	Operation string              `json:"operation,omitempty"`
	Severity  exchange.Severity   `json:"severity"`
	Verdict   exchange.Verdict    `json:"verdict"`
	Step      exchange.Step       `json:"step"`
	Count     int                 `json:"count"`
	Evidence  []exchange.Evidence `json:"evidence,omitempty"` // of the last
	Last      exchange.ID         `json:"last"`               // the newest exchange that has it
	At        time.Time           `json:"at"`
	People    []string            `json:"people,omitempty"` // who asked, some of them
	Filter    string              `json:"filter"`           // finds these exchanges
}

// observedFilter is what is looked at: what a scan found is told by the scan.
var observedFilter, _ = filter.New(filter.And{
	filter.Term{Key: "is", Op: filter.Is, Value: "finding"},
	filter.Not{Node: filter.Term{Key: "source", Op: filter.Is, Value: string(exchange.FromScan)}},
})

// observedFindings are what checks found in the exchanges of the store.
func (c *Console) observedFindings(w http.ResponseWriter, r *http.Request) {
	k := &c.observed
	v := struct {
		Findings []observedView          `json:"findings"`
		Reading  bool                    `json:"reading,omitempty"` // older ones are still to be read
		Cut      bool                    `json:"cut,omitempty"`     // there are more than are shown
		Read     int                     `json:"read"`
		Explain  map[string]*Explanation `json:"explain"`
	}{Explain: map[string]*Explanation{}}
	if !c.query(w, r, func(ctx context.Context) error {
		select {
		case k.turn <- struct{}{}:
			defer func() { <-k.turn }()
			if err := k.follow.more(ctx, c.source, k.add); err != nil {
				return err
			}
			v.Findings, v.Reading, v.Cut, v.Read = k.list(), k.follow.reading(), k.full || k.follow.full, k.follow.read
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}) {
		return
	}
	for i := range v.Findings {
		if e := c.explain(v.Findings[i].Check); e != nil {
			v.Explain[e.ID] = e
		}
	}
	writeJSON(w, v)
}

func (k *observed) add(x *exchange.Exchange) {
	who := "nobody"
	if p := x.Server.Caller; p != nil {
		who = cmp.Or(p.Name, string(p.Subject))
	}
	for i := range x.Findings {
		f := &x.Findings[i]
		key := observedKey{f.Check, x.Server.Operation}
		g := k.groups[key]
		if g == nil {
			if len(k.groups) == maxGroups {
				k.full = true
				continue
			}
			if k.groups == nil {
				k.groups = map[observedKey]*observedView{}
			}
			g = &observedView{Check: f.Check, Operation: x.Server.Operation, Severity: f.Severity, Verdict: f.Verdict, Step: f.Step, Filter: observedText(key)}
			k.groups[key] = g
		}
		g.Count++
		g.Severity = max(g.Severity, f.Severity)
		if f.Verdict == exchange.Confirmed {
			g.Verdict = f.Verdict
		}
		if g.Last == "" || x.Start.After(g.At) {
			g.Last, g.At, g.Evidence = x.ID, x.Start, f.Evidence[:min(len(f.Evidence), 12)]
		}
		if len(g.People) < 8 && !slices.Contains(g.People, who) {
			g.People = append(g.People, who)
			slices.Sort(g.People)
		}
	}
}

// observedText is the filter that finds the exchanges of a group.
func observedText(k observedKey) string {
	ts := filter.And{filter.Term{Key: "is", Op: filter.Is, Value: "finding"}, filter.Term{Key: "check", Op: filter.Is, Value: k.check}}
	if k.operation != "" {
		ts = append(ts, filter.Term{Key: "operation", Op: filter.Is, Value: k.operation})
	}
	return filter.Text(append(ts, filter.Not{Node: filter.Term{Key: "source", Op: filter.Is, Value: string(exchange.FromScan)}}))
}

// list is in the order of a scan's findings: confirmed first, then the worst.
func (k *observed) list() []observedView {
	vs := make([]observedView, 0, len(k.groups))
	for _, g := range k.groups {
		v := *g
		v.People = slices.Clone(g.People)
		vs = append(vs, v)
	}
	sure := func(v exchange.Verdict) int {
		return slices.Index([]exchange.Verdict{exchange.Confirmed, exchange.Likely}, v) & 3
	}
	slices.SortFunc(vs, func(a, b observedView) int {
		return cmp.Or(cmp.Compare(sure(a.Verdict), sure(b.Verdict)), cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Check, b.Check), cmp.Compare(a.Operation, b.Operation))
	})
	return vs
}
