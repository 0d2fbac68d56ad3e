package play

import (
	"context"
	"fmt"
	"net/http"
	"slices"
)

// An Attack shows that a flaw is on. It makes what it needs and changes nothing
// that others use, so that attacks may run in any order, any number of times,
// and through guard after they ran past it.
type Attack struct {
	Flaw string
	// Name says what it is in a few words; one flaw may have several attacks.
	Name string
	// Title replaces the telling request in tables; empty means that request.
	Title string
	// Listens opens a listener on this machine while the attack runs, which
	// steps name as {listener}.
	Listens bool
	Steps   []Step
	// Worked judges the answers: whether the attack did what it wanted, and
	// what to call that ("204 gone").
	Worked func(Answers) (bool, string)
	// Stopped judges them the other way: whether the attack was refused,
	// filtered or repaired, with no harm done ("404 refused").
	Stopped func(Answers) (bool, string)
}

// Answers are what came of an attack's steps, in their order.
type Answers []Response

// Telling is the answer that shows whether the attack worked.
func (a Answers) Telling() Response {
	if i := a.telling(); i >= 0 {
		return a[i]
	}
	return Response{}
}

func (a Answers) telling() int {
	return slices.IndexFunc(a, func(r Response) bool { return r.Step.Tells })
}

// Last is the last answer: often what the victim sees afterwards.
func (a Answers) Last() Response { return a[len(a)-1] }

// An Outcome is what came of one attack on one address.
type Outcome struct {
	Attack  Attack
	Title   string // "DELETE /v1/orders/1001 as rajan"
	Worked  bool
	Stopped bool
	// Summary is a status and a word, such as "204 gone" or "404 refused".
	Summary   string
	Responses Answers
	// Telling is the index of the answer that tells.
	Telling int
}

// Run plays an attack on an address. hook, if there is one, sees each request
// before it is sent, once for each step in their order, and may add a header to
// it; Outcome.Telling is the number of the step to look up afterwards, from 0.
// The error is for what could not be sent and for steps that must succeed
// before the attack can begin.
func Run(ctx context.Context, client *http.Client, base string, keys Keys, a Attack, hook func(*http.Request)) (Outcome, error) {
	n, err := NewRunner(client, base, keys, hook)
	if err != nil {
		return Outcome{}, err
	}
	o := Outcome{Attack: a, Title: a.Title}
	heard := func() int { return 0 }
	if a.Listens {
		var stop func()
		if n.saved["listener"], heard, stop, err = listen(); err != nil {
			return o, fmt.Errorf("play: %s: %w", a.Flaw, err)
		}
		defer stop()
	}
	for i, s := range a.Steps {
		r, err := n.Send(ctx, s)
		if err != nil {
			return o, fmt.Errorf("%s, step %d: %w", a.Flaw, i+1, err)
		}
		r.Heard = heard()
		o.Responses = append(o.Responses, r)
		if s.Want != 0 && r.Status != s.Want {
			return o, fmt.Errorf("play: %s, step %d: %s %s answered %d, want %d: %.200s", a.Flaw, i+1, s.Method, r.Step.Path, r.Status, s.Want, r.Body)
		}
	}
	o.Telling = o.Responses.telling()
	if o.Title == "" {
		o.Title = o.Responses.Telling().Step.title()
	}
	var text string
	if o.Worked, text = a.Worked(o.Responses); o.Worked {
		o.Summary = text
		return o, nil
	}
	if o.Stopped, text = a.Stopped(o.Responses); o.Stopped {
		o.Summary = text
		return o, nil
	}
	o.Summary = fmt.Sprintf("%d unclear", o.Responses.Telling().Status)
	return o, nil
}

// title is the short form of a step for tables.
func (s Step) title() string {
	who := s.As
	if who == "" {
		who = "nobody"
	}
	t := s.Method + " " + s.Path + " as " + who
	if s.By != Bearer {
		t += ", " + string(s.By)
	}
	return t
}
