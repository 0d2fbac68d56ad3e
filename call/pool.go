package call

import (
	"context"
	"sync"
	"time"
)

// Bounds of what a client keeps open.
const (
	maxIdle    = 128
	maxOrigins = 256
	idleTime   = 55 * time.Second // below the minute that many servers wait
)

// A pool keeps the channels that have nothing to do, by origin.
type pool struct {
	mu      sync.Mutex
	origins map[string]*origin
	idle    int
	sweep   *time.Timer
	closed  bool
}

// An origin is what is open to one of them.
type origin struct {
	// turn holds a token while somebody finds out what the origin speaks, so
	// that many calls at once share one connection of HTTP/2.
	turn  chan struct{}
	users int        // calls under way; while there are any, the pool keeps it
	plain bool       // it speaks HTTP/1.1: nobody need wait
	many  *channel   // takes many requests at once
	idle  []*channel // the one used last on top
}

// at returns the origin of a name, for a call that then calls leave.
func (p *pool) at(name string) *origin {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.origins[name]
	if o == nil {
		if p.origins == nil {
			p.origins = map[string]*origin{}
		}
		if len(p.origins) >= maxOrigins {
			for n, o := range p.origins { // any that is not in use
				if o.users == 0 && o.many == nil && len(o.idle) == 0 {
					delete(p.origins, n)
				}
			}
		}
		o = &origin{turn: make(chan struct{}, 1)}
		p.origins[name] = o
	}
	o.users++
	return o
}

func (p *pool) leave(o *origin) {
	p.mu.Lock()
	o.users--
	p.mu.Unlock()
}

// get returns a channel that is good as far as one can see. Without one, the
// caller makes it and then calls done.
func (p *pool) get(ctx context.Context, o *origin) (ch *channel, done func(), err error) {
	if ch := p.take(o); ch != nil {
		return ch, nil, nil
	}
	p.mu.Lock()
	plain := o.plain
	p.mu.Unlock()
	if plain {
		return nil, func() {}, nil
	}
	select {
	case o.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
	done = func() { <-o.turn }
	if ch := p.take(o); ch != nil {
		done()
		return ch, nil, nil
	}
	return nil, done, nil
}

// take takes what is open to an origin, or nil.
func (p *pool) take(o *origin) *channel {
	for {
		p.mu.Lock()
		if ch := o.many; ch != nil {
			if ch.alive() {
				ch.users++
				p.mu.Unlock()
				return ch
			}
			p.giveUp(o)
			p.mu.Unlock()
			continue
		}
		n := len(o.idle)
		if n == 0 {
			p.mu.Unlock()
			return nil
		}
		ch := o.idle[n-1]
		o.idle[n-1] = nil
		o.idle = o.idle[:n-1]
		p.idle--
		p.mu.Unlock()
		if ch.alive() {
			return ch
		}
		ch.closeNow()
	}
}

// made says that a channel was made to an origin: one that takes many requests
// is there for others from now on.
func (p *pool) made(o *origin, ch *channel) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ch.many == nil {
		o.plain = true
		return
	}
	ch.users++
	if o.many == nil && !p.closed {
		o.many = ch
		p.arm()
	} else {
		ch.left = true
	}
}

// giveUp lets go of the channel that many use. Whoever still uses it may go on.
func (p *pool) giveUp(o *origin) {
	ch := o.many
	o.many = nil
	if ch.left = true; ch.users == 0 {
		ch.closeNow()
	}
}

// leaveShared ends one use of a channel that many use.
func (p *pool) leaveShared(o *origin, ch *channel, again bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ch.lastUse = time.Now()
	if ch.users--; o.many == ch && !again {
		p.giveUp(o)
	} else if ch.left && ch.users == 0 {
		ch.closeNow()
	}
}

// put takes a channel back after its request.
func (p *pool) put(o *origin, ch *channel) {
	ch.idleAt = time.Now()
	p.mu.Lock()
	if p.closed || p.idle >= maxIdle {
		p.mu.Unlock()
		ch.closeNow()
		return
	}
	o.idle = append(o.idle, ch)
	p.idle++
	p.arm()
	p.mu.Unlock()
}

func (p *pool) arm() {
	if p.sweep == nil {
		p.sweep = time.AfterFunc(idleTime, p.expire)
	}
}

// expire closes what was idle too long and comes again while there is more.
func (p *pool) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweep = nil
	old := time.Now().Add(-idleTime)
	more := false
	for name, o := range p.origins {
		n := 0
		for n < len(o.idle) && o.idle[n].idleAt.Before(old) {
			o.idle[n].closeNow()
			n++
		}
		rest := copy(o.idle, o.idle[n:])
		clear(o.idle[rest:])
		o.idle, p.idle = o.idle[:rest], p.idle-n
		if o.many != nil && o.many.users == 0 && o.many.lastUse.Before(old) {
			p.giveUp(o)
		}
		if more = more || rest > 0 || o.many != nil; rest == 0 && o.many == nil && o.users == 0 {
			delete(p.origins, name)
		}
	}
	if more && !p.closed {
		p.sweep = time.AfterFunc(idleTime/4, p.expire)
	}
}

// close closes what is idle and keeps nothing from now on.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, o := range p.origins {
		for _, ch := range o.idle {
			ch.closeNow()
		}
		o.idle = nil
		if o.many != nil {
			p.giveUp(o)
		}
	}
	p.idle = 0
	if p.sweep != nil {
		p.sweep.Stop()
	}
}
