package scan

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// A Plan says what a scan would send.
type Plan struct {
	Target string `json:"target"`
	// Requests is how many there would be if the API answered as it is
	// described; Most is how many there can be at all.
	Requests int       `json:"requests"`
	Most     int       `json:"most"`
	Phases   []Planned `json:"phases"`
	People   []string  `json:"people"`
	Notes    []string  `json:"notes,omitempty"`
}

// Planned is what one check would send, or the looking around before them.
type Planned struct {
	Phase      string   `json:"phase"`
	Title      string   `json:"title,omitempty"`
	Requests   int      `json:"requests"`
	Operations []string `json:"operations"`
}

// PlanOf goes through a scan without sending anything. Its questions are
// answered by an API that is imagined from the description: it knows everybody,
// makes what it is told to, and keeps each one's things from the others.
func PlanOf(ctx context.Context, o Options) (*Plan, error) {
	if len(o.People) == 0 {
		o.People = []*identity.Person{{Name: "somebody", Auth: identity.NewBearer("imagined-1")}}
	}
	o.Journal, o.Recorder, o.Progress, o.Pause, o.Deep = "", nil, nil, 0, false
	s, err := begin(ctx, o)
	if err != nil {
		return nil, err
	}
	defer s.client.Close()
	defer s.listener.close()
	w := &imagined{s: s, counts: map[string]map[string]int{}, made: map[string][]byte{}}
	s.imagined = w.answer
	if err := s.survey(); err != nil {
		return nil, err
	}
	s.probe()
	s.clean()
	p := &Plan{Target: s.base, Most: s.o.MaxRequests, Requests: w.n, Notes: s.res.Notes}
	for _, q := range s.trial.People {
		p.People = append(p.People, q.Name)
	}
	for _, phase := range w.phases {
		one := Planned{Phase: phase, Operations: []string{}}
		if c := check.ByID(phase); c != nil {
			one.Title = c.Title
		}
		for op, n := range w.counts[phase] {
			one.Requests += n
			if op != "" {
				one.Operations = append(one.Operations, op)
			}
		}
		slices.SortFunc(one.Operations, func(a, b string) int {
			am, ap, _ := strings.Cut(a, " ")
			bm, bp, _ := strings.Cut(b, " ")
			return cmp.Or(strings.Compare(ap, bp), strings.Compare(am, bm))
		})
		p.Phases = append(p.Phases, one)
	}
	return p, nil
}

// imagined is an API that answers as its description says.
type imagined struct {
	s      *scanner
	n, ids int
	phases []string
	counts map[string]map[string]int // phase, operation
	made   map[string][]byte         // by path
}

// firstImagined is a number above those of examples.
const firstImagined = 900_000

// answer counts a request, and answers it.
func (w *imagined) answer(a *check.Ask, name string) *exchange.Exchange {
	w.n++
	phase := w.s.progress.Phase
	if w.counts[phase] == nil {
		w.counts[phase] = map[string]int{}
		w.phases = append(w.phases, phase)
	}
	w.counts[phase][name]++
	x := &exchange.Exchange{ID: exchange.ID(fmt.Sprintf("imagined-%d", w.n)), Source: exchange.FromScan, Start: time.Now(),
		Request: exchange.Request{Method: a.Method, Scheme: "http", Authority: "api.invalid", Target: a.Target, Header: a.Header,
			Body: exchange.Body{Data: a.Body, Size: int64(len(a.Body))}}}
	status, body := w.reply(a)
	x.Response = &exchange.Response{Status: status, Header: exchange.Header{{Name: "Content-Type", Value: "application/json"}}, Body: exchange.Body{Data: body, Size: int64(len(body))}}
	if status == 201 {
		x.Response.Header = append(x.Response.Header, exchange.Field{Name: "Location", Value: fmt.Sprintf("%s/%d", pathOf(a.Target), firstImagined+w.ids)})
	}
	return x
}

func (w *imagined) reply(a *check.Ask) (int, []byte) {
	e := a.Endpoint
	if e == nil {
		return 404, []byte(`{}`)
	}
	if a.Bare || a.As == nil && !open(e) {
		return 401, []byte(`{}`)
	}
	if a.Of != nil && a.Of != a.As || e.Few != "" && !w.s.mayFew(e, a.As) {
		return 403, []byte(`{}`)
	}
	if made := w.made[pathOf(a.Target)]; made != nil && a.Method == "GET" {
		return 200, made
	}
	if e.Role == check.Create || e.Role == check.SignUp {
		w.ids++
		w.made[fmt.Sprintf("%s/%d", pathOf(a.Target), firstImagined+w.ids)] = a.Body
		return 201, a.Body
	}
	if e.Role == check.LogIn {
		return 200, []byte(`{"token": "imagined-token"}`)
	}
	for _, s := range e.Sample.Answers {
		if strings.HasPrefix(s.Status, "2") && contract.IsJSON(s.MediaType) {
			status := 200
			fmt.Sscan(s.Status, &status)
			return status, s.Body
		}
	}
	return 204, nil
}
