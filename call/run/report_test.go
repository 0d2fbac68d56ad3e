package run

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write golden files anew")

// tell tells reporters of a run in which everything happened.
func tell(rs ...Reporter) error {
	info := &Info{Name: "Shop <script>", File: "shop.yaml", Requests: 3, Iterations: 2, Warnings: []string{"shop.yaml:3: a script, which is not run"},
		Start: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	results := []*Result{
		{Name: "log in", Place: "shop.yaml:4", Row: -1, Method: "POST", URL: "https://shop.test/login", Status: 200, Proto: "HTTP/2.0", Time: 12345 * time.Microsecond, Size: 41,
			Assertions: []Assertion{{Name: "status is 200", Step: "response", Passed: true, Place: "shop.yaml:6"}, {Name: "tls.version is \"TLS 1.3\"", Step: "tls", Passed: true}}},
		{Name: "list", Path: []string{"Orders", "Mine"}, Place: "shop.yaml:9", Row: 1, Method: "GET", URL: "https://shop.test/orders?a=1&b=<2>", Status: 404, Proto: "HTTP/1.1", Time: 3 * time.Millisecond,
			Assertions: []Assertion{{Name: "status is 200", Step: "response", Message: "got 404, want 200", Place: "shop.yaml:12"},
				{Name: "later", Step: "script", Skipped: true}, {Name: "x \x1b[31m", Step: "script", Message: "line\none \x00", Place: "shop.json:7"}},
			Warnings: []string{"no variable is named b"}, Printed: []Printed{{"log", "hello </pre>"}}},
		{Name: "gone", Place: "shop.yaml:20", Iteration: 1, Row: -1, Method: "GET", URL: "http://gone.test/", Failure: "no address for gone.test", FailedAt: "dns", Time: time.Millisecond},
		{Name: "after", Place: "shop.yaml:22", Iteration: 1, Row: -1, Method: "GET", Skipped: `"gone", which it needs, did not go as expected`},
	}
	sum := &Summary{Iterations: 2, Requests: 3, Incomplete: 1, Skipped: 1, Assertions: 4, Failed: 2, Problems: []string{"shop.json:7: syntax"}, Time: 20 * time.Millisecond, Bytes: 41}
	for _, r := range rs {
		if err := r.Begin(info); err != nil {
			return err
		}
		for _, res := range results {
			if err := r.Add(res); err != nil {
				return err
			}
		}
		if err := r.End(sum); err != nil {
			return err
		}
	}
	return nil
}

func TestReports(t *testing.T) {
	var text, long, js, junit, page bytes.Buffer
	err := tell(&Text{W: &text}, &Text{W: &long, Verbose: true}, &JSON{W: &js},
		&Keep{Write: func(k *Keep) error { return JUnit(&junit, k) }}, &Keep{Write: func(k *Keep) error { return HTML(&page, k) }})
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*bytes.Buffer{"report.txt": &text, "verbose.txt": &long, "report.json": &js, "report.xml": &junit, "report.html": &page} {
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if b.String() != string(want) {
			t.Errorf("%s is\n%s\nwant\n%s", name, b.String(), want)
		}
	}
	if strings.ContainsAny(text.String()+page.String(), "\x1b\x00") {
		t.Error("a report holds control characters")
	}
	var object struct {
		Requests []struct{ OK bool }
		Summary  struct{ Exit int }
	}
	if err := json.Unmarshal(js.Bytes(), &object); err != nil || len(object.Requests) != 4 || object.Summary.Exit != 3 {
		t.Errorf("the JSON holds %+v, %v, want 4 requests and exit 3", object, err)
	}
	var suites junitSuites
	if err := xml.Unmarshal(junit.Bytes(), &suites); err != nil || suites.Failures != 2 || suites.Errors != 1 || suites.Skipped != 2 || suites.Tests != 9 {
		t.Errorf("the XML holds %+v, %v, want 9 tests, 2 failures, 1 error, 2 skipped", suites, err)
	}
	for _, bad := range []string{"<script", "</pre>\n</pre>", "onload", "http-equiv=\"refresh\""} {
		if strings.Contains(page.String(), bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}

func TestExit(t *testing.T) {
	for _, v := range []struct {
		s    Summary
		want int
	}{
		{Summary{}, 0}, {Summary{Assertions: 2}, 0}, {Summary{Failed: 1}, 1}, {Summary{Problems: []string{"x"}}, 1}, {Summary{Failed: 1, Incomplete: 1}, 3},
	} {
		if got := v.s.Exit(); got != v.want {
			t.Errorf("Exit(%+v) found %d, want %d", v.s, got, v.want)
		}
	}
}
