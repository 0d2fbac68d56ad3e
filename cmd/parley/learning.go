package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/learn"
)

// learning hands exchanges on, and shows them to a Learner beside the way: when
// that is behind, it misses some, and nobody waits.
type learning struct {
	next    exchange.Recorder
	learner *learn.Learner
	queue   chan *exchange.Exchange
	held    atomic.Int64 // bytes of bodies in the queue
	missed  atomic.Int64
	stop    chan struct{}
	// fresh: the file is ours, and written anew rather than added to.
	fresh bool
	done  sync.WaitGroup
}

// Bounds of what waits to be learnt.
const (
	maxLearnQueue = 256
	maxLearnHeld  = 16 << 20
	maxLearnBody  = 1 << 20
)

func newLearning(next exchange.Recorder, l *learn.Learner) *learning {
	g := &learning{next: next, learner: l, queue: make(chan *exchange.Exchange, maxLearnQueue), stop: make(chan struct{})}
	g.done.Go(func() {
		for {
			select {
			case x := <-g.queue:
				g.add(x)
				continue
			default:
			}
			select { // empty: wait for more, or for the end
			case x := <-g.queue:
				g.add(x)
			case <-g.stop:
				return
			}
		}
	})
	return g
}

func (g *learning) Record(x *exchange.Exchange) {
	if x.Side != exchange.UpstreamSide {
		g.offer(x)
	}
	g.next.Record(x)
}

// offer copies as much as the next recorder may change: it masks header lines
// in place and replaces bodies whole.
func (g *learning) offer(x *exchange.Exchange) {
	c := *x
	c.Request.Header = slices.Clone(x.Request.Header)
	limit(&c.Request.Body)
	if x.Response != nil {
		r := *x.Response
		r.Header = slices.Clone(r.Header)
		limit(&r.Body)
		c.Response = &r
	}
	n := bodyBytes(&c)
	if g.held.Add(n) > maxLearnHeld {
		g.held.Add(-n)
		g.missed.Add(1)
		return
	}
	select {
	case g.queue <- &c:
	default:
		g.held.Add(-n)
		g.missed.Add(1)
	}
}

// limit leaves a body that is too large to learn from where it is.
func limit(b *exchange.Body) {
	if len(b.Data) > maxLearnBody {
		b.Data = nil
	}
}

func bodyBytes(x *exchange.Exchange) int64 {
	n := int64(len(x.Request.Body.Data))
	if x.Response != nil {
		n += int64(len(x.Response.Body.Data))
	}
	return n
}

func (g *learning) add(x *exchange.Exchange) {
	g.learner.Add(x)
	g.held.Add(-bodyBytes(x))
}

// close waits until all that was offered is learnt. What is recorded afterwards
// is handed on, and not learnt. Call it once.
func (g *learning) close() {
	close(g.stop)
	g.done.Wait()
}

// learnInto writes what was learnt into a file now and then, until ctx ends.
func (g *learning) learnInto(ctx context.Context, file string, every time.Duration, warn func(error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := g.write(file); err != nil {
				warn(err)
			}
		}
	}
}

// write adds what was learnt to the file, or makes it.
func (g *learning) write(file string) error {
	if g.learner.Empty() {
		return nil
	}
	if g.fresh {
		text, err := g.learner.OpenAPI()
		if err != nil {
			return err
		}
		return writeSecret(file, text)
	}
	_, err := writeMerged(io.Discard, file, g.learner.OpenAPI, g.learner.Merge)
	return err
}

// finish learns what waits, writes it for the last time and says what was not
// learnt.
func (g *learning) finish(file string, stderr io.Writer, err *error) {
	g.close()
	if werr := g.write(file); werr != nil && *err == nil {
		*err = werr
	}
	if n := g.missed.Load(); n > 0 {
		say(stderr, "note", fmt.Sprintf("learn: %d exchanges came too fast to learn from; what was recorded of them is in the store", n))
	}
	if left := g.learner.Left(); left != "" {
		say(stderr, "note", "learn: "+left)
	}
}

// learnable says before anything runs that a file cannot be added to.
func learnable(file string) error {
	old, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		_, err = learn.New(learn.Options{}).Merge(old)
	}
	if err != nil {
		return &hintError{fmt.Errorf("--learn: %s: %w", file, err), "give an OpenAPI file, or one that is not there yet", exitUsage}
	}
	return nil
}
