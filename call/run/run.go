// Package run runs collections: requests in order, with variables, captures
// and expectations on every step of each call.
package run

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call/script"
	"github.com/parley-project/parley/identity"
)

// A Runner runs one collection.
type Runner struct {
	o    Options
	plan *plan

	clients clients
	authMu  sync.Mutex
	auths   map[string]identity.Auth

	// secretNames are the names in rows, and whether their values are secret.
	secretNames map[string]bool

	out     reports
	stop    context.CancelCauseFunc
	summary Summary
}

// New makes a Runner: what is wrong in the collection is found here, before
// anything is sent.
func New(c *archive.Collection, o Options) (*Runner, error) {
	if o.Masker == nil {
		o.Masker = NewMasker(false)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	for _, v := range []**script.Variables{&o.Environment, &o.Globals, &o.Given} {
		if *v == nil {
			*v = &script.Variables{}
		}
	}
	if o.Iterations <= 0 {
		o.Iterations = max(1, len(o.Data))
	}
	p, err := newPlan(c, &o)
	if err != nil {
		return nil, err
	}
	r := &Runner{o: o, plan: p, auths: map[string]identity.Auth{}}
	if err := r.clients.init(o.Call); err != nil {
		return nil, err
	}
	r.know()
	return r, nil
}

// know tells the masker of all secrets that are there from the beginning: those
// that are declared, by whatever way their value comes, and those whose name
// says it.
func (r *Runner) know() {
	m := r.o.Masker
	declared := map[string]bool{}
	tell := func(name, value string, secret bool) {
		if secret {
			declared[name] = true
		}
		if secret || m.namesSecret(name) && len(value) >= minLearned {
			m.Know(value)
		}
	}
	for _, v := range r.plan.variables {
		tell(v.Name, v.Value, v.Secret)
	}
	for _, s := range r.plan.steps {
		for _, v := range s.variables {
			tell(v.Name, v.Value, v.Secret)
		}
	}
	for _, v := range []*script.Variables{r.o.Environment, r.o.Globals, r.o.Given} {
		for _, name := range v.Names() {
			x, _ := v.Get(name)
			tell(name, script.Text(x), declared[name] || v.Secret(name))
		}
	}
	// The values of rows are told when their turn comes.
	r.secretNames = map[string]bool{}
	rows := [][]map[string]any{r.o.Data}
	for _, s := range r.plan.steps {
		rows = append(rows, s.rows)
	}
	for _, list := range rows {
		for _, row := range list {
			for name := range row {
				if _, ok := r.secretNames[name]; !ok {
					r.secretNames[name] = declared[name] || m.namesSecret(name)
				}
			}
		}
	}
}

// row tells the masker of a row's secrets.
func (r *Runner) row(row map[string]any) {
	for name, x := range row {
		if r.secretNames[name] {
			r.o.Masker.Know(script.Text(x))
		}
	}
}

// Warnings are what was read and will not be run.
func (r *Runner) Warnings() []string { return r.plan.warnings }

// Close lets go of connections.
func (r *Runner) Close() { r.clients.close() }

// Run runs the collection and tells the reporters. An error is of a reporter,
// or that ctx came to its end; what the calls did is in the Summary.
func (r *Runner) Run(ctx context.Context) (*Summary, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r.stop = stop
	start := time.Now()
	r.summary = Summary{Problems: r.plan.problems}
	r.out = reports{reporters: r.o.Reporters, waiting: map[int][]*Result{}, done: map[int]bool{}, summary: &r.summary, bail: func() {
		if r.o.Bail {
			stop(errBail)
		}
	}}
	info := &Info{Name: r.o.Masker.Text(r.plan.c.Name), File: r.plan.c.File, Requests: len(r.plan.steps), Iterations: r.o.Iterations,
		Warnings: r.plan.warnings, Start: r.o.Now()}
	for _, p := range r.o.Reporters {
		if err := p.Begin(info); err != nil {
			return nil, err
		}
	}
	if r.o.Jobs > 1 && r.o.Iterations > 1 {
		r.sideBySide(ctx)
	} else {
		it := r.newIteration(0)
		for i := range r.o.Iterations {
			if ctx.Err() != nil {
				break
			}
			it.n = i
			r.iterate(ctx, it)
		}
	}
	r.summary.Time = time.Since(start)
	cause := context.Cause(ctx)
	switch {
	case cause == errBail:
		r.summary.Stopped = "a request failed"
	case cause != nil:
		r.summary.Stopped = "it was interrupted"
	}
	err := r.out.err
	for _, p := range r.o.Reporters {
		if e := p.End(&r.summary); err == nil {
			err = e
		}
	}
	if err == nil && cause != nil && cause != errBail {
		err = cause
	}
	return &r.summary, err
}

// sideBySide runs iterations at the same time, each with its own variables and
// cookies: in the order of the report they come one after the other.
func (r *Runner) sideBySide(ctx context.Context) {
	var wg sync.WaitGroup
	numbers := make(chan int)
	for range min(r.o.Jobs, r.o.Iterations) {
		wg.Go(func() {
			for i := range numbers {
				it := r.newIteration(i)
				r.iterate(ctx, it)
				r.clients.drop(it.jar)
			}
		})
	}
	for i := range r.o.Iterations {
		if ctx.Err() != nil {
			break
		}
		numbers <- i
	}
	close(numbers)
	wg.Wait()
}

// An iteration is one time through the collection.
type iteration struct {
	n      int
	scopes script.Scopes // without Local
	jar    *identity.Jar
	failed []bool // steps that were not answered as expected
	mu     sync.Mutex
	apart  bool // its requests are made at the same time
}

func (r *Runner) newIteration(n int) *iteration {
	it := &iteration{n: n, jar: identity.NewJar(identity.JarOptions{})}
	it.scopes = script.Scopes{Collection: Variables(r.plan.c.Name, r.plan.variables), Environment: r.o.Environment.Over(), Globals: r.o.Globals.Over(),
		Given: r.o.Given, Data: &script.Variables{}, Secret: r.o.Masker.Know}
	return it
}

// iterate goes through the collection once.
func (r *Runner) iterate(ctx context.Context, it *iteration) {
	it.failed = make([]bool, len(r.plan.steps))
	it.scopes.Data = &script.Variables{}
	if n := len(r.o.Data); n > 0 {
		row := r.o.Data[min(it.n, n-1)] // as Postman does, the last row goes on
		r.row(row)
		for k, v := range row {
			it.scopes.Data.Set(k, v)
		}
	}
	if it.apart = r.o.Jobs > 1 && r.o.Iterations == 1 && !r.plan.scripted; it.apart {
		r.graph(ctx, it)
	} else {
		r.inOrder(ctx, it)
	}
	r.out.end(it.n)
}

// maxSteps bounds how often setNextRequest may lead on in one iteration.
const maxSteps = 100_000

func (r *Runner) inOrder(ctx context.Context, it *iteration) {
	for i, n := 0, 0; i >= 0 && i < len(r.plan.steps) && ctx.Err() == nil; n++ {
		if n == maxSteps {
			r.out.add(it.n, &Result{Name: r.plan.steps[i].item.Name, Place: r.plan.steps[i].place(), Row: -1, Iteration: it.n,
				Failure: fmt.Sprintf("the scripts went on to a next request %d times", maxSteps), FailedAt: "request"})
			return
		}
		if n > 0 && r.o.Delay > 0 && !wait(ctx, r.o.Delay) {
			return
		}
		next := r.step(ctx, it, i, func(res *Result) { r.out.add(it.n, res) })
		i++
		if next != nil {
			if next.End {
				return
			}
			i = r.find(next.Name)
		}
	}
}

func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// find returns the request with an id or a name, or -1, which ends the
// iteration.
func (r *Runner) find(name string) int {
	if i := slices.IndexFunc(r.plan.steps, func(s *step) bool { return s.item.ID == name && name != "" }); i >= 0 {
		return i
	}
	return slices.IndexFunc(r.plan.steps, func(s *step) bool { return s.item.Name == name })
}

// step makes one request, or one for each of its rows.
func (r *Runner) step(ctx context.Context, it *iteration, i int, report func(*Result)) *script.Next {
	s := r.plan.steps[i]
	for _, n := range s.needs {
		it.mu.Lock()
		failed := it.failed[n]
		it.failed[i] = it.failed[i] || failed
		it.mu.Unlock()
		if failed {
			res := r.result(s, it, -1)
			res.Skipped = fmt.Sprintf("%q, which it needs, did not go as expected", r.plan.steps[n].item.Name)
			report(res)
			return nil
		}
	}
	var next *script.Next
	once := func(row int) {
		res, then := r.once(ctx, it, s, row)
		if !res.OK() {
			it.mu.Lock()
			it.failed[i] = true
			it.mu.Unlock()
		}
		report(res)
		if then != nil {
			next = then
		}
	}
	if len(s.rows) == 0 {
		once(-1)
		return next
	}
	for row := range s.rows {
		if ctx.Err() != nil {
			break
		}
		once(row)
	}
	return next
}

func (r *Runner) result(s *step, it *iteration, row int) *Result {
	m := r.o.Masker
	name := s.item.Name
	if name == "" { // nothing else tells it from the others
		name = strings.TrimSpace(s.item.Request.Method + " " + s.item.Request.URL)
	}
	res := &Result{Name: m.Text(name), Place: s.place(), Iteration: it.n, Row: row, Method: s.item.Request.Method}
	for _, p := range s.path {
		res.Path = append(res.Path, m.Text(p))
	}
	return res
}

var errBail = bail{}

type bail struct{}

func (bail) Error() string { return "a request failed" }
