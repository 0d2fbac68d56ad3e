package check

import "github.com/parley-project/parley/exchange"

// known is what the probes of one trial found out for each other, so that it is
// asked once.
type known struct {
	places   map[*Person]*place
	keys     []publicKey
	sought   bool // keys were
	own      map[string]*signer
	logIns   map[*Endpoint]*exchange.Exchange
	tellings []telling
	told     bool // they were asked for
}
