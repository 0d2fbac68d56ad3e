package main

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call"
	calls "github.com/parley-project/parley/call/run"
	"github.com/parley-project/parley/contract"
)

var (
	openAPIMember = regexp.MustCompile(`(?m)^\s*\{?\s*"(openapi|swagger)"\s*:`)         // of JSON, however it is indented
	openAPIField  = regexp.MustCompile(`(?m)^["']?(openapi|swagger)["']?[ \t]*:(\s|$)`) // of YAML, at the top
)

// looksOpenAPI reports whether a file is an OpenAPI description.
func looksOpenAPI(data []byte) bool {
	data = bytes.TrimLeft(bytes.TrimPrefix(data[:min(len(data), 64<<10)], []byte("\xef\xbb\xbf")), " \t\r\n")
	if bytes.HasPrefix(data, []byte("{")) {
		return openAPIMember.Match(data)
	}
	return openAPIField.Match(data)
}

// fromContract makes a collection of a description: a request for each
// operation. It is also what the responses are held against, unless --api names
// another one.
func (o *callOptions) fromContract(name string, r *calls.Options) (*archive.Collection, error) {
	k, c, err := described(name)
	if err != nil {
		return nil, err
	}
	if r.Contract == nil {
		r.Contract = k
	}
	expectValid(c.Items)
	if o.base != "" {
		r.Given.Set("baseUrl", strings.TrimRight(o.base, "/"))
	}
	return c, nil
}

// described reads a description and makes a collection of it.
func described(name string) (*contract.Contract, *archive.Collection, error) {
	k, err := contract.FromAPI(name)
	if err != nil {
		return nil, nil, err
	}
	c, err := call.FromContract(k, name)
	return k, c, err
}

// expectValid expects of each request that it keeps the contract.
func expectValid(items []*archive.Item) {
	for _, it := range items {
		if it.Request != nil && len(it.Expect) == 0 {
			it.Expect = []archive.Expectation{{Fact: "contract", Is: "==", Want: "valid"}}
		}
		expectValid(it.Items)
	}
}
