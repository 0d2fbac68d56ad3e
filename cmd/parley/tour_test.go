package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// Enter goes on, q ends the tour, and so does the end of what is typed.
func TestTourGoesOn(t *testing.T) {
	for typed, want := range map[string]bool{"\n": true, "next\n": true, "q\n": false, " Quit\n": false, "": false} {
		g := &guide{w: io.Discard, keys: bufio.NewReader(strings.NewReader(typed))}
		if got, err := g.goOn(context.Background()); got != want || err != nil {
			t.Errorf("goOn after %q: %v, %v, want %v", typed, got, err, want)
		}
	}
}

// Ctrl-C ends the tour while it waits for a line.
func TestTourIsInterrupted(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	r, w := io.Pipe() // nobody ever types
	defer w.Close()
	stop()
	g := &guide{w: io.Discard, keys: bufio.NewReader(r)}
	if _, err := g.goOn(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("goOn, interrupted: %v, want context canceled", err)
	}
}
