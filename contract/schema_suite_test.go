package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parley-project/parley/internal/jsonscan"
	"github.com/parley-project/parley/internal/needs"
)

// The JSON Schema test suite: all required tests of a draft must pass. What of
// the optional ones does not is listed.

type suiteGroup struct {
	Description string
	Schema      any
	Tests       []struct {
		Description string
		Data        json.RawMessage
		Valid       bool
	}
}

func schemaFixtures(t testing.TB) string {
	dir := os.Getenv("PARLEY_FIXTURES")
	if dir == "" {
		t.Skip("PARLEY_FIXTURES is not set")
	}
	return dir
}

func decodeJSON(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return d.Decode(v)
}

type suiteScore struct {
	total, passed, native, library int
	words                          map[string]int
	failed                         []string
}

// runSuite asks every test of the files; a schema that does not compile fails
// all of its tests.
func runSuite(t *testing.T, dir string, files []string, o schemaOptions) suiteScore {
	score := suiteScore{words: map[string]int{}}
	o.Resolve = func(base, ref string) (any, string, error) {
		name, ok := strings.CutPrefix(join(base, ref), "http://localhost:1234/")
		if !ok {
			return nil, "", fmt.Errorf("%s is not a remote of the suite", ref)
		}
		b, err := os.ReadFile(filepath.Join(dir, "remotes", filepath.FromSlash(name)))
		if os.IsNotExist(err) {
			// The suite keeps one copy of what is the same in every draft.
			if _, rest, ok := strings.Cut(name, "/"); ok && strings.HasPrefix(name, "draft") {
				b, err = os.ReadFile(filepath.Join(dir, "remotes", "v1", filepath.FromSlash(rest)))
				b = bytes.ReplaceAll(b, []byte("/v1/"), []byte("/draft2020-12/"))
				b = bytes.ReplaceAll(b, []byte("json-schema.org/v1"), []byte("json-schema.org/draft/2020-12/schema"))
			}
		}
		if err != nil {
			return nil, "", err
		}
		var v any
		return v, join(base, ref), decodeJSON(b, &v)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var groups []suiteGroup
		if err := decodeJSON(b, &groups); err != nil {
			t.Fatal(file, err)
		}
		for _, g := range groups {
			p, words, err := compileSchemaListing(g.Schema, "#", o)
			for _, test := range g.Tests {
				score.total++
				name := fmt.Sprintf("%s: %s: %s", filepath.Base(file), g.Description, test.Description)
				if err != nil {
					score.failed = append(score.failed, name+": "+err.Error())
					continue
				}
				var r jsonscan.Result
				p.Scan(test.Data, jsonscan.Limits{Depth: 1000}, &r)
				if r.Fault != nil || (len(r.Violations) == 0) != test.Valid {
					score.failed = append(score.failed, fmt.Sprintf("%s: valid %v, want %v (fault %v)", name, !test.Valid, test.Valid, r.Fault))
					continue
				}
				score.passed++
				if len(words) == 0 {
					score.native++
				} else {
					score.library++
				}
				for _, w := range words {
					score.words[w]++
				}
			}
		}
	}
	return score
}

func (s suiteScore) String() string {
	var words []string
	for w, n := range s.words {
		words = append(words, fmt.Sprintf("%s (%d)", w, n))
	}
	slices.Sort(words)
	if words == nil {
		words = []string{"nothing"}
	}
	return fmt.Sprintf("%d tests, %d passed: %d natively, %d by the library (for %s)",
		s.total, s.passed, s.native, s.library, strings.Join(words, ", "))
}

var suiteDrafts = []struct {
	name    string
	dialect dialect
}{{"draft2020-12", draft202012}, {"draft4", draft4}, {"draft7", draft7}}

func TestSchemaSuite(t *testing.T) {
	dir := filepath.Join(schemaFixtures(t), "jsonschema")
	for _, d := range suiteDrafts {
		files, _ := filepath.Glob(filepath.Join(dir, "tests", d.name, "*.json"))
		if len(files) == 0 {
			t.Fatal("no tests in", dir)
		}
		s := runSuite(t, dir, files, schemaOptions{Dialect: d.dialect})
		needs.Figure(t, "JSON Schema "+d.name+", required", "%v", s)
		for _, f := range s.failed {
			t.Error(d.name, f)
		}
	}
}

func TestSchemaSuiteOptional(t *testing.T) {
	dir := filepath.Join(schemaFixtures(t), "jsonschema")
	for _, d := range suiteDrafts {
		files, _ := filepath.Glob(filepath.Join(dir, "tests", d.name, "optional", "*.json"))
		s := runSuite(t, dir, files, schemaOptions{Dialect: d.dialect})
		needs.Figure(t, "JSON Schema "+d.name+", optional", "%v", s)
		t.Logf("%s optional, not supported:\n%s", d.name, strings.Join(s.failed, "\n"))
	}
}

// Formats are asserted for OpenAPI only; those that we do not assert are left
// out, and where we are stricter or laxer than the suite is listed.
func TestSchemaSuiteFormats(t *testing.T) {
	dir := filepath.Join(schemaFixtures(t), "jsonschema")
	var files []string
	all, _ := filepath.Glob(filepath.Join(dir, "tests", "draft2020-12", "optional", "format", "*.json"))
	for _, file := range all {
		if jsonscan.KnownFormat(strings.TrimSuffix(filepath.Base(file), ".json")) {
			files = append(files, file)
		}
	}
	s := runSuite(t, dir, files, schemaOptions{Dialect: openapi31})
	needs.Figure(t, "JSON Schema, formats", "%d of %d files: %v", len(files), len(all), s)
	t.Logf("otherwise than the suite:\n%s", strings.Join(s.failed, "\n"))
}
