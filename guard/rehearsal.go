package guard

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// A Rehearsal judges recorded exchanges as a guard in enforce mode would have
// judged them, at their time, and sends nothing. It is fed twice: all exchanges
// to Look, so that it knows what objects there are and what the recording leaves
// out, then those to be judged to Try, oldest first, for limits count by their
// time. What it keeps is bounded. It is not safe for concurrent use.
//
// Requests are judged as if they had come over HTTPS, as they would to guard.
type Rehearsal struct {
	g        *Guard
	unproved bool
	began    time.Time
	objects  *objects
	sources  map[string]*source
	hosts    map[string]bool // whether a request to it is one of the contract's
	result   Rehearsed
	rows     map[rowKey]*Row
	unruled  map[*contract.Operation]bool // which those are
}

// RehearsalOptions is usable when empty.
type RehearsalOptions struct {
	// Identity proves who spoke. Nil: as in Options.
	Identity *identity.Verifier
	// Unproved says that credentials are asked for and cannot be verified
	// here: who asked is known only where it was recorded.
	Unproved bool
	// Now is the time of exchanges that do not tell theirs. Zero is the present.
	Now time.Time
}

// source is what is known of one file.
type source struct {
	credentials bool // it has some of those that programs leave out of a HAR
}

// Bounds of what a rehearsal keeps.
const (
	maxHosts = 10_000
	maxRows  = 5_000
)

// NewRehearsal makes one for a contract, whatever its mode.
func NewRehearsal(c *contract.Contract, o RehearsalOptions) (*Rehearsal, error) {
	if c == nil {
		return nil, errors.New("guard: no contract")
	}
	k := *c
	k.Mode = contract.Enforce
	r := &Rehearsal{unproved: o.Unproved, began: o.Now, objects: newObjects(&k), sources: map[string]*source{}, hosts: map[string]bool{},
		rows: map[rowKey]*Row{}, unruled: map[*contract.Operation]bool{}}
	if r.began.IsZero() {
		r.began = time.Now()
	}
	r.result.Objects = map[string]int{}
	for _, op := range k.Unjudged {
		r.unruled[op] = true
	}
	clock := r.began
	g, err := New(&k, Options{Identity: o.Identity, TLSInFront: true, Now: func() time.Time { return clock }})
	if err != nil {
		return nil, err
	}
	g.trial = &trial{r: r, clock: &clock}
	r.g = g
	return r, nil
}

// Look takes in an exchange before anything is judged. file tells sources
// apart. It changes nothing of x, and may keep its response.
func (r *Rehearsal) Look(file string, x *exchange.Exchange) {
	s := r.sources[file]
	if s == nil {
		s = &source{}
		r.sources[file] = s
	}
	s.credentials = s.credentials || r.telling(&x.Request)
	m := r.g.contract.Match(x.Request.Method, x.Request.Path())
	if known := r.hosts[x.Request.Authority]; !known && len(r.hosts) < maxHosts {
		r.hosts[x.Request.Authority] = m.Operation != nil
	}
	if m.Operation != nil && x.Response != nil && x.Response.Status == http.StatusOK && r.objects.wants(m.Operation) {
		if p, whole := recordedReply(x); whole {
			r.objects.add(m.Operation, x, p)
		}
	}
}

// Try judges one exchange. It returns a copy with what guard would have done as
// its Actions, or nil for one that guard would not have seen: the API's side of
// what a guard recorded, and other hosts. It changes nothing of x.
func (r *Rehearsal) Try(file string, x *exchange.Exchange) *exchange.Exchange {
	if x.Side == exchange.UpstreamSide {
		return nil
	}
	if known, seen := r.hosts[x.Request.Authority]; seen && !known {
		r.result.Elsewhere++
		return nil
	}
	t := r.g.trial
	*t = trial{r: r, clock: t.clock, recorded: x}
	if s := r.sources[file]; s != nil && !s.credentials && x.Source == exchange.FromImport {
		t.dropped = answered(x)
	}
	*t.clock = x.Start
	if x.Start.IsZero() {
		*t.clock = r.began
	}
	y := *x
	y.Server, y.Actions, y.Findings, y.Links = exchange.Server{}, nil, nil, nil
	y.TLS = &exchange.TLS{Version: "TLS 1.3"}
	r.judge(t, &y)
	y.Times, y.TLS, y.Findings, y.Response = x.Times, x.TLS, nil, x.Response
	if y.Server.Caller == nil {
		y.Server.Caller = x.Server.Caller // for whoever reads it
	}
	for i := range y.Actions {
		y.Actions[i].Enforced = false
	}
	r.count(t, &y)
	return &y
}

// judge does what the middleware does, with the recorded answer for the API's.
func (r *Rehearsal) judge(t *trial, y *exchange.Exchange) {
	c, refusal := r.g.Admit(context.Background(), y)
	defer c.finish(nil)
	t.match = c.pass.Match
	if refusal == nil {
		if c.options() != nil {
			return
		}
		refusal = r.admitBody(t, c)
	}
	if refusal != nil || guardRefused(t.recorded) || t.recorded.Response == nil {
		return
	}
	up, whole := recordedReply(t.recorded)
	wanted := c.WantsReply(up.Status, up.Header)
	switch {
	case up.Status == http.StatusNotModified && c.asksForObject():
		t.bodies = true // guard would have asked for all of it
	case wanted && !whole:
		t.noReply = true
	case wanted && up.Body.Size > r.g.contract.MaxResponse:
		c.refuse(&tooLarge)
		return
	}
	c.Release(up, wanted && whole)
}

// admitBody is takeBody for a request that was recorded.
func (r *Rehearsal) admitBody(t *trial, c *Call) *check.Refusal {
	b := &c.Exchange.Request.Body
	if n := declaredLength(c.Exchange.Request.Header); n > 0 && b.IsZero() {
		b.Size = n // it was there
	}
	t.noRequest = !b.Complete()
	limit, wanted := c.WantsBody()
	object := func() (*Object, int, error) { return r.object(t, c) }
	if wanted && b.Size > limit {
		return c.AdmitBody(true, true, object)
	}
	return c.AdmitBody(wanted && !t.noRequest, false, object)
}

// object finds the object in the traffic.
func (r *Rehearsal) object(t *trial, c *Call) (*Object, int, error) {
	op := c.pass.Operation()
	if op.Preread == nil {
		return nil, 0, errors.New("guard: no GET for it")
	}
	found := r.objects.find(op.Preread, &c.Exchange.Request, c.pass.Now)
	if found == nil {
		t.noObject = true
		return nil, 0, errNotRecorded
	}
	facts, err := c.objectIn(found)
	return facts, found.Status, err
}

var errNotRecorded = errors.New("guard: it was not recorded")

// recordedReply is the answer of an exchange as guard would have got it, and
// whether its content is there. Browsers and others unpack content before they
// write it down, and leave the field that says how it was packed.
func recordedReply(x *exchange.Exchange) (*exchange.Response, bool) {
	p := *x.Response
	b := &p.Body
	if n := declaredLength(p.Header); b.IsZero() && n > 0 {
		b.Size = n
	}
	// An empty text beside a type is what is left where content was not kept.
	bodiless := p.Status == 204 || p.Status == 304 || p.Status < 200
	whole := b.Complete() && (b.Size > 0 || bodiless || declaredLength(p.Header) == 0 || p.Header.Get("Content-Type") == "" || x.Source != exchange.FromImport)
	if x.Request.Method == "HEAD" && len(b.Data) == 0 {
		whole = false
	}
	coding := p.Header.Get("Content-Encoding")
	if coding == "" || len(b.Data) == 0 {
		return &p, whole
	}
	if bytes.HasPrefix(b.Data, []byte{0x1f, 0x8b}) {
		d, ok := decodeBody(&p, int64(len(b.Data))*100)
		if !ok {
			return &p, false
		}
		return d, whole
	}
	if !utf8.Valid(b.Data) {
		return &p, false
	}
	h := make(exchange.Header, 0, len(p.Header))
	for _, f := range p.Header {
		switch http.CanonicalHeaderKey(f.Name) {
		case "Content-Encoding", "Content-Length", "Etag", "Content-Digest":
		default:
			h = append(h, f)
		}
	}
	p.Header = append(h, exchange.Field{Name: "Content-Length", Value: strconv.FormatInt(b.Size, 10)})
	return &p, whole
}

// guardRefused reports whether the recorded answer is a guard's own.
func guardRefused(x *exchange.Exchange) bool {
	for i := range x.Actions {
		if x.Actions[i].Kind == exchange.Refused && x.Actions[i].Enforced {
			return true
		}
	}
	return false
}

// answered reports whether the client got what it asked for.
func answered(x *exchange.Exchange) bool {
	return x.Response != nil && x.Response.Status < 400 && !guardRefused(x)
}
