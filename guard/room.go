package guard

import (
	"runtime"
	"sync/atomic"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/internal/jsonscan"
)

// What is judged whole is held in memory, and while it is scanned it takes
// about fourteen times its size. Each body is bounded by the contract; a room
// bounds all of them together, so that many callers at once cannot do what one
// cannot. Bodies up to small pass without being counted.
const small = 64 << 10

// A room is memory that all exchanges share.
type room struct {
	left  atomic.Int64
	turns chan struct{}
}

func newRoom(bytes int64) *room {
	r := &room{turns: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))}
	r.left.Store(bytes)
	return r
}

// hold asks for room for a body that has grown from before to after bytes. It
// is given back when the exchange is finished.
func (c *Call) hold(before, after int64) bool {
	n := max(after, small) - max(before, small)
	if n == 0 {
		return true
	}
	if c.g.room.left.Add(-n) < 0 {
		c.g.room.left.Add(n)
		return false
	}
	c.held += n
	return true
}

// scan judges a body. Large ones take turns: scanning them side by side would
// not be faster, and all other requests would wait behind them.
func (g *Guard) scan(b *contract.Body, data []byte, l jsonscan.Limits) *contract.Facts {
	if len(data) > small {
		g.room.turns <- struct{}{}
		defer func() { <-g.room.turns }()
	}
	return b.Scan(data, l)
}
