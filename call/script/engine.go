package script

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"regexp"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dop251/goja"

	"github.com/parley-project/parley/archive"
)

//go:embed js/*.js
var library embed.FS

// parts of the library, in the order in which they build on each other.
var parts = []string{"lists.js", "url.js", "expect.js", "pm.js", "legacy.js"}

// prelude is the library, compiled when the first program is.
var prelude = sync.OnceValues(func() (*goja.Program, error) {
	var b strings.Builder
	b.WriteString("(function ($) {\"use strict\";\n")
	for _, name := range parts {
		text, err := library.ReadFile("js/" + name)
		if err != nil {
			return nil, err
		}
		b.Write(text)
	}
	b.WriteString(entry)
	return goja.Compile("library", b.String(), false)
})

// further is the part of the library that most scripts do not name; a runtime
// gets it when one does.
var further = sync.OnceValues(func() (*goja.Program, error) {
	text, err := library.ReadFile("js/lodash.js")
	if err != nil {
		return nil, err
	}
	return goja.Compile("library", "(function ($, kindOf, same) {\"use strict\";\n"+string(text)+"\nreturn {_, CryptoJS};\n})", false)
})

// names are what a program can use, in the order in which it is given them;
// those of legacy are made anew for each event.
const names = "pm, postman, tests, console, _, CryptoJS, require, xml2Json, tv4, Ajv, uuid, expect, assert, btoa, atob, Buffer, " +
	"setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate, " +
	"responseBody, responseCode, responseHeaders, responseTime, responseCookies, request, environment, globals, data, iteration"

// entry ends the library with a function that runs a program on an event. What
// older scripts find in variables is made only when the text names it: uses
// says which. Tests that were only set count when the script has ended.
const entry = `
	const lazy = ["responseBody", "responseCode", "responseHeaders", "responseTime", "responseCookies", "request", "environment", "globals", "data", "iteration"];
	return {
		run(f, uses, e) {
			event = e;
			const tests = {};
			const args = lazy.map((n, i) => (uses[i] ? legacy[n] : undefined));
			const {_, CryptoJS} = uses[lazy.length] ? more() : {};
			const finish = () => { for (const k of Object.keys(tests)) $.judged($.assertion(k), tests[k] ? "" : "expected " + k + " to be truthy"); };
			let v;
			try {
				v = f(pm, postman, tests, console, _, CryptoJS, require, xml2Json, tv4, Ajv, uuid, expect, assert, btoa, atob, Buffer,
					setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate, ...args);
			} catch (x) {
				finish();
				if (x === skipped) return;
				throw x;
			}
			if (v && typeof v.then === "function") {
				v.then(finish, (x) => { finish(); if (x !== skipped) $.failed(messageOf(x)); });
				return;
			}
			event.finish = finish;
		},
		leave() {
			if (event.finish) event.finish();
			const r = event.request;
			event = null;
			return r === undefined ? "" : JSON.stringify(r.toJSON());
		},
	};
})`

// Bounds of one run of a program.
const (
	maxTasks  = 10_000    // callbacks and timers
	maxStack  = 2_000     // calls inside calls
	maxMemory = 512 << 20 // bytes that the heap may grow by while it runs
	maxOutput = 1 << 20   // bytes written to the console
	maxTests  = 10_000    // assertions
	lookEvery = 50 * time.Millisecond
)

// An Engine compiles programs. The zero value is ready; it is safe for
// concurrent use, and keeps runtimes for all programs that it made.
type Engine struct {
	pool sync.Pool

	mu       sync.Mutex
	compiled map[string]*goja.Program // by text: many requests have the same tests
}

// source is the name under which the interpreter knows a script; the place is
// the program's.
const source = "script"

func (e *Engine) compile(text string) (*goja.Program, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.compiled[text]; p != nil {
		return p, nil
	}
	p, err := goja.Compile(source, "(function ("+names+") {"+text+"\n})", false)
	if err != nil && strings.Contains(text, "await") {
		// Scripts may wait at their top level.
		if p2, err2 := goja.Compile(source, "(async function ("+names+") {"+text+"\n})", false); err2 == nil {
			p, err = p2, nil
		}
	}
	if err != nil {
		return nil, err
	}
	if e.compiled == nil {
		e.compiled = map[string]*goja.Program{}
	}
	e.compiled[text] = p
	return p, nil
}

// Compile makes a program of a script.
func (e *Engine) Compile(s archive.Script, place string) (Program, error) {
	if s.Language != "" && s.Language != "javascript" {
		return nil, fmt.Errorf("%s: a script in %s, which is not run", place, s.Language)
	}
	if _, err := prelude(); err != nil {
		return nil, fmt.Errorf("script: %w", err)
	}
	p, err := e.compile(s.Text)
	if err != nil {
		var syntax *goja.CompilerSyntaxError
		if errors.As(err, &syntax) {
			return nil, syntaxError(syntax.Error())
		}
		return nil, err
	}
	return &program{engine: e, p: p, place: place, uses: usesOf(s.Text)}, nil
}

var syntaxPlace = regexp.MustCompile(`Line (\d+):(\d+) (.*?)(?: \(and \d+ more errors\))?$`)

// syntaxError says where in the script the text is wrong, which the interpreter
// counts with what stands before it.
func syntaxError(text string) error {
	m := syntaxPlace.FindStringSubmatch(text)
	if m == nil {
		return errors.New(strings.TrimPrefix(text, "SyntaxError: "))
	}
	column, _ := strconv.Atoi(m[2])
	if head := len("(function (" + names + ") {"); m[1] == "1" && column > head {
		column -= head
	}
	return fmt.Errorf("script line %s, column %d: %s", m[1], column, m[3])
}

// lazyNames are the variables of older scripts, as the library has them.
var lazyNames = []string{"responseBody", "responseCode", "responseHeaders", "responseTime", "responseCookies", "request", "environment", "globals", "data", "iteration"}

func usesOf(text string) []bool {
	uses := make([]bool, len(lazyNames)+1)
	eval := strings.Contains(text, "eval(") || strings.Contains(text, "Function(")
	uses[len(lazyNames)] = eval || strings.Contains(text, "_") || strings.Contains(text, "CryptoJS")
	for i, n := range lazyNames {
		uses[i] = eval || strings.Contains(text, n)
	}
	return uses
}

type program struct {
	engine *Engine
	p      *goja.Program
	place  string
	uses   []bool
}

// Run runs the program on an event.
func (p *program) Run(ctx context.Context, e *Event) (err error) {
	if e.Scopes == nil {
		e.Scopes = &Scopes{}
	}
	r, _ := p.engine.pool.Get().(*runtime)
	if r == nil {
		if r, err = newRuntime(); err != nil {
			return err
		}
	}
	err = r.do(ctx, p, e)
	if !r.spoiled {
		p.engine.pool.Put(r)
	}
	return err
}

// do runs a program, and then what it left to be done later.
func (r *runtime) do(ctx context.Context, p *program, e *Event) (err error) {
	defer func() {
		if v := recover(); v != nil { // the interpreter's own fault, not the network's
			r.spoiled = true
			err = fmt.Errorf("the interpreter gave up: %v", v)
		}
	}()
	r.begin(ctx, e)
	stop := context.AfterFunc(ctx, func() { r.vm.Interrupt(ctx.Err()) })
	watch := r.watch()
	defer func() {
		stop()
		watch()
		r.end()
	}()
	f, err := r.vm.RunProgram(p.p)
	if err != nil {
		return r.said(p.place, err)
	}
	if _, err := r.run(goja.Undefined(), f, r.vm.ToValue(p.uses), r.eventObject()); err != nil {
		_, _ = r.leave(goja.Undefined())
		return r.said(p.place, err)
	}
	if err := r.loop(); err != nil {
		_, _ = r.leave(goja.Undefined())
		return r.said(p.place, err)
	}
	changed, err := r.leave(goja.Undefined())
	if err != nil {
		return r.said(p.place, err)
	}
	if text := changed.String(); text != "" && e.When == "prerequest" {
		if err := readRequest(text, e.Request); err != nil {
			return err
		}
	}
	r.giveUp()
	if r.problem != "" {
		return errors.New(r.problem)
	}
	return nil
}

// said makes an error of what the interpreter reports, with its place.
func (r *runtime) said(place string, err error) error {
	r.giveUp()
	var stopped *goja.InterruptedError
	if errors.As(err, &stopped) {
		r.spoiled = true
		switch v := stopped.Value().(type) {
		case error:
			if errors.Is(v, context.DeadlineExceeded) {
				return errors.New("the script did not come to its end in time")
			}
			return v
		default:
			return fmt.Errorf("the script was stopped: %v", v)
		}
	}
	var overflow *goja.StackOverflowError
	if errors.As(err, &overflow) {
		return fmt.Errorf("the script calls itself more than %d deep", maxStack)
	}
	var thrown *goja.Exception
	if errors.As(err, &thrown) {
		text := thrown.Value().String()
		for _, f := range thrown.Stack() {
			if f.SrcName() == source {
				return fmt.Errorf("%s (%s, script line %d)", text, place, f.Position().Line)
			}
		}
		return errors.New(text)
	}
	return err
}

// watch stops a program that fills the memory. It returns what ends the watch.
func (r *runtime) watch() (stop func()) {
	done := make(chan struct{})
	go func() {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(sample)
		first := sample[0].Value.Uint64()
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				if metrics.Read(sample); sample[0].Value.Uint64() > first+maxMemory {
					r.vm.Interrupt(errMemory)
					return
				}
			}
		}
	}()
	return sync.OnceFunc(func() { close(done) })
}

var errMemory = fmt.Errorf("the script uses more than %d MiB", maxMemory>>20)
