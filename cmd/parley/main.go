// Command parley protects, shows and tests both sides of an API conversation.
//
// What goes to stdout is the result; everything said to a person goes to
// stderr, prefixed. Each subcommand is one file that reads flags, joins
// packages and prints; logic in it wants a home lower down.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/internal/config"
)

// Exit codes, the same for every command.
const (
	exitFound       = 1   // something was found at or above --fail-on
	exitUsage       = 2   // usage, or input that cannot be read
	exitIncomplete  = 3   // it could not be completed
	exitInterrupted = 130 // the person stopped it
)

const exitLines = `
Exit: 0 nothing found, 1 found, 2 usage or unreadable input, 3 could not complete, 130 interrupted`

func main() {
	// The library of HTTP/3 would write to stderr what no person can mend in
	// the middle of a call.
	os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// commands is what parley can do, in the order in which help lists it.
var commands = []func() *cobra.Command{upCommand, guardCommand, shopCommand, consoleCommand, explainCommand, tourCommand, watchCommand, traceCommand, scanCommand, callCommand, convertCommand, learnCommand}

func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := &cobra.Command{
		Use:   "parley",
		Short: "Parley protects, shows and tests both sides of an API conversation.",
		Long: "Parley protects, shows and tests both sides of an API conversation.\n\n" +
			"Begin with:  parley up\n" + exitLines,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetArgs(args)
	root.SetVersionTemplate("parley {{.Version}}\n")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &usageError{err.Error(), c.CommandPath() + " --help"}
	})
	for _, make := range commands {
		c := make()
		c.Long += exitLines
		root.AddCommand(c)
	}
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	return tell(err, stderr)
}

// tell says what went wrong in one line, what to do in another, and returns
// the exit code that belongs to it.
func tell(err error, stderr io.Writer) int {
	var (
		usage *usageError
		place *config.Error
		hint  *hintError
		found *foundError
		file  *archive.Error
		opt   *call.OptionError
		calls *callError
	)
	switch {
	case errors.As(err, &found):
		say(stderr, "found", err.Error())
		return exitFound
	case errors.As(err, &calls):
		say(stderr, calls.word(), err.Error())
		return calls.code
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &file):
		say(stderr, "error", err.Error())
		say(stderr, "hint", file.Hint)
		return exitUsage
	case errors.As(err, &opt):
		say(stderr, "error", opt.Says)
		say(stderr, "hint", "see --help of the command for what its options take")
		return exitUsage
	case errors.As(err, &usage):
		say(stderr, "error", usage.text)
		say(stderr, "hint", usage.hint)
		return exitUsage
	case errors.As(err, &place):
		say(stderr, "error", err.Error())
		say(stderr, "hint", place.Hint)
		return exitUsage
	case errors.As(err, &hint):
		say(stderr, "error", err.Error())
		say(stderr, "hint", hint.hint)
		return hint.code
	case strings.HasPrefix(err.Error(), "if any flags in the group"):
		say(stderr, "error", "these flags exclude each other: "+between(err.Error(), "[", "]"))
		say(stderr, "hint", "give one of them")
		return exitUsage
	case strings.HasPrefix(err.Error(), "unknown command"), strings.HasPrefix(err.Error(), "accepts "),
		strings.HasPrefix(err.Error(), "required flag"):
		say(stderr, "error", strings.ReplaceAll(strings.TrimSpace(strings.SplitN(err.Error(), "\n", 2)[0]), "\t", ""))
		say(stderr, "hint", "parley --help")
		return exitUsage
	}
	say(stderr, "error", err.Error())
	return exitIncomplete
}

// between is the text after one mark and before another.
func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

// say writes a line to a person. Names in it may be strangers', who could else
// speak to the terminal.
func say(w io.Writer, what, text string) {
	if text == "" {
		return
	}
	var b strings.Builder
	for _, r := range strings.ReplaceAll(text, "\n", "; ") {
		if unicode.IsPrint(r) || r == '\t' {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\u%04x", r)
		}
	}
	fmt.Fprintf(w, "parley: %s: %s\n", what, b.String())
}

// A usageError is a command line that cannot be meant.
type usageError struct{ text, hint string }

func (e *usageError) Error() string { return e.text }

// A hintError is an error with what to type next.
type hintError struct {
	err  error
	hint string
	code int
}

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
