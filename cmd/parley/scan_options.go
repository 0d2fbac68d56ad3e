package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/internal/config"
	"github.com/parley-project/parley/report"
	"github.com/parley-project/parley/scan"
)

// scanOptions are what a person may say to `parley scan`.
type scanOptions struct {
	api, config, fromStore string
	from, as               []string

	scope                     string
	requests                  int
	time, pause, timeout      time.Duration
	gentle, noSignUp, deep    bool
	only                      []string
	signingKey                string
	dryRun, cleanup           bool
	journal                   string
	resolve                   []string
	cacert, cert, key, proxy  string
	http                      string
	format, failOn            string
	verbose                   bool
	har, store, result        string
	replay                    string
	baseline, suppress, write string

	policy   policyFile
	severity exchange.Severity
	target   *url.URL
	base     string
	earlier  *scan.Document // what --replay shows again is in it
}

func (o *scanOptions) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.api, "api", "", "OpenAPI file (2.0, 3.0, 3.1): what the API has")
	f.StringArrayVar(&o.from, "from", nil, "traffic that shows what it has: HAR, Postman, .http, curl; repeat for more")
	f.StringVar(&o.fromStore, "from-store", "", "the same from what parley recorded")
	f.StringVarP(&o.config, "config", "c", "", "policy (parley.yaml) with API and identities")
	f.StringArrayVar(&o.as, "as", nil, asUsage+"; the victim first, the attacker second, then other roles")
	f.StringVar(&o.scope, "scope", "", "file with the hosts that may be scanned, one a line; without it only this machine")
	f.IntVar(&o.requests, "requests", 20_000, "send at most so many requests")
	f.DurationVar(&o.time, "time", 30*time.Minute, "end after that time")
	f.DurationVar(&o.timeout, "timeout", 10*time.Second, "wait so long for an answer")
	f.DurationVar(&o.pause, "pause", 0, "wait before each request")
	f.BoolVar(&o.gentle, "gentle", false, "leave out what needs many requests")
	f.StringSliceVar(&o.only, "only", nil, "ask these checks alone: ID,ID…")
	f.BoolVar(&o.noSignUp, "no-sign-up", false, "register nobody")
	f.StringVar(&o.signingKey, "signing-key", "", "the key that signs the API's tokens (PEM or JWK), for tokens that only it can forge")
	f.BoolVar(&o.deep, "deep", false, "ask the server for all versions and suites of TLS")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would be sent, and send nothing")
	f.BoolVar(&o.cleanup, "cleanup", false, "undo what a scan that was broken off has left")
	f.StringVar(&o.journal, "journal", "", "file that remembers what is to be undone (default .parley/scan-HOST.journal)")
	f.StringArrayVar(&o.resolve, "resolve", nil, "HOST:PORT:ADDRESS, instead of asking a resolver")
	f.StringVar(&o.cacert, "cacert", "", "PEM file with authorities to trust beside the system's")
	f.StringVar(&o.cert, "cert", "", "PEM file with a client certificate")
	f.StringVar(&o.key, "key", "", "PEM file with its key (default: in the same file)")
	f.StringVar(&o.proxy, "proxy", "", "URL of a proxy: http, https, socks5")
	f.StringVar(&o.http, "http", "", "1.1, 2 or 3 (default: the newest that is agreed on over TCP)")
	f.StringVar(&o.failOn, "fail-on", "high", "exit with 1 when this is confirmed, or worse: info, low, medium, high, critical, never")
	f.StringVar(&o.format, "format", "text", "text, json, sarif, junit or html")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "the requests of each finding, and what each person got")
	f.StringVar(&o.har, "har", "", "write the proofs' exchanges to this file as HAR, masked")
	f.StringVar(&o.store, "store", filepath.Join(".parley", "scan.db"), "record all exchanges in this SQLite file; its result goes beside it")
	f.StringVar(&o.replay, "replay", "", "show a finding of the last scan again: its ID")
	f.StringVar(&o.baseline, "baseline", "", "findings in this file are known and do not count")
	f.StringVar(&o.write, "write-baseline", "", "write what was found into this file")
	f.StringVar(&o.suppress, "suppress", "", "YAML file with findings to live with: {id, reason, until}")
	o.policy.flags(c)
	c.MarkFlagsMutuallyExclusive("dry-run", "cleanup", "replay")
	for _, other := range []string{"dry-run", "cleanup", "replay"} {
		c.MarkFlagsMutuallyExclusive("write-policy", other)
	}
}

// check reads what was said, before anything is done.
func (o *scanOptions) check(args []string) error {
	if o.replay != "" {
		if err := o.recall(); err != nil {
			return err
		}
		if len(args) == 0 {
			args = []string{o.earlier.Target}
		}
	}
	switch {
	case len(args) == 0:
		return &usageError{"no URL", "parley scan --api openapi.yaml --as priya=@priya.txt --as rajan=@rajan.txt http://localhost:9000"}
	case len(args) > 1:
		return &usageError{fmt.Sprintf("one URL at a time: %q is one too many", args[1]), "parley scan URL; files of traffic are given with --from"}
	case o.cert == "" && o.key != "":
		return &usageError{"--key needs --cert", "--cert client.pem --key client-key.pem"}
	case o.requests < 1:
		return &usageError{"--requests: at least one is needed", "leave it out for 20000"}
	case o.time <= 0 || o.timeout <= 0 || o.pause < 0:
		return &usageError{"--time, --timeout and --pause are times that pass", "--time 10m --timeout 5s --pause 50ms"}
	}
	if err := call.CheckURL(args[0]); err != nil {
		return &usageError{"not a URL that can be scanned: " + strings.TrimPrefix(err.Error(), "call: "), "parley scan http://localhost:9000"}
	}
	u, err := url.Parse(args[0])
	if err != nil || u.Host == "" || u.User != nil {
		return &usageError{"not a URL that can be scanned", "scheme and host, such as http://localhost:9000; who asks is said with --as"}
	}
	o.target, o.base = u, u.Scheme+"://"+u.Host
	if _, ok := report.FormatByName(o.format); !ok {
		return &usageError{fmt.Sprintf("--format: there is no format %q here", o.format), strings.Join(report.FormatNames(), ", ")}
	}
	for _, id := range o.only {
		if check.ByID(id) != nil {
			continue
		}
		hint := "parley explain lists the checks"
		if near := config.Nearest(id, checkIDs()); near != "" {
			hint = "did you mean " + near + "?"
		}
		return &usageError{fmt.Sprintf("--only: there is no check %q", id), hint}
	}
	if err := o.severity.UnmarshalText([]byte(o.failOn)); err != nil {
		if o.failOn != "never" {
			return &usageError{fmt.Sprintf("--fail-on: %q is not a severity", o.failOn), "info, low, medium, high, critical or never"}
		}
		o.severity = never
	}
	if o.journal == "" {
		o.journal = filepath.Join(".parley", "scan-"+fileName(u.Host)+".journal")
	}
	o.result = resultFile(o.store)
	return o.policy.read()
}

func checkIDs() (ids []string) {
	for _, c := range check.All {
		ids = append(ids, c.ID)
	}
	return ids
}

// fileName makes a name for a file of a host and port.
func fileName(host string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '_'
	}, host)
}

// resultFile is where a scan's result stands: beside its store.
func resultFile(store string) string {
	return strings.TrimSuffix(store, filepath.Ext(store)) + ".json"
}

// client is how the API is asked: as trace asks, without its own flags.
func (o *scanOptions) client() (call.Options, error) {
	t := traceOptions{http: o.http, proxy: o.proxy, resolve: o.resolve, cacert: o.cacert, cert: o.cert, key: o.key, timeout: o.timeout}
	co, err := t.client()
	if err != nil {
		return co, err
	}
	co.Untrusted, co.Jar, co.Source, co.MaxBody = call.Stop, nil, exchange.FromScan, 4<<20
	return co, nil
}

// people are who asks, in the order in which they were given; without --as,
// those of the policy in the order of their names.
func (o *scanOptions) people(known map[string]*identity.Person) (out []*identity.Person, err error) {
	for _, as := range o.as {
		p, err := personOf(as, known)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(q *identity.Person) bool { return q.Name == p.Name }) {
			return nil, &usageError{fmt.Sprintf("--as: %s is given twice", p.Name), "the victim first, the attacker second: two people"}
		}
		out = append(out, p)
	}
	if len(o.as) == 0 {
		for _, p := range known {
			out = append(out, p)
		}
		slices.SortFunc(out, func(a, b *identity.Person) int { return strings.Compare(a.Name, b.Name) })
	}
	return out, nil
}

// maxKey bounds a signing key.
const maxKey = 64 << 10

func (o *scanOptions) readKey() ([]byte, error) {
	if o.signingKey == "" {
		return nil, nil
	}
	data, err := os.ReadFile(o.signingKey)
	if err != nil || len(data) > maxKey || len(data) == 0 {
		return nil, &usageError{fmt.Sprintf("--signing-key: %s cannot be read", o.signingKey), "a private key in PEM, or a JWK"}
	}
	return data, nil
}

// options put together what package scan is to do.
func (o *scanOptions) options(ctx context.Context, k *known, co call.Options) (so scan.Options, err error) {
	so = scan.Options{URL: o.base, Contract: k.contract, File: k.file, Learnt: k.learnt, Shadow: k.shadow, Used: k.used, Call: co, Only: o.only,
		Gentle: o.gentle, NoSignUp: o.noSignUp, MaxRequests: o.requests, MaxTime: o.time, Pause: o.pause, Deep: o.deep}
	if so.SigningKey, err = o.readKey(); err != nil {
		return so, err
	}
	so.People, err = o.people(k.people)
	return so, err
}

// how is what was given, for whoever shows a finding again.
func (o *scanOptions) how() scan.How {
	h := scan.How{API: o.api, Config: o.config, From: o.from, FromStore: o.fromStore, Scope: o.scope, Resolve: o.resolve, CACert: o.cacert, Cert: o.cert,
		Key: o.key, HTTP: o.http, Signing: o.signingKey, NoSignUp: o.noSignUp}
	if u, err := url.Parse(o.proxy); err == nil && u.User == nil {
		h.Proxy = o.proxy
	}
	for _, as := range o.as {
		name, credential, given := strings.Cut(as, "=")
		if given && !strings.HasPrefix(credential, "@") && !strings.HasPrefix(credential, "env:") {
			as = name
		}
		h.As = append(h.As, as)
	}
	return h
}

// scanError says what to do when a scan could not be begun.
func scanError(err error, o *scanOptions) error {
	var (
		unclean *scan.UncleanError
		gone    *scan.UnreachableError
		login   *scan.LogInError
		dead    *scan.CredentialError
		same    *scan.SamePersonError
	)
	plain := errors.New(strings.TrimPrefix(newMasker().Text(err.Error()), "scan: "))
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &unclean):
		return &hintError{plain, "undo it first: the same command with --cleanup", exitIncomplete}
	case errors.As(err, &gone):
		return unreachable(gone)
	case errors.As(err, &login):
		return &hintError{plain, "see identities in parley.yaml: is the recipe right, and the password?", exitIncomplete}
	case errors.As(err, &same):
		return &usageError{plain.Error(), "the victim first, the attacker second: two people"}
	case errors.As(err, &dead):
		return &hintError{plain, "it may have expired: get a new one, or let parley log in with a recipe in parley.yaml", exitIncomplete}
	}
	return err
}

func unreachable(gone *scan.UnreachableError) error {
	hint := "does it run there? parley trace " + gone.Target + " shows how far a call gets"
	if strings.Contains(gone.Why, "certificate") || strings.Contains(gone.Why, "trusted root") {
		hint = "--cacert FILE trusts the authority of its certificate; guard's own is in .parley/ca.pem"
	}
	return &hintError{fmt.Errorf("%s cannot be asked: %s", gone.Target, report.Visible(newMasker().Text(gone.Why))), hint, exitIncomplete}
}

// are is a list of names and the verb after it.
func are(names []string) string {
	if len(names) == 1 {
		return names[0] + " was"
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1] + " were"
}

// tellPeople says who asks, and what cannot be proved without more people.
func tellPeople(stderr io.Writer, r *scan.Result) {
	var spare []string
	for _, p := range r.People {
		if p.Spare {
			spare = append(spare, p.Name)
		}
	}
	if len(spare) > 0 {
		say(stderr, "scan", fmt.Sprintf("the API lets anybody register: %s registered for the scan", are(spare)))
	}
	victim, attacker := "", ""
	for _, p := range r.People {
		switch p.Part {
		case "victim":
			victim = p.Name
		case "attacker":
			attacker = p.Name
		}
	}
	switch {
	case victim == "":
		say(stderr, "warning", "nobody asked but strangers: what needs a credential was not asked, and who may see whose cannot be proved")
		say(stderr, "hint", "give two people: --as NAME=@FILE --as NAME=@FILE")
	case attacker == "":
		say(stderr, "warning", "only "+victim+" asked: whether one gets what is another's cannot be proved")
		say(stderr, "hint", "give a second one: --as NAME=@FILE")
	}
}
