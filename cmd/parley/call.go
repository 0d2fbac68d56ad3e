package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-project/parley/archive"
	calls "github.com/parley-project/parley/call/run"
	"github.com/parley-project/parley/internal/config"
	"github.com/parley-project/parley/store"
)

// callOptions are what a person may say to `parley call`.
type callOptions struct {
	env, globals, data         string
	vars                       []string
	iterations, jobs           int
	delay, timeout             time.Duration
	bail, watch, raw, verbose  bool
	folder, api, config, base  string
	writes                     bool
	as, url                    string // url is the first that is called
	http, proxy, cert, key     string
	resolve, cacert, pins      []string
	sendAnyway, anyFile, clear bool
	redirects                  int
	format, out, har, store    string
}

func callCommand() *cobra.Command {
	var o callOptions
	c := &cobra.Command{
		Use:   "call FILE|URL...",
		Short: "run requests and collections",
		Long: "Sends the requests of collections, one after the other, and judges what comes back by\n" +
			"what the file expects. It reads Parley's own YAML, Postman, .http, curl commands, HAR and\n" +
			"OpenAPI descriptions; a URL is one GET, and a curl command in quotes is what it\n" +
			"says. Secrets are masked in all that it writes.",
		Example: "  parley call shop.yaml --var base=https://localhost:8443\n" +
			"  parley call shop.postman_collection.json --env test.postman_environment.json --format junit -o calls.xml\n" +
			"  parley call shop.yaml --data users.csv --jobs 8 --api openapi.yaml",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{"there is nothing to call", c.CommandPath() + " shop.yaml, or a URL"}
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&o.env, "env", "", "file of variables: Postman's, JSON, YAML or NAME=value; FILE#NAME picks one of several")
	f.StringVar(&o.globals, "globals", "", "file of variables that count least")
	f.StringVar(&o.data, "data", "", "rows, CSV or JSON: each is an iteration")
	f.StringArrayVar(&o.vars, "var", nil, "a variable that counts before all others: name=value")
	f.IntVarP(&o.iterations, "iterations", "n", 0, "how often all of it is run (default: once, or once a row)")
	f.IntVar(&o.jobs, "jobs", 1, "how many iterations, or requests that do not need each other, at the same time")
	f.DurationVar(&o.delay, "delay", 0, "wait between two requests")
	f.DurationVar(&o.timeout, "timeout", 30*time.Second, "bound of one call")
	f.BoolVar(&o.bail, "bail", false, "end after the first request that failed")
	f.StringVar(&o.folder, "folder", "", "only this folder, or the request of this name, and what it needs")
	f.StringVar(&o.api, "api", "", "OpenAPI file to hold responses against")
	f.BoolVar(&o.writes, "writes", false, "send also what may change something: POST, PUT, PATCH, DELETE of an OpenAPI description")
	f.StringVar(&o.base, "base", "", "where the API is, of an OpenAPI description and of log-ins")
	f.StringVarP(&o.config, "config", "c", "", "parley.yaml with identities (default: the one in this folder)")
	f.StringVar(&o.as, "as", "", asUsage)
	f.StringVar(&o.http, "http", "", "HTTP version: 1.1, 2 or 3 (default: the newest that is agreed on over TCP)")
	f.StringArrayVar(&o.resolve, "resolve", nil, "host:port:address, without asking anybody")
	f.StringArrayVar(&o.cacert, "cacert", nil, "trust the certificates in this file, too")
	f.StringVar(&o.cert, "cert", "", "client certificate, PEM")
	f.StringVar(&o.key, "key", "", "its key (default: in the same file)")
	f.StringArrayVar(&o.pins, "pin", nil, "base64 SHA-256 of a public key that the server must have")
	f.StringVar(&o.proxy, "proxy", "", "go through this proxy: http, https or socks5 URL (default: none)")
	f.IntVar(&o.redirects, "redirects", 0, "follow up to so many redirects")
	f.BoolVar(&o.sendAnyway, "send-anyway", false, "send all over channels that did not verify, credentials too")
	f.BoolVar(&o.clear, "clear", false, "let credentials cross plain HTTP to names that are not local")
	f.BoolVar(&o.anyFile, "allow-files", false, "let requests send files from outside of the collection's folder")
	f.StringVar(&o.format, "format", "", "text, json, junit or html (default: as the name after -o ends, or text)")
	f.StringVarP(&o.out, "out", "o", "", "write the report to this file")
	f.StringVar(&o.har, "har", "", "write all exchanges to this file, as HAR")
	f.StringVar(&o.store, "store", "", "keep all exchanges in this SQLite file")
	f.BoolVar(&o.watch, "watch", false, "run again whenever a file changes")
	f.BoolVar(&o.raw, "raw", false, "do not mask secrets")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "name each assertion")
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if c.Flags().Arg(0) == "curl" {
			return &usageError{err.Error(), curlHint}
		}
		return c.Root().FlagErrorFunc()(c, err)
	})
	c.RunE = func(c *cobra.Command, args []string) error {
		spareMemory()
		if !o.watch {
			return runCall(c, args, o)
		}
		return watchFiles(c.Context(), append(slices.Clone(args), o.env, o.globals, o.data), time.NewTicker(300*time.Millisecond).C, func() {
			if err := runCall(c, args, o); err != nil {
				tell(err, c.ErrOrStderr())
			}
		})
	}
	return c
}

// callError ends the command with what the calls came to.
type callError struct {
	code int
	text string
}

func (e *callError) Error() string { return e.text }

// word is what the line begins with.
func (e *callError) word() string {
	if e.code == exitIncomplete {
		return "incomplete"
	}
	return "found"
}

func runCall(c *cobra.Command, args []string, o callOptions) (err error) {
	ctx := c.Context()
	for _, a := range args {
		if isURL(a) && o.url == "" {
			o.url = a
		}
	}
	options, err := o.options(c)
	if err != nil {
		return err
	}
	collections, err := o.collections(ctx, args, options)
	if err != nil {
		return err
	}
	if o.store != "" {
		db, err := store.Open(o.store, store.Options{KeepSecrets: o.raw})
		if err != nil {
			return err
		}
		defer closeStore(db, &err)
		options.Call.Recorder = options.Masker.Recorder(db)
	}
	out, err := o.open(c, options)
	if err != nil {
		return err
	}
	worst := 0
	var sum calls.Summary
	for _, k := range collections {
		runner, err := calls.New(k, *options)
		if err != nil {
			return err
		}
		for _, w := range runner.Warnings() {
			say(c.ErrOrStderr(), "warning", options.Masker.Text(w))
		}
		s, err := runner.Run(ctx)
		runner.Close()
		progress(c.ErrOrStderr(), "")
		if err != nil {
			return errors.Join(err, out.close()) // what was done until then is reported
		}
		if s.Requests+s.Skipped == 0 && len(runner.Warnings()) == 0 {
			say(c.ErrOrStderr(), "warning", k.File+" has no requests")
		}
		worst = max(worst, s.Exit())
		sum.Incomplete += s.Incomplete
		sum.Failed += s.Failed + len(s.Problems)
		if o.bail && worst > 0 {
			break
		}
	}
	if err := out.close(); err != nil {
		return err
	}
	switch worst {
	case 0:
		return nil
	case exitIncomplete:
		return &callError{worst, fmt.Sprintf("%s could not be completed", plural(sum.Incomplete, "call"))}
	}
	return &callError{worst, fmt.Sprintf("%s did not hold", plural(sum.Failed, "assertion"))}
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// collections reads what is named: files, and URLs, which are one GET each.
func (o *callOptions) collections(ctx context.Context, args []string, r *calls.Options) ([]*archive.Collection, error) {
	var out []*archive.Collection
	for _, name := range args {
		if isURL(name) {
			out = append(out, &archive.Collection{Format: archive.Parley.Name, Name: name, File: "command line",
				Items: []*archive.Item{{Name: "GET " + name, Request: &archive.Request{Method: http.MethodGet, URL: name}}}})
			continue
		}
		if strings.HasPrefix(name, "curl ") { // a command in quotes
			k, err := archive.FormatNamed("curl").Read("command line", []byte(name))
			if err != nil {
				return nil, err
			}
			out = append(out, k)
			continue
		}
		if i, err := os.Stat(name); err == nil && i.IsDir() {
			k, err := archive.ReadFolder(name)
			var e *archive.Error
			if errors.As(err, &e) && e.Hint == "" {
				e.Hint = "name a file in it, such as " + filepath.Join(name, "shop.yaml")
			}
			if err != nil {
				return nil, err
			}
			out = append(out, k)
			continue
		}
		data, err := calls.ReadFile(name)
		if err != nil {
			return nil, &hintError{fmt.Errorf("%s cannot be read: %w", name, reason(err)), meant(name), exitUsage}
		}
		k, err := o.read(name, data, r)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

// hostLike is a host that nobody wrote http:// before.
var hostLike = regexp.MustCompile(`^(localhost|\[[0-9a-fA-F:.]+\]|[\w-]+:\d+|[\w-]+(\.[\w-]+)+)(:\d+)?([/?]|$)`)

// meant is what to type instead of a file that is not there.
func meant(name string) string {
	switch {
	case name == "curl":
		return curlHint
	case hostLike.MatchString(name) && len(archive.FormatsEnding(name)) == 0:
		return "to call a host write http:// or https:// before it, such as http://" + name
	}
	return config.HintFile
}

// curlHint is for a command that the shell took apart.
const curlHint = "put the whole command in quotes: parley call 'curl https://api.example/'"

func (o *callOptions) read(name string, data []byte, r *calls.Options) (*archive.Collection, error) {
	if looksOpenAPI(data) {
		return o.fromContract(name, r)
	}
	c, err := archive.Read(name, data)
	if err == nil {
		c.Foreign = nil // it is run and not written: the document may go
		forget(c.Items)
	}
	return c, err
}

func forget(items []*archive.Item) {
	for _, i := range items {
		i.Foreign = nil
		forget(i.Items)
	}
}

// watchFiles does something at once, and again whenever one of the files has
// changed and stayed so from one tick to the next.
func watchFiles(ctx context.Context, files []string, tick <-chan time.Time, do func()) error {
	state := func() string {
		var b strings.Builder
		for _, f := range files {
			f, _, _ = strings.Cut(f, "#")
			if info, err := os.Stat(f); err == nil {
				fmt.Fprintf(&b, "%s %d %d\n", f, info.Size(), info.ModTime().UnixNano())
			}
		}
		return b.String()
	}
	last := state()
	do()
	for before := last; ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick:
		}
		now := state()
		if now != last && now == before {
			last = now
			do()
		}
		before = now
	}
}
