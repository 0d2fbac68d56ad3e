package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	calls "github.com/parley-project/parley/call/run"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/report"
	"github.com/parley-project/parley/trace"
)

// traceOptions are what a person may say to `parley trace`.
type traceOptions struct {
	method, data                   string
	headers, as, resolve, pins     []string
	config, api                    string
	compare                        []string
	deep, probes, sendAnyway       bool
	http, proxy, cacert, cert, key string
	timeout                        time.Duration
	aia                            bool
	traceKey                       string
	newKey                         bool
	verbose, quiet, ascii, body    bool
	width                          int
	failOn, format                 string
	har, store                     string

	severity exchange.Severity
}

func traceCommand() *cobra.Command {
	var o traceOptions
	c := &cobra.Command{
		Use:   "trace URL",
		Short: "one call, seven steps",
		Long: "Makes one call and shows its seven steps: a verdict for each, the facts that matter,\n" +
			"and for each finding what to do. One HTTP request is sent, no more, unless --auth-probes\n" +
			"or an identity that has to log in asks for others.\n\n" +
			"No credential crosses a channel that was not verified, unless --send-anyway is given.",
		Example: "  parley trace https://api.example.com/v1/orders --as priya=@token.txt\n" +
			"  parley trace https://localhost:8443/v1/products --cacert .parley/ca.pem -v\n" +
			"  parley trace https://api.example.com/ --deep --compare=https://dns.example/dns-query\n" +
			"  parley trace https://api.example.com/ --format json | jq .verdict",
		Args: cobra.ArbitraryArgs,
	}
	f := c.Flags()
	f.StringVarP(&o.method, "request", "X", "", "method (default GET, or POST with -d)")
	f.StringArrayVarP(&o.headers, "header", "H", nil, "field, such as 'Accept: application/json'; repeat for more")
	f.StringVarP(&o.data, "data", "d", "", "body; @FILE for a file, @- for stdin")
	f.StringArrayVar(&o.as, "as", nil, asUsage+"; a second one is who else probes ask as")
	f.StringVarP(&o.config, "config", "c", "", "policy (parley.yaml) with identities, API and rules")
	f.StringVar(&o.api, "api", "", "OpenAPI file: what the API promises")
	f.StringSliceVar(&o.compare, "compare", nil, "ask these resolvers too: 192.0.2.53, tls://…, https://…; without a value those of $PARLEY_RESOLVERS")
	f.Lookup("compare").NoOptDefVal = configuredResolvers
	f.BoolVar(&o.deep, "deep", false, "ask for all versions, suites and groups (25 to 200 connections)")
	f.BoolVar(&o.probes, "auth-probes", false, "ask again without a credential, with a broken one, and as the second --as")
	f.StringVar(&o.http, "http", "", "1.1, 2 or 3 (default: the newest that is agreed on over TCP)")
	f.StringArrayVar(&o.resolve, "resolve", nil, "HOST:PORT:ADDRESS, instead of asking a resolver")
	f.StringVar(&o.cacert, "cacert", "", "PEM file with authorities to trust beside the system's")
	f.StringVar(&o.cert, "cert", "", "PEM file with a client certificate")
	f.StringVar(&o.key, "key", "", "PEM file with its key (default: in the same file)")
	f.StringArrayVar(&o.pins, "pin", nil, "base64 SHA-256 of the server's public key, as sha256//…")
	f.StringVar(&o.proxy, "proxy", "", "URL of a proxy: http, https, socks5")
	f.BoolVar(&o.sendAnyway, "send-anyway", false, "send credentials over a channel that was not verified")
	f.BoolVar(&o.aia, "aia", false, "fetch a certificate that the server did not send from where its chain points")
	f.DurationVar(&o.timeout, "timeout", 30*time.Second, "for the whole call")
	f.StringVar(&o.traceKey, "trace-key", "", "file with the trace key of the guard in front: it tells what it decided")
	f.BoolVar(&o.newKey, "new-key", false, "make a trace key and its hash, and stop")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "every fact: fields, chain, answers")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "one line")
	f.BoolVar(&o.body, "body", false, "show the answer's body below, masked and decoded, up to 64 KiB")
	f.BoolVar(&o.ascii, "ascii", false, "draw with ASCII alone")
	f.IntVar(&o.width, "width", 0, "columns (default: the terminal's, at most 120; else 80)")
	f.StringVar(&o.failOn, "fail-on", "high", "exit with 1 when this is confirmed, or worse: info, low, medium, high, critical, never")
	f.StringVar(&o.format, "format", "text", "text, json, sarif, junit or html")
	f.StringVar(&o.har, "har", "", "write the exchanges to this file as HAR, masked")
	f.StringVar(&o.store, "store", "", "record the exchanges in this SQLite file")
	c.MarkFlagsMutuallyExclusive("config", "api")
	c.MarkFlagsMutuallyExclusive("verbose", "quiet")
	c.RunE = func(c *cobra.Command, args []string) error {
		if o.newKey {
			return newTraceKey(c)
		}
		return runTrace(c, &o, args)
	}
	return c
}

func runTrace(c *cobra.Command, o *traceOptions, args []string) (err error) {
	if err := o.check(args); err != nil {
		return err
	}
	target, note := withScheme(args[0])
	say(c.ErrOrStderr(), "hint", note)
	r, err := o.request(c, target)
	if err != nil {
		return err
	}
	to, people, err := o.options(args[1:])
	if err != nil {
		return err
	}
	if to.Identity != nil {
		defer to.Identity.Close()
	}
	var others []identity.Auth
	login, err := o.login(to.Client)
	if err != nil {
		return err
	}
	defer login.Close()
	for _, as := range o.as {
		p, err := personOf(as, people)
		if err != nil {
			return err
		}
		auth, err := speakAs(c.Context(), p, login, target, c.ErrOrStderr())
		if err != nil {
			return &hintError{err, "see identities in parley.yaml", exitUsage}
		}
		if r.Auth == nil && len(others) == 0 {
			r.Auth, to.As = auth, p.Name
			continue
		}
		others = append(others, auth)
	}
	if o.probes {
		var other identity.Auth
		name := ""
		if len(others) > 0 {
			other = others[0]
			name, _, _ = strings.Cut(o.as[1], "=")
		}
		if to.Probes, err = trace.AuthProbes(c.Context(), r, other, name); err != nil {
			return &usageError{"--auth-probes: " + strings.TrimPrefix(err.Error(), "trace: "), "use it with GET and --as"}
		}
	}
	to.Progress = func(doing string) { progress(c.ErrOrStderr(), "%s", doing) }
	secrets := calls.NewMasker(false)
	if o.store != "" {
		db, err := openStore(o.store)
		if err != nil {
			return err
		}
		defer closeStore(db, &err)
		to.Client.Recorder = &mirrored{secrets, db}
	}
	res, err := trace.Follow(c.Context(), r, to)
	progress(c.ErrOrStderr(), "")
	if err != nil {
		return &hintError{err, c.CommandPath() + " --help", exitUsage}
	}
	if c.Context().Err() != nil {
		return context.Canceled
	}
	for _, x := range res.All() {
		secrets.Learn(&exchange.Exchange{Request: x.Request})
	}
	body := &exchange.Exchange{}
	if o.body && res.Exchange.Response != nil {
		body.Response, _ = trace.Plain(res.Exchange.Response) // values are known to be secret in text alone
		body.Response = secrets.Values(body).Response
	}
	for _, x := range res.All() {
		x.Response = secrets.Values(x).Response
	}
	if err := o.write(c, res, to); err != nil {
		return err
	}
	if o.body {
		fmt.Fprintln(c.OutOrStdout())
		if err := trace.WriteBody(c.OutOrStdout(), body, trace.View{ASCII: o.ascii}); err != nil {
			return err
		}
	}
	if o.har != "" {
		if err := writeHAR(o.har, res.All()); err != nil {
			return err
		}
	}
	return o.outcome(res)
}

// mirrored takes out of answers what the request proved who asks with, wherever
// the server put it: no name says there what it is.
type mirrored struct {
	secrets *calls.Masker
	next    exchange.Recorder
}

// Record hands a copy on.
func (m *mirrored) Record(x *exchange.Exchange) {
	m.secrets.Learn(&exchange.Exchange{Request: x.Request})
	own := *x
	own.Response = m.secrets.Values(x).Response
	m.next.Record(&own)
}

// check reads what was said, before anything is done.
func (o *traceOptions) check(args []string) error {
	switch {
	case len(args) == 0:
		return &usageError{"no URL", "parley trace https://api.example.com/v1/orders"}
	case len(args) > 1 && len(o.compare) == 0:
		return &usageError{fmt.Sprintf("one URL at a time: %q is one too many", args[1]), "resolvers follow after --compare"}
	case len(args) > 1 && !strings.Contains(args[0], "://") && strings.Contains(strings.Join(args[1:], " "), "://"):
		return &usageError{fmt.Sprintf("%q stands in the URL's place", args[0]), "the URL comes first: parley trace URL --compare RESOLVER…"}
	case o.width != 0 && o.width < 60:
		return &usageError{"--width: at least 60 columns are needed", "leave it out for the terminal's"}
	case o.body && o.format != "text":
		return &usageError{"--body is for a person: it goes with --format text", "--har FILE keeps the body for programs"}
	case o.cert == "" && o.key != "":
		return &usageError{"--key needs --cert", "--cert client.pem --key client-key.pem"}
	}
	if _, ok := report.FormatByName(o.format); !ok {
		return &usageError{fmt.Sprintf("--format: there is no format %q here", o.format), strings.Join(report.FormatNames(), ", ")}
	}
	if err := o.severity.UnmarshalText([]byte(o.failOn)); err != nil {
		if o.failOn != "never" {
			return &usageError{fmt.Sprintf("--fail-on: %q is not a severity", o.failOn), "info, low, medium, high, critical or never"}
		}
		o.severity = never
	}
	return nil
}

// write puts the result onto stdout in the format that was asked for.
func (o *traceOptions) write(c *cobra.Command, res *trace.Result, to trace.Options) error {
	out := c.OutOrStdout()
	switch o.format {
	case "text":
		v := trace.View{Width: o.width, ASCII: o.ascii, Verbose: o.verbose, Quiet: o.quiet, As: to.As, Probed: res.Probed, Color: colored(out)}
		if n, ok := terminalWidth(out); ok && v.Width == 0 {
			v.Width = min(n, 120)
		}
		return trace.Write(out, res.Exchange, v)
	case "json":
		return trace.JSON(out, res, trace.JSONOptions{As: to.As, Version: version(), Exit: o.exit(res)})
	}
	format, _ := report.FormatByName(o.format)
	r := report.New(report.Options{Title: withoutSecrets(res.Exchange, newMasker()).Request.URL(), Version: version(), Made: time.Now(), FailOn: o.severity, Locate: placesOf(to.Contract)})
	r.Add(res.Exchange)
	return format.Write(out, r)
}

// failures counts what was confirmed at or above --fail-on.
func (o *traceOptions) failures(res *trace.Result) (n int) {
	for _, f := range res.Exchange.Findings {
		if f.Verdict == exchange.Confirmed && f.Severity >= o.severity {
			n++
		}
	}
	return n
}

// exit is the code that a result ends with: a call that was not completed
// comes before what was found on the way.
func (o *traceOptions) exit(res *trace.Result) int {
	switch {
	case res.Exchange.Failure != "":
		return exitIncomplete
	case o.failures(res) > 0:
		return exitFound
	}
	return 0
}

func (o *traceOptions) outcome(res *trace.Result) error {
	switch o.exit(res) {
	case exitIncomplete:
		x := res.Exchange
		return &hintError{fmt.Errorf("the call ended at step %s: %s", x.FailedAt, report.Visible(newMasker().Text(x.Failure))), hintFor(x), exitIncomplete}
	case exitFound:
		return &foundError{n: o.failures(res), on: o.severity}
	}
	return nil
}

// slowly reports whether it was the time for it that ended a call.
func slowly(x *exchange.Exchange) bool {
	return strings.Contains(x.Failure, "took too long") || strings.Contains(x.Failure, "no answer in time")
}

// hintFor is what to try when a call ended early.
func hintFor(x *exchange.Exchange) string {
	switch x.FailedAt {
	case exchange.StepDNS:
		return "is the name right? --resolve HOST:PORT:ADDRESS goes without a resolver, --compare asks others"
	case exchange.StepTCP:
		return "does it run there, and is the port right? -v lists the addresses that were tried"
	case exchange.StepTLS:
		switch {
		case strings.Contains(x.Failure, "does not speak TLS"):
			return "is it plain HTTP? then write http://…"
		case slowly(x):
			return "give it more time with --timeout"
		case strings.Contains(x.Failure, "client certificate"):
			return "show one with --cert FILE"
		}
		return "is it a port for TLS? --deep lists what the server takes"
	case exchange.StepServer, exchange.StepResponse:
		switch {
		case slowly(x):
			return "give it more time with --timeout"
		case x.FailedAt == exchange.StepServer && x.Request.Scheme == "http":
			return "is it a port for TLS? then write https://…"
		}
	}
	return ""
}
