package console

import (
	"errors"
	"net/http"
	"strings"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call/run"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// maxResults is how many results of a run are kept for the page.
const maxResults = 2000

// A ranView is what came of one request. All text in it is masked.
type ranView struct {
	Name       string        `json:"name"`
	Path       []string      `json:"path,omitempty"`
	Method     string        `json:"method"`
	URL        string        `json:"url"`
	Status     int           `json:"status,omitempty"`
	Proto      string        `json:"proto,omitempty"`
	Time       float64       `json:"time"` // milliseconds
	Size       int64         `json:"size"`
	Assertions []assertion   `json:"assertions"`
	Failure    string        `json:"failure,omitempty"`
	FailedAt   string        `json:"failed_at,omitempty"`
	Skipped    string        `json:"skipped,omitempty"`
	Warnings   []string      `json:"warnings,omitempty"`
	Printed    []run.Printed `json:"printed,omitempty"`
	ID         exchange.ID   `json:"id,omitempty"` // of the last exchange
	OK         bool          `json:"ok"`
	// Exchange is there when one request was sent.
	Exchange *exchange.Exchange `json:"exchange,omitempty"`
	Cut      cut                `json:"cut,omitzero"`
}

type assertion struct {
	Name    string `json:"name"`
	Step    string `json:"step"`
	Passed  bool   `json:"passed"`
	Skipped bool   `json:"skipped,omitempty"`
	Message string `json:"message,omitempty"`
}

// ran keeps the results of a run for the page.
type ran struct {
	masker  *run.Masker
	one     bool // bodies are wanted
	results []ranView
	more    int
}

func (n *ran) Begin(*run.Info) error  { return nil }
func (n *ran) End(*run.Summary) error { return nil }

func (n *ran) Add(r *run.Result) error {
	if len(n.results) == maxResults {
		n.more++
		return nil
	}
	v := ranView{Name: r.Name, Path: r.Path, Method: r.Method, URL: r.URL, Status: r.Status, Proto: r.Proto, Time: milliseconds(r.Time), Size: r.Size,
		Assertions: []assertion{}, Failure: r.Failure, FailedAt: r.FailedAt, Skipped: r.Skipped, Warnings: r.Warnings, Printed: r.Printed, OK: r.OK() && r.Skipped == ""}
	for _, a := range r.Assertions {
		v.Assertions = append(v.Assertions, assertion{a.Name, a.Step, a.Passed, a.Skipped, a.Message})
	}
	if len(r.Exchanges) > 0 {
		x := r.Exchanges[len(r.Exchanges)-1]
		v.ID = x.ID
		if n.one {
			v.Exchange, v.Cut = shorten(n.masker.Exchange(x), bodyShown)
		}
	}
	n.results = append(n.results, v)
	return nil
}

// send makes one request of the collection, after those that it needs.
func (c *Console) send(w http.ResponseWriter, r *http.Request) { c.call(w, r, true) }

// runAll makes all of them.
func (c *Console) runAll(w http.ResponseWriter, r *http.Request) { c.call(w, r, false) }

func (c *Console) call(w http.ResponseWriter, r *http.Request, one bool) {
	var q composed
	if !readJSON(w, r, &q) {
		return
	}
	ctx, done, ok := c.begin(w, r, runPeriod)
	if !ok {
		return
	}
	defer done()
	k, _, known, left, err := c.built(&q)
	if err != nil {
		c.fileProblem(w, err)
		return
	}
	masker := run.NewMasker(false)
	for _, secret := range known { // also those that no variable declares
		masker.Know(secret)
	}
	out := &ran{masker: masker, one: one, results: []ranView{}}
	o := run.Options{Call: c.o.Client.Call, Contract: c.o.Contract, As: c.as, Scripts: c.o.Client.Scripts, Masker: masker, Reporters: []run.Reporter{out}}
	o.Call.Source, o.Call.Timeout, o.Call.Jar = exchange.FromCall, tracePeriod, nil
	if o.Call.Recorder != nil {
		o.Call.Recorder = masker.Recorder(o.Call.Recorder)
	}
	if one {
		single, it := only(k, q.Item)
		switch {
		case it == nil:
			problem(w, http.StatusBadRequest, "choose a request first")
			return
		case len(it.Needs) > 0:
			o.Folder = it.Name
		default:
			if len(it.Rows) > 0 { // one is sent: with the first row
				o.Data, it.Rows = it.Rows[:1], nil
			}
			k = single
		}
	}
	runner, err := run.New(k, o)
	if err != nil {
		c.fileProblem(w, asRead(err))
		return
	}
	defer runner.Close()
	sum, err := runner.Run(ctx)
	if r.Context().Err() != nil {
		return // the person stopped it
	}
	if err != nil && sum == nil {
		c.fileProblem(w, asRead(err))
		return
	}
	if !c.settle(w, r) {
		return
	}
	warnings := runner.Warnings()
	if left > 0 {
		warnings = append(warnings, "placeholders of secrets that were never kept were sent as they stand: type your own in")
	}
	for i := range warnings {
		warnings[i] = masker.Text(warnings[i])
	}
	writeJSON(w, struct {
		Results  []ranView `json:"results"`
		More     int       `json:"more,omitempty"`
		Requests int       `json:"requests"`
		Failed   int       `json:"failed"` // expectations that did not hold
		Broken   int       `json:"broken"` // calls that came to no end
		Skipped  int       `json:"skipped,omitempty"`
		Time     float64   `json:"time"`
		Stopped  string    `json:"stopped,omitempty"`
		Warnings []string  `json:"warnings,omitempty"`
	}{out.results, out.more, sum.Requests, sum.Failed, sum.Incomplete, sum.Skipped, milliseconds(sum.Time), sum.Stopped, warnings})
}

// asRead is an error of a collection that cannot be run, for the person.
func asRead(err error) error {
	var e *archive.Error
	if errors.As(err, &e) {
		return archive.HideError(err)
	}
	return archive.HideError(&archive.Error{Text: strings.TrimPrefix(err.Error(), "run: ")})
}

func (c *Console) masker() *identity.Masker { return identity.NewMasker(c.key) }
