package console

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/call/run"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/trace"
)

// A Client is what the console makes calls of its own with.
type Client struct {
	// Call says how calls are made, and who records them. Its Untrusted, Jar
	// and Source are the console's business.
	Call call.Options
	// Names are those as whom a call can be made, and As makes their
	// credential. Nil knows nobody.
	Names []string
	As    func(name string) (identity.Auth, error)
	// Scripts runs the programs of collections. Nil runs none.
	Scripts run.Scripts
}

// tracePeriod bounds a call of the page Trace, runPeriod a run of Compose.
const (
	tracePeriod = 30 * time.Second
	runPeriod   = 5 * time.Minute
)

// A tracedStep is one of the seven steps in the words of trace.
type tracedStep struct {
	Step     exchange.Step   `json:"step"`
	Verdict  trace.Verdict   `json:"verdict"`
	Says     []string        `json:"says"`
	Facts    []trace.Fact    `json:"facts"`
	Notes    []string        `json:"notes,omitempty"`
	Findings []tracedFinding `json:"findings"`
	Time     float64         `json:"time,omitempty"` // milliseconds
}

type tracedFinding struct {
	exchange.Finding
	Title string `json:"title,omitempty"`
	Fix   string `json:"fix,omitempty"`
}

// A tracedPhase is a part of the waterfall.
type tracedPhase struct {
	Name string  `json:"name"`
	Time float64 `json:"time"` // milliseconds
}

// A tracedCall is an exchange as the page Trace draws it.
type tracedCall struct {
	Schema  string          `json:"schema"`
	ID      exchange.ID     `json:"id"`
	Verdict trace.Verdict   `json:"verdict"`
	Method  string          `json:"method"`
	URL     string          `json:"url"`
	Proto   string          `json:"proto,omitempty"`
	Status  int             `json:"status,omitempty"`
	Failure string          `json:"failure,omitempty"`
	Started time.Time       `json:"started"`
	Source  exchange.Source `json:"source"`
	Side    exchange.Side   `json:"side,omitempty"`
	Actions int             `json:"actions,omitempty"` // of guard: the exchange's page tells of them
	Steps   []tracedStep    `json:"steps"`
	Phases  []tracedPhase   `json:"phases"`
	Total   float64         `json:"total"` // milliseconds
}

// traced draws an exchange from any tool in its seven steps.
func (c *Console) traced(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	if len(id) != 26 {
		problem(w, http.StatusNotFound, "no such exchange: an ID has 26 characters")
		return
	}
	var x *exchange.Exchange
	if c.query(w, r, func(ctx context.Context) (err error) { x, err = c.source.Get(ctx, id); return err }) {
		writeJSON(w, c.viewTrace(x))
	}
}

func (c *Console) viewTrace(x *exchange.Exchange) tracedCall {
	vs := trace.Steps(x)
	v := tracedCall{Schema: "parley.console.trace/1", ID: x.ID, Verdict: trace.Judgement(vs), Method: x.Request.Method, URL: x.Request.URL(), Proto: x.Request.Proto,
		Failure: x.Failure, Started: x.Start, Source: x.Source, Side: x.Side, Actions: len(x.Actions), Phases: []tracedPhase{}}
	if x.Response != nil {
		v.Status = x.Response.Status
	}
	for _, s := range vs {
		t := tracedStep{Step: s.Step, Verdict: s.Verdict, Says: s.Says, Facts: s.Facts, Notes: s.Notes, Findings: []tracedFinding{}, Time: milliseconds(s.Time)}
		for i, f := range s.Findings {
			one := tracedFinding{Finding: f, Fix: s.Fixes[i]}
			if e := c.explain(f.Check); e != nil {
				one.Title = e.Title
			}
			t.Findings = append(t.Findings, one)
		}
		v.Steps = append(v.Steps, t)
	}
	ps, total := trace.Phases(x)
	v.Total = milliseconds(total)
	for _, p := range ps {
		v.Phases = append(v.Phases, tracedPhase{p.Name, milliseconds(p.Time)})
	}
	return v
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// traceNow makes one call and has every step judged.
func (c *Console) traceNow(w http.ResponseWriter, r *http.Request) {
	var q struct {
		URL    string `json:"url"`
		Method string `json:"method"`
		As     string `json:"as"`
	}
	if !readJSON(w, r, &q) {
		return
	}
	ctx, done, ok := c.begin(w, r, tracePeriod)
	if !ok {
		return
	}
	defer done()
	target, why := callable(q.URL)
	if why != "" {
		problem(w, http.StatusBadRequest, why)
		return
	}
	method, ok := methodOf(q.Method)
	if !ok {
		problem(w, http.StatusBadRequest, "a method is a word of letters, such as GET")
		return
	}
	req := &call.Request{Method: method, URL: target}
	o := trace.Options{Client: c.o.Client.Call, Contract: c.o.Contract, As: q.As}
	o.Client.Untrusted, o.Client.Source, o.Client.Jar, o.Client.Timeout = call.Withhold, exchange.FromTrace, call.NewJar(), tracePeriod
	if q.As != "" {
		var err error
		if req.Auth, err = c.as(q.As); err != nil {
			problem(w, http.StatusBadRequest, err.Error())
			return
		}
	}
	res, err := trace.Follow(ctx, req, o)
	switch {
	case r.Context().Err() != nil:
		return // nobody is there any more
	case err != nil:
		problem(w, http.StatusBadRequest, strings.TrimPrefix(strings.TrimPrefix(err.Error(), "trace: "), "call: "))
		return
	}
	if !c.settle(w, r) {
		return
	}
	writeJSON(w, struct {
		ID exchange.ID `json:"id"`
	}{res.Exchange.ID})
}

// as is the credential of somebody by name.
func (c *Console) as(name string) (identity.Auth, error) {
	if c.o.Client.As == nil {
		return nil, errors.New("no identities are known here")
	}
	return c.o.Client.As(name)
}

// callable reads an address that a person typed: https when no scheme is
// given, as parley trace does.
func callable(text string) (target, why string) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", "give a URL, such as https://api.example.com/v1/orders"
	}
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "":
		return "", "this is not a URL; one looks like https://api.example.com/v1/orders"
	case u.Scheme != "http" && u.Scheme != "https":
		return "", u.Scheme + ": is not spoken here; use http or https"
	}
	return text, ""
}

// methodOf is a method in upper case; GET when there is none.
func methodOf(s string) (string, bool) {
	s = strings.ToUpper(strings.TrimSpace(s))
	if s == "" {
		return http.MethodGet, true
	}
	for _, r := range s {
		if (r < 'A' || r > 'Z') && r != '-' && r != '_' {
			return "", false
		}
	}
	return s, len(s) <= 40
}

// begin takes the one place for calls of the console's own. The context ends
// with the request, with the console, and after a time.
func (c *Console) begin(w http.ResponseWriter, r *http.Request, most time.Duration) (context.Context, func(), bool) {
	if c.o.Client == nil {
		problem(w, http.StatusForbidden, "this console only shows what was recorded; start it with parley up, or parley console --call, to make calls from here")
		return nil, nil, false
	}
	select {
	case c.calling <- struct{}{}:
	default:
		problem(w, http.StatusConflict, "a call from this console is under way: wait for it, or stop it")
		return nil, nil, false
	}
	ctx, cancel := context.WithTimeout(r.Context(), most)
	stop := context.AfterFunc(c.closing, cancel)
	return ctx, func() {
		stop()
		cancel()
		<-c.calling
	}, true
}

// settle waits until what was recorded can be read.
func (c *Console) settle(w http.ResponseWriter, r *http.Request) bool {
	if c.o.Store == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(r.Context(), queryPeriod)
	defer cancel()
	if err := c.o.Store.Flush(ctx); err != nil {
		problem(w, http.StatusInternalServerError, "the call was made, and could not be recorded: "+err.Error())
		return false
	}
	return true
}

// readJSON reads the body of a POST, of which ServeHTTP has bounded the size.
func readJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, err = d.Token(); err == io.EOF {
			return true
		}
		err = errors.New("there is more after its end")
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		problem(w, http.StatusRequestEntityTooLarge, "this is more than the console takes at once")
		return false
	}
	problem(w, http.StatusBadRequest, "the request cannot be read: "+strings.TrimPrefix(err.Error(), "json: "))
	return false
}
