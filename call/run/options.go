package run

import (
	"context"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/call/script"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// Options say how a collection is run. The zero Options runs it once, one
// request after the other.
type Options struct {
	// Call is how calls are made; its Jar is made by the runner, and a request
	// may say otherwise for itself. Its Recorder is given masked exchanges.
	Call call.Options
	// Environment and Globals are variables beside those of the collection;
	// Given count before all others. Nil means none.
	Environment, Globals, Given *script.Variables
	// Data are rows: each is an iteration.
	Data []map[string]any
	// Iterations is how often all of it is run. Zero means once for each row of
	// Data, or once.
	Iterations int
	// Jobs is how many iterations, or requests that do not need each other, are
	// under way at the same time. Zero and one mean one.
	Jobs int
	// Delay is waited between two requests.
	Delay time.Duration
	// Bail ends the run after the first request that failed.
	Bail bool
	// Folder runs only what is in this folder, or the request of this name.
	Folder string
	// SafeOnly leaves out what may change something of a collection that was made
	// of an API's description: all but GET, HEAD and OPTIONS.
	SafeOnly bool
	// Auth proves who sends requests that do not say it themselves; nil leaves
	// them as they are.
	Auth identity.Auth
	// As makes the Auth of an identity that a request names. Nil knows none.
	As func(name string) (identity.Auth, error)
	// Contract is what the API promises; nil when nobody told.
	Contract *contract.Contract
	// Scripts runs the programs of a collection; nil runs none, and says so.
	Scripts Scripts
	// Reporters are told of each request, in order. They are called one after
	// the other, never at the same time.
	Reporters []Reporter
	// AnyFile lets requests send files from outside of the collection's folder.
	AnyFile bool
	// Masker takes secrets out of what is reported. Nil means a new one.
	Masker *Masker
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// A Reporter is told what comes of a run.
type Reporter interface {
	// Begin is called first.
	Begin(*Info) error
	// Add is called for each request. The Result may be kept; its exchanges are
	// the reporter's to look at until Add returns.
	Add(*Result) error
	// End is called last, also when the run was broken off.
	End(*Summary) error
}

// Info is what is known before the first request.
type Info struct {
	Name       string // of the collection
	File       string
	Requests   int // in one iteration
	Iterations int
	Warnings   []string
	Start      time.Time
}

// A Result is what came of one request. All text in it is masked.
type Result struct {
	Name string
	Path []string // names of folders
	// Place is where it stands: "shop.yaml:12".
	Place string
	// Iteration counts from 0, Row those of the request's own rows; -1 when it
	// has none.
	Iteration, Row int
	Method, URL    string
	// Status is 0 when there was no response.
	Status int
	Proto  string
	Time   time.Duration // of all exchanges
	Size   int64         // of the response's body
	// Assertions are what was expected, and what scripts tested.
	Assertions []Assertion
	// Failure says why the call could not be completed; FailedAt is the step.
	Failure  string
	FailedAt string
	// Skipped says why it was not sent.
	Skipped  string
	Warnings []string
	// Printed is what scripts wrote to the console.
	Printed []Printed
	// Exchanges are what was sent and received, not masked. Reporters that keep
	// the Result let go of them.
	Exchanges []*exchange.Exchange
}

// An Assertion is one thing that was expected of a call.
type Assertion struct {
	Name string
	// Step is the part of the call that it looks at; "script" for a script's.
	Step    string
	Passed  bool
	Skipped bool
	// Message says what was there instead.
	Message string
	// Place is where it is written.
	Place string
}

// Printed is a line of a script's console.
type Printed struct {
	Level string `json:"level"`
	Text  string `json:"text"`
}

// Failed reports whether an assertion did not hold.
func (r *Result) Failed() bool {
	for _, a := range r.Assertions {
		if !a.Passed && !a.Skipped {
			return true
		}
	}
	return false
}

// OK reports whether all went as it should.
func (r *Result) OK() bool { return r.Failure == "" && !r.Failed() }

// A Summary is what came of a run.
type Summary struct {
	Iterations int
	// Requests were made or tried, Incomplete of them came to no end, Skipped
	// were not sent.
	Requests, Incomplete, Skipped int
	Assertions, Failed            int
	// Problems are errors of scripts that could not be compiled.
	Problems []string
	Time     time.Duration
	Bytes    int64 // of response bodies
	// Stopped says why the run ended before its end; empty when it did not.
	Stopped string
}

// Exit is the exit code for it: 3 when a call could not be completed, 1 when
// something was not as expected.
func (s *Summary) Exit() int {
	switch {
	case s.Incomplete > 0:
		return 3
	case s.Failed > 0 || len(s.Problems) > 0:
		return 1
	}
	return 0
}

// ReadFile reads a file that a person or a collection named, up to a size.
func ReadFile(file string) ([]byte, error) { return readFile(file, maxFile) }

// atOnce opens what a collection names without waiting for it: a named pipe to
// which nobody writes would hold the program for ever.
const atOnce = os.O_RDONLY | syscall.O_NONBLOCK

func readFile(file string, most int) ([]byte, error) {
	f, err := os.OpenFile(file, atOnce, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if err == nil && len(data) > most {
		err = fmt.Errorf("it is larger than %d MiB", most>>20)
	}
	return data, err
}

// ReadRows reads rows of data.
func ReadRows(file string) ([]map[string]any, error) {
	data, err := ReadFile(file)
	if err != nil {
		return nil, &archive.Error{File: file, Text: "cannot be read: " + plain(err).Error()}
	}
	return archive.ReadRows(file, data)
}

// Variables makes a scope of what a file has.
func Variables(name string, vs []archive.Variable) *script.Variables {
	out := &script.Variables{Name: name}
	for _, v := range vs {
		switch {
		case v.Disabled:
		case v.Secret:
			out.SetSecret(v.Name, v.Value)
		default:
			out.Set(v.Name, v.Value)
		}
	}
	return out
}

// broken is a script that could not be compiled: it fails when it is run.
type broken struct{ err error }

func (b broken) Run(context.Context, *script.Event) error { return b.err }
