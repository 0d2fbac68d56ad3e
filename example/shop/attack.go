package shop

import (
	"bytes"
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
	Steps []Step
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
	n, err := newRunner(client, base, keys, hook)
	if err != nil {
		return Outcome{}, err
	}
	o := Outcome{Attack: a, Title: a.Title}
	for i, s := range a.Steps {
		r, err := n.send(ctx, s)
		if err != nil {
			return o, fmt.Errorf("%s, step %d: %w", a.Flaw, i+1, err)
		}
		o.Responses = append(o.Responses, r)
		if s.Want != 0 && r.Status != s.Want {
			return o, fmt.Errorf("shop: %s, step %d: %s %s answered %d, want %d: %.200s", a.Flaw, i+1, s.Method, r.Step.Path, r.Status, s.Want, r.Body)
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

// Attacks lists at least one attack for each flaw.
func Attacks() []Attack {
	return slices.Concat(requestAttacks(), authnAttacks(), authzAttacks(), statusAttacks(), responseAttacks(), clientAttacks())
}

// The judgements that many attacks share.

// got works when the telling answer succeeded and says what it must.
func got(word string, says func(Response) bool) func(Answers) (bool, string) {
	return func(a Answers) (bool, string) {
		r := a.Telling()
		return succeeded(r) && says(r), fmt.Sprintf("%d %s", r.Status, word)
	}
}

// succeeded leaves out the 200 that hides a failure.
func succeeded(r Response) bool {
	return r.Status >= 200 && r.Status < 300 && !r.Has("/error")
}

// refused is stopped by one of the statuses.
func refused(statuses ...int) func(Answers) (bool, string) {
	return func(a Answers) (bool, string) {
		r := a.Telling()
		return slices.Contains(statuses, r.Status), fmt.Sprintf("%d refused", r.Status)
	}
}

// and adds a condition to a judgement.
func and(judge func(Answers) (bool, string), more func(Answers) bool) func(Answers) (bool, string) {
	return func(a Answers) (bool, string) {
		ok, text := judge(a)
		return ok && more(a), text
	}
}

// either is one judgement or the other.
func either(one, other func(Answers) (bool, string)) func(Answers) (bool, string) {
	return func(a Answers) (bool, string) {
		if ok, text := one(a); ok {
			return ok, text
		}
		return other(a)
	}
}

func always(Response) bool { return true }

// lastSays reports whether the last answer, a victim's or the attacker's own
// look at what became of it, succeeded with a value at a pointer.
func lastSays(pointer, value string) func(Answers) bool {
	return func(a Answers) bool { return succeeded(a.Last()) && a.Last().Text(pointer) == value }
}

func contains(r Response, text string) bool { return bytes.Contains(r.Body, []byte(text)) }
