package scan

import (
	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

// deep asks a TLS server for all that it takes, and lets the checks of the
// channel judge it on a copy of an exchange that was made over it.
func (s *scanner) deep(x *exchange.Exchange) {
	if !s.o.Deep || x.TLS == nil || x.TLS.Clear {
		return
	}
	s.progress.Asking = "for versions and suites of TLS"
	s.o.Progress(s.progress)
	offers, err := s.client.Offers(s.ctx, s.base)
	if err != nil {
		s.note("what the server takes of TLS is not known: %v", err)
		return
	}
	own, t := *x, *x.TLS
	t.Offers = offers
	own.TLS = &t
	s.inspect(&own, &check.Ask{Method: x.Request.Method, Target: x.Request.Target}, true)
}
