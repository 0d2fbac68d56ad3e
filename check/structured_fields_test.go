package check

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/needs"
)

// Nothing here parses structured fields (RFC 9651). The one that is read,
// Sec-Fetch-Site, is compared whole; whatever stands in it, only the two words
// that mean a page of our own are taken for them.
func TestStructuredFieldsAreNotMisread(t *testing.T) {
	folder := os.Getenv("PARLEY_FIXTURES")
	if folder == "" {
		t.Skip("PARLEY_FIXTURES is not set")
	}
	files, _ := filepath.Glob(filepath.Join(folder, "http1", "structured-fields", "*.json"))
	if len(files) == 0 {
		t.Fatalf("no cases in %s", folder)
	}
	believed := func(lines ...string) bool {
		x := &exchange.Exchange{Request: exchange.Request{Method: "POST", Scheme: "https", Authority: "api.example"}}
		for _, l := range lines {
			x.Request.Header = append(x.Request.Header, exchange.Field{Name: "Sec-Fetch-Site", Value: l})
		}
		x.Server.Credential = &exchange.Credential{Carrier: "cookie"}
		_, bad := crossSite(&Pass{Exchange: x})
		return !bad
	}
	if !believed("same-origin") || believed("cross-site") {
		t.Fatal("the field is not read at all")
	}
	cases := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var all []struct {
			Name string
			Raw  []string
		}
		if err := json.Unmarshal(data, &all); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, c := range all {
			cases++
			whole := strings.TrimSpace(strings.Join(c.Raw, ","))
			if believed(c.Raw...) && whole != "same-origin" && whole != "none" {
				t.Errorf("%s: %s: %q is taken for a page of our own", filepath.Base(file), c.Name, c.Raw)
			}
		}
	}
	needs.Figure(t, "structured fields", "not parsed anywhere; %d values in Sec-Fetch-Site, none misread", cases)
}
