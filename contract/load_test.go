package contract

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parley-project/parley/internal/config"
	"github.com/parley-project/parley/internal/jsonscan"
	"github.com/pb33f/libopenapi"
)

func fixtureFiles(t testing.TB, folder string) []string {
	t.Helper()
	dir := os.Getenv("PARLEY_FIXTURES")
	if dir == "" {
		t.Skip("PARLEY_FIXTURES is not set")
	}
	files, err := filepath.Glob(filepath.Join(dir, folder))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures at %s (%v)", folder, err)
	}
	return slices.DeleteFunc(files, func(f string) bool { return filepath.Ext(f) == ".md" })
}

// TestFixtures loads the descriptions of real APIs; the broken ones are refused
// in one line with its place.
func TestFixtures(t *testing.T) {
	for _, file := range fixtureFiles(t, "openapi/*") {
		name := filepath.Base(file)
		c, err := FromAPI(file)
		if strings.HasPrefix(name, "bad-") {
			var e *config.Error
			if !errors.As(err, &e) || e.Line == 0 || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v, want one line with its place", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		bodies := 0
		for _, o := range c.Operations {
			if m := c.Match(o.Method, samplePath(o.Path)); m.Operation == nil || m.Operation.Path != o.Path && !strings.Contains(o.Path, "{") {
				t.Errorf("%s: %s is not matched: %+v", name, o.Name, m)
			}
			for _, b := range o.bodies() {
				if b.Judged != (b.Program != nil) || b.Judged && b.unjudged {
					t.Errorf("%s: %s %s: judged %v, program %v", name, o.Name, b.MediaType, b.Judged, b.Program != nil)
				}
				if b.Judged {
					bodies++
					b.Scan([]byte(`{"a":[1,{"b":null}]}`), jsonscan.Limits{})
				}
			}
		}
		if len(c.Describe()) != len(c.Operations) || c.Mode != Report {
			t.Errorf("%s: %d descriptions, mode %s", name, len(c.Describe()), c.Mode)
		}
		for _, l := range append(slices.Clone(c.NotJudged), c.Notes...) {
			if !strings.Contains(l, name+":") || strings.Contains(l, "\n") {
				t.Errorf("%s: %q is not one line with its place", name, l)
			}
		}
		t.Logf("%s: %d operations, %d bodies judged, %d lines not judged", name, len(c.Operations), bodies, len(c.NotJudged))
	}
}

// samplePath fills a path template.
func samplePath(template string) string {
	var b strings.Builder
	for _, part := range strings.SplitAfter(template, "}") {
		before, _, variable := strings.Cut(part, "{")
		b.WriteString(before)
		if variable {
			b.WriteString("zq1")
		}
	}
	return strings.ReplaceAll(b.String(), " ", "%20")
}

// TestSecondOpinion: an independent reader of OpenAPI finds the same
// operations with the same parameters and statuses, in every description that
// it can read.
func TestSecondOpinion(t *testing.T) {
	compared := 0
	for _, file := range append(fixtureFiles(t, "openapi/*"), "testdata/store/openapi.yaml") {
		c, err := FromAPI(file)
		if err != nil || filepath.Base(file) == "o2p-github.yaml" && testing.Short() {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := libopenapi.NewDocument(data)
		if err != nil {
			continue
		}
		want := map[string]string{}
		if doc.GetSpecInfo().SpecType == "openapi" {
			model, err := doc.BuildV3Model()
			if err != nil || model.Model.Paths == nil {
				continue
			}
			for path, item := range model.Model.Paths.PathItems.FromOldest() {
				for method, op := range item.GetOperations().FromOldest() {
					names := map[string]bool{}
					for _, p := range append(slices.Clone(item.Parameters), op.Parameters...) {
						names[p.In+" "+p.Name] = true
					}
					var statuses []string
					if op.Responses != nil {
						for s := range op.Responses.Codes.FromOldest() {
							statuses = append(statuses, strings.ToUpper(s))
						}
						if op.Responses.Default != nil {
							statuses = append(statuses, "default")
						}
					}
					want[strings.ToUpper(method)+" "+path] = summary(names, statuses, op.RequestBody != nil)
				}
			}
		} else {
			model, err := doc.BuildV2Model()
			if err != nil {
				continue
			}
			for path, item := range model.Model.Paths.PathItems.FromOldest() {
				for method, op := range item.GetOperations().FromOldest() {
					names, body := map[string]bool{}, false
					for _, p := range append(slices.Clone(item.Parameters), op.Parameters...) {
						if p.In == "body" || p.In == "formData" {
							body = true
						} else {
							names[p.In+" "+p.Name] = true
						}
					}
					var statuses []string
					for s := range op.Responses.Codes.FromOldest() {
						statuses = append(statuses, strings.ToUpper(s))
					}
					if op.Responses.Default != nil {
						statuses = append(statuses, "default")
					}
					want[strings.ToUpper(method)+" "+path] = summary(names, statuses, body)
				}
			}
		}
		got := map[string]string{}
		for _, o := range c.Operations {
			names := map[string]bool{}
			for _, p := range o.Parameters {
				names[p.In+" "+p.Name] = true
			}
			got[o.Method+" "+strings.TrimPrefix(o.Path, o.base)] = summary(names, o.Statuses(), o.Requests != nil)
		}
		for name, w := range want {
			if got[name] != w {
				t.Errorf("%s: %s:\n got %s\nwant %s", filepath.Base(file), name, got[name], w)
			}
			compared++
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d operations, want %d", filepath.Base(file), len(got), len(want))
		}
	}
	t.Logf("%d operations compared", compared)
	if compared == 0 {
		t.Error("nothing was compared")
	}
}

func summary(parameters map[string]bool, statuses []string, body bool) string {
	var names []string
	for n := range parameters {
		switch strings.ToLower(n) {
		case "header accept", "header content-type", "header authorization":
			continue // OpenAPI says to ignore them (3.1, 4.8.12)
		}
		names = append(names, n)
	}
	slices.Sort(names)
	slices.Sort(statuses)
	return fmt.Sprintf("%s, %s, body %v", strings.Join(names, ", "), strings.Join(statuses, " "), body)
}

func BenchmarkLoad(b *testing.B) {
	for _, file := range fixtureFiles(b, "openapi/o2p-github.yaml") {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := FromAPI(file); err != nil {
				b.Fatal(err)
			}
		}
	}
}
