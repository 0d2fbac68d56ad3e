package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"crypto/tls"
	"crypto/x509"
	"encoding/pem"

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

func (r *Runner) scripts(ctx context.Context, list []compiledScript, e *script.Event, res *Result) {
	for _, s := range list {
		done := len(e.Assertions)
		err := s.program.Run(ctx, e)
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

// expect judges what is written under expect.
func (r *Runner) expect(s *step, scopes *script.Scopes, look *seen, res *Result) {
	w := &writer{scopes: scopes, now: look.now}
	for i := range s.expect {
		e := &s.expect[i]
		if e.broken != "" {
			res.Assertions = append(res.Assertions, Assertion{Name: r.o.Masker.Text(e.Fact + " " + e.Is + " " + show(e.Want)), Step: "request",
				Message: r.o.Masker.Text(e.broken), Place: fmt.Sprintf("%s:%d", filepath.Base(s.file), e.Line)})
			continue
		}
		want := e.Want
		if e.open {
			want = w.text(e.Want.(string))
		}
		got, ok, err := look.fact(e.fact)
		a := Assertion{Name: r.o.Masker.Text(e.name()), Step: stepOf(e.fact), Place: fmt.Sprintf("%s:%d", filepath.Base(s.file), e.Line)}
		if err != nil {
			a.Message = r.o.Masker.Text(err.Error())
		} else {
			var message string
			if a.Passed, message = e.holds(want, got, ok); !a.Passed {
				a.Message = r.message(e, want, got, ok, message, look)
			} else if e.fact.Name == "failure" || e.fact.Name == "failed_at" || strings.HasSuffix(e.fact.Name, ".failure") {
				if e.Is != "exists" || e.Want == true { // it was meant to fail
					res.Failure, res.FailedAt = "", ""
				}
			}
		}
		res.Assertions = append(res.Assertions, a)
	}
}

func stepOf(f archive.Fact) string {
	step, _, _ := strings.Cut(f.Name, ".")
	return step
}

// message says what was there, masked: what the exchange would show masked is
// shown so here, too.
func (r *Runner) message(e *expectation, want, got any, ok bool, message string, look *seen) string {
	m := r.o.Masker
	wanted := "want " + e.Is + " " + show(want)
	if e.Is == "==" {
		wanted = "want " + show(want)
	}
	if e.Is == "exists" {
		wanted = ""
	}
	if ok && !m.raw {
		switch stepOf(e.fact) {
		case "request", "response", "client":
			masked := newSeen([]*exchange.Exchange{m.Exchange(look.x)}, nil, look.now)
			if v, there, err := masked.fact(e.fact); err == nil && there && show(v) != show(got) && e.fact.Kind != archive.NumberFact {
				message = "got " + show(v)
				if e.fact.Name != "response.body" && e.fact.Name != "request.body" {
					wanted = "want " + e.Is + " ***"
				}
			}
		}
	}
	if e.fact.Name == "contract" {
		if vs := look.judge().violations; len(vs) > 0 {
			message += ": " + strings.Join(vs[:min(len(vs), 5)], "; ")
		}
	}
	if wanted != "" {
		message += ", " + wanted
	}
	return m.Text(message)
}

// keep captures facts as variables.
func (r *Runner) keep(s *step, it *iteration, look *seen, res *Result) {
	for _, c := range s.capture {
		v, ok, err := look.fact(c.fact)
		a := Assertion{Name: "capture " + c.Variable, Step: stepOf(c.fact), Place: fmt.Sprintf("%s:%d", filepath.Base(s.file), c.Line)}
		switch {
		case err != nil:
			a.Message = err.Error()
		case !ok:
			a.Message = c.fact.String() + " is not there"
		case c.matches != nil:
			m := c.matches.FindStringSubmatch(plainText(v))
			if m == nil {
				a.Message = fmt.Sprintf("%s does not match %q", c.fact, c.Matches)
				break
			}
			v = m[min(1, len(m)-1)]
		}
		if a.Message != "" {
			a.Message = r.o.Masker.Text(a.Message)
			res.Assertions = append(res.Assertions, a)
			continue
		}
		if n, ok := v.(int64); ok {
			v = strconv.FormatInt(n, 10)
		}
		if d, ok := v.(time.Duration); ok {
			v = float64(d) / float64(time.Millisecond)
		}
		it.mu.Lock()
		if c.Secret || len(script.Text(v)) >= minLearned && r.o.Masker.namesSecret(c.Variable) {
			r.o.Masker.Know(script.Text(v))
			it.scopes.Environment.SetSecret(c.Variable, v)
		} else {
			it.scopes.Environment.Set(c.Variable, v)
		}
		it.mu.Unlock()
	}
}

// client returns the one that makes calls as a request asks for.
func (r *Runner) client(s *step, it *iteration, q *archive.Options, w *writer) (*call.Client, error) {
	redirects := r.clients.base.Redirects
	switch {
	case q.NoRedirect:
		redirects = 0
	case q.MaxRedirect > 0:
		redirects = q.MaxRedirect
	case redirects > 0:
	case q.Redirects, s.style == "postman", s.style == "http":
		redirects = 10
	}
	o := *q
	o.Proxy, o.Cert, o.Key, o.CACert = w.text(o.Proxy), w.text(o.Cert), w.text(o.Key), w.text(o.CACert)
	o.Redirects, o.NoRedirect, o.MaxRedirect, o.Compressed = false, false, 0, false
	key := clientKey{untrust: r.clients.base.Untrusted, redirect: redirects, jar: it.jar}
	if o.Insecure {
		key.untrust = max(key.untrust, call.Withhold)
		if s.own {
			key.untrust = call.SendAnyway
		}
	}
	o.Insecure = false
	if o.NoCookies {
		key.jar = nil
	}
	if b, err := json.Marshal(o); err == nil {
		key.archive = string(b)
	}
	r.clients.mu.Lock()
	defer r.clients.mu.Unlock()
	if c := r.clients.by[key]; c != nil {
		return c, nil
	}
	made := r.clients.base
	made.Redirects, made.Untrusted, made.Jar = redirects, key.untrust, key.jar
	if err := apply(&made, &o, s.dir); err != nil {
		return nil, err
	}
	c, err := call.New(made)
	if err != nil {
		return nil, err
	}
	if len(r.clients.by) >= 64 { // values that are different in each row
		for k, old := range r.clients.by {
			old.Close()
			delete(r.clients.by, k)
		}
	}
	r.clients.by[key] = c
	return c, nil
}

// apply puts what a request asks for over what holds for all.
func apply(o *call.Options, q *archive.Options, dir string) error {
	if q.HTTP != "" {
		o.HTTP = q.HTTP
	}
	if q.Timeout > 0 {
		o.Timeout = time.Duration(q.Timeout * float64(time.Second))
	}
	if q.Proxy != "" {
		o.Proxy = q.Proxy
	}
	if q.Pin != "" {
		for p := range strings.SplitSeq(q.Pin, ";") {
			o.Pins = append(slices.Clone(o.Pins), strings.TrimPrefix(strings.TrimSpace(p), "sha256//"))
		}
	}
	for _, v := range q.Resolve {
		at, as, err := ParseResolve(v)
		if err != nil {
			return err
		}
		all := map[string][]netip.Addr{at: as}
		for k, a := range o.Resolve {
			if k != at {
				all[k] = a
			}
		}
		o.Resolve = all
	}
	if q.Cert != "" {
		c, err := ReadCertificate(inDir(dir, q.Cert), inDir(dir, q.Key))
		if err != nil {
			return err
		}
		o.Certificates = append(slices.Clone(o.Certificates), c)
	}
	if q.CACert != "" {
		more, err := ReadRoots(inDir(dir, q.CACert))
		if err != nil {
			return err
		}
		o.More = append(slices.Clone(o.More), more...)
	}
	return nil
}

func inDir(dir, name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// ParseResolve reads curl's --resolve: host:port:address[,address].
func ParseResolve(s string) (at string, as []netip.Addr, err error) {
	host, rest, ok := strings.Cut(strings.TrimPrefix(s, "+"), ":")
	port, addresses, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 || host == "" {
		return "", nil, fmt.Errorf("%q is not host:port:address", s)
	}
	for a := range strings.SplitSeq(addresses, ",") {
		addr, err := netip.ParseAddr(strings.Trim(strings.TrimSpace(a), "[]"))
		if err != nil {
			return "", nil, fmt.Errorf("%q is no address", a)
		}
		as = append(as, addr)
	}
	return host + ":" + port, as, nil
}

// ReadCertificate reads a certificate with its key, which may be in one file.
func ReadCertificate(cert, key string) (tls.Certificate, error) {
	cert, _, _ = strings.Cut(cert, ":") // curl allows a password after it, for keys that are encrypted
	if key == "" {
		key = cert
	}
	c, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return c, fmt.Errorf("the client certificate cannot be read: %w", plain(err))
	}
	return c, nil
}

// ReadRoots reads certificates in PEM.
func ReadRoots(file string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the certificates of %s cannot be read: %w", file, plain(err))
	}
	var out []*x509.Certificate
	for {
		var b *pem.Block
		if b, data = pem.Decode(data); b == nil {
			break
		}
		if b.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no certificate in PEM", file)
	}
	return out, nil
}
