package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/exchange"
)

// More time is the advice when it was time that ended a call, and no other.
func TestHintFor(t *testing.T) {
	for _, tt := range []struct {
		at            exchange.Step
		scheme, fails string
		want          string // "" for no hint
	}{
		{exchange.StepServer, "https", "waiting for the answer took too long", "--timeout"},
		{exchange.StepResponse, "https", "reading the answer took too long", "--timeout"},
		{exchange.StepTLS, "https", "the TLS handshake with shop.test took too long", "--timeout"},
		{exchange.StepServer, "https", "no answer: the peer closed the connection", ""},
		{exchange.StepServer, "https", "no answer: the peer reset the connection", ""},
		{exchange.StepServer, "http", "no answer: the peer closed the connection", "write https://"},
		{exchange.StepResponse, "http", "the peer closed the connection", ""},
		{exchange.StepTLS, "https", "no TLS with shop.test: the peer does not speak TLS", "write http://"},
		{exchange.StepTLS, "https", "the server asked for a client certificate, got none, and ended the connection", "--cert"},
		{exchange.StepTLS, "https", "no TLS with shop.test: the peer closed the connection", "--deep"},
		{exchange.StepTCP, "https", "no connection to shop.test:443: refused: nothing listens there", "-v"},
	} {
		x := &exchange.Exchange{FailedAt: tt.at, Failure: tt.fails, Request: exchange.Request{Scheme: tt.scheme}}
		if got := hintFor(x); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("hintFor(%s: %s) says %q, want %q", tt.at, tt.fails, got, tt.want)
		}
	}
}

// An option that no call can be made with is a matter of usage, whichever
// command it was given to.
func TestTellOption(t *testing.T) {
	_, err := call.New(call.Options{Pins: []string{"abc"}})
	var talk bytes.Buffer
	if code := tell(fmt.Errorf("shop.http: %w", err), &talk); code != exitUsage || !strings.HasPrefix(talk.String(), "parley: error: the pin \"abc\" is not") {
		t.Errorf("tell(%v) = %d and says %q, want %d", err, code, talk.String(), exitUsage)
	}
}
