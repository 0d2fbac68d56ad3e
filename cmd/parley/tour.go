package main

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/quic-go/quic-go/http3"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/parley-project/parley/example/shop"
)

func tourCommand() *cobra.Command {
	var only int
	c := &cobra.Command{
		Use:   "tour",
		Short: "the conversation, live, step by step",
		Long: fmt.Sprintf("Plays a conversation with the example shop in %d steps, through the parts of a\n", len(tourStops)) +
			"call in their order: each request once on the open address, where the flaws that it\n" +
			"is about are on, and once through guard. On a terminal it stops after each step.",
		Example: "  parley tour\n  parley tour --step 3\n  parley tour | less",
		Args:    cobra.NoArgs,
	}
	c.Flags().IntVar(&only, "step", 0, "play this step alone")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if c.Flags().Changed("step") && (only < 1 || only > len(tourStops)) {
			return &usageError{fmt.Sprintf("--step: there is no step %d", only), fmt.Sprintf("1 to %d", len(tourStops))}
		}
		return runTour(c, only)
	}
	return c
}

func runTour(c *cobra.Command, only int) error {
	ctx, stop := context.WithCancel(c.Context())
	defer stop()
	out := c.OutOrStdout()
	g := &guide{w: out, colour: colored(out)}
	if isTerminal(out) && isTerminal(c.InOrStdin()) && only == 0 {
		g.keys = bufio.NewReader(c.InOrStdin())
	}
	dir, err := os.MkdirTemp("", "parley-tour-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	progress(c.ErrOrStderr(), "starting the shop and guard")
	scenery, err := openScenery(dir)
	if err != nil {
		return err
	}
	defer scenery.close()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serveShop(ctx, scenery.staged.shop, scenery.staged.at) })
	group.Go(func() error { return scenery.stand.serve(ctx) })
	progress(c.ErrOrStderr(), "")

	err = g.walk(ctx, scenery, only)
	scenery.idle()
	stop()
	if werr := group.Wait(); err == nil {
		err = werr
	}
	return err
}

// scenery is what a tour leads through: the shop in the open, and guard before
// it, each spoken to over a client of its own.
type scenery struct {
	staged  *staged
	stand   *stand
	seen    *onlooker
	open    *http.Client
	guarded map[string]*http.Client // by version: "", "HTTP/1.1", "HTTP/2", "HTTP/3"
	h3      *http3.Transport
}

// openScenery takes the ports. The tour asks nobody for addresses: it takes
// what is free.
func openScenery(dir string) (_ *scenery, err error) {
	s := &scenery{seen: newOnlooker()}
	if s.staged, err = stageShop(dir, tourFlaws(), "127.0.0.1:0", "\nlisten: {address: \"127.0.0.1:0\", http: \"localhost:0\"}\n"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.stand, err = newStand(s.staged.contract, standOptions{dir: dir, recorder: s.seen, log: slog.New(slog.DiscardHandler)}); err != nil {
		return nil, err
	}
	config, err := trusting(s.stand.caFile)
	if err != nil {
		return nil, err
	}
	one := &http.Transport{TLSClientConfig: config.Clone()}
	two := &http.Transport{TLSClientConfig: config.Clone(), ForceAttemptHTTP2: true}
	s.h3 = &http3.Transport{TLSClientConfig: config.Clone()}
	s.open = &http.Client{Transport: &http.Transport{}}
	s.guarded = map[string]*http.Client{"": {Transport: two}, "HTTP/1.1": {Transport: one}, "HTTP/2": {Transport: two}, "HTTP/3": {Transport: s.h3}}
	return s, nil
}

// tourFlaws are the switches that the tour is about. Others would add to every
// answer what no step speaks of.
func tourFlaws() []string {
	var out []string
	for _, f := range shop.Flaws {
		if slices.ContainsFunc(tourStops, func(s tourStop) bool { return slices.Contains(s.checks, f.ID) }) {
			out = append(out, f.ID)
		}
	}
	return out
}

// idle ends the connections, so that servers need not wait for them.
func (s *scenery) idle() {
	s.open.CloseIdleConnections()
	for _, c := range s.guarded {
		c.CloseIdleConnections()
	}
	s.h3.Close()
}

func (s *scenery) close() {
	if s.stand != nil {
		s.stand.close()
	}
	s.staged.close()
}

func (s *scenery) plainURL() string { return "http://" + localhost(s.stand.gateway.PlainAddr()) }

// walk goes from stop to stop.
func (g *guide) walk(ctx context.Context, s *scenery, only int) error {
	for i, stop := range tourStops {
		if only != 0 && i+1 != only {
			continue
		}
		g.heading(i+1, stop)
		for _, r := range stop.requests {
			if err := g.visit(ctx, s, r); err != nil {
				return fmt.Errorf("tour, step %d: %w", i+1, err)
			}
		}
		g.why(stop)
		if g.keys == nil || i+1 == len(tourStops) {
			continue
		}
		if more, err := g.goOn(ctx); err != nil || !more {
			return err
		}
	}
	if only == 0 {
		g.end()
	}
	return nil
}

// goOn waits for Enter, and reports whether the person wants to see more.
func (g *guide) goOn(ctx context.Context) (bool, error) {
	fmt.Fprint(g.w, "Enter goes on, q ends the tour: ")
	type answer struct {
		line string
		err  error
	}
	said := make(chan answer, 1)
	go func() { // Ctrl-C must not wait for a line that never comes
		line, err := g.keys.ReadString('\n')
		said <- answer{line, err}
	}()
	select {
	case a := <-said:
		fmt.Fprintln(g.w)
		return a.err == nil && !strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.line)), "q"), nil
	case <-ctx.Done():
		fmt.Fprintln(g.w)
		return false, ctx.Err()
	}
}

// isTerminal reports whether a reader or writer is a person's.
func isTerminal(f any) bool {
	file, ok := f.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
