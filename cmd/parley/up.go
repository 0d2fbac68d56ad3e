package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/parley-project/parley/console"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/example/shop"
	"github.com/parley-project/parley/learn"
	"github.com/parley-project/parley/store"
)

// upOptions are what a person may say to `parley up`.
type upOptions struct {
	upstream, api, policy string
	mode, format, dir     string
	listen, console       string
	report                reportOptions
}

func upCommand() *cobra.Command {
	var o upOptions
	c := &cobra.Command{
		Use:   "up",
		Short: "everything on this machine: an API, guard before it, the console",
		Long: "Starts the example shop with all its flaws on, guard in front of it, and the console,\n" +
			"and plays the attacks on both addresses. With --upstream and --api it stands in\n" +
			"front of your own API instead, in report mode: nothing changes for its clients, and\n" +
			"the console counts what would be refused, stripped or repaired.",
		Example: "  parley up\n  parley up --upstream http://127.0.0.1:9000 --api openapi.yaml\n  parley up --format json",
		Args:    cobra.NoArgs,
	}
	f := c.Flags()
	f.StringVar(&o.upstream, "upstream", "", "URL of your own API, instead of the shop")
	f.StringVar(&o.api, "api", "", "OpenAPI file of your own API")
	f.StringVarP(&o.policy, "config", "c", "", "policy of your own API (parley.yaml), instead of --api")
	f.StringVar(&o.mode, "mode", "", "enforce or report (default: enforce for the shop, report for your own API)")
	f.StringVar(&o.format, "format", "text", "text or json")
	f.StringVar(&o.dir, "dir", ".parley", "folder for the store, tokens and the local certificate authority")
	f.StringVar(&o.listen, "listen", "", "address for guard (default 127.0.0.1:8443 or the next free port)")
	f.StringVar(&o.console, "console", "", "address for the console (default 127.0.0.1:7070 or the next free port)")
	f.StringVar(&o.report.file, "report", "", "write what was found to this file: .txt, .json, .sarif, .xml (JUnit) or .html")
	c.MarkFlagsMutuallyExclusive("config", "api")
	c.RunE = func(c *cobra.Command, _ []string) error {
		o.report.failOn = "high"
		if err := o.report.check(""); err != nil {
			return err
		}
		switch {
		case o.report.file == "-":
			return &usageError{"--report: stdout has the table", "parley up --report findings.txt"}
		case o.format != "text" && o.format != "json":
			return &usageError{fmt.Sprintf("--format: there is no format %q here", o.format), "text or json"}
		case o.api != "" && o.upstream == "":
			return &usageError{"--api without --upstream", "parley up --upstream http://127.0.0.1:9000 --api " + o.api}
		case o.upstream != "" && o.api == "" && o.policy == "":
			return &usageError{"--upstream without --api", "parley up --upstream " + o.upstream + " --api openapi.yaml"}
		}
		return runUp(c, o)
	}
	return c
}

func runUp(c *cobra.Command, o upOptions) (err error) {
	spendMemory()
	ctx, stop := context.WithCancel(c.Context())
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	// Who answers ends after who asks: a scan that is broken off takes away what
	// it made.
	serving, endServing := context.WithCancel(context.WithoutCancel(ctx))
	defer endServing()
	u := &up{o: o, recorder: newFinder(&later{}), stderr: c.ErrOrStderr()}
	defer u.close(&err)
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return &hintError{err, "give a folder that can be written with --dir", exitIncomplete}
	}
	if o.upstream == "" && o.policy == "" {
		if err := u.openShop(); err != nil {
			return err
		}
		group.Go(func() error { return serveShop(serving, u.shop, u.shopAt) })
	} else if u.contract, err = loadContract(o.policy, o.api); err != nil {
		return err
	}
	if err := setMode(u.contract, o.mode); err != nil {
		return err
	}
	if u.stand, err = newStand(u.contract, standOptions{dir: o.dir, listen: o.listen, upstream: o.upstream, recorder: u.recorder, log: talk(u.stderr)}); err != nil {
		return err
	}
	if u.consoleAt, err = addressOf(o.console, "127.0.0.1:7070"); err != nil {
		return err
	}
	if u.db, err = openStore(filepath.Join(o.dir, "up.db")); err != nil {
		return err
	}
	before, err := u.db.Stats(ctx) // of earlier runs: not counted in this one
	if err != nil {
		return err
	}
	u.learning = newLearning(u.db, learn.New(learn.Options{API: u.contract, Title: u.contract.Title}))
	u.learning.fresh = true
	learnt := filepath.Join(o.dir, "learnt.yaml")
	defer u.learning.finish(learnt, u.stderr, &err)
	u.recorder.next = u.learning
	if o.report.file != "" {
		if err := u.beginReport(ctx); err != nil {
			return err
		}
	}

	group.Go(func() error { return u.stand.serve(serving) })
	group.Go(func() error {
		u.learning.learnInto(ctx, learnt, time.Minute, func(err error) { talk(u.stderr).Warn("learn: " + err.Error()) })
		return nil
	})
	if u.shop == nil {
		u.stand.reach(ctx)
	}
	for _, n := range u.stand.notes {
		say(u.stderr, "note", n)
	}
	if u.shop != nil {
		if u.attacks, err = u.playAttacks(ctx); err != nil {
			return err
		}
		if err := u.shop.Tidy(ctx); err != nil {
			return err
		}
		if err := u.writeTokens(); err != nil {
			return err
		}
		if err := u.writeReport(ctx); err != nil {
			return err
		}
	}
	client, err := u.client()
	if err != nil {
		return err
	}
	scans, err := u.scans()
	if err != nil {
		return err
	}
	view, err := console.New(console.Options{Client: client, Scans: scans, Learnt: console.LearntBy(u.learning.learner, true), Collections: filepath.Join(o.dir, "collections"), Store: u.db, Contract: u.contract, Attacks: u.consoleAttacks(), Mode: u.contract.Mode, Since: before.Last,
		Open: u.openURL(), Guarded: u.stand.url(), CA: u.stand.caFile, Version: version()})
	if err != nil {
		return err
	}
	group.Go(func() error { return serveConsole(ctx, u.consoleAt, view) })
	group.Go(func() error {
		<-ctx.Done()
		view.Close()
		view.WaitScans()
		endServing()
		return nil
	})
	u.consoleURL = "http://" + localhost(u.consoleAt.Addr()) + view.StartPath()
	if o.format == "json" {
		err = u.printJSON(c.OutOrStdout())
	} else {
		err = u.printText(c.OutOrStdout())
	}
	if err != nil {
		return err
	}
	err = group.Wait()
	if u.shop == nil && err == nil { // what came, not what we asked
		err = u.writeReport(context.WithoutCancel(ctx))
	}
	return err
}

// up is everything that runs.
type up struct {
	o        upOptions
	contract *contract.Contract
	shop     *shop.Shop // nil in front of somebody's own API
	shopAt   net.Listener
	keys     shop.Keys
	stand    *stand
	db       *store.Store
	recorder *finder
	learning *learning // beside the store, into learnt.yaml

	consoleAt  net.Listener
	consoleURL string
	attacks    []attack
	stderr     io.Writer
}

// openShop starts the shop with every flaw.
func (u *up) openShop() error {
	s, err := stageShop(u.o.dir, []string{"all"}, "", "")
	if err != nil {
		return err
	}
	u.shop, u.shopAt, u.keys, u.contract = s.shop, s.at, s.keys, s.contract
	return nil
}

func (u *up) openURL() string {
	if u.shop == nil {
		return u.contract.Upstream
	}
	return "http://" + localhost(u.shopAt.Addr())
}

// tokenFile is where a person's token lies, for lines to paste.
func (u *up) tokenFile(name string) string { return filepath.Join(u.o.dir, name+".jwt") }

func (u *up) writeTokens() error {
	for _, name := range shopPeople {
		if err := writeSecret(u.tokenFile(name), []byte(u.keys.Token[name])); err != nil {
			return err
		}
	}
	return nil
}

// close ends what has been started, in the order in which it depends on each
// other.
func (u *up) close(err *error) {
	if u.stand != nil {
		u.stand.close()
	}
	if u.consoleAt != nil {
		u.consoleAt.Close()
	}
	if u.shopAt != nil {
		u.shopAt.Close()
	}
	if u.shop != nil {
		u.shop.Close()
	}
	if u.db != nil {
		closeStore(u.db, err)
	}
}

// report is what `up --format json` prints, in one line.
type upReport struct {
	Shop    string            `json:"shop,omitempty"` // the open address
	Guard   string            `json:"guard"`
	Mode    string            `json:"mode"`
	Console string            `json:"console"` // opens once
	CA      string            `json:"ca,omitempty"`
	Store   string            `json:"store"`
	Tokens  map[string]string `json:"tokens,omitempty"`
	Attacks []attack          `json:"attacks,omitempty"`
}

func (u *up) printJSON(w io.Writer) error {
	r := upReport{Guard: u.stand.url(), Mode: string(u.contract.Mode), Console: u.consoleURL, CA: u.stand.caFile,
		Store: filepath.Join(u.o.dir, "up.db"), Attacks: u.attacks}
	if u.shop != nil {
		r.Shop = u.openURL()
		r.Tokens = map[string]string{}
		for _, name := range shopPeople {
			r.Tokens[name] = u.keys.Token[name]
		}
	}
	return json.NewEncoder(w).Encode(r)
}

func (u *up) printText(w io.Writer) error {
	if u.shop != nil {
		if err := printAttacks(w, u.attacks); err != nil {
			return err
		}
		fmt.Fprintf(w, "\n%s\n\n", summary(u.attacks))
	}
	if u.shop != nil {
		fmt.Fprintf(w, "open    %-26s the shop, every flaw on\n", u.openURL())
	} else {
		fmt.Fprintf(w, "upstream %s\n", u.contract.Upstream)
	}
	fmt.Fprintf(w, "guarded %-26s %s\n", u.stand.url(), modeWords(u.contract.Mode))
	fmt.Fprintf(w, "console %s\n", u.consoleURL)
	if u.shop == nil {
		fmt.Fprintf(w, "\ntry      curl --cacert %s %s/\nstop     Ctrl-C\n", u.stand.caFile, u.stand.url())
		return nil
	}
	fmt.Fprintf(w, "tokens  %s (101), rajan.jwt (102), asha.jwt (administrator)\n", u.tokenFile("priya"))
	fmt.Fprintf(w, "\nOrder 887 is priya's. Ask for it as rajan, at both addresses:\n\n"+
		"  T=\"Authorization: Bearer $(cat %s)\"\n  curl -H \"$T\" %s/v1/orders/887\n  curl -H \"$T\" --cacert %s %s/v1/orders/887\n\n"+
		"The console's address opens once. Ctrl-C stops it all.\n",
		u.tokenFile("rajan"), u.openURL(), u.stand.caFile, u.stand.url())
	return nil
}

func modeWords(m contract.Mode) string {
	if m == contract.Enforce {
		return "refuses, filters, repairs"
	}
	return "changes nothing, counts what it would"
}

// serveConsole answers until the context ends.
func serveConsole(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 32 << 10}
	stop := context.AfterFunc(ctx, func() { server.Close() }) // its streams never end by themselves
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
