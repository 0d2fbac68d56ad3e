package learn

import "github.com/parley-project/parley/exchange"

// A Change is something that was seen and that the description does not have.
type Change struct {
	Operation string `json:"operation"`
	// What is "new operation", "new member", "new status", "new parameter" or
	// "type differs".
	What string `json:"what"`
	// Place is a JSON Pointer into the learnt description.
	Place string `json:"place"`
	Count int    `json:"count"`
}

func (l *Learner) judge(x *exchange.Exchange, method string) {}

// Diff lists what was seen and Options.API does not have.
func (l *Learner) Diff() []Change { return nil }
