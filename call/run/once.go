package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/call/script"
	"github.com/parley-project/parley/exchange"
)

// once makes one request of a step and judges what came of it.
func (r *Runner) once(ctx context.Context, it *iteration, s *step, row int) (*Result, *script.Next) {
	res := r.result(s, it, row)
	scopes := r.scopesOf(it, s, row)
	q := s.item.Request
	e := r.event(it, s, scopes)
	if len(s.before)+len(s.after) > 0 {
		q = copyRequest(q)
		e.Request = q
		e.Send = r.sender(it, s, scopes)
		e.Print = func(level, text string) { res.Printed = append(res.Printed, Printed{level, r.o.Masker.Text(text)}) }
	}
	if len(s.before) > 0 {
		e.When = "prerequest"
		w := r.writer(s, scopes)
		e.URL = w.url(q)
		r.scripts(ctx, s.before, e, res)
		if e.Skip {
			res.Skipped = "a script said so"
			r.learn(scopes)
			return res, e.Next
		}
	}
	all, err := r.send(ctx, it, s, q, scopes, res)
	if err != nil {
		res.Failure, res.FailedAt = r.o.Masker.Text(err.Error()), "request"
		if len(s.after) == 0 {
			return res, e.Next
		}
	}
	now := r.o.Now()
	var look *seen
	if len(all) > 0 {
		look = newSeen(all, r.o.Contract, now)
		r.describe(res, look)
		r.keep(s, it, look, res) // first: what is kept as a secret is not shown below
		r.expect(s, scopes, look, res)
		r.record(all)
	}
	if len(s.after) > 0 {
		e.When = "test"
		if look != nil {
			r.answered(e, look, q, scopes, s)
		}
		r.scripts(ctx, s.after, e, res)
		r.learn(scopes)
	}
	return res, e.Next
}

func (r *Runner) writer(s *step, scopes *script.Scopes) *writer {
	return &writer{scopes: scopes, now: r.o.Now(), own: s.own, dir: s.dir, anyFile: r.o.AnyFile}
}

// scopesOf are the variables of one request.
func (r *Runner) scopesOf(it *iteration, s *step, row int) *script.Scopes {
	scopes := it.scopes
	scopes.Local = &script.Variables{}
	if it.apart { // others capture at the same time
		it.mu.Lock()
		scopes.Environment = it.scopes.Environment.Copy()
		it.mu.Unlock()
	}
	if len(s.variables) > 0 {
		over := scopes.Collection.Over()
		for _, v := range s.variables {
			if v.Disabled {
				continue
			}
			if v.Secret {
				over.SetSecret(v.Name, v.Value)
			} else {
				over.Set(v.Name, v.Value)
			}
		}
		scopes.Collection = over
	}
	if row >= 0 {
		over := scopes.Data.Over()
		r.row(s.rows[row])
		for k, v := range s.rows[row] {
			over.Set(k, v)
		}
		scopes.Data = over
	}
	return &scopes
}

func (r *Runner) event(it *iteration, s *step, scopes *script.Scopes) *script.Event {
	return &script.Event{Item: s.item.Name, ID: s.item.ID, Path: s.path, Iteration: it.n, Iterations: r.o.Iterations,
		Scopes: scopes, Request: s.item.Request, Jar: it.jar, Now: r.o.Now}
}

// copyRequest is a copy that a script may change.
func copyRequest(q *archive.Request) *archive.Request {
	own := *q
	own.Header = slices.Clone(q.Header)
	own.Params = slices.Clone(q.Params)
	if q.Body != nil {
		b := *q.Body
		b.Fields = slices.Clone(b.Fields)
		own.Body = &b
	}
	return &own
}

// usualScript is how long a script may run where no time limit is given.
const usualScript = 30 * time.Second

func (r *Runner) scripts(ctx context.Context, list []*compiledScript, e *script.Event, res *Result) {
	limit := r.o.Call.Timeout
	if limit <= 0 {
		limit = usualScript
	}
	for _, s := range list {
		done := len(e.Assertions)
		own, cancel := context.WithTimeout(ctx, limit)
		err := s.program.Run(own, e)
		cancel()
		for _, a := range e.Assertions[done:] {
			res.Assertions = append(res.Assertions, Assertion{Name: r.o.Masker.Text(a.Name), Step: "script", Passed: a.Passed, Skipped: a.Skipped,
				Message: r.o.Masker.Text(a.Message), Place: s.place})
		}
		if err != nil {
			res.Assertions = append(res.Assertions, Assertion{Name: e.When + " script", Step: "script", Message: r.o.Masker.Text(err.Error()), Place: s.place})
		}
		if e.Skip {
			return
		}
	}
}

// learn tells the masker of secrets that scripts have set.
func (r *Runner) learn(scopes *script.Scopes) {
	for _, v := range []*script.Variables{scopes.Environment, scopes.Globals, scopes.Collection} {
		for _, name := range v.Secrets() {
			x, _ := v.Get(name)
			r.o.Masker.Know(script.Text(x))
		}
	}
}

// answered gives the event what came back.
func (r *Runner) answered(e *script.Event, look *seen, q *archive.Request, scopes *script.Scopes, s *step) {
	e.Sent, e.Response, e.Times = &look.x.Request, look.x.Response, look.x.Times
	e.Times.Total = look.total()
	e.Body, _ = look.content()
	e.URL = look.x.Request.URL()
	sent := *q
	sent.URL = look.all[0].Request.URL()
	sent.Header = nil
	for _, h := range look.all[0].Request.Header {
		sent.Header = append(sent.Header, archive.Field{Name: h.Name, Value: h.Value})
	}
	if q.Body != nil {
		b := *q.Body
		w := r.writer(s, scopes)
		b.Text = w.text(b.Text)
		b.Fields = slices.Clone(b.Fields)
		for i := range b.Fields {
			b.Fields[i].Name, b.Fields[i].Value = w.text(b.Fields[i].Name), w.text(b.Fields[i].Value)
		}
		sent.Body = &b
	}
	e.Request = &sent
}

// sender makes the requests that scripts ask for.
func (r *Runner) sender(it *iteration, s *step, scopes *script.Scopes) func(context.Context, *archive.Request) (*script.Answer, error) {
	return func(ctx context.Context, q *archive.Request) (*script.Answer, error) {
		bare := *s
		bare.auth = q.Auth
		item := *s.item
		item.As = ""
		bare.item = &item
		all, err := r.send(ctx, it, &bare, q, scopes, nil)
		if err != nil {
			return nil, err
		}
		for _, x := range all {
			r.o.Masker.Learn(x)
		}
		r.record(all)
		look := newSeen(all, nil, r.o.Now())
		if look.x.Failure != "" {
			return nil, errors.New(look.x.Failure)
		}
		a := &script.Answer{Response: look.x.Response, Times: look.x.Times}
		a.Times.Total = look.total()
		a.Body, _ = look.content()
		return a, nil
	}
}

// send makes the call. res gets the warnings; nil drops them.
func (r *Runner) send(ctx context.Context, it *iteration, s *step, q *archive.Request, scopes *script.Scopes, res *Result) ([]*exchange.Exchange, error) {
	w := r.writer(s, scopes)
	c, err := r.client(s, it, &q.Options, w)
	if err != nil {
		return nil, err
	}
	out, err := w.request(q, s.style)
	if err != nil {
		return nil, err
	}
	if res != nil {
		res.Method, res.URL = out.Method, r.o.Masker.Text(out.URL)
	}
	switch {
	case s.item.As != "":
		if r.o.As == nil {
			return nil, fmt.Errorf("it is sent as %q, and no identities are known: give parley.yaml with -c", s.item.As)
		}
		out.Auth, err = r.o.As(w.text(s.item.As))
	case s.auth != nil && s.auth.Scheme == "none":
	case r.o.Auth != nil:
		out.Auth = r.o.Auth
	default:
		if out.Auth, err = r.auth(s.auth, w, c); err == errEmpty || err == errNotRun {
			if res != nil {
				res.Warnings = append(res.Warnings, err.Error())
			}
			err = nil
		}
	}
	if err != nil {
		return nil, err
	}
	if len(w.unknown) > 0 {
		text := fmt.Sprintf("no variable is named %s", strings.Join(w.unknown, ", "))
		if s.style != "postman" {
			return nil, fmt.Errorf("%s: %s", s.place(), text)
		}
		if res != nil { // it is sent as it is written, as Postman does
			res.Warnings = append(res.Warnings, r.o.Masker.Text(text))
		}
	}
	if res != nil && q.Options.Insecure && !s.own && r.o.Call.Untrusted != call.SendAnyway {
		res.Warnings = append(res.Warnings, "over a channel that is not verified credentials are withheld: --send-anyway sends them")
	}
	return c.Do(ctx, out), nil
}

// record hands exchanges over when it is known what is secret in them.
func (r *Runner) record(all []*exchange.Exchange) {
	if r.o.Call.Recorder == nil {
		return
	}
	for _, x := range all {
		r.o.Call.Recorder.Record(r.o.Masker.Exchange(x))
	}
}

// describe says what came of the call.
func (r *Runner) describe(res *Result, s *seen) {
	x := s.x
	for _, one := range s.all {
		r.o.Masker.Learn(one)
	}
	res.Exchanges = s.all
	res.Time = s.total()
	res.Failure = r.o.Masker.Text(x.Failure)
	if x.Failure != "" {
		res.FailedAt = "request"
		if x.FailedAt != 0 {
			res.FailedAt = x.FailedAt.String()
		}
	}
	if len(s.all) > 1 {
		res.URL = r.o.Masker.Text(s.all[0].Request.URL())
	}
	if x.Response != nil {
		res.Status, res.Proto, res.Size = x.Response.Status, x.Response.Proto, x.Response.Body.Size
	}
}
