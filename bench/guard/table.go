package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// A table is the outcome: a row for each peer, in the order of the list.
type table struct{ rows []row }

type row struct {
	name, does        string
	best, median      float64 // CPU µs per request
	toNginx, toCombo  float64 // of the bests; 0 when not measured
	perSecond         float64
	p50, p99          float64 // µs
	rss               float64 // MB
	requests, records int
}

func newTable(peers []*peer, figures map[string][]turn) *table {
	t := &table{}
	for _, p := range peers {
		r := row{name: p.name, does: p.does}
		var micros, rates []float64
		for _, f := range figures[p.name] {
			micros = append(micros, f.micros())
			rates = append(rates, float64(f.load.Requests)/f.load.Took.Seconds())
			r.requests += f.load.Requests
			r.records += f.recorded
			r.rss = max(r.rss, float64(f.rss)/1e6)
			if us := float64(f.load.P50.Microseconds()); r.p50 == 0 || us < r.p50 {
				r.p50, r.p99 = us, float64(f.load.P99.Microseconds())
			}
		}
		slices.Sort(micros)
		r.best, r.median, r.perSecond = micros[0], micros[len(micros)/2], slices.Max(rates)
		t.rows = append(t.rows, r)
	}
	best := map[string]float64{}
	for _, r := range t.rows {
		best[r.name] = r.best
	}
	for i := range t.rows {
		r := &t.rows[i]
		r.toNginx = r.best / best["nginx"]
		if c := best["combination"]; c > 0 {
			r.toCombo = r.best / c
		}
	}
	return t
}

var headings = []string{"peer", "CPU µs/request best", "median", "× nginx", "× combination", "req/s", "p50 µs", "p99 µs", "RSS MB", "recorded", "does"}

func (r row) cells() []string {
	recorded := "-"
	if r.records > 0 {
		recorded = fmt.Sprintf("%d, 0 lost", r.records)
	}
	ratio := "-"
	if r.toCombo > 0 {
		ratio = fmt.Sprintf("%.2f", r.toCombo)
	}
	return []string{r.name, fmt.Sprintf("%.1f", r.best), fmt.Sprintf("%.1f", r.median), fmt.Sprintf("%.2f", r.toNginx), ratio,
		fmt.Sprintf("%.0f", r.perSecond), fmt.Sprintf("%.0f", r.p50), fmt.Sprintf("%.0f", r.p99), fmt.Sprintf("%.0f", r.rss), recorded, r.does}
}

func (t *table) text() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(headings, "\t"))
	for _, r := range t.rows {
		fmt.Fprintln(w, strings.Join(r.cells(), "\t"))
	}
	w.Flush()
	return b.String() + t.verdict()
}

func (t *table) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(headings, " | "), strings.Repeat("---|", len(headings)))
	for _, r := range t.rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(r.cells(), " | "))
	}
	return b.String() + t.verdict()
}

// The bars that guard is to stay under.
const (
	maxToNginx = 6.0
	maxToCombo = 0.5
)

func (t *table) verdict() string {
	for _, r := range t.rows {
		if r.name == "guard all" {
			return fmt.Sprintf("\nguard all: %.2f × nginx (want at most %g), %.2f × the combination (want at most %g): %s\n",
				r.toNginx, maxToNginx, r.toCombo, maxToCombo, reached(r.toNginx <= maxToNginx && r.toCombo > 0 && r.toCombo <= maxToCombo))
		}
	}
	return ""
}

func reached(ok bool) string {
	if ok {
		return "reached"
	}
	return "NOT reached"
}
