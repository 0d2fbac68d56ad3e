package call_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/config"
	"github.com/parley-project/parley/internal/jsonscan"
	"github.com/parley-project/parley/internal/needs"
)

// sent is a request of a collection as it goes out.
func sent(c *archive.Collection, r *archive.Request) *exchange.Request {
	values := map[string]string{}
	for _, v := range c.Variables {
		values[v.Name] = v.Value
		if v.Value == "" {
			values[v.Name] = "x"
		}
	}
	fill := func(s string) string {
		return regexp.MustCompile(`\{\{(\w+)\}\}`).ReplaceAllStringFunc(s, func(m string) string {
			if v, ok := values[m[2:len(m)-2]]; ok {
				return v
			}
			return m
		})
	}
	u := fill(r.URL)
	_, rest, _ := strings.Cut(u, "://")
	_, target, _ := strings.Cut(rest, "/")
	path, query, asked := strings.Cut("/"+target, "?")
	parts := strings.Split(path, "/")
	for i, p := range parts {
		for _, f := range r.Params {
			if p == ":"+f.Name {
				parts[i] = f.Value
			}
		}
	}
	x := &exchange.Request{Method: r.Method, Target: strings.Join(parts, "/")}
	if asked {
		x.Target += "?" + query
	}
	for _, h := range r.Header {
		if !h.Disabled {
			x.Header = append(x.Header, exchange.Field{Name: h.Name, Value: fill(h.Value)})
		}
	}
	return x
}

// TestFromContract makes a collection of each description, and lets the
// contract judge every request in it.
func TestFromContract(t *testing.T) {
	root := os.Getenv("PARLEY_FIXTURES")
	if root == "" {
		t.Skip("PARLEY_FIXTURES is not set")
	}
	files, err := filepath.Glob(filepath.Join(root, "openapi", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no descriptions in %s (%v)", root, err)
	}
	all, sound := 0, 0
	classes := map[string]int{}
	for _, file := range files {
		name := filepath.Base(file)
		if filepath.Ext(name) == ".md" {
			continue
		}
		c, err := contract.FromAPI(file)
		if strings.HasPrefix(name, "bad-") {
			var e *config.Error
			if !errors.As(err, &e) || e.Line == 0 || e.Column == 0 {
				t.Errorf("FromAPI(%s) = %v, want an error with line and column", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("FromAPI(%s): %v", name, err)
			continue
		}
		col, err := call.FromContract(c, file)
		if err != nil {
			t.Errorf("FromContract(%s): %v", name, err)
			continue
		}
		var walk func(items []*archive.Item)
		walk = func(items []*archive.Item) {
			for _, it := range items {
				walk(it.Items)
				if it.Request == nil {
					continue
				}
				all++
				r := sent(col, it.Request)
				m := c.Match(r.Method, r.Path())
				var faults []string
				if m.Operation == nil {
					faults = append(faults, "no operation")
				}
				for _, f := range m.Operation.CheckParameters(r, m.Params) {
					faults = append(faults, f.String())
				}
				if b := it.Request.Body; b != nil && b.Mode == "raw" {
					f := m.Operation.RequestBody(b.MediaType).Scan([]byte(b.Text), jsonscan.Limits{})
					if m.Operation.RequestBody(b.MediaType).JSON() && f.Result.Fault != nil {
						faults = append(faults, f.Result.Fault.Error())
					}
					for _, v := range f.Result.Violations {
						faults = append(faults, "body: "+v.Kind.String()+" "+v.Keyword)
					}
				}
				if len(faults) == 0 {
					sound++
					continue
				}
				classes[faults[0]]++
				t.Errorf("%s: %s %s: %s", name, r.Method, r.Target, strings.Join(faults[:min(3, len(faults))], "; "))
			}
		}
		walk(col.Items)
		var b strings.Builder
		if err := archive.FormatNamed("postman").Write(&b, col); err != nil {
			t.Errorf("%s as Postman: %v", name, err)
		}
	}
	needs.Figure(t, "requests from descriptions that their contract takes", "%d of %d", sound, all)
	var list []string
	for c := range classes {
		list = append(list, c)
	}
	sort.Strings(list)
	if all < 1000 {
		t.Errorf("FromContract made %d requests, want more than 1000; misses: %v", all, list)
	}
}
