package main

import (
	"bytes"
	"testing"
)

// Whatever a file or a server calls itself, the terminal obeys none of it.
func TestSayIsPlain(t *testing.T) {
	var b bytes.Buffer
	say(&b, "warning", "a\x1b]0;x\x07\u009b31m\u202e\r\tb\nc é")
	if want := "parley: warning: a\\u001b]0;x\\u0007\\u009b31m\\u202e\\u000d\tb; c é\n"; b.String() != want {
		t.Errorf("say wrote %q, want %q", b.String(), want)
	}
}
