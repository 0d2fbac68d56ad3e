// Package needs says what a test needs from the machine, so that what could
// not be tested is named instead of passed over.
//
// A test that asks for a missing program is skipped with a mark that `make
// test` collects and prints in its last lines. Where CI=true nothing may be
// missing: there the same test fails. Only tests import this package.
package needs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Chromium is the browser, under the names that distributions give it.
const Chromium = "chromium|chromium-browser|google-chrome"

// The names of the test attributes (testing.TB.Attr) that carry marks to the
// program that runs the tests, and of the variables that it sets.
const (
	AttrMissing = "parley-missing" // value: what is missing
	AttrFigure  = "parley-figure"  // value: name = figure

	envRun    = "PARLEY_TEST_RUN"
	envAccept = "PARLEY_ACCEPT"
)

// Program returns the path of the first of the named programs, all of which
// the test needs. A name may list alternatives, such as "nginx|nginx-light".
// The test does not go on when one is missing.
func Program(t testing.TB, names ...string) string {
	t.Helper()
	first := ""
	for _, name := range names {
		path := Find(name)
		if path == "" {
			short, _, _ := strings.Cut(name, "|")
			Missing(t, short, "make deps")
		}
		if first == "" {
			first = path
		}
	}
	return first
}

// Missing ends the test because something that it needs is not there: skipped
// with a mark, or failed where CI=true. The remedy is what to type to get it.
func Missing(t testing.TB, what, remedy string) {
	t.Helper()
	t.Attr(AttrMissing, oneLine(what))
	// The go command remembers results, and programs outside of the module are
	// not part of what it compares. Reading a variable that is different in
	// every run of `make test` keeps this result from being remembered.
	_ = os.Getenv(envRun)
	text := fmt.Sprintf("needs %s, which is not on this machine: %s", what, remedy)
	if os.Getenv("CI") == "true" {
		t.Fatal(text)
	}
	t.Skip(text)
}

// Full reports whether tests are to run at full size: `make accept`. At other
// times a test takes as many rounds as fit into a few seconds.
func Full() bool { return os.Getenv(envAccept) == "1" }

// Figure notes something measured. `make accept` writes figures down.
func Figure(t testing.TB, name, format string, args ...any) {
	t.Helper()
	t.Attr(AttrFigure, oneLine(name+" = "+fmt.Sprintf(format, args...)))
}

// Find returns the path of the first alternative that is on the machine, or
// the empty string.
func Find(alternatives string) string {
	for name := range strings.SplitSeq(alternatives, "|") {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
		// Debian keeps servers where an ordinary user's PATH does not look.
		if path, err := exec.LookPath("/usr/sbin/" + name); err == nil {
			return path
		}
		if path := built(name); path != "" {
			return path
		}
	}
	return ""
}

// built looks where `make deps` puts what no distribution packs: bin/ at the
// top of the checkout. Tests run in the folder of their package, below it.
func built(name string) string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			if path, err := exec.LookPath(filepath.Join(dir, "bin", name)); err == nil {
				return path
			}
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

// oneLine is what Attr asks of values; it panics on others.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
