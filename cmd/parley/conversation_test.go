package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/spf13/cobra"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/example/ledger"
	"github.com/parley-project/parley/example/play"
	"github.com/parley-project/parley/example/shop"
	"github.com/parley-project/parley/filter"
)

const (
	root             = "../.."
	conversationPage = root + "/doc/conversation.md"
)

// doc/conversation.md says of each fact of the conversation what keeps it,
// which test shows that, and which line to paste. It is made of the checks, the
// flaws of the examples and conversation_table_test.go:
//
//	go test ./cmd/parley -run TestConversation -update
func TestConversation(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(conversationIntro)
	part := ""
	for _, f := range check.Facts {
		if f.Part != part {
			part = f.Part
			fmt.Fprintf(&b, "\n## %s\n\n| | what must be true | kept by | shown by | try |\n|---|---|---|---|---|\n", part)
		}
		rows := coversOf(t, f.Number)
		if p := planned[f.Number]; p != "" {
			if exists(p) || slices.ContainsFunc(commands, func(c func() *cobra.Command) bool { return c().Name() == p }) {
				t.Errorf("%d waits for %s, which exists: say what keeps it", f.Number, p)
			}
			rows = append(rows, cover{by: "*planned (" + p + ")*"})
		}
		if len(rows) == 0 {
			t.Errorf("%d (%s): nothing keeps it, and it is not planned", f.Number, f.Says)
		}
		for i, r := range rows {
			number, says := fmt.Sprint(f.Number), f.Says
			if i > 0 {
				number, says = "", ""
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", number, says, r.by, testLink(t, f.Number, r), code(r.paste))
			if r.paste != "" {
				if err := parses(r.paste); err != nil {
					t.Errorf("%d: %s: %v", f.Number, r.paste, err)
				}
			}
		}
	}
	for n := range covers {
		if _, ok := check.FactOf(n); !ok {
			t.Errorf("something keeps %d, which is no fact", n)
		}
	}
	if *update {
		if err := os.WriteFile(conversationPage, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	old, err := os.ReadFile(conversationPage)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(old, b.Bytes()) {
		t.Error("doc/conversation.md is not up to date: go test ./cmd/parley -run TestConversation -update")
	}
}

const conversationIntro = `# The conversation

What must be true of each part of a call, numbered, so that checks, flaws, tests
and documents can point at it. ` + "`parley explain 9`" + ` lists the checks of a number,
and ` + "`parley tour`" + ` plays the conversation live.

This page is generated from the checks, the flaws of the examples and
cmd/parley/conversation_table_test.go, by

    go test ./cmd/parley -run TestConversation -update

The test fails when a number is kept by nothing, when a test that is named does
not exist, when a line to paste is no command, and when this page is not what it
would write. *Planned* are the numbers that wait for a part of Parley which is
not built yet.
`

// coversOf lists what keeps a fact: first its checks, in the order of the
// catalogue, then what the table adds.
func coversOf(t *testing.T, number int) []cover {
	var rows []cover
	for _, c := range check.All {
		breaks := func(f play.Flaw) bool { return f.ID == c.ID && slices.Contains(f.Conversation, number) }
		if !slices.Contains(c.Conversation, number) && !slices.ContainsFunc(slices.Concat(shop.Flaws, ledger.Flaws), breaks) {
			continue
		}
		rows = append(rows, cover{by: "`" + c.ID + "`", test: fixturesOf(t, c.ID), paste: pasteFor(c.ID, switchesOf(c.ID))})
	}
	return append(rows, covers[number]...)
}

// fixturesOf is the folder of a check's fixtures, in one of which at least it has
// something to say.
func fixturesOf(t *testing.T, id string) string {
	files, _ := filepath.Glob(filepath.Join(root, "check/testdata", id, "*.txtar"))
	for _, f := range files {
		a, err := txtar.ParseFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range a.Files {
			if part.Name == "want" && len(bytes.TrimSpace(part.Data)) > 0 {
				return "check/testdata/" + id
			}
		}
	}
	t.Errorf("%s: no fixture shows it", id)
	return ""
}

// testLink is the link to a test, which must exist: file:TestName, or a script.
func testLink(t *testing.T, number int, r cover) string {
	if r.test == "" {
		if !strings.HasPrefix(r.by, "*planned") {
			t.Errorf("%d: no test shows %s", number, r.by)
		}
		return ""
	}
	file, name, isFunc := strings.Cut(r.test, ":")
	if !exists(file) {
		t.Errorf("%d: there is no %s", number, file)
	}
	label := strings.TrimPrefix(file, "check/")
	if isFunc {
		label = name
		source, err := os.ReadFile(filepath.Join(root, file))
		if err != nil || !regexp.MustCompile(`(?m)^func `+name+`\(t \*testing\.T\)`).Match(source) {
			t.Errorf("%d: %s has no test %s", number, file, name)
		}
	}
	return fmt.Sprintf("[%s](../%s)", label, file)
}

func code(line string) string {
	if line == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(line, "|", `\|`) + "`"
}

func exists(name string) bool {
	_, err := os.Stat(filepath.Join(root, name))
	return err == nil
}

// parses reports whether a line to paste is a command of Parley's with flags
// that it has, about checks, flaws and steps that there are.
func parses(line string) error {
	words := strings.Fields(line)
	if words[0] != "parley" {
		return fmt.Errorf("begins with %q", words[0])
	}
	top := &cobra.Command{Use: "parley", SilenceErrors: true, SilenceUsage: true}
	top.SetOut(io.Discard)
	for _, make := range commands {
		top.AddCommand(make())
	}
	c, rest, err := top.Find(words[1:])
	if err != nil || c == top {
		return fmt.Errorf("there is no such command")
	}
	c.InitDefaultHelpFlag()
	if err := c.ParseFlags(rest); err != nil {
		return err
	}
	args := c.Flags().Args()
	if err := c.ValidateArgs(args); err != nil {
		return err
	}
	switch c.Name() {
	case "explain":
		if len(args) == 1 {
			_, err := lookup(args[0])
			return err
		}
	case "watch":
		text, _ := c.Flags().GetString("filter")
		_, err := filter.Parse(text)
		return err
	case "shop":
		flaws, _ := c.Flags().GetStringSlice("flaw")
		for _, f := range flaws {
			if !slices.ContainsFunc(shop.Flaws, func(x shop.Flaw) bool { return x.ID == f }) {
				return fmt.Errorf("the shop has no flaw %q", f)
			}
		}
	case "tour":
		if n, _ := c.Flags().GetInt("step"); n < 0 || n > len(tourStops) {
			return fmt.Errorf("the tour has no step %d", n)
		}
	}
	return nil
}

// What is wrong with a line to paste is found.
func TestParses(t *testing.T) {
	for line, ok := range map[string]bool{
		"parley up": true, "parley shop --flaw authz-object": true, "parley explain bola": true, "parley tour --step 1": true, "parley guard --help": true,
		"curl x": false, "parley no-such": false, "parley up --no-such": false, "parley shop --flaw no-such": false,
		"parley explain no-such": false, "parley watch --filter check:x": true, "parley watch --filter chek:x": false, "parley tour --step 99": false, "parley up surplus": false,
	} {
		if err := parses(line); (err == nil) != ok {
			t.Errorf("%s: %v, want it to parse: %v", line, err, ok)
		}
	}
}

// Every stop of the tour speaks of checks and facts that there are.
func TestTourStops(t *testing.T) {
	for i, s := range tourStops {
		if len(s.facts) == 0 || len(s.checks) == 0 {
			t.Errorf("step %d: speaks of nothing", i+1)
		}
		for _, n := range s.facts {
			if _, ok := check.FactOf(n); !ok {
				t.Errorf("step %d: %d is no fact", i+1, n)
			}
		}
		for _, id := range s.checks {
			if check.ByID(id) == nil {
				t.Errorf("step %d: %q is no check", i+1, id)
			}
		}
	}
}
