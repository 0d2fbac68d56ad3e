// Guard measures what guard costs beside its peers, in one run on one machine:
// CPU microseconds per request of the whole proxy process.
//
// Requests per second and latencies depend on what else the machine does, and
// here the generator and the upstream run on it too; ratios between peers
// that took turns hold far better. README.md says how to read the table.
package main

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/parley-project/parley/bench/load"
	"github.com/parley-project/parley/bench/stage"
	"github.com/parley-project/parley/internal/needs"
)

func main() {
	b := &bench{}
	flag.IntVar(&b.rounds, "rounds", 5, "how often each peer takes its turn")
	flag.IntVar(&b.requests, "requests", 40_000, "requests measured in each turn")
	flag.IntVar(&b.connections, "connections", 64, "connections kept alive")
	only := flag.String("only", "", "measure only peers that match this `expression`")
	noGuard := flag.Bool("no-guard", false, "leave guard out: nginx and the combination alone")
	flag.BoolVar(&b.markdown, "markdown", false, "print the table as Markdown, for a page")
	flag.BoolVar(&b.keep, "keep", false, "keep the folder with configurations and stores")
	parley := flag.String("parley", "", "a parley `program` to measure (default: built from this checkout)")
	flag.Parse()
	b.module = "."
	table, err := b.main(*only, *parley, *noGuard)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: error:", err)
		os.Exit(1)
	}
	if b.markdown {
		fmt.Printf("\n## What guard costs\n\n%s\n- command: `make bench-guard`, %d rounds of %d requests, %d connections\n\n%s",
			needs.Machine(), b.rounds, b.requests, b.connections, table.markdown())
		return
	}
	fmt.Printf("\n%s\n\n%s", strings.ReplaceAll(needs.Machine(), "- ", "  "), table.text())
}

type bench struct {
	rounds, requests, connections int
	markdown, keep                bool

	module       string // where this module lies
	dir          string // keys, and a folder for each peer
	keys         *stage.Keys
	upstreamPort int
	count        string // the program that counts exchanges
}

func (b *bench) upstreamURL() string { return fmt.Sprintf("http://127.0.0.1:%d", b.upstreamPort) }

func (b *bench) main(only, parley string, noGuard bool) (t *table, err error) {
	nginx := needs.Find("nginx")
	if nginx == "" {
		return nil, errors.New("nginx is not on this machine: make deps")
	}
	match, err := regexp.Compile(only)
	if err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp("", "parley-bench-"); err != nil {
		return nil, err
	}
	if b.keep {
		fmt.Fprintln(os.Stderr, "bench: everything is in", b.dir)
	} else {
		defer os.RemoveAll(b.dir)
	}
	// nginx gives up root's rights in its workers, which must still reach
	// what lies here.
	if err := os.Chmod(b.dir, 0o755); err != nil {
		return nil, err
	}
	combo := filepath.Join(b.dir, "combo")
	if err := build(combo, b.module, "./combo"); err != nil {
		return nil, err
	}
	if !noGuard {
		b.count = filepath.Join(b.dir, "count")
		if err := build(b.count, b.module, "./count"); err != nil {
			return nil, err
		}
		if parley == "" {
			parley = filepath.Join(b.dir, "parley")
			if err := build(parley, filepath.Join(b.module, ".."), "./cmd/parley"); err != nil {
				return nil, err
			}
		}
	}
	if b.keys, err = stage.MakeKeys(b.dir); err != nil {
		return nil, err
	}
	if b.upstreamPort, err = freePort(); err != nil {
		return nil, err
	}
	dir, err := b.folder("upstream")
	if err != nil {
		return nil, err
	}
	upstream, err := b.startNginx(nginx, dir, stage.UpstreamConf(dir, b.upstreamPort))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, upstream.stop()) }()
	if err := upstream.listening(b.upstreamPort); err != nil {
		return nil, err
	}

	var peers []*peer
	for _, p := range b.peers(nginx, combo, parley) {
		if p.name == "nginx" || match.MatchString(p.name) { // ratios need nginx
			peers = append(peers, p)
		}
	}
	figures := map[string][]turn{}
	for round := range b.rounds {
		// The order changes from round to round, so that nobody always runs
		// behind the same other.
		order := rand.Perm(len(peers))
		for _, i := range order {
			p := peers[i]
			t, err := b.turn(p, round)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.name, err)
			}
			fmt.Fprintf(os.Stderr, "bench: round %d of %d  %-14s %7.1f µs\n", round+1, b.rounds, p.name, t.micros())
			figures[p.name] = append(figures[p.name], t)
		}
	}
	return newTable(peers, figures), nil
}

func (b *bench) folder(name string) (string, error) {
	dir, err := os.MkdirTemp(b.dir, strings.ReplaceAll(name, " ", "-")+"-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o777)
}

// options are what the generator is told of a peer.
func (b *bench) options(p *peer, port int) load.Options {
	o := load.Options{
		Address: fmt.Sprintf("127.0.0.1:%d", port), ServerName: stage.ServerTLS, Roots: b.keys.Roots,
		Connections: b.connections, Requests: b.requests,
	}
	message := func(x stage.Exchange) load.Message {
		m := load.Message{Request: x.Request, Status: x.Status, Has: x.Has}
		for _, u := range stage.Undeclared {
			if p.filters {
				m.HasNot = append(m.HasNot, []byte(u))
			}
		}
		return m
	}
	// GET and POST by turns, and the tokens in turn.
	for i, token := range b.keys.Tokens {
		o.Messages = append(o.Messages, message(stage.Get(i, token)), message(stage.Post(i, token)))
	}
	return o
}
