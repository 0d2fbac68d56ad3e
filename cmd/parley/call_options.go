package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call"
	calls "github.com/parley-project/parley/call/run"
	"github.com/parley-project/parley/call/script"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/internal/config"
)

// options makes what the runner wants of what the person said.
func (o *callOptions) options(c *cobra.Command) (*calls.Options, error) {
	masker := calls.NewMasker(o.raw)
	r := &calls.Options{Iterations: o.iterations, Jobs: o.jobs, Delay: o.delay, Bail: o.bail, Folder: o.folder, SafeOnly: !o.writes, AnyFile: o.anyFile, Masker: masker,
		Call: call.Options{HTTP: o.http, Timeout: o.timeout, Redirects: o.redirects, Pins: o.pins, Clear: o.clear, Proxy: o.proxy,
			MaxBody: 4 << 20, Source: exchange.FromCall}}
	switch {
	case o.iterations < 0:
		return nil, &usageError{fmt.Sprintf("-n: %d is no number of iterations", o.iterations), "1 or more; without it once, or once for each row of --data"}
	case o.jobs < 1 || o.jobs > 1000:
		return nil, &usageError{fmt.Sprintf("--jobs: %d at the same time cannot be", o.jobs), "from 1 to 1000"}
	case o.redirects < 0:
		return nil, &usageError{fmt.Sprintf("--redirects: %d cannot be followed", o.redirects), "0 follows none"}
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
			var e *archive.Error
			if errors.As(err, &e) && e.Hint == "" {
				e.Hint = "rows are CSV with a line of names first, or a JSON array of objects, in a file; " + config.HintFile
			}
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
	return r, o.identities(c, r)
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

// apiURL is where the API is that paths in log-ins belong to: --base, the
// variable of that name, or the URL that is called.
func (o *callOptions) apiURL(r *calls.Options) string {
	if o.base != "" {
		return o.base
	}
	if v, ok := r.Given.Get("base"); ok {
		return script.Text(v)
	}
	return o.url
}

// identities finds who asks: by name in parley.yaml, which is read when it is
// named or needed, or as it is given.
func (o *callOptions) identities(c *cobra.Command, r *calls.Options) error {
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
		a, err := speakAs(c.Context(), p, client, o.apiURL(r), c.ErrOrStderr())
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
