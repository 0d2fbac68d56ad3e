// Gotest runs the tests of this module and of those nested in it, one line a
// package, and says last what failed and what could not be tested here.
//
// It exists because `go test` forgets: a skipped test looks like a passed one,
// and a failure scrolls away. Its exit status is that of the tests. With
// -record it writes the figures that tests noted, with machine and command.
//
//	gotest [-record FILE] [arguments of go test]
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parley-project/parley/internal/needs"
)

// An event is a line of `go test -json` (go doc test2json).
type event struct {
	Action, Package, ImportPath, Test string
	Output, Key, Value, FailedBuild   string
	Elapsed                           float64
}

// A run gathers what all modules' tests said.
type run struct {
	root    string
	builds  map[string]string          // compiler output by import path
	outputs map[[2]string][]string     // by package and test
	order   map[string][]string        // tests of a package as they appeared
	done    map[[2]string]string       // last action of a test
	failed  []string                   // "package" or "package Test"
	missing map[string]map[string]bool // what → tests that wanted it
	skipped map[string]int             // why → how many
	figures map[string][]string        // by package
	count   map[string]int             // tests by outcome
}

func main() {
	// Not package flag: every other argument is for go test.
	record, args := "", os.Args[1:]
	if len(args) > 1 && args[0] == "-record" {
		record, args = args[1], args[2:]
	}
	root, err := os.Getwd()
	if err != nil {
		fatal(err)
	}
	modules, err := findModules(root)
	if err != nil {
		fatal(err)
	}
	r := &run{
		root: root, builds: map[string]string{}, outputs: map[[2]string][]string{},
		order: map[string][]string{}, done: map[[2]string]string{},
		missing: map[string]map[string]bool{}, skipped: map[string]int{}, figures: map[string][]string{}, count: map[string]int{},
	}
	start, ok := time.Now(), true
	for _, dir := range modules {
		if err := r.module(dir, args); err != nil {
			ok = false
		}
	}
	r.summary(time.Since(start))
	if record != "" {
		if err := os.WriteFile(record, []byte(r.markdown(args)), 0o644); err != nil {
			fatal(err)
		}
	}
	if !ok {
		os.Exit(1)
	}
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "gotest: error:", err)
	os.Exit(3)
}

// findModules lists the folders with a go.mod, the outermost first. Folders
// that the go command passes over are passed over here, and so are npm's.
func findModules(root string) ([]string, error) {
	var dirs []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root &&
			(name == "testdata" || name == "node_modules" || name[0] == '.' || name[0] == '_') {
			return fs.SkipDir
		}
		if name == "go.mod" && !d.IsDir() {
			dirs = append(dirs, filepath.Dir(path))
		}
		return nil
	})
	slices.SortStableFunc(dirs, func(a, b string) int { return len(a) - len(b) })
	return dirs, err
}

func (r *run) module(dir string, args []string) error {
	cmd := exec.Command("go", append(append([]string{"test", "-json"}, args...), "./...")...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "PARLEY_TEST_RUN="+strconv.FormatInt(time.Now().UnixNano(), 36))
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		fatal(err)
	}
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil && e.Action != "" {
				r.event(e)
			} else {
				os.Stdout.Write(line) // not an event: the go command's own words
			}
		}
		if err != nil {
			break
		}
	}
	err = cmd.Wait()
	if err != nil && len(r.failed) == 0 {
		rel, _ := filepath.Rel(r.root, dir)
		r.failed = append(r.failed, "module "+rel+": "+err.Error())
	}
	return err
}

func (r *run) event(e event) {
	id := [2]string{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		r.builds[e.ImportPath] += e.Output
	case "output":
		if strings.HasPrefix(e.Output, "=== ") {
			return
		}
		if _, ok := r.outputs[id]; !ok {
			r.order[e.Package] = append(r.order[e.Package], e.Test)
		}
		r.outputs[id] = append(r.outputs[id], e.Output)
	case "attr":
		switch e.Key {
		case needs.AttrMissing:
			if r.missing[e.Value] == nil {
				r.missing[e.Value] = map[string]bool{}
			}
			r.missing[e.Value][short(e.Package)+" "+e.Test] = true
		case needs.AttrFigure:
			r.figures[e.Package] = append(r.figures[e.Package], e.Value)
		}
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.packageDone(e)
			return
		}
		r.done[id] = e.Action
		r.count[e.Action]++
		if e.Action == "skip" {
			r.skipped[reason(r.outputs[id])]++
		}
		if e.Action != "fail" {
			delete(r.outputs, id)
		}
	}
}

// reason is why a test was skipped: its last words, without where they stand.
func reason(output []string) string {
	for i := len(output) - 1; i >= 0; i-- {
		line := strings.TrimSpace(output[i])
		if _, words, ok := strings.Cut(line, "_test.go:"); ok {
			_, words, _ = strings.Cut(words, ": ")
			return words
		}
	}
	return "no reason given"
}

func (r *run) packageDone(e event) {
	switch {
	case e.Action == "skip": // no test files
	case e.Action == "pass":
		fmt.Printf("ok    %-40s %6.1fs\n", short(e.Package), e.Elapsed)
	default:
		fmt.Printf("FAIL  %-40s %6.1fs\n", short(e.Package), e.Elapsed)
		named := len(r.failed)
		if e.FailedBuild != "" {
			fmt.Print(r.builds[e.FailedBuild])
			r.failed = append(r.failed, short(e.Package)+" (does not compile)")
			break
		}
		for _, test := range r.order[e.Package] {
			id := [2]string{e.Package, test}
			if action := r.done[id]; test != "" && action != "fail" && action != "" {
				continue
			}
			for _, line := range r.outputs[id] {
				fmt.Print(line)
			}
			if test != "" && !r.hasFailedPart(e.Package, test) {
				r.failed = append(r.failed, short(e.Package)+" "+test)
			}
		}
		if len(r.failed) == named {
			r.failed = append(r.failed, short(e.Package))
		}
	}
	for _, test := range r.order[e.Package] {
		delete(r.outputs, [2]string{e.Package, test})
	}
}

// hasFailedPart reports whether a subtest is to blame: it is named instead.
func (r *run) hasFailedPart(pkg, test string) bool {
	for id, action := range r.done {
		if id[0] == pkg && action == "fail" && strings.HasPrefix(id[1], test+"/") {
			return true
		}
	}
	return false
}

func (r *run) summary(took time.Duration) {
	fmt.Printf("\n%d tests passed, %d failed, %d skipped in %s\n",
		r.count["pass"], r.count["fail"], r.count["skip"], took.Round(time.Second))
	if len(r.failed) > 0 {
		fmt.Println("\nFailed:")
		for i, f := range r.failed {
			if i == 40 {
				fmt.Printf("  and %d more\n", len(r.failed)-i)
				break
			}
			fmt.Println("  " + f)
		}
	}
	if len(r.skipped) > 0 {
		fmt.Println("\nSkipped:")
		for _, why := range sortedKeys(r.skipped) {
			fmt.Printf("  %3d: %s\n", r.skipped[why], why)
		}
	}
	if len(r.missing) == 0 {
		return
	}
	fmt.Println("\nNot tested here, because something is missing:")
	for _, what := range sortedKeys(r.missing) {
		tests := sortedKeys(r.missing[what])
		fmt.Printf("  %s: %s", what, tests[0])
		if len(tests) > 1 {
			fmt.Printf(" and %d more", len(tests)-1)
		}
		fmt.Println()
	}
	fmt.Println("Install it with: make deps")
}

func (r *run) markdown(args []string) string {
	var b strings.Builder
	sizes, set := "Full sizes", "`PARLEY_ACCEPT=1`"
	if !needs.Full() {
		sizes, set = "The sizes of `make test`", "without `PARLEY_ACCEPT`"
	}
	if os.Getenv("PARLEY_FIXTURES") == "" {
		set += ", without the corpora (`PARLEY_FIXTURES`)"
	}
	scope := ""
	if slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(strings.TrimLeft(a, "-"), "run") }) {
		scope = " Only the tests that the command names."
	}
	fmt.Fprintf(&b, "# Acceptance\n\nWritten by `make accept`; do not edit. %s, on the machine below.%s\n\n", sizes, scope)
	fmt.Fprintf(&b, "%s\n- command: `go test %s ./...` in each module, %s\n", needs.Machine(), strings.Join(args, " "), set)
	fmt.Fprintf(&b, "- tests: %d passed, %d failed, %d skipped\n", r.count["pass"], r.count["fail"], r.count["skip"])
	for _, f := range r.failed {
		fmt.Fprintf(&b, "- **failed**: %s\n", f)
	}
	for _, why := range sortedKeys(r.skipped) {
		fmt.Fprintf(&b, "- skipped: %d, %s\n", r.skipped[why], why)
	}
	for _, what := range sortedKeys(r.missing) {
		fmt.Fprintf(&b, "- not tested, missing: %s (%s)\n", what, strings.Join(sortedKeys(r.missing[what]), ", "))
	}
	if len(r.figures) > 0 {
		fmt.Fprintf(&b, "\n## Figures of the tests\n\n| package | what | figure |\n|---|---|---|\n")
		for _, pkg := range sortedKeys(r.figures) {
			for _, f := range r.figures[pkg] {
				name, value, _ := strings.Cut(f, " = ")
				fmt.Fprintf(&b, "| %s | %s | %s |\n", short(pkg), name, value)
			}
		}
	}
	return b.String()
}

func short(pkg string) string {
	return strings.TrimPrefix(pkg, "github.com/parley-project/parley/")
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
