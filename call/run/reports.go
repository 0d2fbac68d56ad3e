package run

import (
	"slices"
	"sync"
)

// reports hands results to the reporters in the order of the collection,
// however they come: iteration by iteration.
type reports struct {
	mu        sync.Mutex
	reporters []Reporter
	summary   *Summary
	at        int               // the iteration whose results are handed on at once
	waiting   map[int][]*Result // of iterations that come later
	done      map[int]bool
	err       error
	bail      func()
}

func (r *reports) add(iteration int, res *Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !res.OK() {
		r.bail()
	}
	if iteration != r.at {
		r.waiting[iteration] = append(r.waiting[iteration], res)
		return
	}
	r.hand(res)
}

// end says that an iteration is over.
func (r *reports) end(iteration int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done[iteration] = true
	for r.done[r.at] {
		delete(r.done, r.at)
		r.at++
		r.summary.Iterations++
		for _, res := range r.waiting[r.at] {
			r.hand(res)
		}
		delete(r.waiting, r.at)
	}
}

func (r *reports) hand(res *Result) {
	s := r.summary
	if res.Skipped != "" {
		s.Skipped++
	} else {
		s.Requests++
	}
	if res.Failure != "" {
		s.Incomplete++
	}
	s.Bytes += res.Size
	for _, a := range res.Assertions {
		if a.Skipped {
			continue
		}
		s.Assertions++
		if !a.Passed {
			s.Failed++
		}
	}
	for _, p := range r.reporters {
		if err := p.Add(res); err != nil && r.err == nil {
			r.err = err
		}
	}
	res.Exchanges = nil
}

// A Keep is a Reporter that keeps all results, for formats that must count
// before they write.
type Keep struct {
	Info    *Info
	Results []*Result
	Summary *Summary
	// Write is called at the end; nil writes nothing.
	Write func(*Keep) error
}

// Begin keeps the Info.
func (k *Keep) Begin(i *Info) error { k.Info = i; return nil }

// Add keeps a result.
func (k *Keep) Add(r *Result) error {
	own := *r
	own.Exchanges = nil
	k.Results = append(k.Results, &own)
	return nil
}

// End keeps the Summary and writes.
func (k *Keep) End(s *Summary) error {
	k.Summary = s
	if k.Write != nil {
		return k.Write(k)
	}
	return nil
}

// Failed are the results that did not go well.
func (k *Keep) Failed() []*Result {
	return slices.DeleteFunc(slices.Clone(k.Results), func(r *Result) bool { return r.OK() })
}
