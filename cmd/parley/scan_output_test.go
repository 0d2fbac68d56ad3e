package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/scan"
)

// A terminal is told the phase, what is asked, and how far it is; a stranger's
// path cannot steer it.
func TestScanProgress(t *testing.T) {
	got := progressLine(scan.Progress{Phase: "authz-object", Asking: "GET /v1/\x1b[2J as rajan", Requests: 41, Done: 7, Of: 80, Findings: 2})
	if want := `authz-object 7/80 · 41 requests · 2 found · GET /v1/\x1b[2J as rajan`; got != want {
		t.Errorf("progressLine() = %q, want %q", got, want)
	}
	var b bytes.Buffer
	scanProgress(&b)(scan.Progress{Phase: "looking around"})
	if b.Len() > 0 {
		t.Errorf("a pipe is told %q", b.String())
	}
}

// A scope file has exact hosts: nothing is guessed from one.
func TestInScope(t *testing.T) {
	file := filepath.Join(t.TempDir(), "scope.txt")
	if err := os.WriteFile(file, []byte("# ours\napi.example\nAPI2.example:8443 # the other\n[2001:db8::1]:443\n2001:db8::2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		host, port string
		want       bool
	}{
		{"api.example", "443", true}, {"api.example", "80", true}, {"API.example", "443", true}, {"api.example", "8443", false},
		{"api2.example", "8443", true}, {"api2.example", "443", false}, {"v1.api.example", "443", false}, {"example", "443", false},
		{"2001:db8::1", "443", true}, {"2001:db8::2", "443", true}, {"2001:db8::3", "443", false}, {"# ours", "443", false}, {"", "443", false},
	} {
		got, err := inScope(file, c.host, c.port)
		if err != nil || got != c.want {
			t.Errorf("inScope(%s, %s) = %v, %v, want %v", c.host, c.port, got, err, c.want)
		}
	}
	for _, bad := range []string{"*.example\n", "a.example, b.example\n", "https://api.example/\n", "10.0.0.0/8\n", strings.Repeat("a", 100_000) + "\n"} {
		if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if in, err := inScope(file, "api.example", "443"); err == nil {
			t.Errorf("the scope %.40q is taken, and says %v", bad, in)
		}
	}
}

// A baseline that is written anew keeps what somebody decided to live with.
func TestBaselineKeepsSuppressions(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("known.yaml", []byte("schema: parley.baseline/1\ntarget: http://localhost\nknown: []\nsuppress:\n  - {id: 'authz-object GET /v1/a', reason: \"it's \\\"fine\\\": really\", until: 2999-01-31}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := &scanOptions{write: "known.yaml", baseline: "known.yaml"}
	res := &scan.Result{Target: "http://localhost", Findings: []*scan.Finding{
		{Fingerprint: "0123456789abcdef01234567", Check: "authz-object", Operation: "GET /v1/a: {b}", Verdict: exchange.Confirmed, Severity: exchange.High}}}
	for range 2 {
		if err := o.writeBaseline(res); err != nil {
			t.Fatal(err)
		}
	}
	d, err := o.decisions()
	if err != nil {
		t.Fatal(err)
	}
	if len(d.suppress) != 1 || d.suppress[0].Reason != `it's "fine": really (until 2999-01-31)` || d.known["0123456789abcdef01234567"] != exchange.Confirmed {
		t.Errorf("the baseline says %+v", d)
	}
	res.Incomplete = "it was interrupted"
	if err := o.writeBaseline(res); err == nil {
		t.Error("a baseline of half a scan is written")
	}
	for _, bad := range []string{"schema: parley.baseline/2\n", "schema: parley.baseline/1\nknown: 3\n", "schema: parley.baseline/1\nsuppres: []\n"} {
		if err := os.WriteFile("known.yaml", []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := o.decisions(); err == nil {
			t.Errorf("the baseline %q is taken", bad)
		}
	}
}
