package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call"
	calls "github.com/parley-project/parley/call/run"
	"github.com/parley-project/parley/call/script"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/internal/config"
	"github.com/parley-project/parley/store"
)

// callOptions are what a person may say to `parley call`.
type callOptions struct {
	env, envName, globals, data string
	vars                        []string
	iterations, jobs            int
	delay, timeout              time.Duration
	bail, watch, raw, verbose   bool
	folder, api, config, base   string
	as                          string
	http, proxy, cert, key      string
	resolve, cacert, pins       []string
	sendAnyway, anyFile, clear  bool
	redirects                   int
	format, out, har, store     string
}

func callCommand() *cobra.Command {
	var o callOptions
	c := &cobra.Command{
		Use:   "call FILE|URL...",
		Short: "run requests and collections",
		Long: "Sends the requests of collections, one after the other, and judges what comes back by\n" +
			"what the file expects. It reads Parley's own YAML, Postman, .http, curl commands, HAR and\n" +
			"OpenAPI descriptions; a URL is one GET. Secrets are masked in all that it writes.",
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
	f.StringVar(&o.base, "base", "", "where the API of an OpenAPI description is")
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
	c.RunE = func(c *cobra.Command, args []string) error {
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
		if s.Requests+s.Skipped == 0 {
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

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// options makes what the runner wants of what the person said.
func (o *callOptions) options(c *cobra.Command) (*calls.Options, error) {
	masker := calls.NewMasker(o.raw)
	r := &calls.Options{Iterations: o.iterations, Jobs: o.jobs, Delay: o.delay, Bail: o.bail, Folder: o.folder, AnyFile: o.anyFile, Masker: masker,
		Call: call.Options{HTTP: o.http, Timeout: o.timeout, Redirects: o.redirects, Pins: o.pins, Clear: o.clear, Proxy: o.proxy,
			MaxBody: 4 << 20, Source: exchange.FromCall}}
	if o.iterations < 0 || o.jobs < 0 || o.jobs > 1000 || o.redirects < 0 {
		return nil, &usageError{"-n, --jobs and --redirects count from 0, and there are at most 1000 jobs", c.CommandPath() + " --help"}
	}
	if o.sendAnyway {
		r.Call.Untrusted = call.SendAnyway
	}
	if o.http != "" && !slices.Contains([]string{"1.1", "2", "3"}, o.http) {
		return nil, &usageError{fmt.Sprintf("--http: %q is not spoken here", o.http), "1.1, 2 or 3"}
	}
	for _, v := range o.resolve {
		at, as, err := calls.ParseResolve(v)
		if err != nil {
			return nil, &usageError{"--resolve: " + err.Error(), "like --resolve api.example:443:127.0.0.1"}
		}
		if r.Call.Resolve == nil {
			r.Call.Resolve = map[string][]netip.Addr{}
		}
		r.Call.Resolve[at] = as
	}
	for _, file := range o.cacert {
		more, err := calls.ReadRoots(file)
		if err != nil {
			return nil, &hintError{err, "a file of certificates in PEM is wanted", exitUsage}
		}
		r.Call.More = append(r.Call.More, more...)
	}
	if o.cert != "" {
		k, err := calls.ReadCertificate(o.cert, o.key)
		if err != nil {
			return nil, &hintError{err, "--cert and --key are files in PEM", exitUsage}
		}
		r.Call.Certificates = append(r.Call.Certificates, k)
	}
	var err error
	if r.Environment, err = o.variables(o.env); err != nil {
		return nil, err
	}
	if r.Globals, err = o.variables(o.globals); err != nil {
		return nil, err
	}
	if r.Given, err = o.given(); err != nil {
		return nil, err
	}
	if o.data != "" {
		if r.Data, err = calls.ReadRows(o.data); err != nil {
			return nil, err
		}
		if len(r.Data) == 0 {
			return nil, &hintError{fmt.Errorf("%s: has no rows", o.data), "CSV with a line of names first, or a JSON array of objects", exitUsage}
		}
	}
	if o.api != "" {
		if r.Contract, err = loadContract("", o.api); err != nil {
			return nil, err
		}
	}
	r.Scripts = callScripts()
	return r, o.identities(r)
}

// variables reads a file of them; FILE#NAME picks an environment of several.
func (o *callOptions) variables(name string) (*script.Variables, error) {
	if name == "" {
		return &script.Variables{}, nil
	}
	file, env := name, ""
	if _, err := os.Stat(file); err != nil {
		if i := strings.LastIndexByte(name, '#'); i > 0 {
			file, env = name[:i], name[i+1:]
		}
	}
	data, err := calls.ReadFile(file)
	if err != nil {
		return nil, &hintError{fmt.Errorf("%s cannot be read: %w", file, reason(err)), config.HintFile, exitUsage}
	}
	vs, err := archive.ReadEnvironmentOf(file, env, data)
	if err != nil {
		return nil, err
	}
	return calls.Variables(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), vs), nil
}

func reason(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// variablePrefix begins the names of environment variables that are variables
// of a collection.
const variablePrefix = "PARLEY_VAR_"

func (o *callOptions) given() (*script.Variables, error) {
	vs := &script.Variables{}
	for _, e := range os.Environ() {
		if rest, ok := strings.CutPrefix(e, variablePrefix); ok {
			name, value, _ := strings.Cut(rest, "=")
			vs.Set(name, value)
		}
	}
	for _, v := range o.vars {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return nil, &usageError{fmt.Sprintf("--var: %q is not name=value", v), "like --var base=https://localhost:8443"}
		}
		vs.Set(name, value)
	}
	return vs, nil
}

// identities finds who asks: by name in parley.yaml, which is read when it is
// named or needed, or as it is given.
func (o *callOptions) identities(r *calls.Options) error {
	var people map[string]*identity.Person
	read := func() error {
		file := o.config
		if file == "" {
			file = "parley.yaml"
			if _, err := os.Stat(file); err != nil {
				return nil
			}
		}
		k, found, err := readPolicy(file)
		if people = found; r.Contract == nil && o.config != "" {
			r.Contract = k
		}
		return err
	}
	var once sync.Once
	var failed error
	if o.config != "" || o.as != "" && !strings.Contains(o.as, "=") {
		once.Do(func() { failed = read() })
		if failed != nil {
			return failed
		}
	}
	var mu sync.Mutex
	known := map[string]identity.Auth{}
	var client *call.Client
	r.As = func(name string) (identity.Auth, error) {
		once.Do(func() { failed = read() })
		mu.Lock()
		defer mu.Unlock()
		if a, ok := known[name]; ok || failed != nil {
			return a, failed
		}
		p, err := personOf(name, people)
		if err != nil {
			return nil, fmt.Errorf("no identity is named %q", name)
		}
		if client == nil {
			own := r.Call
			own.Untrusted, own.Redirects = call.Stop, 0 // a recipe's secret crosses no channel that is not verified
			if client, err = call.New(own); err != nil {
				return nil, err
			}
		}
		a, err := call.As(p, client, o.base, nil)
		if err == nil {
			known[name] = a
		}
		return a, err
	}
	if o.as == "" {
		return nil
	}
	p, err := personOf(o.as, people)
	if err != nil {
		return err
	}
	if p.Auth != nil {
		known[p.Name] = p.Auth
	}
	r.Auth, err = r.As(p.Name)
	return err
}

// collections reads what is named: files, and URLs, which are one GET each.
func (o *callOptions) collections(ctx context.Context, args []string, r *calls.Options) ([]*archive.Collection, error) {
	var out []*archive.Collection
	for _, name := range args {
		if strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://") {
			out = append(out, &archive.Collection{Format: archive.Parley.Name, Name: name, File: "command line",
				Items: []*archive.Item{{Name: "GET " + name, Request: &archive.Request{Method: http.MethodGet, URL: name}}}})
			continue
		}
		if i, err := os.Stat(name); err == nil && i.IsDir() {
			k, err := archive.ReadFolder(name)
			if err != nil {
				return nil, err
			}
			out = append(out, k)
			continue
		}
		data, err := calls.ReadFile(name)
		if err != nil {
			return nil, &hintError{fmt.Errorf("%s cannot be read: %w", name, reason(err)), config.HintFile, exitUsage}
		}
		k, err := o.read(name, data, r)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

func (o *callOptions) read(name string, data []byte, r *calls.Options) (*archive.Collection, error) {
	if looksOpenAPI(data) {
		return o.fromContract(name, r)
	}
	return archive.Read(name, data)
}

// An output is where the report of all collections goes.
type output struct {
	stdout  io.Writer
	buffer  bytes.Buffer
	w       *bufio.Writer
	file    string
	keep    *calls.Keep
	finish  func(w io.Writer, k *calls.Keep) error
	har     string
	entries *archive.Collection
}

// callFormats are the names after --format.
var callFormats = []string{"text", "json", "junit", "html"}

// open begins the report, and tells the runner of its reporters.
func (o *callOptions) open(c *cobra.Command, r *calls.Options) (*output, error) {
	out := &output{stdout: c.OutOrStdout(), file: o.out, har: o.har}
	format := o.format
	if format == "" {
		format = map[string]string{".json": "json", ".xml": "junit", ".html": "html", ".htm": "html"}[strings.ToLower(filepath.Ext(o.out))]
	}
	var w io.Writer = out.stdout
	if o.out != "" {
		w = &out.buffer
	}
	out.w = bufio.NewWriter(w)
	switch format {
	case "", "text":
		color := o.out == "" && colored(out.stdout)
		r.Reporters = append(r.Reporters, &calls.Text{W: &flusher{out.w, color}, Verbose: o.verbose, Color: color})
	case "json":
		r.Reporters = append(r.Reporters, &calls.JSON{W: out.w})
	case "junit", "html":
		out.finish = calls.JUnit
		if format == "html" {
			out.finish = calls.HTML
		}
		out.keep = &calls.Keep{}
		r.Reporters = append(r.Reporters, out.keep)
	default:
		hint := strings.Join(callFormats, ", ")
		if near := config.Nearest(format, callFormats); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		return nil, &usageError{fmt.Sprintf("--format: calls have no format %q", format), hint}
	}
	if format == "junit" || format == "html" || o.out != "" {
		r.Reporters = append(r.Reporters, &progressReporter{w: c.ErrOrStderr()})
	}
	if o.har != "" {
		out.entries = &archive.Collection{Format: "har"}
		r.Reporters = append(r.Reporters, &harKeeper{out.entries, r.Masker})
	}
	return out, nil
}

// flusher shows a line at once when somebody looks at it.
type flusher struct {
	*bufio.Writer
	now bool
}

func (f *flusher) Write(b []byte) (int, error) {
	n, err := f.Writer.Write(b)
	if f.now && err == nil {
		err = f.Flush()
	}
	return n, err
}

// progressReporter says on a terminal how far it is.
type progressReporter struct {
	w       io.Writer
	n, many int
	shown   time.Time
}

func (p *progressReporter) Begin(i *calls.Info) error {
	p.n, p.many = 0, i.Requests*i.Iterations
	return nil
}

func (p *progressReporter) Add(r *calls.Result) error {
	if p.n++; time.Since(p.shown) > 100*time.Millisecond {
		p.shown = time.Now()
		progress(p.w, "%d of %d requests", p.n, p.many)
	}
	return nil
}

func (p *progressReporter) End(*calls.Summary) error { return nil }

// harKeeper keeps exchanges for --har, masked.
type harKeeper struct {
	c *archive.Collection
	m *calls.Masker
}

func (h *harKeeper) Begin(i *calls.Info) error {
	if h.c.Name == "" {
		h.c.Name = i.Name
	}
	return nil
}

func (h *harKeeper) Add(r *calls.Result) error {
	for _, x := range r.Exchanges {
		x = h.m.Exchange(x)
		h.c.Items = append(h.c.Items, &archive.Item{Name: r.Name, Recorded: []*exchange.Exchange{x},
			Request: &archive.Request{Method: x.Request.Method, URL: x.Request.URL()}})
	}
	return nil
}

func (h *harKeeper) End(*calls.Summary) error { return nil }

// close writes what is left. Files are for their owner alone.
func (o *output) close() error {
	if o.keep != nil && o.keep.Info != nil && o.keep.Summary != nil {
		if err := o.finish(o.w, o.keep); err != nil {
			return err
		}
	}
	if err := o.w.Flush(); err != nil {
		return err
	}
	if o.file != "" {
		if err := writeSecret(o.file, o.buffer.Bytes()); err != nil {
			return &hintError{err, "the folder must be there", exitUsage}
		}
	}
	if o.har == "" {
		return nil
	}
	var b bytes.Buffer
	if err := archive.FormatNamed("har").Write(&b, o.entries); err != nil {
		return err
	}
	if err := writeSecret(o.har, b.Bytes()); err != nil {
		return &hintError{err, "the folder must be there", exitUsage}
	}
	return nil
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
