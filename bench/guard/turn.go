package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parley-project/parley/bench/load"
	"github.com/parley-project/parley/bench/stage"
)

// A turn is what one peer did in one round.
type turn struct {
	cpu      time.Duration
	rss      int64
	load     load.Result
	recorded int
}

func (t turn) micros() float64 {
	return float64(t.cpu) / float64(time.Microsecond) / float64(t.load.Requests)
}

// turn starts a peer afresh, proves that it does what it is measured for, warms
// it up, and measures until it has nothing left to do.
func (b *bench) turn(p *peer, round int) (t turn, err error) {
	dir, err := b.folder(p.name)
	if err != nil {
		return t, err
	}
	if !b.keep {
		defer os.RemoveAll(dir)
	}
	port, err := freePort()
	if err != nil {
		return t, err
	}
	proc, err := p.start(dir, port)
	if err != nil {
		return t, err
	}
	running := true
	defer func() {
		if running {
			err = errors.Join(err, proc.stop())
		}
	}()
	if err := proc.listening(port); err != nil {
		return t, err
	}
	o := b.options(p, port)
	sent := 0
	if round == 0 {
		n, err := b.prove(p, o)
		if err != nil {
			return t, err
		}
		sent += n
	}
	// Twice all messages: every token has been seen, the connections are up
	// and the heap has its size.
	warm := o
	warm.Requests = max(2*len(o.Messages), b.requests/4)
	if res := load.Run(warm); res.Errors > 0 {
		return t, fmt.Errorf("warming up: %d of %d answers wrong: %w\n%s", res.Errors, res.Requests, res.FirstError, proc.said())
	}
	sent += warm.Requests
	before, err := proc.quiet()
	if err != nil {
		return t, err
	}
	t.load = load.Run(o)
	sent += o.Requests
	if t.load.Errors > 0 {
		return t, fmt.Errorf("%d of %d answers wrong: %w\n%s", t.load.Errors, t.load.Requests, t.load.FirstError, proc.said())
	}
	t.rss = proc.rss()
	after, err := proc.quiet()
	if err != nil {
		return t, err
	}
	t.cpu = after - before
	running = false
	if err := proc.stop(); err != nil {
		return t, err
	}
	if p.records {
		if t.recorded, err = b.recorded(filepath.Join(dir, storeFile)); err != nil {
			return t, err
		}
		if t.recorded != sent {
			return t, fmt.Errorf("%d exchanges in the store after %d requests: %d lost", t.recorded, sent, sent-t.recorded)
		}
	}
	return t, nil
}

// prove asks what the peer must refuse, and that it passes on what is good. It
// returns how many requests it sent.
func (b *bench) prove(p *peer, o load.Options) (int, error) {
	sent := 0
	for name, x := range stage.Hostile(b.keys.Tokens) {
		status, body, err := load.Ask(o, x.Request)
		sent++
		if err != nil {
			return sent, fmt.Errorf("%s: %w", name, err)
		}
		if want := slices.Contains(p.refuses, name); want != (status/100 == 4) || status/100 == 5 {
			return sent, fmt.Errorf("%s: answered %d, want a refusal: %v: %.200s", name, status, want, body)
		}
	}
	// What is not filtered must pass whole, or the levels below All would be
	// measured with work that they do not claim.
	for _, m := range o.Messages[:2] {
		_, body, err := load.Ask(o, m.Request)
		sent++
		if err != nil {
			return sent, err
		}
		for _, u := range stage.Undeclared {
			if bytes.Contains(body, []byte(u)) == p.filters {
				return sent, fmt.Errorf("%s in the answer: %v, want %v", u, !p.filters, p.filters)
			}
		}
	}
	return sent, nil
}

// recorded counts the client's conversations in a store.
func (b *bench) recorded(store string) (int, error) {
	out, err := exec.Command(b.count, store).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("count %s: %w\n%s", store, err, out)
	}
	return strconv.Atoi(strings.TrimSpace(string(out)))
}

// said is what the process printed, for an error. It is stopped first, so that
// nothing is written meanwhile.
func (p *process) said() []byte {
	p.stop()
	out := p.output.Bytes()
	return out[max(0, len(out)-2000):]
}
