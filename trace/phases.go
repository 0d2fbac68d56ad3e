package trace

import (
	"time"

	"github.com/parley-project/parley/exchange"
)

// A Phase is a part of the time that a call took.
type Phase struct {
	// Name is "blocked", "dns", "tcp", "tls", "send", "wait" or "receive".
	Name string
	Time time.Duration
}

// Phases are those parts of a call that took time, in their order, and the time
// of the whole call. Of one that broke off, the time until then stands with the
// step at which it did.
func Phases(x *exchange.Exchange) ([]Phase, time.Duration) {
	y := *x
	y.Times = spent(x)
	var out []Phase
	for _, p := range phases(&y) {
		if p.time >= least {
			out = append(out, Phase{p.name, p.time})
		}
	}
	return out, whole(&y)
}
