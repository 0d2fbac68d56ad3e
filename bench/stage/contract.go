package stage

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed openapi.yaml
var openapi []byte

// APIFile is the contract's name in a level's folder.
const APIFile = "openapi.yaml"

// A Level is how much a peer is asked to do.
type Level string

const (
	Bare   Level = "bare"   // pass on
	Token  Level = "token"  // and verify a token
	Schema Level = "schema" // and validate requests by the contract
	All    Level = "all"    // and ownership, answers, filtering, recording
)

// API returns the contract of a level: the whole for All; without what answers
// promise for Schema; without request bodies too for Token; and without
// security for Bare.
func API(l Level) ([]byte, error) {
	if l == All {
		return openapi, nil
	}
	var doc map[string]any
	if err := yaml.Unmarshal(openapi, &doc); err != nil {
		return nil, err
	}
	if l == Bare {
		delete(doc, "security")
	}
	for _, item := range doc["paths"].(map[string]any) {
		for _, op := range item.(map[string]any) {
			op := op.(map[string]any)
			for _, r := range op["responses"].(map[string]any) {
				dropSchemas(r)
			}
			if l != Schema && op["requestBody"] != nil {
				dropSchemas(op["requestBody"])
			}
		}
	}
	return yaml.Marshal(doc)
}

// dropSchemas leaves the media types: they are declared, but nothing is said
// of what is in them.
func dropSchemas(v any) {
	content, _ := v.(map[string]any)["content"].(map[string]any)
	for _, media := range content {
		delete(media.(map[string]any), "schema")
	}
}

// WritePolicy writes a level's contract and parley.yaml into dir and returns
// the latter's path. The rules are part of All only.
func WritePolicy(dir string, l Level, p Policy) (string, error) {
	api, err := API(l)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "api: %s\nupstream: %s\n", APIFile, p.Upstream)
	// Without rules, identities and schemas there is nothing to enforce.
	// Report mode is what guard does when it is asked only to pass on.
	if l == Bare {
		b.WriteString("mode: report\n")
	} else {
		fmt.Fprintf(&b, "mode: enforce\nidentity:\n  jwt: {issuer: %q, audience: %q, keys: %q, algorithms: [ES256]}\n  subject: {claim: sub, type: integer}\n",
			Issuer, Audience, filepath.Join(p.KeyDir, JWKSFile))
	}
	if l == All {
		b.WriteString("rules:\n" +
			"  - operation: GET /v1/orders/{id}\n    owner: response.user_id\n" +
			"  - operation: POST /v1/orders\n    allow: request.body.user_id == caller.id\n")
	}
	b.WriteString(p.Sections)
	if err := os.WriteFile(filepath.Join(dir, APIFile), api, 0o600); err != nil {
		return "", err
	}
	file := filepath.Join(dir, "parley.yaml")
	return file, os.WriteFile(file, []byte(b.String()), 0o600)
}

// A Policy is what a parley.yaml says besides its level.
type Policy struct {
	Upstream string
	KeyDir   string
	// Sections are appended as they are: where to listen, what to keep.
	Sections string
}
