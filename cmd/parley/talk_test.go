package main

import (
	"strings"
	"testing"
)

// What strangers wrote reaches the terminal as text, in one line.
func TestTalk(t *testing.T) {
	var b strings.Builder
	log := talk(&b)
	log.Info("nobody hears this")
	log.With("caller", "101").Warn("refused", "last", "GET /\x1b[2J\n/orders")
	if got, want := b.String(), "parley: warning: refused: caller 101, last \"GET /\\x1b[2J\\n/orders\"\n"; got != want {
		t.Errorf("talk wrote %q, want %q", got, want)
	}
}
