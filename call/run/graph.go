package run

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
)

// graph runs the requests of one iteration at the same time, as far as they do
// not need each other: one that names a variable which an earlier one captures
// waits for it, and so does one that says so under needs.
func (r *Runner) graph(ctx context.Context, it *iteration) {
	steps := r.plan.steps
	waits := dependencies(steps)
	done := make([]chan struct{}, len(steps))
	results := make([][]*Result, len(steps))
	for i := range done {
		done[i] = make(chan struct{})
	}
	room := make(chan struct{}, r.o.Jobs)
	var wg sync.WaitGroup
	for i := range steps {
		wg.Go(func() {
			defer close(done[i])
			for _, n := range waits[i] {
				<-done[n]
			}
			room <- struct{}{}
			defer func() { <-room }()
			if ctx.Err() != nil {
				return
			}
			r.step(ctx, it, i, func(res *Result) { results[i] = append(results[i], res) })
		})
	}
	for i := range steps { // handed on in order, as soon as they are there
		<-done[i]
		for _, res := range results[i] {
			r.out.add(it.n, res)
		}
		results[i] = nil
	}
	wg.Wait()
}

// dependencies are the earlier requests that each one waits for.
func dependencies(steps []*step) [][]int {
	captured := map[string][]int{} // by whom, a variable's name
	out := make([][]int, len(steps))
	for i, s := range steps {
		out[i] = append(out[i], s.needs...)
		if len(captured) > 0 {
			text := written(s)
			for name, by := range captured {
				if strings.Contains(text, name) {
					out[i] = append(out[i], by...)
				}
			}
		}
		for _, c := range s.capture {
			captured[c.Variable] = append(captured[c.Variable], i)
		}
	}
	return out
}

// written is all text of a request, as far as it may name variables.
func written(s *step) string {
	b, _ := json.Marshal(struct{ A, B, C, D, E any }{s.item.Request, s.auth, s.item.Expect, s.variables, s.item.As})
	return string(b)
}
