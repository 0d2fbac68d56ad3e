// Offers measures how long it takes to find out all that a TLS server takes:
// `parley trace --deep` beside sslscan, on the same server, in turns.
//
// The servers are nginx and openssl s_server with all that their OpenSSL has,
// so that neither side meets code of its own. Before anything is measured, both
// must find the same suites.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/parley-project/parley/internal/needs"
)

func main() {
	rounds := flag.Int("rounds", 9, "how often each takes its turn")
	parley := flag.String("parley", "", "a parley `program` to measure (default: built from this checkout)")
	markdown := flag.Bool("markdown", false, "print the table as Markdown, for a page")
	atLeast := flag.Float64("at-least", 0, "fail when sslscan takes less than this many times as long")
	flag.Parse()
	rows, err := measure(*rounds, ".", *parley)
	if err == nil {
		print(rows, *rounds, *markdown)
		err = tooSlow(rows, *atLeast)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: error:", err)
		os.Exit(1)
	}
}

// A row is what one way to ask took on one server.
type row struct {
	server, who, does string
	suites            int
	took              []time.Duration
}

func (r *row) median() time.Duration {
	t := slices.Sorted(slices.Values(r.took))
	return t[len(t)/2]
}

// ratio is how many times as long it took as parley's question alone.
func (r *row) ratio(base *row) float64 { return float64(r.median()) / float64(base.median()) }

// measure lets all take turns on each server. The module's folder is where
// parley is built from.
func measure(rounds int, module, parley string) ([]*row, error) {
	sslscan := needs.Find("sslscan")
	if sslscan == "" {
		return nil, errors.New("sslscan is not on this machine: make deps")
	}
	dir, err := os.MkdirTemp("", "parley-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if parley == "" {
		parley = filepath.Join(dir, "parley")
		if err := build(parley, filepath.Join(module, "..")); err != nil {
			return nil, err
		}
	}
	var rows []*row
	for _, s := range servers {
		of, err := onServer(s, dir, rounds, parley, sslscan)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		rows = append(rows, of...)
	}
	return rows, nil
}

func onServer(s server, dir string, rounds int, parley, sslscan string) ([]*row, error) {
	address, stop, err := s.start(dir)
	if err != nil {
		return nil, err
	}
	defer stop()
	rows := []*row{
		{server: s.name, who: "Offers", does: "the question inside of the program"},
		{server: s.name, who: "parley trace --deep", does: "the whole program, which also makes a call and judges it"},
		{server: s.name, who: "sslscan", does: "as it comes"},
		{server: s.name, who: "sslscan, same questions", does: "without Heartbleed and the certificate"},
		{server: s.name, who: "sslscan, suites only", does: "without groups, compression, renegotiation and fallback as well"},
	}
	same := []string{"--no-heartbleed", "--no-check-certificate"}
	only := append(slices.Clone(same), "--no-groups", "--no-compression", "--no-renegotiation", "--no-fallback")
	for round := range rounds + 1 { // the first one warms up and is thrown away
		turns := []func() error{
			func() error {
				began := time.Now()
				o, err := runParley(parley, address)
				if err != nil {
					return err
				}
				rows[1].note(time.Since(began), o.suites())
				rows[0].note(o.Time, o.suites())
				if o.Incomplete != "" {
					return fmt.Errorf("parley: %s", o.Incomplete)
				}
				return nil
			},
			func() error { return rows[2].scan(sslscan, address) },
			func() error { return rows[3].scan(sslscan, address, same...) },
			func() error { return rows[4].scan(sslscan, address, only...) },
		}
		for i := range turns { // nobody always runs behind the same other
			if err := turns[(i+round)%len(turns)](); err != nil {
				return nil, err
			}
		}
		for _, r := range rows {
			if r.suites != rows[0].suites {
				return nil, fmt.Errorf("%s found %d suites, %s %d", rows[0].who, rows[0].suites, r.who, r.suites)
			}
			if round == 0 {
				r.took = nil
			}
		}
	}
	return rows, nil
}

func (r *row) note(took time.Duration, suites int) {
	r.took, r.suites = append(r.took, took), suites
}

func (r *row) scan(program, address string, args ...string) error {
	began := time.Now()
	suites, err := runSSLScan(program, address, args)
	r.note(time.Since(began), suites)
	return err
}

func print(rows []*row, rounds int, markdown bool) {
	if markdown {
		fmt.Printf("\n## What a server takes, asked\n\n%s\n- command: `make bench-offers`, %d rounds\n\n", needs.Machine(), rounds)
		fmt.Println("| server | asked by | suites | median ms | × Offers | does |\n|---|---|---|---|---|---|")
	} else {
		fmt.Printf("\n%s\n\n", strings.ReplaceAll(needs.Machine(), "- ", "  "))
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	format := "%s\t%s\t%s\t%s\t%s\t%s\n"
	if markdown {
		format = "| %s | %s | %s | %s | %s | %s |\n"
	} else {
		fmt.Fprintf(w, format, "server", "asked by", "suites", "median ms", "× Offers", "does")
	}
	var base *row
	for _, r := range rows {
		if base == nil || base.server != r.server {
			base = r
		}
		fmt.Fprintf(w, format, r.server, r.who, fmt.Sprint(r.suites), fmt.Sprintf("%.1f", float64(r.median().Microseconds())/1000),
			fmt.Sprintf("%.1f", r.ratio(base)), r.does)
	}
	w.Flush()
}

// tooSlow says which server sslscan was asked for in less than n times the
// time.
func tooSlow(rows []*row, n float64) error {
	for i, r := range rows {
		if r.who == "sslscan" && r.ratio(rows[i-2]) < n {
			return fmt.Errorf("%s: sslscan takes %.1f times as long, want %.1f", r.server, r.ratio(rows[i-2]), n)
		}
	}
	return nil
}
