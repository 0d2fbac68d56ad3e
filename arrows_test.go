package parley_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The map of packages: what each may import of ours. A name that ends in /*
// stands for the subpackages. The level is how high a package stands above
// exchange; it imports lower levels only, so the tools cannot know each other.
// Changing a line is a design decision and gets a note in doc/decisions/.
var arrows = []struct {
	level   int
	pkg     string
	imports string
}{
	{5, "cmd/parley", "*"},
	{5, "internal/lab/*", "*"}, // programs that show a part on its own

	{4, "console", "proxy scan trace call call/run learn report store archive check identity filter contract exchange"},
	{4, "gateway", "guard contract identity tally check exchange internal/serve internal/ca internal/config"},
	{4, "store/storetest", "store exchange filter"},

	{3, "check/catalogue", "check exchange"},
	{3, "guard", "check contract identity tally exchange internal/jsonscan"},
	{3, "scan", "check contract identity call archive learn exchange"},
	{3, "trace", "check contract identity call exchange"},
	{3, "proxy", "check identity filter call exchange internal/wire internal/ca internal/serve"},
	{3, "report", "check identity exchange"},
	{3, "store", "filter identity exchange"},

	{2, "check", "contract identity exchange internal/jsonscan"},
	{2, "learn", "contract identity exchange"},
	{2, "call", "archive contract identity exchange internal/config internal/wire internal/diagnose"},
	{3, "call/run", "call call/script archive contract identity exchange internal/config"},
	{2, "call/script", "archive identity exchange"},
	{2, "sniff", "identity filter exchange internal/wire internal/diagnose"},

	{1, "contract", "exchange internal/jsonscan internal/config"},
	{1, "identity", "exchange internal/config"},
	{1, "archive", "exchange internal/config"},
	{1, "tally", "exchange"},
	{1, "filter", "exchange"},
	{1, "internal/wire", "exchange"},
	{1, "internal/diagnose", "exchange"},

	{0, "exchange", ""},
	{0, "internal/jsonscan", ""},
	{0, "internal/ca", ""},
	{0, "internal/serve", ""},
	{0, "internal/config", ""},
	{0, "internal/needs", ""},           // imported by tests only
	{0, "internal/lab", ""},             // imported by tests and cmd only
	{1, "example/shop", "example/play"}, // nothing more, so that it cannot cheat
	{1, "example/ledger", "example/play"},
	{0, "example/play", ""},
	{1, "example/play/playtest", "example/play"}, // imported by tests only
	{0, "", ""},

	// Programs for those who work on Parley; no package imports them.
	{5, "internal/needs/gotest", "internal/needs"},
}

const module = "github.com/parley-project/parley"

type listed struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func TestArrows(t *testing.T) {
	level := map[string]int{}
	allowed := map[string][]string{}
	for _, a := range arrows {
		level[a.pkg], allowed[a.pkg] = a.level, strings.Fields(a.imports)
	}
	for _, p := range list(t, "./...") {
		name := short(p.ImportPath)
		row, ok := rowOf(allowed, name)
		if !ok {
			t.Errorf("%s is not on the map: give it a line in arrows_test.go and a note in doc/decisions/", name)
			continue
		}
		for _, imp := range ours(p.Imports) {
			impRow, _ := rowOf(allowed, imp)
			switch {
			case slices.Contains(allowed[row], "*"):
			case !slices.Contains(allowed[row], imp) && !slices.Contains(allowed[row], impRow):
				t.Errorf("%s imports %s, want only: %s", name, imp, strings.Join(allowed[row], " "))
			case level[impRow] >= level[row]:
				t.Errorf("%s (level %d) imports %s (level %d), want only lower levels", name, level[row], imp, level[impRow])
			}
			if imp == "internal/needs" && name != "internal/needs/gotest" || imp == "internal/lab" && level[row] < 5 {
				t.Errorf("%s imports %s, which is for tests", name, imp)
			}
		}
		if strings.HasPrefix(name, "example/") {
			for _, imp := range ours(append(p.TestImports, p.XTestImports...)) {
				if !strings.HasPrefix(imp, "example/") && imp != "internal/needs" {
					t.Errorf("the tests of %s import %s, want nothing of ours", name, imp)
				}
			}
		}
	}
}

// TestMapIsSound looks at the table itself: what is allowed must exist on the
// map and lie lower.
func TestMapIsSound(t *testing.T) {
	level := map[string]int{}
	for _, a := range arrows {
		if _, twice := level[a.pkg]; twice {
			t.Errorf("%q is on the map twice", a.pkg)
		}
		level[a.pkg] = a.level
	}
	for _, a := range arrows {
		for imp := range strings.FieldsSeq(a.imports) {
			if l, ok := level[imp]; imp != "*" && (!ok || l >= a.level) {
				t.Errorf("%s may import %s, which is not on a lower level", a.pkg, imp)
			}
		}
	}
}

// TestGuardIsLight holds what other programs link when they use guard as
// middleware: no database, no server but net/http, no QUIC, no console.
func TestGuardIsLight(t *testing.T) {
	// database/sql/driver is only interfaces; the ULID library names them.
	heavy := []string{
		"database/sql", "modernc.org/", "github.com/jackc/pgx", "github.com/redis/", "github.com/valkey-io/",
		"github.com/quic-go/", "github.com/coder/websocket", "github.com/chromedp/", "github.com/spf13/",
		"github.com/prometheus/", "google.golang.org/grpc", "testing",
		module + "/store", module + "/console", module + "/gateway", module + "/internal/serve",
		module + "/internal/ca", module + "/internal/lab", module + "/example",
	}
	for _, p := range list(t, "-deps", "./guard") {
		for _, h := range heavy {
			if p.ImportPath == "database/sql/driver" {
				continue
			}
			if p.ImportPath == h || strings.HasPrefix(p.ImportPath, strings.TrimSuffix(h, "/")+"/") {
				t.Errorf("guard depends on %s, want nothing of %s", p.ImportPath, h)
			}
		}
	}
}

// TestDependenciesAreExplained wants a line in doc/decisions for each module
// that our packages and their tests import.
func TestDependenciesAreExplained(t *testing.T) {
	page, err := os.ReadFile("doc/decisions/002-dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	gomod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	required := regexp.MustCompile(`(?m)^(?:require )?\s*([\w.-]+\.[\w./-]+) v`).FindAllSubmatch(gomod, -1)
	if len(required) == 0 {
		t.Fatal("no requirements found in go.mod")
	}
	said := map[string]bool{}
	for _, p := range list(t, "./...") {
		for _, imp := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			longest := ""
			for _, r := range required {
				if m := string(r[1]); len(m) > len(longest) && (imp == m || strings.HasPrefix(imp, m+"/")) {
					longest = m
				}
			}
			if longest != "" && !said[longest] && !bytes.Contains(page, []byte("| "+longest+" |")) {
				said[longest] = true
				t.Errorf("%s imports %s, which has no line in doc/decisions/002-dependencies.md", short(p.ImportPath), longest)
			}
		}
	}
}

func list(t *testing.T, args ...string) []listed {
	t.Helper()
	// The go command remembers a result until what the test itself opened has
	// changed, and does not see what another go command read. So open every
	// folder: then no change of a package is answered from memory.
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules") {
			return fs.SkipDir
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	// -e: a package that does not compile still has imports, and its own
	// tests say what is wrong with it.
	cmd := exec.Command("go", append([]string{"list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	var pkgs []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("go list %s: %v", strings.Join(args, " "), err)
		}
		pkgs = append(pkgs, p)
	}
	if len(pkgs) == 0 {
		t.Fatalf("go list %s: no packages", strings.Join(args, " "))
	}
	return pkgs
}

// rowOf finds the line for a package: its own, or its parent's "/*".
func rowOf(rows map[string][]string, name string) (string, bool) {
	if _, ok := rows[name]; ok {
		return name, true
	}
	star := path.Dir(name) + "/*"
	_, ok := rows[star]
	return star, ok
}

func ours(imports []string) []string {
	var names []string
	for _, imp := range imports {
		if imp == module || strings.HasPrefix(imp, module+"/") {
			names = append(names, short(imp))
		}
	}
	return names
}

func short(importPath string) string {
	return strings.TrimPrefix(strings.TrimPrefix(importPath, module), "/")
}
