package main

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/parley-project/parley/internal/lab"
)

// echoes NAME starts the laboratory's echo until the script ends, and puts its
// URL into $NAME.
func echoes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: echoes NAME")
	}
	s := httptest.NewServer(lab.Echo())
	ts.Defer(s.Close)
	ts.Setenv(args[0], s.URL)
}

// A file is read again when it has changed and stayed so from one look to the
// next.
func TestWatchFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("1")
	ctx, cancel := context.WithCancel(t.Context())
	tick := make(chan time.Time)
	seen := make(chan string, 10)
	ended := make(chan error, 1)
	go func() {
		ended <- watchFiles(ctx, []string{file, ""}, tick, func() {
			b, _ := os.ReadFile(file)
			seen <- string(b)
		})
	}()
	if got := <-seen; got != "1" {
		t.Fatalf("at first it saw %q, want 1", got)
	}
	tick <- time.Time{}
	tick <- time.Time{}
	write("22")
	tick <- time.Time{} // has it come to rest?
	write("333")
	tick <- time.Time{}
	tick <- time.Time{}
	if got := <-seen; got != "333" {
		t.Errorf("then it saw %q, want 333 only", got)
	}
	tick <- time.Time{}
	cancel()
	if err := <-ended; err != context.Canceled || len(seen) != 0 {
		t.Errorf("it ended with %v and %d more runs, want that it was told to and none", err, len(seen))
	}
}
