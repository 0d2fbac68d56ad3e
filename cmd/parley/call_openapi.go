package main

import (
	"fmt"
	"regexp"

	"github.com/parley-project/parley/archive"
	calls "github.com/parley-project/parley/call/run"
)

var openAPIWord = regexp.MustCompile(`(?m)^\s*\{?\s*"?(openapi|swagger)"?\s*:`)

// looksOpenAPI reports whether a file is an OpenAPI description.
func looksOpenAPI(data []byte) bool {
	return openAPIWord.Match(data[:min(len(data), 64<<10)])
}

// fromContract makes a collection of the examples in a description.
func (o *callOptions) fromContract(name string, r *calls.Options) (*archive.Collection, error) {
	return nil, &hintError{fmt.Errorf("%s: is an OpenAPI description, whose examples are not run yet", name), "--api holds responses against it", exitUsage}
}

// callScripts is the engine for scripts.
func callScripts() calls.Scripts { return nil }

