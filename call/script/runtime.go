package script

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dop251/goja"

	"github.com/parley-project/parley/exchange"
)

// A runtime is an interpreter with the library in it. One event at a time.
type runtime struct {
	vm         *goja.Runtime
	run, leave goja.Callable
	globals    map[string]bool // those that were there before any program
	spoiled    bool            // it cannot be used again

	ctx     context.Context
	e       *Event
	first   int   // where the event's assertions of this program begin
	open    []int // those that have not been judged
	tasks   tasks
	started int
	written int
	problem string
}

func newRuntime() (*runtime, error) {
	p, err := prelude()
	if err != nil {
		return nil, err
	}
	r := &runtime{vm: goja.New(), globals: map[string]bool{}}
	r.vm.SetMaxCallStackSize(maxStack)
	r.vm.SetFieldNameMapper(goja.UncapFieldNameMapper())
	r.boundParse()
	f, err := r.vm.RunProgram(p)
	if err != nil {
		return nil, fmt.Errorf("script: %w", err)
	}
	call, _ := goja.AssertFunction(f)
	v, err := call(goja.Undefined(), r.bindings())
	if err != nil {
		return nil, fmt.Errorf("script: %w", err)
	}
	o := v.ToObject(r.vm)
	r.run, _ = goja.AssertFunction(o.Get("run"))
	r.leave, _ = goja.AssertFunction(o.Get("leave"))
	for _, name := range r.vm.GlobalObject().GetOwnPropertyNames() {
		r.globals[name] = true
	}
	return r, nil
}

// maxDeep is how deep arrays and objects may lie in each other where JSON is
// read: the interpreter reads it by functions that call themselves, and their
// stack is the program's.
const maxDeep = 1000

// boundParse puts a look at the text before JSON.parse.
func (r *runtime) boundParse() {
	j := r.vm.Get("JSON").ToObject(r.vm)
	parse, _ := goja.AssertFunction(j.Get("parse"))
	j.Set("parse", func(c goja.FunctionCall) goja.Value {
		if nesting(c.Argument(0).String()) > maxDeep {
			panic(r.vm.NewGoError(fmt.Errorf("JSON that is nested more than %d deep", maxDeep)))
		}
		v, err := parse(c.This, c.Arguments...)
		if err != nil {
			panic(err)
		}
		return v
	})
}

// nesting is how deep brackets lie in each other, not counting those in text.
func nesting(s string) (most int) {
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			if depth++; depth > most {
				most = depth
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return most
}

func (r *runtime) begin(ctx context.Context, e *Event) {
	r.ctx, r.e = ctx, e
	r.first, r.open, r.tasks, r.started, r.written, r.problem = len(e.Assertions), nil, nil, 0, 0, ""
	r.vm.ClearInterrupt()
}

// end forgets the event, and the variables that the program left behind.
func (r *runtime) end() {
	r.vm.ClearInterrupt()
	r.ctx, r.e, r.tasks, r.open = nil, nil, nil, nil
	g := r.vm.GlobalObject()
	for _, name := range g.GetOwnPropertyNames() {
		if !r.globals[name] {
			if g.Delete(name) != nil {
				r.spoiled = true
			}
		}
	}
}

// giveUp judges the tests that never said they were done.
func (r *runtime) giveUp() {
	for _, i := range r.open {
		r.e.Assertions[i].Passed = false
		r.e.Assertions[i].Message = "the test did not come to its end"
	}
	r.open = nil
}

// eventObject is what the library knows of the event.
func (r *runtime) eventObject() goja.Value {
	o := r.vm.NewObject()
	path := make([]any, len(r.e.Path))
	for i, p := range r.e.Path {
		path[i] = p
	}
	for name, v := range map[string]any{"when": r.e.When, "item": r.e.Item, "id": r.e.ID, "path": r.vm.NewArray(path...),
		"iteration": r.e.Iteration, "iterations": r.e.Iterations, "url": r.e.URL} {
		o.Set(name, v)
	}
	return o
}

// A task is something to be done later.
type task struct {
	id    int
	at    time.Time
	every time.Duration
	f     goja.Callable
}

type tasks []task

func (t tasks) Len() int { return len(t) }
func (t tasks) Less(i, j int) bool {
	if t[i].at.Equal(t[j].at) {
		return t[i].id < t[j].id
	}
	return t[i].at.Before(t[j].at)
}
func (t tasks) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t *tasks) Push(x any)   { *t = append(*t, x.(task)) }
func (t *tasks) Pop() any {
	old := *t
	x := old[len(old)-1]
	*t = old[:len(old)-1]
	return x
}

func (r *runtime) later(f goja.Callable, ms float64, every bool) int {
	if r.started++; r.started > maxTasks {
		panic(r.vm.NewGoError(fmt.Errorf("more than %d timers and callbacks", maxTasks)))
	}
	if !(ms > 0) {
		ms = 0
	}
	wait := time.Duration(min(ms, 1e9) * float64(time.Millisecond))
	t := task{id: r.started, at: time.Now().Add(wait), f: f}
	if every {
		t.every = wait
	}
	heap.Push(&r.tasks, t)
	return t.id
}

// loop does what was left for later, in the order of its time.
func (r *runtime) loop() error {
	for len(r.tasks) > 0 {
		t := heap.Pop(&r.tasks).(task)
		if wait := time.Until(t.at); wait > 0 {
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-r.ctx.Done():
				timer.Stop()
				r.spoiled = true
				if errors.Is(r.ctx.Err(), context.DeadlineExceeded) {
					return errors.New("the script did not come to its end in time")
				}
				return r.ctx.Err()
			}
		}
		if t.every > 0 {
			if r.started++; r.started > maxTasks {
				return fmt.Errorf("more than %d timers and callbacks", maxTasks)
			}
			next := t
			next.at = time.Now().Add(t.every)
			heap.Push(&r.tasks, next)
		}
		if _, err := t.f(goja.Undefined()); err != nil {
			return err
		}
	}
	return nil
}

// answerObject is a response as the library takes it.
func (r *runtime) answerObject(got *exchange.Response, body []byte, times exchange.Times, at string) goja.Value {
	o := r.vm.NewObject()
	o.Set("id", "")
	o.Set("code", got.Status)
	o.Set("status", http.StatusText(got.Status))
	fields := make([]any, 0, len(got.Header))
	for _, f := range got.Header {
		h := r.vm.NewObject()
		h.Set("key", f.Name)
		h.Set("value", f.Value)
		fields = append(fields, h)
	}
	o.Set("headers", r.vm.NewArray(fields...))
	o.Set("responseTime", (times.Wait + times.Receive).Round(time.Millisecond).Milliseconds())
	o.Set("responseSize", len(body))
	var text goja.Value
	o.Set("body", func(goja.FunctionCall) goja.Value {
		if text == nil {
			text = r.vm.ToValue(strings.ToValidUTF8(string(body), "\uFFFD"))
		}
		return text
	})
	var cookies []any
	for _, line := range got.Header.Values("Set-Cookie") {
		if c, err := http.ParseSetCookie(line); err == nil {
			cookies = append(cookies, r.cookie(c))
		}
	}
	o.Set("cookies", r.vm.NewArray(cookies...))
	o.Set("url", at)
	return o
}

func (r *runtime) cookie(c *http.Cookie) goja.Value {
	o := r.vm.NewObject()
	for name, v := range map[string]any{"name": c.Name, "value": c.Value, "domain": c.Domain, "path": c.Path, "httpOnly": c.HttpOnly, "secure": c.Secure} {
		o.Set(name, v)
	}
	return o
}

// jarCookies are those that would be sent to a URL.
func (r *runtime) jarCookies(raw string) goja.Value {
	var out []any
	if u, err := url.Parse(raw); err == nil && r.e.Jar != nil && u.Host != "" {
		for pair := range strings.SplitSeq(r.e.Jar.Cookie(u, r.now()), "; ") {
			if name, value, ok := strings.Cut(pair, "="); ok {
				out = append(out, r.cookie(&http.Cookie{Name: name, Value: value, Domain: u.Hostname(), Path: "/"}))
			}
		}
	}
	return r.vm.NewArray(out...)
}

func (r *runtime) now() time.Time {
	if r.e.Now != nil {
		return r.e.Now()
	}
	return time.Now()
}
