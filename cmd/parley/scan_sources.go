package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/internal/config"
	"github.com/parley-project/parley/learn"
	"github.com/parley-project/parley/scan"
)

// known is what is known of an API before it is asked.
type known struct {
	contract *contract.Contract
	file     string // the description that samples are made of
	learnt   bool
	shadow   []string
	used     map[string][]string
	people   map[string]*identity.Person
	dir      string // temporary; empty: none
}

func (k *known) close() {
	if k.dir != "" {
		os.RemoveAll(k.dir)
	}
}

// temporary writes a description that is nobody's file.
func (k *known) temporary(data []byte, name string) (string, error) {
	if k.dir == "" {
		dir, err := os.MkdirTemp("", "parley-scan-*")
		if err != nil {
			return "", err
		}
		k.dir = dir
	}
	file := filepath.Join(k.dir, name)
	return file, os.WriteFile(file, data, 0o600)
}

// know reads what was given of the API: a policy, a description, traffic.
func (o *scanOptions) know(ctx context.Context, stdin io.Reader, stderr io.Writer) (_ *known, err error) {
	k := &known{}
	defer func() {
		if err != nil {
			k.close()
		}
	}()
	if o.config != "" {
		if k.contract, k.people, err = readPolicy(o.config); err != nil {
			return nil, err
		}
		if k.contract != nil {
			if k.file, err = apiOf(o.config); err != nil {
				return nil, err
			}
		}
	}
	if o.api != "" {
		k.file = o.api
		if k.contract, err = contract.FromAPI(o.api); err != nil {
			return nil, err
		}
	}
	if len(o.from) == 0 && o.fromStore == "" {
		return k, nil
	}
	return k, k.learn(ctx, stdin, stderr, o)
}

// apiOf is the description that a policy names.
func apiOf(policy string) (string, error) {
	s, err := config.Read(policy)
	if err != nil {
		return "", err
	}
	fields, err := s.Fields()
	if err != nil {
		return "", err
	}
	for _, f := range fields {
		if f.Name == "api" {
			name, _ := f.Value.Text()
			if filepath.IsAbs(name) {
				return name, nil
			}
			return filepath.Join(filepath.Dir(policy), name), nil
		}
	}
	return "", nil
}

// learn adds what traffic shows: all of it when there is no description, else
// what is beyond it.
func (k *known) learn(ctx context.Context, stdin io.Reader, stderr io.Writer, o *scanOptions) error {
	l := learn.New(learn.Options{API: k.contract, Examples: true})
	n := 0
	for _, file := range o.from {
		had, err := learnSource(stdin, stderr, l, nil, file, "")
		if err != nil {
			return err
		}
		n += had
	}
	first := o.fromStore
	if len(o.from) > 0 {
		first = o.from[0]
	}
	if o.fromStore != "" {
		sources, err := sourcesOf(stdin, stderr, tryOptions{store: o.fromStore})
		if err != nil {
			return err
		}
		defer sources[0].close()
		if err := sources[0].each(ctx, nil, func(x *exchange.Exchange) { l.Add(x); n++ }); err != nil {
			return err
		}
	}
	if n == 0 {
		return &hintError{fmt.Errorf("%s: there is no request in it", first), "a HAR, a Postman collection, or what parley guard stores", exitUsage}
	}
	k.used = map[string][]string{}
	for _, e := range l.Inventory().Operations {
		if e.Shadow && !e.Refused {
			k.shadow = append(k.shadow, e.Operation)
		}
		for _, c := range e.Callers {
			names := c.Roles
			if len(names) == 0 {
				names = []string{c.Subject}
			}
			for _, name := range names {
				if c.Succeeded > 0 && name != "" && !slices.Contains(k.used[e.Operation], name) {
					k.used[e.Operation] = append(k.used[e.Operation], name)
				}
			}
		}
	}
	var err error
	var text []byte
	declared := k.contract
	if declared == nil {
		k.learnt, k.shadow = true, nil
		if text, err = l.OpenAPI(); err != nil {
			return err
		}
	} else {
		if len(k.shadow) == 0 {
			return nil
		}
		old, err := os.ReadFile(k.file)
		if err != nil {
			return err
		}
		if text, err = l.Merge(old); err != nil {
			say(stderr, "warning", "what traffic shows beyond the description is left out: "+err.Error())
			k.shadow = nil
			return nil
		}
	}
	file, err := k.temporary(text, "openapi.yaml")
	if err != nil {
		return err
	}
	c, err := contract.FromAPI(file)
	if err != nil {
		if declared == nil {
			return err
		}
		say(stderr, "warning", "what traffic shows beyond the description is left out: the two do not make one description")
		k.shadow = nil
		return nil
	}
	if len(c.Operations) == 0 {
		return &hintError{fmt.Errorf("no operation of an API is seen in %s", first), "is it the right recording? parley convert FILE --to http shows what is in it", exitUsage}
	}
	if declared != nil {
		c.Title, c.CORS = declared.Title, declared.CORS
		say(stderr, "scan", fmt.Sprintf("traffic shows %d operations that the description does not have: %s", len(k.shadow), strings.Join(k.shadow, ", ")))
	}
	k.contract, k.file = c, file
	return nil
}

// wellKnown is where descriptions of APIs are found.
var wellKnown = []string{"/openapi.json", "/openapi.yaml", "/swagger.json", "/v3/api-docs", "/v1/openapi.json"}

// discover looks for a description at the API itself.
func (k *known) discover(ctx context.Context, base string, co call.Options, stderr io.Writer) error {
	co.Redirects, co.Recorder = 0, nil
	client, err := call.New(co)
	if err != nil {
		return &usageError{strings.TrimPrefix(err.Error(), "call: "), "parley scan --help"}
	}
	defer client.Close()
	for _, path := range wellKnown {
		xs := client.Do(ctx, &call.Request{Method: "GET", URL: base + path, Header: exchange.Header{{Name: "Accept", Value: "application/json, application/yaml;q=0.9"}}})
		x := xs[len(xs)-1]
		if err := ctx.Err(); err != nil {
			return err
		}
		if x.Response == nil {
			return unreachable(&scan.UnreachableError{Target: base, Why: x.Failure})
		}
		if x.Response.Status != 200 || !looksOpenAPI(x.Response.Body.Data) || !x.Response.Body.Complete() {
			continue
		}
		if to := refersTo(x.Response.Body.Data); to != "" {
			return &hintError{fmt.Errorf("%s%s refers to the file %q, and an API may not say which files are read here", base, path, to),
				"save it with all that belongs to it, and give it with --api FILE", exitUsage}
		}
		if k.file, err = k.temporary(x.Response.Body.Data, "openapi"+extensionOf(x.Response.Body.Data)); err != nil {
			return err
		}
		if k.contract, err = contract.FromAPI(k.file); err != nil {
			return &hintError{fmt.Errorf("%s%s is no description that can be read: %w", base, path, err), "mend a copy of it, and give that with --api FILE", exitUsage}
		}
		say(stderr, "scan", fmt.Sprintf("the API describes itself at %s: %d operations", path, len(k.contract.Operations)))
		return nil
	}
	return &hintError{fmt.Errorf("nothing says what the API has: there is no description at %s", strings.Join(wellKnown, ", ")),
		"give one with --api openapi.yaml, or traffic with --from recording.har", exitUsage}
}

func extensionOf(data []byte) string {
	if data = bytes.TrimSpace(data); len(data) > 0 && data[0] == '{' {
		return ".json"
	}
	return ".yaml"
}
