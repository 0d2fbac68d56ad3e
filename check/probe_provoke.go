package check

import (
	"slices"

	"github.com/parley-project/parley/contract"
)

// What is judged in passing has to pass by first: questions that are answered by
// a refusal or a failure.

// provoke asks up to a number of endpoints as the first person who may, changed.
func provoke(t *Trial, which func(*Endpoint) bool, most int, change func(*Ask) (*Ask, bool)) {
	for _, e := range t.Endpoints {
		if most == 0 {
			return
		}
		if e.Operation == nil || !which(e) {
			continue
		}
		for _, p := range everybody(t) {
			if e.Method == "GET" && !e.Answered(p) || e.Method != "GET" && e.Few != "" {
				continue
			}
			a, ok := t.Request(e, e.Resource.Of(p), p)
			if !ok {
				continue
			}
			if a, ok = change(a); ok {
				t.Ask(a)
				most--
			}
			break
		}
	}
}

// without is an ask whose body lacks what the contract requires. It is false
// where the contract requires nothing: what would come of it is not known.
func (a *Ask) without() (*Ask, bool) {
	if broken(bodyOf(a), []byte("{}")) != "required" {
		return nil, false
	}
	b := *a
	b.Body = []byte("{}")
	return &b, true
}

// cutOff is an ask whose body ends in the middle.
func (a *Ask) cutOff() (*Ask, bool) {
	if !slices.ContainsFunc(mediaTypes(a.Endpoint), contract.IsJSON) {
		return nil, false
	}
	b := *a
	b.Body = []byte(`{"a": [1, {"b`)
	return &b, true
}
